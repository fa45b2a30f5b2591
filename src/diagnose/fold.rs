//! Folding: every symptom under its cause.
//!
//! An edge cause → effect exists when the cause's rule explains the effect's, the topology leads from the effect's subject
//! (or an object that it mentions) to the cause's, and state and time allow it. Each effect keeps its best edge; a cycle
//! is cut at its weakest. Findings without an edge are causes.

use std::collections::HashMap;

use jiff::SignedDuration;

use crate::model::{Finding, Kind, ObjectRef, State};
use crate::scene::Topology;

/// A cause may be noticed a little after its effect: kubelets, controllers and the scheduler look at different moments.
const SLACK: SignedDuration = SignedDuration::from_mins(10);

/// A cause and what it explains, as indices.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Group {
    pub(super) cause: usize,
    pub(super) effects: Vec<usize>,
}

/// An edge to a cause; the least is the best.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Edge {
    distance: usize,
    /// The cause's doubt in thousandths, as an integer so that edges have a total order.
    doubt: u32,
    cause: usize,
}

/// Groups findings by their root causes.
pub(super) fn fold(topology: &Topology, findings: &[Finding]) -> Vec<Group> {
    let mut edges = best_edges(topology, findings);
    cut_cycles(&mut edges);
    let mut groups: Vec<Group> = Vec::new();
    let mut group_of: HashMap<usize, usize> = HashMap::new();
    for cause in (0..findings.len()).filter(|&index| edges[index].is_none()) {
        group_of.insert(cause, groups.len());
        groups.push(Group { cause, effects: Vec::new() });
    }
    for effect in (0..findings.len()).filter(|&index| edges[index].is_some()) {
        groups[group_of[&root(&edges, effect)]].effects.push(effect);
    }
    groups
}

fn best_edges(topology: &Topology, findings: &[Finding]) -> Vec<Option<Edge>> {
    let causes = causes_by_object(findings);
    let best = |effect: usize| {
        let finding = &findings[effect];
        let starts = std::iter::once(&finding.subject.object).chain(&finding.mentions);
        let reached = starts.flat_map(|start| topology.reach(start));
        let candidates = reached.flat_map(|(object, distance)| {
            causes.get(object).into_iter().flatten().map(move |&(cause, further)| (cause, distance + further))
        });
        let possible = candidates.filter(|&(cause, _)| cause != effect && explains(&findings[cause], finding));
        possible.map(|(cause, distance)| Edge { distance, doubt: doubt(&findings[cause]), cause }).min()
    };
    (0..findings.len()).map(best).collect()
}

/// Returns which findings may be the cause of what happens to an object, and how much further away they are.
///
/// Those about the object, and those that say that they hit it: a quota or webhook hits the workloads that it refused, and
/// no other of its namespace.
fn causes_by_object(findings: &[Finding]) -> HashMap<&ObjectRef, Vec<(usize, usize)>> {
    let mut causes: HashMap<&ObjectRef, Vec<(usize, usize)>> = HashMap::new();
    for (index, finding) in findings.iter().enumerate() {
        let hit: Vec<&ObjectRef> = finding.affected.iter().filter(|object| !object.is(Kind::Pod)).collect();
        if !(finding.subject.object.is(Kind::Namespace) && !hit.is_empty()) {
            causes.entry(&finding.subject.object).or_default().push((index, 0));
        }
        for object in hit {
            causes.entry(object).or_default().push((index, 1));
        }
    }
    causes
}

fn doubt(cause: &Finding) -> u32 {
    // The confidence is between 0 and 1, so that this is between 0 and 1000.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to 0..=1000")]
    let doubt = ((1.0 - cause.confidence) * 1000.0).round().clamp(0.0, 1000.0) as u32;
    doubt
}

fn explains(cause: &Finding, effect: &Finding) -> bool {
    cause.rule.explains.contains(&effect.rule.id)
        && (cause.state == State::Present || effect.state == State::Past)
        && same_container(cause, effect)
        && looks_outward(cause, effect)
        && in_time(cause, effect)
        && hits(cause, effect)
}

/// Two containers of one workload fail each for itself.
fn same_container(cause: &Finding, effect: &Finding) -> bool {
    cause.subject.object != effect.subject.object
        || match (&cause.subject.container, &effect.subject.container) {
            (Some(one), Some(other)) => one == other,
            _ => true,
        }
}

/// That a Service has no ready backend hurts its callers, and follows from what is wrong with the pods behind it.
fn looks_outward(cause: &Finding, effect: &Finding) -> bool {
    cause.rule.category != "service_backends_missing" || cause.subject.object != effect.subject.object
}

fn in_time(cause: &Finding, effect: &Finding) -> bool {
    match (cause.since, effect.last_seen.max(effect.since)) {
        (Some(began), Some(last)) => began <= last.checked_add(SLACK).unwrap_or(last),
        _ => true,
    }
}

/// A node explains what happens to its own pods only.
fn hits(cause: &Finding, effect: &Finding) -> bool {
    if !cause.subject.object.is(Kind::Node) || cause.affected.is_empty() {
        return true;
    }
    let pods = || effect.affected.iter().filter(|object| object.is(Kind::Pod));
    pods().all(|pod| cause.affected.contains(pod))
}

/// Cuts each cycle at its weakest edge, so that it has a root.
fn cut_cycles(edges: &mut [Option<Edge>]) {
    for start in 0..edges.len() {
        while let Some(weakest) = cycle_from(edges, start) {
            edges[weakest] = None;
        }
    }
}

/// Returns the member of the cycle that `start` leads into whose edge is the weakest.
fn cycle_from(edges: &[Option<Edge>], start: usize) -> Option<usize> {
    let step = |index: usize| edges[index].map(|edge| edge.cause);
    let (mut slow, mut fast) = (start, start);
    loop {
        slow = step(slow)?;
        fast = step(step(fast)?)?;
        if slow == fast {
            break;
        }
    }
    let mut members = vec![slow];
    let mut next = step(slow)?;
    while next != slow {
        members.push(next);
        next = step(next)?;
    }
    members.into_iter().max_by_key(|&member| (edges[member], member))
}

fn root(edges: &[Option<Edge>], mut index: usize) -> usize {
    while let Some(edge) = edges[index] {
        index = edge.cause;
    }
    index
}
