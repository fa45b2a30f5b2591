//! All objects of a snapshot, a store a kind.

use k8s_openapi::api::admissionregistration::v1::{MutatingWebhookConfiguration, ValidatingWebhookConfiguration};
use k8s_openapi::api::apps::v1::{DaemonSet, Deployment, ReplicaSet, StatefulSet};
use k8s_openapi::api::autoscaling::v2::HorizontalPodAutoscaler;
use k8s_openapi::api::batch::v1::{CronJob, Job};
use k8s_openapi::api::coordination::v1::Lease;
use k8s_openapi::api::core::v1::{
    ConfigMap, Endpoints, Event, LimitRange, Namespace, Node, PersistentVolume, PersistentVolumeClaim, Pod,
    ReplicationController, ResourceQuota, Service, ServiceAccount,
};
use k8s_openapi::api::discovery::v1::EndpointSlice;
use k8s_openapi::api::networking::v1::{Ingress, IngressClass, NetworkPolicy};
use k8s_openapi::api::policy::v1::PodDisruptionBudget;
use k8s_openapi::api::rbac::v1::{ClusterRole, ClusterRoleBinding, Role, RoleBinding};
use k8s_openapi::api::scheduling::v1::PriorityClass;
use k8s_openapi::api::storage::v1::StorageClass;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use super::store::HasMeta;
use super::{Change, Coverage, Kind, ObjectRef, SecretKeys, Store, Stored, Type};
use crate::json::Json;

/// An object of a kind that is not in the table, such as a custom owner.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Custom {
    #[serde(default)]
    pub api_version: String,
    #[serde(default)]
    pub kind: String,
    #[serde(default)]
    pub metadata: ObjectMeta,
    #[serde(default)]
    pub spec: Value,
    #[serde(default)]
    pub status: Value,
    /// What a `ControllerRevision` keeps: the template of that revision.
    #[serde(default)]
    pub data: Value,
    /// The number of a `ControllerRevision`.
    #[serde(default)]
    pub revision: i64,
}

/// Makes the stores and the look-ups by kind from one table.
macro_rules! stores {
    ($($field:ident: $type:ident = $kind:ident;)*) => {
        /// All objects that were read.
        #[derive(Clone, Debug, Default)]
        pub struct Objects {
            $(#[doc = concat!("All `", stringify!($kind), "` objects.")] pub $field: Store<$type>,)*
            /// Objects of other kinds.
            pub custom: Store<Custom>,
        }

        impl Objects {
            /// Parses a pruned object and adds it to the store of its kind.
            ///
            /// # Errors
            /// When it does not have the shape of its kind.
            pub fn insert(&mut self, kind: Kind, value: Json<'_>, changes: Vec<Change>, raw: Option<Box<RawValue>>) -> Result<(), serde_json::Error> {
                match kind {
                    $(Kind::$kind => self.$field.push(Stored { object: $type::deserialize(value)?, changes, raw }),)*
                }
                Ok(())
            }

            /// Adds the objects of another collection, in their order.
            pub fn append(&mut self, other: Self) {
                $(self.$field.append(other.$field);)*
                self.custom.append(other.custom);
            }

            /// Returns where objects of this kind were looked for.
            pub fn coverage(&self, kind: Kind) -> &Coverage {
                match kind { $(Kind::$kind => &self.$field.coverage,)* }
            }

            /// Returns where objects of this kind were looked for, to be added to.
            pub fn coverage_mut(&mut self, kind: Kind) -> &mut Coverage {
                match kind { $(Kind::$kind => &mut self.$field.coverage,)* }
            }

            /// Forgets all objects of this kind and where they were looked for.
            pub fn clear(&mut self, kind: Kind) {
                match kind { $(Kind::$kind => self.$field = Store::default(),)* }
            }

            /// Returns how many objects of this kind there are.
            pub fn count(&self, kind: Kind) -> usize {
                match kind { $(Kind::$kind => self.$field.len(),)* }
            }

            /// Returns the names of the objects of this kind in a namespace.
            pub fn names(&self, kind: Kind, namespace: &str) -> Vec<&str> {
                match kind { $(Kind::$kind => self.$field.in_namespace(namespace).map(|item| item.object.name()).collect(),)* }
            }

            /// Returns the metadata of all objects of this kind, in order.
            pub fn metas(&self, kind: Kind) -> Vec<&ObjectMeta> {
                match kind { $(Kind::$kind => self.$field.iter().map(|item| item.object.meta()).collect(),)* }
            }

            /// Iterates over the pruned JSON of this kind, where it was kept.
            pub fn raw(&self, kind: Kind) -> Vec<&RawValue> {
                match kind { $(Kind::$kind => self.$field.iter().filter_map(|item| item.raw.as_deref()).collect(),)* }
            }

            /// Sorts all stores, so that the order in which pages arrived leaves no trace.
            pub fn sort(&mut self) {
                $(self.$field.sort();)*
                self.custom.sort();
            }
        }
    };
}

stores! {
    pods: Pod = Pod;
    events: Event = Event;
    services: Service = Service;
    config_maps: ConfigMap = ConfigMap;
    secrets: SecretKeys = Secret;
    service_accounts: ServiceAccount = ServiceAccount;
    claims: PersistentVolumeClaim = PersistentVolumeClaim;
    quotas: ResourceQuota = ResourceQuota;
    limit_ranges: LimitRange = LimitRange;
    replication_controllers: ReplicationController = ReplicationController;
    endpoints: Endpoints = Endpoints;
    deployments: Deployment = Deployment;
    replica_sets: ReplicaSet = ReplicaSet;
    stateful_sets: StatefulSet = StatefulSet;
    daemon_sets: DaemonSet = DaemonSet;
    jobs: Job = Job;
    cron_jobs: CronJob = CronJob;
    autoscalers: HorizontalPodAutoscaler = HorizontalPodAutoscaler;
    disruption_budgets: PodDisruptionBudget = PodDisruptionBudget;
    ingresses: Ingress = Ingress;
    network_policies: NetworkPolicy = NetworkPolicy;
    endpoint_slices: EndpointSlice = EndpointSlice;
    roles: Role = Role;
    role_bindings: RoleBinding = RoleBinding;
    leases: Lease = Lease;
    nodes: Node = Node;
    namespaces: Namespace = Namespace;
    volumes: PersistentVolume = PersistentVolume;
    storage_classes: StorageClass = StorageClass;
    priority_classes: PriorityClass = PriorityClass;
    ingress_classes: IngressClass = IngressClass;
    cluster_roles: ClusterRole = ClusterRole;
    cluster_role_bindings: ClusterRoleBinding = ClusterRoleBinding;
    validating_webhooks: ValidatingWebhookConfiguration = ValidatingWebhookConfiguration;
    mutating_webhooks: MutatingWebhookConfiguration = MutatingWebhookConfiguration;
}

impl Objects {
    /// Returns the metadata of all objects of a type, in order.
    pub fn metas_of(&self, of: &Type) -> Vec<&ObjectMeta> {
        match of.known() {
            Some(kind) => self.metas(kind),
            None => self.of_type(of).map(HasMeta::meta).collect(),
        }
    }

    /// Returns the metadata of one object, if it was read.
    pub fn meta(&self, object: &ObjectRef) -> Option<&ObjectMeta> {
        let is_it = |meta: &&ObjectMeta| {
            meta.name.as_ref() == Some(&object.name)
                && meta.namespace.as_deref().unwrap_or_default() == object.namespace()
        };
        match Kind::find(&object.api_version, &object.kind) {
            Some(kind) => self.metas(kind).into_iter().find(is_it),
            None => {
                self.custom.iter().filter(|item| item.kind == object.kind).map(|item| item.object.meta()).find(is_it)
            }
        }
    }

    /// Iterates over the objects of a type that is not in the table, whatever their version.
    pub fn of_type(&self, of: &Type) -> impl Iterator<Item = &Custom> {
        let group = |api_version: &str| api_version.split_once('/').map(|(group, _)| group.to_owned());
        let wanted = group(of.api_version());
        let is_it = move |item: &&Stored<Custom>| item.kind == of.name() && group(&item.api_version) == wanted;
        self.custom.iter().filter(is_it).map(|item| &item.object)
    }

    /// Adds an object of a kind that is not in the table.
    ///
    /// # Errors
    /// When it has no usable metadata.
    pub fn insert_custom(
        &mut self,
        value: Json<'_>,
        changes: Vec<Change>,
        raw: Option<Box<RawValue>>,
    ) -> Result<(), serde_json::Error> {
        self.custom.push(Stored { object: Custom::deserialize(value)?, changes, raw });
        Ok(())
    }
}
