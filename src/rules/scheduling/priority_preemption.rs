//! A pod had to make room for one of a higher priority.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::Pod;

use crate::model::store::HasMeta as _;
use crate::model::{Finding, Kind, ObjectRef, Recommendation, Severity, State};
use crate::render::quote;
use crate::rules::{Rule, consequences};
use crate::scene::pods::{gone, owners};
use crate::scene::{EventView, Scene};

/// See [`Rule::docs`].
pub static RULE: Rule = Rule {
    id: "priority-preemption",
    category: "priority_preemption",
    summary: "detects workloads whose pods were preempted by pods of a higher priority and have no room since",
    docs: "\
## What it means
The scheduler ended pods of this workload to make room for a pod of a higher priority, and their successors find no node.

## How it is detected
The event `Preempted` on a pod of the workload (also one that is gone by now), while a pod of the workload waits for a node. \
The preempting pod is named if it could be read, with both priority classes. If the successors run, it is history.

## What to do
Give the workload the priority that it deserves, lower that of the other, keep it from preempting \
(`preemptionPolicy: Never`), or add room for both.",
    severity: Severity::Error,
    needs: &[Kind::Event, Kind::Pod],
    uses: &[Kind::ReplicaSet, Kind::PriorityClass],
    explains: &[consequences::PODS_NOT_READY, consequences::NO_ROOM],
    check,
};

fn check(scene: &Scene<'_>) -> Vec<Finding> {
    let mut newest: BTreeMap<ObjectRef, &EventView<'_>> = BTreeMap::new();
    let about = |event: &&EventView<'_>| {
        event.reason == "Preempted" && event.kind() == "Pod" && scene.snapshot.scope.includes(event.namespace())
    };
    for event in scene.events().iter().filter(about) {
        let workload = gone::workload_of_name(scene, event.namespace(), event.name());
        let known = newest.entry(workload).or_insert(event);
        if (event.last, event.name()) > (known.last, known.name()) {
            *known = event;
        }
    }
    newest.iter().filter_map(|(workload, event)| preempted(scene, workload, event)).collect()
}

fn preempted(scene: &Scene<'_>, workload: &ObjectRef, event: &EventView<'_>) -> Option<Finding> {
    let pods: Vec<_> = scene.workload(workload).into_iter().flat_map(|workload| scene.pods_of(workload)).collect();
    let waiting: Vec<_> = pods.iter().filter(|pod| pod.is_unscheduled() && !pod.is_terminating()).collect();
    let state = if waiting.is_empty() { State::Past } else { State::Present };
    if state == State::Past && !scene.is_recent(event.last) {
        return None;
    }
    let victim = pods.first().map(|pod| &pod.pod.object);
    let by = preemptor(scene, event.message);
    let who = by.map_or_else(|| "a pod of a higher priority".to_owned(), |pod| describe(scene, workload, pod));
    let own = victim.map(|victim| own_priority(victim, by)).unwrap_or_default();
    let message = format!("{} was preempted by {who}{own}", workload.short());
    let mut finding = RULE
        .finding(workload.clone(), message)
        .because_at(event.object(), "events[Preempted]", event.message, event.last)
        .seen(event.first, event.last)
        .state(state)
        .confidence(if by.is_some() { 0.95 } else { 0.85 });
    for pod in &waiting {
        finding = finding.affects(pod.object()).seen(None, Some(scene.now()));
    }
    if let Some(pod) = by {
        let object = ObjectRef::new(Kind::Pod, pod.namespace(), pod.name());
        finding = finding.because(object, "spec.priorityClassName", priority(pod).replace('`', ""));
    }
    let other = by.map_or_else(|| "the other".to_owned(), |pod| owners::workload_of(scene.snapshot, pod).short());
    let cure = format!(
        "give {} a priority class that ranks above {other}, lower that one's or set its preemptionPolicy to Never, or add room for both",
        workload.short()
    );
    Some(finding.recommend(Recommendation::new("set-priority", cure)).next(quote::command(&[
        "kubectl",
        "get",
        "priorityclasses",
    ])))
}

/// Finds the pod that the event names: by its uid, or in older versions by namespace and name.
fn preemptor<'a>(scene: &Scene<'a>, message: &str) -> Option<&'a Pod> {
    let rest = message.split_once("Preempted by ")?.1.trim_start_matches("pod ").trim_start_matches("a pod ");
    let name = rest.split(" on node").next()?.trim();
    let pods = &scene.snapshot.objects.pods;
    match name.split_once('/') {
        Some((namespace, name)) => pods.get(namespace, name).map(|pod| &pod.object),
        None => pods.iter().find(|pod| pod.metadata.uid.as_deref() == Some(name)).map(|pod| &pod.object),
    }
}

fn describe(scene: &Scene<'_>, victim: &ObjectRef, pod: &Pod) -> String {
    let workload = owners::workload_of(scene.snapshot, pod);
    let place = if workload.namespace() == victim.namespace() {
        String::new()
    } else {
        format!(" in namespace {}", workload.namespace())
    };
    let priority = priority(pod);
    let priority = if priority.is_empty() { String::new() } else { format!(" of priority {priority}") };
    format!(
        "{}{place}{priority}{}",
        workload.short(),
        if is_default(scene, pod) { ", the cluster's default" } else { "" }
    )
}

/// Returns whether a pod has its priority class only because that is the default of the cluster.
fn is_default(scene: &Scene<'_>, pod: &Pod) -> bool {
    let class = pod.spec.as_ref().and_then(|spec| spec.priority_class_name.as_deref());
    let class = class.and_then(|name| scene.snapshot.objects.priority_classes.get("", name));
    class.is_some_and(|class| class.object.global_default == Some(true))
}

/// Says what priority the workload has; where it equals the other's by now, the pods that were preempted had less.
fn own_priority(victim: &Pod, by: Option<&Pod>) -> String {
    let value = |pod: &Pod| pod.spec.as_ref().and_then(|spec| spec.priority);
    let own = priority(victim);
    match by.and_then(value).zip(value(victim)) {
        _ if own.is_empty() => String::new(),
        Some((other, mine)) if mine >= other => ", and its new pods do not outrank that one".to_owned(),
        _ => format!("; its own is {own}"),
    }
}

/// Prints a pod's priority: `production (1000)`.
fn priority(pod: &Pod) -> String {
    let Some(spec) = pod.spec.as_ref() else { return String::new() };
    match (spec.priority_class_name.as_deref().filter(|name| !name.is_empty()), spec.priority) {
        (Some(class), Some(value)) => format!("`{class}` ({value})"),
        (Some(class), None) => format!("`{class}`"),
        (None, Some(value)) => value.to_string(),
        (None, None) => String::new(),
    }
}
