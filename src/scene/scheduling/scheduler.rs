//! kube-scheduler: whom it ignores, and what it left behind.

use jiff::{SignedDuration, Timestamp};

use crate::model::store::HasMeta as _;
use crate::model::{Evidence, Kind, ObjectRef};
use crate::scene::topology::{Relation, Topology};
use crate::scene::{PodView, Scene};

/// The scheduler of pods that name none.
pub const DEFAULT: &str = "default-scheduler";

/// Even a busy scheduler notes something within this time.
const PATIENCE: SignedDuration = SignedDuration::from_secs(45);

/// A lease is renewed every two seconds and lost after fifteen.
const STALE: SignedDuration = SignedDuration::from_secs(30);

/// Returns whether no scheduler has noted anything on a pod that has waited for a while.
pub fn ignores(pod: PodView<'_>) -> bool {
    if !pod.is_unscheduled() || pod.is_terminating() {
        return false;
    }
    let gated = pod.spec().is_some_and(|spec| spec.scheduling_gates.as_ref().is_some_and(|gates| !gates.is_empty()));
    let old = pod.created().is_some_and(|created| pod.scene.now().duration_since(created) > PATIENCE);
    let noted = pod.condition("PodScheduled").is_some()
        || pod.events().any(|event| matches!(event.reason, "FailedScheduling" | "Scheduled"));
    old && !gated && !noted
}

/// Returns the name of the scheduler that a pod asks for.
pub fn name(pod: PodView<'_>) -> &str {
    pod.spec().and_then(|spec| spec.scheduler_name.as_deref()).filter(|name| !name.is_empty()).unwrap_or(DEFAULT)
}

/// What the scheduler left behind: its lease, its pod, its events.
#[derive(Debug, Default)]
pub struct Traces {
    /// The node that it ran on, if something tells.
    pub node: Option<String>,
    pod: Option<ObjectRef>,
    renewed: Option<Timestamp>,
    pod_fails: bool,
    pub evidence: Vec<Evidence>,
}

impl Traces {
    /// Reads what is there of it.
    pub fn of(scene: &Scene<'_>) -> Self {
        let mut traces = Self::default();
        traces.read_lease(scene);
        traces.read_events(scene);
        traces.read_pod(scene);
        traces
    }

    fn read_lease(&mut self, scene: &Scene<'_>) {
        let Some(lease) = scene.snapshot.objects.leases.get("kube-system", "kube-scheduler") else { return };
        let Some(spec) = lease.object.spec.as_ref() else { return };
        self.hold(spec.holder_identity.as_deref().unwrap_or_default());
        self.renewed = spec.renew_time.as_ref().map(|time| time.0);
        let object = ObjectRef::new(Kind::Lease, "kube-system", "kube-scheduler");
        let value = self.renewed.map_or_else(|| "never".to_owned(), |time| time.to_string());
        self.evidence.push(Evidence { object, path: "spec.renewTime".to_owned(), value, time: self.renewed });
    }

    fn read_events(&mut self, scene: &Scene<'_>) {
        let elections =
            scene.events().iter().filter(|event| event.reason == "LeaderElection" && event.name() == "kube-scheduler");
        if let Some(event) = elections.rev().find(|event| event.namespace() == "kube-system") {
            self.hold(event.message);
            let object = event.object();
            self.evidence.push(Evidence {
                object,
                path: "events[LeaderElection]".to_owned(),
                value: event.message.to_owned(),
                time: event.last,
            });
        }
    }

    fn read_pod(&mut self, scene: &Scene<'_>) {
        let pods = scene.snapshot.objects.pods.in_namespace("kube-system");
        let mut own = pods.filter(|pod| pod.object.name().starts_with("kube-scheduler"));
        let Some(pod) = own.next() else { return };
        let object = ObjectRef::new(Kind::Pod, "kube-system", pod.object.name());
        let status = pod.object.status.as_ref();
        let ready = status
            .and_then(|status| status.container_statuses.as_ref())
            .is_some_and(|all| all.iter().all(|one| one.ready));
        self.node = pod.object.spec.as_ref().and_then(|spec| spec.node_name.clone()).or(self.node.take());
        self.pod_fails = !ready;
        self.pod = Some(object.clone());
        self.evidence.push(Evidence {
            object,
            path: "status.containerStatuses[kube-scheduler].ready".to_owned(),
            value: ready.to_string(),
            time: None,
        });
    }

    /// Notes a holder such as `control-1_0a1b...`, as leases and elections name it.
    fn hold(&mut self, holder: &str) {
        let node = holder.split(['_', ' ']).next().filter(|node| !node.is_empty());
        self.node = node.map(str::to_owned).or(self.node.take());
    }

    /// Returns where a person has to look: the node that it ran on, else its pod, else its lease.
    pub fn subject(&self, scene: &Scene<'_>) -> ObjectRef {
        let node = self.node.as_deref().filter(|node| scene.nodes().get(node).is_some());
        let node = node.map(|node| ObjectRef::new(Kind::Node, "", node));
        node.or(self.pod.clone()).unwrap_or_else(|| ObjectRef::new(Kind::Lease, "kube-system", "kube-scheduler"))
    }

    /// Returns whether it renewed its lease lately.
    pub fn is_renewed(&self, scene: &Scene<'_>) -> bool {
        self.renewed.is_some_and(|time| scene.now().duration_since(time) <= STALE)
    }

    /// Returns how sure it is that the scheduler is down, given that it ignores pods.
    pub fn confidence(&self, scene: &Scene<'_>) -> f64 {
        match (self.renewed, self.is_renewed(scene)) {
            (_, true) => 0.5,
            (Some(_), false) => 0.97,
            (None, _) if self.pod_fails => 0.95,
            (None, _) => 0.85,
        }
    }
}

/// Lets workloads whose pods the scheduler ignores depend on where it should run.
pub(in crate::scene) fn connect(scene: &Scene<'_>, topology: &mut Topology) {
    let ignored: Vec<_> = scene.suspects().filter(|pod| ignores(*pod) && name(*pod) == DEFAULT).collect();
    if ignored.is_empty() {
        return;
    }
    let place = Traces::of(scene).subject(scene);
    for pod in ignored {
        topology.add(&pod.workload().object, Relation::WaitsFor, &place);
    }
}
