//! Pod (anti-)affinity or topology spread leaves no node.

use k8s_openapi::api::core::v1::{PodAffinityTerm, PodSpec};

use crate::model::{Finding, Kind, Recommendation, Severity};
use crate::rules::{Rule, consequences};
use crate::scene::scheduling::describe;
use crate::scene::services::selector;
use crate::scene::{Obstacle, Placement, PodView, Scene};

/// See [`Rule::docs`].
pub static RULE: Rule = Rule {
    id: "anti-affinity",
    category: "anti_affinity",
    summary: "detects pods that affinity to other pods, anti-affinity or topology spread leaves without a node",
    docs: "\
## What it means
The pod must not (anti-affinity) or must (affinity) run beside certain other pods, or must be spread evenly. No node meets \
that: often there are more replicas than nodes, or the pods that it wants to be near do not exist.

## How it is detected
The scheduler says that nodes did not match the pod's (anti-)affinity rules or topology spread constraints.

## What to do
Run fewer replicas, add nodes, or turn the requirement into a preference: `preferredDuringSchedulingIgnoredDuringExecution`, \
`whenUnsatisfiable: ScheduleAnyway`. During a rollout, `maxSurge: 0` lets the old pod go first.",
    severity: Severity::Error,
    needs: &[Kind::Pod],
    uses: &[Kind::Node, Kind::Event],
    explains: &[consequences::PODS_NOT_READY],
    check,
};

/// What the scheduler names.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Term {
    Apart,
    Together,
    Spread,
    /// The anti-affinity of pods that are already there.
    Others,
}

impl Term {
    fn of(reason: &str) -> Self {
        if reason.contains("existing pods anti-affinity") {
            Self::Others
        } else if reason.contains("topology spread") {
            Self::Spread
        } else if reason.contains("anti-affinity") {
            Self::Apart
        } else {
            Self::Together
        }
    }

    fn path(self) -> &'static str {
        match self {
            Self::Apart | Self::Others => {
                "spec.affinity.podAntiAffinity.requiredDuringSchedulingIgnoredDuringExecution"
            }
            Self::Together => "spec.affinity.podAffinity.requiredDuringSchedulingIgnoredDuringExecution",
            Self::Spread => "spec.topologySpreadConstraints",
        }
    }
}

fn check(scene: &Scene<'_>) -> Vec<Finding> {
    let shut_out = scene.placements().iter().filter(|placement| placement.obstacle == Obstacle::PodAffinity);
    shut_out.map(|placement| no_place(scene, placement)).collect()
}

fn no_place(scene: &Scene<'_>, placement: &Placement) -> Finding {
    let pod = scene.pod(placement.pod);
    let workload = pod.workload().object.short();
    let said = placement.reasons.iter().find(|reason| reason.obstacle == Obstacle::PodAffinity);
    let term = Term::of(said.map_or("", |reason| reason.detail.as_str()));
    let (why, value, key) = explain(scene, pod, term);
    let finding = RULE.finding(pod.workload().object.clone(), why).key(key);
    let mut finding = placement.cite(scene, finding).confidence(placement.confidence());
    if !value.is_empty() {
        finding = finding.because(pod.object(), term.path(), value);
    }
    finding.recommend(Recommendation::new("edit-object", cure(&workload, term)))
}

/// Returns the message, the offending field's value, and what tells this fault apart.
fn explain(scene: &Scene<'_>, pod: PodView<'_>, term: Term) -> (String, String, String) {
    let workload = pod.workload().object.short();
    let Some(spec) = pod.spec() else {
        return (format!("the affinity of {workload} leaves no node"), String::new(), String::new());
    };
    match term {
        Term::Apart => match anti_terms(spec).first() {
            Some(one) => apart(scene, pod, one),
            None => explain(scene, pod, Term::Others),
        },
        Term::Together => together(scene, pod, spec),
        Term::Spread => spread(&workload, spec),
        Term::Others => (
            format!("the anti-affinity of pods that already run keeps {workload} from every node"),
            String::new(),
            String::new(),
        ),
    }
}

fn apart(scene: &Scene<'_>, pod: PodView<'_>, term: &PodAffinityTerm) -> (String, String, String) {
    let workload = pod.workload();
    let (wanted, key) = (pods_of(term), &term.topology_key);
    let own =
        term.label_selector.as_ref().is_some_and(|wanted| selector::matches(wanted, pod.pod.metadata.labels.as_ref()));
    let running = scene.pods_of(workload).filter(|other| other.node().is_some() && !other.is_finished()).count();
    let rolling =
        workload.desired.and_then(|desired| usize::try_from(desired).ok()).is_some_and(|desired| running >= desired);
    let place = if key == "kubernetes.io/hostname" { "node".to_owned() } else { format!("`{key}`") };
    let because = match workload.desired {
        Some(_) if own && running > 0 && rolling => {
            format!("its running pods hold every {place}, and a rollout starts a new one before it ends an old one")
        }
        Some(desired) if own && desired > 1 => {
            format!("it wants {desired} replicas, one a {place}, and there is no {place} left")
        }
        _ if own && running > 0 => format!("each {place} that could take a new pod already runs one of its own"),
        _ => format!("each {place} that could take it already runs such a pod"),
    };
    let message = format!(
        "the required anti-affinity of {} to pods with `{wanted}` leaves no node: {because}",
        workload.object.short()
    );
    (message, format!("{wanted} by {key}"), key.clone())
}

fn together(scene: &Scene<'_>, pod: PodView<'_>, spec: &PodSpec) -> (String, String, String) {
    let affinity = spec.affinity.as_ref().and_then(|affinity| affinity.pod_affinity.as_ref());
    let terms = affinity
        .and_then(|affinity| affinity.required_during_scheduling_ignored_during_execution.as_deref())
        .unwrap_or_default();
    let workload = pod.workload().object.short();
    let runs = |term: &PodAffinityTerm| {
        let nodes = &scene.nodes().all;
        nodes
            .iter()
            .flat_map(|node| &node.pods)
            .any(|other| crate::scene::scheduling::fit::matches(scene.snapshot, term, &pod.pod.object, &other.object))
    };
    let all_known = scene.nodes().known && scene.knows(Kind::Pod, pod.namespace());
    let absent = terms.iter().find(|term| all_known && !runs(term));
    let Some(term) = absent.or(terms.first()) else {
        return (format!("the required pod affinity of {workload} leaves no node"), String::new(), String::new());
    };
    let (wanted, key) = (pods_of(term), &term.topology_key);
    let why = if absent.is_some() { "and no such pod runs" } else { "and where these run it cannot" };
    let message =
        format!("the required pod affinity of {workload} wants a pod with `{wanted}` on the same `{key}`, {why}");
    (message, format!("{wanted} by {key}"), key.clone())
}

fn spread(workload: &str, spec: &PodSpec) -> (String, String, String) {
    let constraints = spec.topology_spread_constraints.as_deref().unwrap_or_default();
    let Some(one) = constraints.iter().find(|one| one.when_unsatisfiable == "DoNotSchedule") else {
        return (format!("the topology spread of {workload} leaves no node"), String::new(), String::new());
    };
    let value = format!("maxSkew {} by {}, DoNotSchedule", one.max_skew, one.topology_key);
    let message = format!(
        "the topology spread constraint of {workload} leaves no node: its pods may differ by {} between any two `{}`, and where one more is allowed it cannot run",
        one.max_skew, one.topology_key
    );
    (message, value, one.topology_key.clone())
}

fn anti_terms(spec: &PodSpec) -> &[PodAffinityTerm] {
    let anti = spec.affinity.as_ref().and_then(|affinity| affinity.pod_anti_affinity.as_ref());
    anti.and_then(|anti| anti.required_during_scheduling_ignored_during_execution.as_deref()).unwrap_or_default()
}

fn pods_of(term: &PodAffinityTerm) -> String {
    term.label_selector.as_ref().map_or_else(|| "no labels".to_owned(), describe::label_selector)
}

fn cure(workload: &str, term: Term) -> String {
    match term {
        Term::Apart => format!(
            "run fewer replicas of {workload}, add nodes, let a rollout end old pods first (`maxSurge: 0`), or make its anti-affinity a preference (`preferredDuringSchedulingIgnoredDuringExecution`)"
        ),
        Term::Together => {
            format!("start the pods that {workload} wants to be near, or correct the labels in its podAffinity")
        }
        Term::Spread => format!(
            "make the constraint of {workload} `whenUnsatisfiable: ScheduleAnyway`, raise its maxSkew, or add nodes where pods are missing"
        ),
        Term::Others => format!("relax the anti-affinity of the pods that shut out {workload}, or add nodes"),
    }
}
