//! Folding: every symptom under its cause.
//!
//! An edge cause → effect exists when the cause's rule explains the effect's, the topology leads from the effect's subject
//! (or an object that it mentions) to the cause's, and state and time allow it. Each effect follows its best edge; a cycle
//! is cut at its weakest, and the effect then follows the next best. Findings without an edge are causes.

use foldhash::{HashMap, HashMapExt as _};
use jiff::SignedDuration;

use crate::model::{Finding, Kind, ObjectRef, Severity, State};
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
    let edges = acyclic(possible_edges(topology, findings));
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

/// Returns the edges of each finding to its possible causes, the best one last.
fn possible_edges(topology: &Topology, findings: &[Finding]) -> Vec<Vec<Edge>> {
    let causes = causes_by_object(findings);
    let edges_of = |effect: usize| {
        let finding = &findings[effect];
        let starts = std::iter::once(&finding.subject.object).chain(&finding.mentions);
        let reached = starts.flat_map(|start| topology.reach(start));
        let candidates = reached.flat_map(|(object, distance)| {
            causes.get(object).into_iter().flatten().map(move |&(cause, further)| (cause, distance + further))
        });
        let possible = candidates.filter(|&(cause, _)| cause != effect && explains(&findings[cause], finding));
        let edges = possible.map(|(cause, distance)| Edge { distance, doubt: doubt(&findings[cause]), cause });
        let mut edges: Vec<Edge> = edges.collect();
        edges.sort_unstable_by(|one, other| other.cmp(one));
        edges
    };
    (0..findings.len()).map(edges_of).collect()
}

/// Returns which findings may be the cause of what happens to an object, and how much further away they are.
///
/// Those about the object, and those that say that they hit it: a quota or webhook hits the workloads that it refused, and
/// no other of its namespace.
fn causes_by_object(findings: &[Finding]) -> HashMap<&ObjectRef, Vec<(usize, usize)>> {
    let mut causes: HashMap<&ObjectRef, Vec<(usize, usize)>> = HashMap::new();
    for (index, finding) in findings.iter().enumerate() {
        let hit: Vec<&ObjectRef> = finding.affected.iter().filter(|object| !object.is(Kind::Pod)).collect();
        if !finding.subject.object.is(Kind::Namespace) || hit.is_empty() {
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
    (cause.rule.may_explain(effect.rule.id) || is_context(cause, effect))
        && (cause.state == State::Present || effect.state == State::Past)
        && same_container(cause, effect)
        && same_peer(cause, effect)
        && !is_guess(cause, effect)
        && looks_outward(cause, effect)
        && in_time(cause, effect)
        && hits(cause, effect)
}

/// What changed is told beside any cause of the same workload, never above one.
fn is_context(cause: &Finding, effect: &Finding) -> bool {
    effect.rule.id == "config-changed"
        && cause.severity > effect.severity
        && cause.subject.object == effect.subject.object
}

/// Two containers of one workload fail each for itself.
fn same_container(cause: &Finding, effect: &Finding) -> bool {
    cause.subject.object != effect.subject.object
        || match (&cause.subject.container, &effect.subject.container) {
            (Some(one), Some(other)) => one == other,
            _ => true,
        }
}

/// What a program calls fails for each peer apart: a missing Service is not why another one does not answer.
fn same_peer(cause: &Finding, effect: &Finding) -> bool {
    let peers = |finding: &Finding| -> Vec<ObjectRef> {
        finding.mentions.iter().filter(|object| object.is(Kind::Service)).cloned().collect()
    };
    let (causes, effects) = (peers(cause), peers(effect));
    effect.rule.category != "dependency_unreachable"
        || cause.subject.object != effect.subject.object
        || causes.is_empty()
        || effects.is_empty()
        || causes.iter().any(|peer| effects.contains(peer))
}

/// What may not matter at all is not why something that matters happens.
fn is_guess(cause: &Finding, effect: &Finding) -> bool {
    cause.severity == Severity::Info && effect.severity > Severity::Info
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

/// Follows the best edges, and where they lead in a circle, the next best of the weakest of these.
fn acyclic(mut possible: Vec<Vec<Edge>>) -> Vec<Option<Edge>> {
    let mut edges: Vec<Option<Edge>> = possible.iter_mut().map(Vec::pop).collect();
    for start in 0..edges.len() {
        while let Some(weakest) = cycle_from(&edges, start) {
            edges[weakest] = possible[weakest].pop();
        }
    }
    edges
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collect::capture;
    use crate::collect::plan::Keep;
    use crate::rules;
    use crate::scene::Scene;

    const TWO: &str = "
apiVersion: rca/v1alpha1
kind: Snapshot
takenAt: 2026-01-01T12:00:00Z
objects:
- {apiVersion: apps/v1, kind: Deployment, metadata: {name: cart, namespace: shop}, spec: {selector: {}, template: {spec: {containers: []}}}}
- {apiVersion: apps/v1, kind: Deployment, metadata: {name: web, namespace: shop}, spec: {selector: {}, template: {spec: {containers: []}}}}
";

    fn finding(rule: &str, object: ObjectRef) -> Finding {
        rules::find(rule).expect("a rule").finding(object, "x")
    }

    #[test]
    fn a_quota_explains_only_what_it_refused() {
        let snapshot =
            capture::read("two.yaml", TWO.as_bytes(), Keep::default()).unwrap_or_else(|error| panic!("{error}"));
        let scene = Scene::new(&snapshot);
        let deployment = |name| ObjectRef::new(Kind::Deployment, "shop", name);
        let quota = finding("quota-exceeded", ObjectRef::new(Kind::Namespace, "", "shop")).affects(deployment("cart"));
        let findings =
            [quota, finding("rollout-stuck", deployment("cart")), finding("rollout-stuck", deployment("web"))];
        let groups = fold(scene.topology(), &findings);
        assert_eq!(groups, [Group { cause: 0, effects: vec![1] }, Group { cause: 2, effects: vec![] }]);
    }

    #[test]
    fn a_missing_service_does_not_explain_that_another_one_fails() {
        let snapshot =
            capture::read("two.yaml", TWO.as_bytes(), Keep::default()).unwrap_or_else(|error| panic!("{error}"));
        let scene = Scene::new(&snapshot);
        let cart = ObjectRef::new(Kind::Deployment, "shop", "cart");
        let about =
            |rule, service| finding(rule, cart.clone()).mentions(ObjectRef::new(Kind::Service, "shop", service));
        let findings = [
            about("service-missing", "gone"),
            about("dependency-unreachable", "gone"),
            about("dependency-unreachable", "db"),
        ];
        let groups = fold(scene.topology(), &findings);
        assert_eq!(groups, [Group { cause: 0, effects: vec![1] }, Group { cause: 2, effects: vec![] }]);
    }

    #[test]
    fn advice_explains_no_trouble() {
        let snapshot =
            capture::read("two.yaml", TWO.as_bytes(), Keep::default()).unwrap_or_else(|error| panic!("{error}"));
        let scene = Scene::new(&snapshot);
        let cart = ObjectRef::new(Kind::Deployment, "shop", "cart");
        let mut findings = [finding("statefulset-service", cart.clone()), finding("dependency-unreachable", cart)];
        assert_eq!(fold(scene.topology(), &findings), [Group { cause: 0, effects: vec![1] }]);
        findings[0].severity = Severity::Info;
        let apart = [Group { cause: 0, effects: vec![] }, Group { cause: 1, effects: vec![] }];
        assert_eq!(fold(scene.topology(), &findings), apart);
    }

    #[test]
    fn what_leaves_a_circle_follows_its_next_best_cause() {
        let snapshot =
            capture::read("two.yaml", TWO.as_bytes(), Keep::default()).unwrap_or_else(|error| panic!("{error}"));
        let scene = Scene::new(&snapshot);
        let deployment = |name| ObjectRef::new(Kind::Deployment, "shop", name);
        // The probe of the caller fails as its call does, and is nearer to it than what the call leads to.
        let mut call = finding("dependency-unreachable", deployment("web")).mentions(deployment("cart"));
        call.confidence = 0.95;
        let probe = finding("readiness-probe-failing", deployment("web")).confidence(0.4);
        let crash = finding("app-exception", deployment("cart")).confidence(0.3);
        let findings = [call, probe, crash];
        assert_eq!(fold(scene.topology(), &findings), [Group { cause: 2, effects: vec![0, 1] }]);
    }

    #[test]
    fn what_changed_stands_beside_the_cause() {
        let snapshot =
            capture::read("two.yaml", TWO.as_bytes(), Keep::default()).unwrap_or_else(|error| panic!("{error}"));
        let scene = Scene::new(&snapshot);
        let cart = ObjectRef::new(Kind::Deployment, "shop", "cart");
        let findings = [finding("config-changed", cart.clone()), finding("oom-killed", cart)];
        assert_eq!(fold(scene.topology(), &findings), [Group { cause: 1, effects: vec![0] }]);
    }
}
