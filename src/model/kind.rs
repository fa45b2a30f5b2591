//! The built-in kinds that are read, as a table.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Makes the enum of kinds and its look-ups from one table.
macro_rules! kinds {
    ($($variant:ident $group:literal $version:literal $plural:literal $scope:ident;)*) => {
        /// A built-in kind that is read.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Kind { $(#[doc = concat!("`", $plural, "`")] $variant,)* }

        impl Kind {
            /// All kinds, in the order of the table.
            pub const ALL: &'static [Kind] = &[$(Kind::$variant,)*];

            /// Returns the kind's word: `Pod`.
            pub fn name(self) -> &'static str {
                match self { $(Kind::$variant => stringify!($variant),)* }
            }

            /// Returns the API group; empty for the core group.
            pub fn group(self) -> &'static str {
                match self { $(Kind::$variant => $group,)* }
            }

            /// Returns the version that is asked for.
            pub fn version(self) -> &'static str {
                match self { $(Kind::$variant => $version,)* }
            }

            /// Returns the resource as in URLs and RBAC: `pods`.
            pub fn plural(self) -> &'static str {
                match self { $(Kind::$variant => $plural,)* }
            }

            /// Returns the API version as manifests spell it: `v1`, `apps/v1`.
            pub fn api_version(self) -> &'static str {
                match self { $(Kind::$variant => const { match $group.len() {
                    0 => $version,
                    _ => concat!($group, "/", $version),
                } },)* }
            }

            /// Returns whether objects of it live in a namespace.
            pub fn namespaced(self) -> bool {
                match self { $(Kind::$variant => kinds!(@$scope),)* }
            }
        }
    };
    (@Namespaced) => { true };
    (@Cluster) => { false };
}

kinds! {
    Pod "" "v1" "pods" Namespaced;
    Event "" "v1" "events" Namespaced;
    Service "" "v1" "services" Namespaced;
    ConfigMap "" "v1" "configmaps" Namespaced;
    Secret "" "v1" "secrets" Namespaced;
    ServiceAccount "" "v1" "serviceaccounts" Namespaced;
    PersistentVolumeClaim "" "v1" "persistentvolumeclaims" Namespaced;
    ResourceQuota "" "v1" "resourcequotas" Namespaced;
    LimitRange "" "v1" "limitranges" Namespaced;
    ReplicationController "" "v1" "replicationcontrollers" Namespaced;
    Endpoints "" "v1" "endpoints" Namespaced;
    Deployment "apps" "v1" "deployments" Namespaced;
    ReplicaSet "apps" "v1" "replicasets" Namespaced;
    StatefulSet "apps" "v1" "statefulsets" Namespaced;
    DaemonSet "apps" "v1" "daemonsets" Namespaced;
    Job "batch" "v1" "jobs" Namespaced;
    CronJob "batch" "v1" "cronjobs" Namespaced;
    HorizontalPodAutoscaler "autoscaling" "v2" "horizontalpodautoscalers" Namespaced;
    PodDisruptionBudget "policy" "v1" "poddisruptionbudgets" Namespaced;
    Ingress "networking.k8s.io" "v1" "ingresses" Namespaced;
    NetworkPolicy "networking.k8s.io" "v1" "networkpolicies" Namespaced;
    EndpointSlice "discovery.k8s.io" "v1" "endpointslices" Namespaced;
    Role "rbac.authorization.k8s.io" "v1" "roles" Namespaced;
    RoleBinding "rbac.authorization.k8s.io" "v1" "rolebindings" Namespaced;
    Lease "coordination.k8s.io" "v1" "leases" Namespaced;
    Node "" "v1" "nodes" Cluster;
    Namespace "" "v1" "namespaces" Cluster;
    PersistentVolume "" "v1" "persistentvolumes" Cluster;
    StorageClass "storage.k8s.io" "v1" "storageclasses" Cluster;
    PriorityClass "scheduling.k8s.io" "v1" "priorityclasses" Cluster;
    IngressClass "networking.k8s.io" "v1" "ingressclasses" Cluster;
    ClusterRole "rbac.authorization.k8s.io" "v1" "clusterroles" Cluster;
    ClusterRoleBinding "rbac.authorization.k8s.io" "v1" "clusterrolebindings" Cluster;
    ValidatingWebhookConfiguration "admissionregistration.k8s.io" "v1" "validatingwebhookconfigurations" Cluster;
    MutatingWebhookConfiguration "admissionregistration.k8s.io" "v1" "mutatingwebhookconfigurations" Cluster;
}

impl Kind {
    /// Finds a kind by its words in a manifest or owner reference; the version within the group does not matter,
    /// and a missing API version (as in some events) matches by the kind alone.
    pub fn find(api_version: &str, kind: &str) -> Option<Kind> {
        let group = api_version.split_once('/').map_or("", |(group, _)| group);
        let same_group = |known: &Kind| known.group() == group || api_version.is_empty();
        Self::ALL.iter().copied().find(|known| known.name() == kind && same_group(known))
    }

    /// Finds a kind by its plural, as in URLs and in the files of a dump.
    pub fn find_plural(plural: &str) -> Option<Kind> {
        Self::ALL.iter().copied().find(|kind| kind.plural() == plural)
    }

    /// Returns the path of the collection, of one namespace or of all.
    pub fn path(self, namespace: Option<&str>) -> String {
        let root = match self.group() {
            "" => format!("/api/{}", self.version()),
            group => format!("/apis/{group}/{}", self.version()),
        };
        match namespace.filter(|_| self.namespaced()) {
            Some(namespace) => format!("{root}/namespaces/{namespace}/{}", self.plural()),
            None => format!("{root}/{}", self.plural()),
        }
    }
}

impl Serialize for Kind {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.plural())
    }
}

impl<'de> Deserialize<'de> for Kind {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let plural = String::deserialize(deserializer)?;
        Kind::find_plural(&plural).ok_or_else(|| serde::de::Error::custom(format!("unknown kind `{plural}`")))
    }
}
