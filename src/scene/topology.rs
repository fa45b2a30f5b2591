//! Who depends on whom: directed edges between objects, built once.

use std::collections::VecDeque;

use foldhash::{HashMap, HashSet};
use k8s_openapi::api::core::v1::{PodSpec, Volume};

use crate::model::store::HasMeta as _;
use crate::model::{Kind, ObjectRef};
use crate::scene::Scene;
use crate::scene::pods::owners;
use crate::scene::scheduling::{placement, scheduler};
use crate::scene::services::selector;

/// Why one object depends on another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Relation {
    /// An owner lives by what it owns.
    Owns,
    /// A pod of it runs on the node.
    ScheduledOn,
    /// It mounts the claim; a claim lives on its volume and class.
    Mounts,
    /// It names a ConfigMap, Secret or ServiceAccount.
    References,
    /// A pod that has no node would run there.
    WaitsFor,
    /// A Service leads to it.
    Selects,
    /// An Ingress leads to a Service.
    Routes,
    /// An autoscaler or disruption budget acts on it.
    Scales,
    /// A NetworkPolicy applies to it.
    Admits,
    /// It is configured with a Service's address.
    Calls,
    /// A namespace's quota or limit range bounds it.
    Limits,
}

/// How far a cause may be from its effect: database → its Service → caller → the caller's Service → its caller → Ingress.
const MAX_DISTANCE: usize = 8;

/// Directed edges: from what depends to what it depends on.
#[derive(Debug, Default)]
pub struct Topology {
    ids: HashMap<ObjectRef, usize>,
    names: Vec<ObjectRef>,
    /// Sorted by target, without duplicates.
    depends_on: Vec<Vec<(usize, Relation)>>,
}

impl Topology {
    fn id(&mut self, object: &ObjectRef) -> usize {
        if let Some(&id) = self.ids.get(object) {
            return id;
        }
        let id = self.names.len();
        self.ids.insert(object.clone(), id);
        self.names.push(object.clone());
        self.depends_on.push(Vec::new());
        id
    }

    pub(super) fn add(&mut self, from: &ObjectRef, relation: Relation, to: &ObjectRef) {
        let (from, to) = (self.id(from), self.id(to));
        if from != to {
            self.depends_on[from].push((to, relation));
        }
    }

    fn finish(mut self) -> Self {
        for edges in &mut self.depends_on {
            edges.sort_unstable();
            edges.dedup();
        }
        self
    }

    /// Iterates over what an object depends on directly, in a stable order.
    pub fn depends_on(&self, object: &ObjectRef) -> impl Iterator<Item = (&ObjectRef, Relation)> {
        let edges = self.ids.get(object).map_or(&[][..], |&id| &self.depends_on[id]);
        edges.iter().map(|&(to, relation)| (&self.names[to], relation))
    }

    /// Returns everything that an object depends on, itself first, with the number of steps to it.
    pub fn reach<'t>(&'t self, object: &'t ObjectRef) -> Vec<(&'t ObjectRef, usize)> {
        let Some(&start) = self.ids.get(object) else { return vec![(object, 0)] };
        let mut seen = HashSet::from_iter([start]);
        let mut queue = VecDeque::from([(start, 0)]);
        let mut reached = Vec::new();
        while let Some((id, distance)) = queue.pop_front() {
            reached.push((&self.names[id], distance));
            if distance == MAX_DISTANCE {
                continue;
            }
            for &(next, _) in &self.depends_on[id] {
                if seen.insert(next) {
                    queue.push_back((next, distance + 1));
                }
            }
        }
        reached
    }
}

/// Builds the topology of a scene.
pub(super) fn build(scene: &Scene<'_>) -> Topology {
    let mut topology = Topology::default();
    workloads(scene, &mut topology);
    services(scene, &mut topology);
    claims(scene, &mut topology);
    routes(scene, &mut topology);
    gateway_routes(scene, &mut topology);
    scalers(scene, &mut topology);
    custom_owners(scene, &mut topology);
    network(scene, &mut topology);
    placement::connect(scene, &mut topology);
    scheduler::connect(scene, &mut topology);
    for call in scene.calls() {
        let to = ObjectRef::new(Kind::Service, &call.service.0, &call.service.1);
        topology.add(&scene.workloads()[call.caller].object, Relation::Calls, &to);
    }
    topology.finish()
}

fn workloads(scene: &Scene<'_>, topology: &mut Topology) {
    for workload in scene.workloads() {
        let namespace = workload.namespace();
        topology.add(&workload.object, Relation::Limits, &ObjectRef::new(Kind::Namespace, "", namespace));
        if let Some(template) = workload.template {
            references(topology, &workload.object, namespace, template);
        }
        for pod in scene.pods_of(workload) {
            if let Some(node) = pod.node() {
                topology.add(&workload.object, Relation::ScheduledOn, &ObjectRef::new(Kind::Node, "", node));
            }
            // A StatefulSet's claims stand in its pods only.
            for claim in
                pod.spec().and_then(|spec| spec.volumes.as_deref()).unwrap_or_default().iter().filter_map(claim_of)
            {
                topology.add(
                    &workload.object,
                    Relation::Mounts,
                    &ObjectRef::new(Kind::PersistentVolumeClaim, namespace, claim),
                );
            }
            if workload.object.is(Kind::CronJob)
                && let Some(job) = owners::controller(pod.pod.object.meta())
            {
                topology.add(&workload.object, Relation::Owns, &owners::reference(job, namespace));
            }
        }
    }
    for set in &scene.snapshot.objects.stateful_sets {
        let Some(service) =
            set.spec.as_ref().and_then(|spec| spec.service_name.as_deref()).filter(|name| !name.is_empty())
        else {
            continue;
        };
        let object = ObjectRef::new(Kind::StatefulSet, set.namespace(), set.name());
        topology.add(&object, Relation::References, &ObjectRef::new(Kind::Service, set.namespace(), service));
    }
}

/// Returns the claim behind a volume.
pub fn claim_of(volume: &Volume) -> Option<&str> {
    volume.persistent_volume_claim.as_ref().map(|claim| claim.claim_name.as_str())
}

fn references(topology: &mut Topology, workload: &ObjectRef, namespace: &str, template: &PodSpec) {
    let mut add =
        |kind, name: &str| topology.add(workload, Relation::References, &ObjectRef::new(kind, namespace, name));
    if let Some(account) = template.service_account_name.as_deref() {
        add(Kind::ServiceAccount, account);
    }
    for container in template.containers.iter().chain(template.init_containers.iter().flatten()) {
        for from in container.env_from.iter().flatten() {
            from.config_map_ref.iter().for_each(|source| add(Kind::ConfigMap, &source.name));
            from.secret_ref.iter().for_each(|source| add(Kind::Secret, &source.name));
        }
        for from in container.env.iter().flatten().filter_map(|variable| variable.value_from.as_ref()) {
            from.config_map_key_ref.iter().for_each(|key| add(Kind::ConfigMap, &key.name));
            from.secret_key_ref.iter().for_each(|key| add(Kind::Secret, &key.name));
        }
    }
    for volume in template.volumes.iter().flatten() {
        volume.config_map.iter().for_each(|source| add(Kind::ConfigMap, &source.name));
        volume
            .secret
            .iter()
            .filter_map(|source| source.secret_name.as_deref())
            .for_each(|name| add(Kind::Secret, name));
    }
    for claim in template.volumes.iter().flatten().filter_map(claim_of) {
        topology.add(workload, Relation::Mounts, &ObjectRef::new(Kind::PersistentVolumeClaim, namespace, claim));
    }
}

fn services(scene: &Scene<'_>, topology: &mut Topology) {
    for service in scene.services() {
        for workload in service.workloads() {
            topology.add(&service.object(), Relation::Selects, &workload.object);
        }
    }
}

fn claims(scene: &Scene<'_>, topology: &mut Topology) {
    for claim in &scene.snapshot.objects.claims {
        let object = ObjectRef::new(Kind::PersistentVolumeClaim, claim.namespace(), claim.name());
        let Some(spec) = claim.spec.as_ref() else { continue };
        if let Some(volume) = spec.volume_name.as_deref().filter(|name| !name.is_empty()) {
            topology.add(&object, Relation::Mounts, &ObjectRef::new(Kind::PersistentVolume, "", volume));
        }
        if let Some(class) = spec.storage_class_name.as_deref().filter(|name| !name.is_empty()) {
            topology.add(&object, Relation::References, &ObjectRef::new(Kind::StorageClass, "", class));
        }
        topology.add(&object, Relation::Limits, &ObjectRef::new(Kind::Namespace, "", claim.namespace()));
    }
}

fn routes(scene: &Scene<'_>, topology: &mut Topology) {
    for ingress in &scene.snapshot.objects.ingresses {
        let object = ObjectRef::new(Kind::Ingress, ingress.namespace(), ingress.name());
        let Some(spec) = ingress.spec.as_ref() else { continue };
        let paths = spec.rules.iter().flatten().filter_map(|rule| rule.http.as_ref()).flat_map(|http| &http.paths);
        let backends = paths.map(|path| &path.backend).chain(spec.default_backend.as_ref());
        for service in backends.filter_map(|backend| backend.service.as_ref()) {
            topology.add(&object, Relation::Routes, &ObjectRef::new(Kind::Service, ingress.namespace(), &service.name));
        }
    }
}

/// Adds edges from the routes of a Gateway to the Services behind them.
fn gateway_routes(scene: &Scene<'_>, topology: &mut Topology) {
    for route in scene.snapshot.objects.custom.iter().filter(|item| item.kind.ends_with("Route")) {
        let from = ObjectRef::parse(&route.api_version, &route.kind, Some(route.namespace()), route.name());
        let rules = route.spec["rules"].as_array().into_iter().flatten();
        let backends = rules.flat_map(|rule| rule["backendRefs"].as_array().into_iter().flatten());
        for backend in backends.filter(|backend| backend["kind"].as_str().is_none_or(|kind| kind == "Service")) {
            let Some(name) = backend["name"].as_str() else { continue };
            let namespace = backend["namespace"].as_str().unwrap_or(route.namespace());
            topology.add(&from, Relation::Routes, &ObjectRef::new(Kind::Service, namespace, name));
        }
    }
}

fn scalers(scene: &Scene<'_>, topology: &mut Topology) {
    for scaler in &scene.snapshot.objects.autoscalers {
        let Some(target) = scaler.spec.as_ref().map(|spec| &spec.scale_target_ref) else { continue };
        let object = ObjectRef::new(Kind::HorizontalPodAutoscaler, scaler.namespace(), scaler.name());
        let api_version = target.api_version.as_deref().unwrap_or_default();
        let to = ObjectRef::parse(api_version, &target.kind, Some(scaler.namespace()), &target.name);
        topology.add(&object, Relation::Scales, &to);
    }
}

/// Adds edges from workloads to the policies that apply to them and to what cluster DNS is configured with.
fn network(scene: &Scene<'_>, topology: &mut Topology) {
    let dns = ObjectRef::new(Kind::ConfigMap, "kube-system", "coredns");
    for workload in scene.workloads() {
        topology.add(&workload.object, Relation::References, &dns);
        for policy in scene.snapshot.objects.network_policies.in_namespace(workload.namespace()) {
            let selector = policy.spec.as_ref().and_then(|spec| spec.pod_selector.as_ref());
            if selector.is_none_or(|selector| selector::matches(selector, workload.labels)) {
                topology.add(
                    &workload.object,
                    Relation::Admits,
                    &ObjectRef::new(Kind::NetworkPolicy, policy.namespace(), policy.name()),
                );
            }
        }
    }
}

/// Adds edges from owners to what they own, for all levels above pods.
fn custom_owners(scene: &Scene<'_>, topology: &mut Topology) {
    let objects = &scene.snapshot.objects;
    let deployments = objects.deployments.iter().map(|item| (Kind::Deployment, item.object.meta()));
    let stateful = objects.stateful_sets.iter().map(|item| (Kind::StatefulSet, item.object.meta()));
    let daemons = objects.daemon_sets.iter().map(|item| (Kind::DaemonSet, item.object.meta()));
    let jobs = objects.jobs.iter().map(|item| (Kind::Job, item.object.meta()));
    for (kind, meta) in deployments.chain(stateful).chain(daemons).chain(jobs) {
        let namespace = meta.namespace.as_deref().unwrap_or_default();
        let owned = ObjectRef::new(kind, namespace, meta.name.as_deref().unwrap_or_default());
        for owner in meta.owner_references.iter().flatten() {
            topology.add(&owners::reference(owner, namespace), Relation::Owns, &owned);
        }
    }
}
