//! Which containers' logs are worth a request.

use std::collections::BTreeMap;

use jiff::SignedDuration;
use k8s_openapi::api::core::v1::{ContainerStatus, Pod};

use crate::model::store::HasMeta as _;
use crate::model::{ContainerRef, Snapshot, Stored};
use crate::scene::pods::owners;

/// At most so many containers' logs are read in one run.
const MAX_SUSPECTS: usize = 60;
/// At most so many replicas of one workload: the others would say the same.
const MAX_REPLICAS: usize = 3;
/// In a scope of at most so many workloads, a healthy replica of each is read too: some faults show in its log only.
const FEW_WORKLOADS: usize = 40;
/// So many samples are read of further replicas: a caller's bad request may have met any of them.
const FEW_SAMPLES: usize = 30;

/// A container whose log is worth reading.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Suspect {
    pub(super) container: ContainerRef,
    pub(super) node: String,
    /// The run before is worth reading too.
    pub(super) previous: bool,
    /// It is healthy and read as a sample.
    pub(super) sample: bool,
}

/// Returns the suspicious containers in scope, the sick before the samples.
pub(super) fn containers(snapshot: &Snapshot) -> Vec<Suspect> {
    let mut taken = BTreeMap::new();
    let mut sick = Vec::new();
    let mut samples: [Vec<Suspect>; MAX_REPLICAS] = Default::default();
    let mut sampled = BTreeMap::new();
    for pod in snapshot.objects.pods.iter().filter(|pod| snapshot.scope.includes(pod.object.namespace())) {
        let workload = owners::workload_of(snapshot, pod);
        let suspects = of_pod(pod);
        if suspects.is_empty() {
            let count: &mut usize = sampled.entry(workload).or_default();
            if let Some(round) = samples.get_mut(*count) {
                round.extend(healthy(pod));
            }
            *count += 1;
            continue;
        }
        let count: &mut usize = taken.entry(workload).or_default();
        *count += 1;
        if *count <= MAX_REPLICAS {
            sick.extend(suspects);
        }
    }
    if sampled.len() + taken.len() <= FEW_WORKLOADS {
        let [first, more @ ..] = samples;
        let room = FEW_SAMPLES.saturating_sub(first.len());
        sick.extend(first.into_iter().chain(more.into_iter().flatten().take(room)));
    }
    sick.truncate(MAX_SUSPECTS);
    sick
}

/// Returns the containers of a pod that crashed, wait, are not ready or ended badly.
pub(super) fn of_pod(pod: &Stored<Pod>) -> Vec<Suspect> {
    let statuses = pod.status.iter().flat_map(|status| {
        status.init_container_statuses.iter().flatten().chain(status.container_statuses.iter().flatten())
    });
    let suspicious = statuses.filter(|status| has_run(status) && is_suspicious(pod, status));
    suspicious.map(|status| suspect(pod, status, false)).collect()
}

/// Returns all containers of a pod that somebody asks about by name: what is wrong may show in the log of a healthy one.
pub(super) fn of_named_pod(pod: &Stored<Pod>) -> Vec<Suspect> {
    let mut suspects = of_pod(pod);
    let others = healthy(pod).into_iter();
    let others: Vec<_> =
        others.filter(|other| suspects.iter().all(|suspect| suspect.container != other.container)).collect();
    suspects.extend(others);
    suspects
}

fn healthy(pod: &Stored<Pod>) -> Vec<Suspect> {
    let statuses = pod.status.iter().flat_map(|status| status.container_statuses.iter().flatten());
    statuses.filter(|status| is_running(status)).map(|status| suspect(pod, status, true)).collect()
}

fn suspect(pod: &Pod, status: &ContainerStatus, sample: bool) -> Suspect {
    let container = ContainerRef {
        namespace: pod.namespace().to_owned(),
        pod: pod.name().to_owned(),
        container: status.name.clone(),
    };
    let node = pod.spec.as_ref().and_then(|spec| spec.node_name.clone()).unwrap_or_default();
    Suspect { container, node, previous: status.restart_count > 0, sample }
}

/// A container that never ran has no log.
fn has_run(status: &ContainerStatus) -> bool {
    let state = status.state.as_ref();
    status.restart_count > 0 || state.is_some_and(|state| state.running.is_some() || state.terminated.is_some())
}

fn is_running(status: &ContainerStatus) -> bool {
    status.state.as_ref().is_some_and(|state| state.running.is_some())
}

fn is_suspicious(pod: &Pod, status: &ContainerStatus) -> bool {
    let terminated = status.state.as_ref().and_then(|state| state.terminated.as_ref());
    if let Some(end) = terminated {
        return end.exit_code != 0 || !ends_by_design(pod, status);
    }
    let restarted = status.restart_count > 0 && !recovered(status);
    restarted || !status.ready
}

/// Returns whether a clean end is what this container is for.
fn ends_by_design(pod: &Pod, status: &ContainerStatus) -> bool {
    let is_init = pod.status.iter().flat_map(|status| status.init_container_statuses.iter().flatten());
    let policy = pod.spec.as_ref().and_then(|spec| spec.restart_policy.as_deref()).unwrap_or("Always");
    policy != "Always" || is_init.into_iter().any(|init| init.name == status.name)
}

/// Returns whether the present run has been up for so long that the restarts are history.
fn recovered(status: &ContainerStatus) -> bool {
    let running = status.state.as_ref().and_then(|state| state.running.as_ref());
    let started = running.and_then(|running| running.started_at.as_ref());
    started.is_some_and(|start| jiff::Timestamp::now().duration_since(start.0) > SignedDuration::from_hours(1))
}
