//! A disruption budget allows no eviction.

use k8s_openapi::api::policy::v1::PodDisruptionBudget;
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

use crate::model::store::HasMeta as _;
use crate::model::{Finding, Kind, ObjectRef, Recommendation, Severity, Stored};
use crate::render::quote;
use crate::rules::Rule;
use crate::scene::access::refusal;
use crate::scene::services::selector;
use crate::scene::{EventView, PodView, Scene};

/// See [`Rule::docs`].
pub static RULE: Rule = Rule {
    id: "pdb-blocks-eviction",
    category: "pdb_blocks_eviction",
    summary: "detects PodDisruptionBudgets that keep a drain or an eviction from proceeding",
    docs: "\
## What it means
A PodDisruptionBudget allows no more pods of its application to be evicted. `kubectl drain`, cluster upgrades and node \
autoscalers wait for it.

## How it is detected
The budget allows 0 disruptions, and something wants to evict: an event says so, or its pods are on a cordoned node. A budget \
that can never allow a disruption, because it demands all replicas, is mentioned as advice.

## What to do
If pods are unhealthy, make them ready first. If the budget demands all replicas, add a replica or relax it; with \
`unhealthyPodEvictionPolicy: AlwaysAllow` pods that are not ready do not block.",
    severity: Severity::Warning,
    needs: &[Kind::PodDisruptionBudget, Kind::Pod, Kind::Event, Kind::Node],
    uses: &[],
    explains: &[&["node-cordoned", "stuck-terminating"]],
    check,
};

fn check(scene: &Scene<'_>) -> Vec<Finding> {
    let budgets = scene.snapshot.objects.disruption_budgets.iter();
    let budgets: Vec<_> = budgets
        .filter(|budget| scene.snapshot.scope.includes(budget.object.namespace()) && is_exhausted(budget))
        .collect();
    if budgets.is_empty() {
        return Vec::new();
    }
    budgets.into_iter().filter_map(|budget| blocked(scene, budget)).collect()
}

fn is_exhausted(budget: &Stored<PodDisruptionBudget>) -> bool {
    budget.status.as_ref().is_some_and(|status| status.disruptions_allowed == 0 && status.expected_pods > 0)
}

/// Who wants to evict, in words, and where that stands.
enum Wish<'s> {
    Event(&'s EventView<'s>),
    Cordoned(PodView<'s>, &'s str),
}

fn blocked(scene: &Scene<'_>, budget: &Stored<PodDisruptionBudget>) -> Option<Finding> {
    let (spec, status) = (budget.spec.as_ref()?, budget.status.as_ref()?);
    let (namespace, name) = (budget.object.namespace(), budget.object.name());
    let object = ObjectRef::new(Kind::PodDisruptionBudget, namespace, name);
    let bound = bound(budget);
    let numbers = format!(
        "{} of {} pods are healthy and {} must be{bound}",
        status.current_healthy, status.expected_pods, status.desired_healthy
    );
    let meets = |pod: &PodView<'_>| {
        pod.namespace() == namespace
            && spec.selector.as_ref().is_some_and(|chosen| selector::matches(chosen, pod.pod.metadata.labels.as_ref()))
    };
    let pods: Vec<PodView<'_>> = scene.pods().filter(|pod| !pod.is_finished()).filter(meets).collect();
    let wish = wish(scene, name, &pods);
    let never = status.desired_healthy >= status.expected_pods;
    if wish.is_none() && !never {
        return None;
    }
    let (why, severity) = match &wish {
        Some(Wish::Event(_)) => ("blocks an eviction", Severity::Warning),
        Some(Wish::Cordoned(_, _)) => ("blocks the drain of a cordoned node", Severity::Warning),
        None => ("can never allow an eviction", Severity::Info),
    };
    let message = format!("pdb `{name}` {why}: {numbers}");
    let mut finding = RULE
        .finding(object.clone(), message)
        .because(object.clone(), "status.disruptionsAllowed", "0")
        .because(object.clone(), "status", numbers)
        .severity(severity)
        .confidence(if wish.is_some() { 0.85 } else { 0.8 });
    finding = match wish {
        Some(Wish::Event(event)) => {
            let path = format!("events[{}].message", event.reason);
            finding
                .because_at(event.object(), path, refusal::cut(event.message, 300), event.last)
                .seen(event.first, event.last)
        }
        Some(Wish::Cordoned(pod, node)) => finding
            .because(ObjectRef::new(Kind::Node, "", node), "spec.unschedulable", "true")
            .because(pod.object(), "spec.nodeName", node),
        None => finding,
    };
    for pod in &pods {
        finding = finding.affects(pod.object());
    }
    for workload in pods.iter().map(|pod| &pod.workload().object) {
        finding = finding.mentions(workload.clone());
    }
    Some(
        finding
            .recommend(cure(name, never))
            .next(quote::command(&["kubectl", "describe", "pdb", name, "-n", namespace])),
    )
}

/// Returns `, as minAvailable is 2`.
fn bound(budget: &Stored<PodDisruptionBudget>) -> String {
    let print = |value: &IntOrString| match value {
        IntOrString::Int(number) => number.to_string(),
        IntOrString::String(text) => text.clone(),
    };
    let spec = budget.spec.as_ref();
    let least =
        spec.and_then(|spec| spec.min_available.as_ref()).map(|value| format!(", as minAvailable is {}", print(value)));
    let most = || {
        spec.and_then(|spec| spec.max_unavailable.as_ref())
            .map(|value| format!(", as maxUnavailable is {}", print(value)))
    };
    least.or_else(most).unwrap_or_default()
}

fn wish<'s>(scene: &'s Scene<'_>, name: &str, pods: &[PodView<'s>]) -> Option<Wish<'s>> {
    let about = |event: &&EventView<'_>| {
        let evicts = event.message.contains("disruption budget") || event.message.contains("Cannot evict pod");
        evicts
            && scene.is_recent(event.last)
            && (event.message.contains(name) || pods.iter().any(|pod| pod.name() == event.name()))
    };
    if let Some(event) = scene.events().iter().filter(about).max_by_key(|event| (event.last, event.event.name())) {
        return Some(Wish::Event(event));
    }
    let cordoned = |pod: &PodView<'_>| {
        let node = pod.node().and_then(|node| scene.snapshot.objects.nodes.get("", node));
        node.is_some_and(|node| node.spec.as_ref().is_some_and(|spec| spec.unschedulable == Some(true)))
    };
    let pod = pods.iter().copied().find(cordoned)?;
    Some(Wish::Cordoned(pod, pod.node()?))
}

fn cure(name: &str, never: bool) -> Recommendation {
    let summary = if never {
        format!("run one replica more than pdb `{name}` demands, or relax its minAvailable or maxUnavailable")
    } else {
        format!(
            "make the pods of pdb `{name}` ready; if unready ones may go, set its unhealthyPodEvictionPolicy to AlwaysAllow"
        )
    };
    Recommendation::new("edit-object", summary)
}
