//! What rules look at: the snapshot joined once.
//!
//! Pods know their workload, containers their status and logs, objects their events, and [`Topology`] who depends on
//! whom. Everything here is computed from the snapshot alone.
#![warn(clippy::disallowed_methods, clippy::disallowed_types)]

pub mod access;
pub mod changes;
pub mod commands;
pub mod config;
pub mod event;
pub mod images;
pub mod log;
pub mod near;
pub mod pattern;
pub mod pods;
pub mod probes;
pub mod scheduling;
pub mod services;
pub mod signals;
pub mod topology;
pub mod traffic;

use std::ops::Range;

use foldhash::{HashMap, HashMapExt as _};
use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::core::v1::Pod;

pub use config::environment::{Environment, Source, Variable};
pub use config::mounts::Mount;
pub use event::EventView;
pub use log::{LogDigest, Template};
pub use pods::container::{ContainerView, Role};
pub use pods::crash::Crash;
pub use pods::pod::PodView;
use pods::suspect;
pub use pods::testimony::{Testimony, is_settled, testimonies};
pub use pods::workload::Workload;
pub use probes::probe::{ProbeKind, ProbeView};
pub use scheduling::nodes::{NodeRoom, Nodes};
pub use scheduling::placement::Placement;
pub use scheduling::words::Obstacle;
pub use services::service::ServiceView;
pub use topology::Topology;
pub use traffic::calls::Call;
pub use traffic::outage::{Outage, Peer, outages};

use crate::model::store::HasMeta as _;
use crate::model::{Kind, ObjectRef, Snapshot, Stored};

/// How long ago an event may have been for its trouble to count as present: the longest back-off of a controller
/// (the ReplicaSet controller's, 1000 s) and some slack.
const RECENT: SignedDuration = SignedDuration::from_mins(20);

/// The snapshot, joined.
#[derive(Debug)]
pub struct Scene<'a> {
    pub snapshot: &'a Snapshot,
    /// In order of namespace and name.
    pub(crate) pods: Vec<&'a Stored<Pod>>,
    /// The index of each pod's workload.
    pub(crate) pod_workload: Vec<usize>,
    workloads: Vec<Workload<'a>>,
    workload_index: HashMap<ObjectRef, usize>,
    events: event::EventIndex<'a>,
    /// Where each pod's events are among all.
    pod_events: Vec<Range<usize>>,
    logs: log::LogIndex<'a>,
    /// The indices of the pods that may be in trouble.
    suspects: Vec<usize>,
    oom_counts: pods::oom_counts::OomCounts<'a>,
    /// The indices of the pods in scope on each node that are not finished.
    pods_on: HashMap<&'a str, Vec<usize>>,
    calls: Vec<Call<'a>>,
    backends: HashMap<(&'a str, &'a str), services::service::Backends>,
    nodes: Nodes<'a>,
    placements: Vec<Placement>,
    topology: Topology,
    verdicts: Vec<signals::Verdict<'a>>,
}

impl<'a> Scene<'a> {
    /// Joins a snapshot; linear in its size.
    pub fn new(snapshot: &'a Snapshot) -> Self {
        let pods: Vec<_> = snapshot.objects.pods.iter().filter(|pod| in_scope(snapshot, pod)).collect();
        let mut workloads = pods::workload::Builder::new(snapshot);
        let pod_workload = pods.iter().enumerate().map(|(index, pod)| workloads.add_pod(index, pod)).collect();
        let (workloads, workload_index) = workloads.finish();
        let events = event::EventIndex::new(snapshot);
        let pod_events = pods.iter().map(|pod| events.range(pod.object.namespace(), pod.object.name())).collect();
        let logs = log::LogIndex::new(snapshot);
        let mut scene = Self {
            snapshot,
            pods,
            pod_workload,
            workloads,
            workload_index,
            events,
            pod_events,
            logs,
            suspects: Vec::new(),
            oom_counts: pods::oom_counts::OomCounts::new(snapshot),
            pods_on: HashMap::new(),
            calls: Vec::new(),
            backends: HashMap::new(),
            nodes: Nodes::new(snapshot),
            placements: Vec::new(),
            topology: Topology::default(),
            verdicts: Vec::new(),
        };
        scene.suspects = scene.pods().filter(|pod| suspect::is_suspect(*pod)).map(|pod| pod.index).collect();
        scene.pods_on = scheduling::node::pods_on(&scene);
        scene.calls = traffic::calls::find(&scene);
        scene.backends = services::service::backends(&scene);
        scene.placements = scheduling::placement::find(&scene);
        scene.topology = topology::build(&scene);
        scene.verdicts = signals::verdict::judge(&scene);
        scene
    }

    /// Returns the moment of the snapshot.
    pub fn now(&self) -> Timestamp {
        self.snapshot.taken_at
    }

    /// Returns whether a time is so close that what happened then counts as present.
    pub fn is_recent(&self, time: Option<Timestamp>) -> bool {
        time.is_some_and(|time| self.now().duration_since(time) <= RECENT)
    }

    /// Iterates over the pods in scope.
    pub fn pods(&self) -> impl Iterator<Item = PodView<'_>> {
        (0..self.pods.len()).map(|index| self.pod(index))
    }

    /// Returns a pod by its index.
    pub fn pod(&self, index: usize) -> PodView<'_> {
        PodView { scene: self, index, pod: self.pods[index] }
    }

    /// Iterates over all containers of the pods in scope, init containers and side-cars too.
    pub fn containers(&self) -> impl Iterator<Item = ContainerView<'_>> {
        self.pods().flat_map(PodView::containers)
    }

    /// Returns the workloads in scope, those without pods too.
    pub fn workloads(&self) -> &[Workload<'a>] {
        &self.workloads
    }

    /// Finds the workload of this address.
    pub fn workload(&self, object: &ObjectRef) -> Option<&Workload<'a>> {
        self.workload_index.get(object).map(|&index| &self.workloads[index])
    }

    /// Iterates over the pods of a workload.
    pub fn pods_of<'s>(&'s self, workload: &'s Workload<'a>) -> impl Iterator<Item = PodView<'s>> {
        workload.pods.iter().map(|&index| self.pod(index))
    }

    /// Iterates over the Services in scope with the pods behind them.
    pub fn services(&self) -> impl Iterator<Item = ServiceView<'_>> {
        let services = self.snapshot.objects.services.iter();
        services.filter(|service| in_scope(self.snapshot, *service)).map(|service| ServiceView { scene: self, service })
    }

    /// Returns the events about an object, oldest first.
    pub fn events_of<'s>(&'s self, object: &'s ObjectRef) -> impl Iterator<Item = &'s EventView<'a>> {
        self.events_about(&object.kind, object.namespace(), &object.name)
    }

    /// Returns the events about the object of these names, oldest first.
    pub fn events_about<'s>(
        &'s self,
        kind: &'s str,
        namespace: &str,
        name: &str,
    ) -> impl Iterator<Item = &'s EventView<'a>> {
        self.events.of(namespace, name).iter().filter(move |event| event.kind() == kind)
    }

    /// Returns all events in scope in order of their object.
    pub fn events(&self) -> &[EventView<'a>] {
        self.events.all()
    }

    /// Iterates over the pods in scope that are not plainly well: that wait, failed, restarted, end, were warned about or
    /// left a log that was read. A rule that speaks of none but these looks at none but these, as most pods are well.
    pub fn suspects(&self) -> impl Iterator<Item = PodView<'_>> {
        self.suspects.iter().map(|&index| self.pod(index))
    }

    /// Iterates over all containers of [`Scene::suspects`].
    pub fn suspect_containers(&self) -> impl Iterator<Item = ContainerView<'_>> {
        self.suspects().flat_map(PodView::containers)
    }

    /// Iterates over the pods in scope on a node that are not finished.
    pub fn pods_on(&self, node: &str) -> impl Iterator<Item = PodView<'_>> {
        self.pods_on.get(node).into_iter().flatten().map(|&index| self.pod(index))
    }

    /// Returns what the logs of a container say.
    pub fn logs(&self, namespace: &str, pod: &str, container: &str) -> Option<&log::Logs<'a>> {
        self.logs.of(namespace, pod, container)
    }

    /// Returns who calls whom, as env, args and ConfigMaps say.
    pub fn calls(&self) -> &[Call<'a>] {
        &self.calls
    }

    /// Returns who depends on whom.
    pub fn topology(&self) -> &Topology {
        &self.topology
    }

    /// Returns where the trouble begins that alerts tell of.
    pub fn verdicts(&self) -> &[signals::Verdict<'a>] {
        &self.verdicts
    }

    /// Returns the nodes and the room on them.
    pub fn nodes(&self) -> &Nodes<'a> {
        &self.nodes
    }

    /// Returns the pods in scope that the scheduler could not place, and why.
    pub fn placements(&self) -> &[Placement] {
        &self.placements
    }

    /// Returns whether all objects of a kind in a namespace are known.
    pub fn knows(&self, kind: Kind, namespace: &str) -> bool {
        self.snapshot.objects.coverage(kind).lists(namespace)
    }
}

fn in_scope<T: crate::model::store::HasMeta>(snapshot: &Snapshot, object: &Stored<T>) -> bool {
    snapshot.scope.includes(object.object.namespace())
}
