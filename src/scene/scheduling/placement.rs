//! Why a pod has no node: the scheduler's words, and a recomputation that chooses between them.

use std::collections::BTreeSet;

use foldhash::{HashMap, HashMapExt as _};
use jiff::{SignedDuration, Timestamp};

use crate::model::{Finding, ObjectRef};
use crate::scene::scheduling::fit::Guest;
use crate::scene::scheduling::nodes::{NodeRoom, Nodes};
use crate::scene::scheduling::words::{self, Obstacle, Reason};
use crate::scene::topology::{Relation, Topology};
use crate::scene::{PodView, Scene};

/// A pod this young may still find its node.
const YOUNG: SignedDuration = SignedDuration::from_secs(10);

/// How long an autoscaler may take to bring a node.
const SCALING_UP: SignedDuration = SignedDuration::from_mins(10);

/// A pod that the scheduler could not place.
#[derive(Clone, Debug)]
pub struct Placement {
    /// The pod's index in the scene.
    pub pod: usize,
    /// The scheduler's words.
    pub text: String,
    /// Where they stand in the pod, and since when.
    pub path: &'static str,
    pub since: Option<Timestamp>,
    pub reasons: Vec<Reason>,
    /// What keeps it from running.
    pub obstacle: Obstacle,
    /// The nodes on which it would run but for that (if `sure`), or that have this obstacle, as indices.
    pub nodes: Vec<usize>,
    /// Whether the recomputation agrees, or the words leave no choice.
    pub sure: bool,
}

impl Placement {
    /// Returns the nodes that the obstacle stands on.
    pub fn nodes<'s, 'a>(&self, scene: &'s Scene<'a>) -> Vec<&'s NodeRoom<'a>> {
        self.nodes.iter().map(|&index| &scene.nodes().all[index]).collect()
    }

    /// Adds to a finding what every finding about such a pod has: the scheduler's words, its pod, the time.
    #[must_use]
    pub fn cite(&self, scene: &Scene<'_>, finding: Finding) -> Finding {
        let pod = scene.pod(self.pod);
        let text: String = self.text.chars().take(300).collect();
        finding
            .because_at(pod.object(), self.path, text, self.since)
            .seen(self.since.or(pod.created()), Some(scene.now()))
            .affects(pod.object())
    }

    /// Returns the confidence of a finding that rests on this.
    pub fn confidence(&self) -> f64 {
        if self.sure { 0.95 } else { 0.75 }
    }
}

/// Finds the pods in scope that wait for a node although the scheduler looked at them.
pub(in crate::scene) fn find(scene: &Scene<'_>) -> Vec<Placement> {
    let mut judged: HashMap<(ObjectRef, String), (Obstacle, Vec<usize>, bool)> = HashMap::new();
    let mut placements = Vec::new();
    for pod in scene.suspects().filter(|pod| waits(*pod)) {
        let Some((text, path, since)) = words_about(pod) else { continue };
        let reasons = words::reasons(&text);
        let workload = pod.workload().object.clone();
        let verdict = judged.entry((workload, text.clone())).or_insert_with(|| judge(scene, pod, &reasons));
        let (obstacle, nodes, sure) = verdict.clone();
        placements.push(Placement { pod: pod.index, text, path, since, reasons, obstacle, nodes, sure });
    }
    placements
}

fn waits(pod: PodView<'_>) -> bool {
    if !pod.is_unscheduled() || pod.is_terminating() {
        return false;
    }
    let now = pod.scene.now();
    let young = pod.created().is_some_and(|created| now.duration_since(created) < YOUNG);
    let scaling = pod.events().filter(|event| event.reason == "TriggeredScaleUp" || event.reason == "Nominated");
    let scaling = scaling.filter_map(|event| event.last).any(|last| now.duration_since(last) < SCALING_UP);
    !young && !scaling
}

fn words_about(pod: PodView<'_>) -> Option<(String, &'static str, Option<Timestamp>)> {
    let condition = pod.condition("PodScheduled").filter(|condition| condition.status == "False");
    if condition.is_some_and(|condition| condition.reason.as_deref() == Some("SchedulingGated")) {
        return None;
    }
    let event = pod.event("FailedScheduling");
    let since = pod.events().find(|event| event.reason == "FailedScheduling").and_then(|event| event.first);
    if let Some(message) =
        condition.and_then(|condition| condition.message.clone()).filter(|message| !message.is_empty())
    {
        let since =
            condition.and_then(|condition| condition.last_transition_time.as_ref()).map(|time| time.0).or(since);
        return Some((message, "status.conditions[PodScheduled].message", since));
    }
    Some((event?.message.to_owned(), "events[FailedScheduling]", since))
}

fn judge(scene: &Scene<'_>, pod: PodView<'_>, reasons: &[Reason]) -> (Obstacle, Vec<usize>, bool) {
    let said: BTreeSet<_> = reasons.iter().map(|reason| reason.obstacle).collect();
    for first in [Obstacle::Claim, Obstacle::ResourceClaim] {
        if said.contains(&first) {
            return (first, Vec::new(), true);
        }
    }
    let nodes = scene.nodes();
    let known = nodes.known && !nodes.all.is_empty();
    let guest =
        Guest::new(scene.snapshot, &pod.pod.object).filter(|_| known).map(|guest| guest.among(scene.snapshot, nodes));
    let Some(guest) = guest else { return by_words(reasons, &said, &[]) };
    let mut candidates = candidates(nodes, &guest);
    fill_in(&mut candidates, &said);
    by_nodes(nodes, &guest, &candidates, &said).unwrap_or_else(|| by_words(reasons, &said, &candidates))
}

/// A node and what stands between it and the pod.
type Candidate = (usize, BTreeSet<Obstacle>);

/// Pairs nodes with their obstacles. A control-plane node that takes no ordinary pods is not counted while there are others.
fn candidates(nodes: &Nodes<'_>, guest: &Guest<'_>) -> Vec<Candidate> {
    let all: Vec<Candidate> = nodes.all.iter().map(|node| guest.obstacles(node)).enumerate().collect();
    let closed = |(index, obstacles): &&Candidate| {
        nodes.all[*index].is_control_plane()
            && (obstacles.contains(&Obstacle::Taint) || obstacles.contains(&Obstacle::Cordon))
    };
    let workers: Vec<Candidate> = all.iter().filter(|candidate| !closed(candidate)).cloned().collect();
    if workers.is_empty() { all } else { workers }
}

/// Believes the scheduler where nothing is seen to stand in the way: topology spread, the anti-affinity of others and pods
/// that were not read are not recomputed.
fn fill_in(candidates: &mut [Candidate], said: &BTreeSet<Obstacle>) {
    let unseen = [Obstacle::PodAffinity, Obstacle::Resources, Obstacle::HostPort]
        .into_iter()
        .find(|obstacle| said.contains(obstacle));
    for (_, obstacles) in candidates.iter_mut().filter(|(_, obstacles)| obstacles.is_empty()) {
        obstacles.extend(unseen);
    }
}

/// Chooses the one change that would let the pod run somewhere, if the scheduler named it too.
fn by_nodes(
    nodes: &Nodes<'_>,
    guest: &Guest<'_>,
    candidates: &[Candidate],
    said: &BTreeSet<Obstacle>,
) -> Option<(Obstacle, Vec<usize>, bool)> {
    let sure = |obstacle, nodes| Some((obstacle, nodes, true)).filter(|_| said.contains(&obstacle));
    let selected: Vec<&Candidate> =
        candidates.iter().filter(|(_, obstacles)| !obstacles.contains(&Obstacle::Selector)).collect();
    if selected.is_empty() {
        return sure(Obstacle::Selector, candidates.iter().map(|(index, _)| *index).collect());
    }
    if selected.iter().all(|(_, obstacles)| obstacles.contains(&Obstacle::VolumeAffinity)) {
        return sure(Obstacle::VolumeAffinity, selected.iter().map(|(index, _)| *index).collect());
    }
    let only = |obstacle: Obstacle| -> Vec<usize> {
        let alone = |candidate: &&&Candidate| candidate.1.len() == 1 && candidate.1.contains(&obstacle);
        selected.iter().filter(alone).map(|(index, _)| *index).collect()
    };
    let small = only(Obstacle::Resources);
    let outgrown = small.iter().all(|&index| guest.outgrows(&nodes.all[index]));
    let mut order = vec![
        Obstacle::NodeFault,
        Obstacle::Cordon,
        Obstacle::Resources,
        Obstacle::PodAffinity,
        Obstacle::HostPort,
        Obstacle::Taint,
    ];
    if outgrown && !only(Obstacle::Taint).is_empty() {
        order.insert(0, Obstacle::Taint);
    }
    order
        .into_iter()
        .map(|obstacle| (obstacle, only(obstacle)))
        .find(|(_, nodes)| !nodes.is_empty())
        .and_then(|(obstacle, nodes)| sure(obstacle, nodes))
}

/// Chooses by the scheduler's words alone: what a person did last comes before what is always so.
fn by_words(reasons: &[Reason], said: &BTreeSet<Obstacle>, candidates: &[Candidate]) -> (Obstacle, Vec<usize>, bool) {
    let control_plane = |reason: &&Reason| {
        matches!(reason.detail.as_str(), "node-role.kubernetes.io/control-plane" | "node-role.kubernetes.io/master")
    };
    let telling: BTreeSet<_> =
        reasons.iter().filter(|reason| !control_plane(reason)).map(|reason| reason.obstacle).collect();
    let telling = if telling.is_empty() { said } else { &telling };
    let obstacle = telling.first().copied().unwrap_or(Obstacle::Other);
    let nodes =
        candidates.iter().filter(|(_, obstacles)| obstacles.contains(&obstacle)).map(|(index, _)| *index).collect();
    (obstacle, nodes, telling.len() == 1)
}

/// Lets workloads depend on the nodes that would take their pods but for a fault or a cordon of the node.
pub(in crate::scene) fn connect(scene: &Scene<'_>, topology: &mut Topology) {
    for placement in scene.placements() {
        if matches!(placement.obstacle, Obstacle::Cordon | Obstacle::NodeFault) {
            let workload = &scene.pod(placement.pod).workload().object;
            for node in placement.nodes(scene) {
                topology.add(workload, Relation::WaitsFor, &node.object());
            }
        }
    }
}
