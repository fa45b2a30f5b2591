//! `internalTrafficPolicy: Local` where a caller's node has no endpoint.

use std::collections::BTreeSet;

use crate::model::{Finding, Kind, Recommendation, Severity};
use crate::render::quote;
use crate::rules::{Rule, consequences};
use crate::scene::services::usage::Usage;
use crate::scene::traffic::failing_calls::{self, Line};
use crate::scene::{PodView, Scene, ServiceView};

/// See [`Rule::docs`].
pub static RULE: Rule = Rule {
    id: "internal-traffic-policy",
    category: "internal_traffic_policy",
    summary: "detects Services with `internalTrafficPolicy: Local` whose callers run on nodes without an endpoint",
    docs: "\
## What it means
With `internalTrafficPolicy: Local` a caller only reaches endpoints on its own node; where there is none, its packets are \
dropped, although the Service has ready endpoints elsewhere.

## How it is detected
The policy is `Local`, the Service has ready pods, and a pod of a workload that is configured with the Service's address \
runs on a node without one.

## What to do
Set `internalTrafficPolicy: Cluster`, or run the pods on every node, as a DaemonSet does.",
    severity: Severity::Error,
    needs: &[Kind::Service, Kind::Pod],
    uses: &[],
    explains: &[consequences::CALLS_FAIL, consequences::PROBES_FAIL],
    check,
};

fn check(scene: &Scene<'_>) -> Vec<Finding> {
    let local: Vec<_> = scene.services().filter(|service| is_local(*service)).collect();
    if local.is_empty() {
        return Vec::new();
    }
    let usage = Usage::new(scene);
    local.into_iter().filter_map(|service| unreachable(scene, &usage, service)).collect()
}

fn is_local(service: ServiceView<'_>) -> bool {
    service.service.spec.as_ref().and_then(|spec| spec.internal_traffic_policy.as_deref()) == Some("Local")
}

fn unreachable(scene: &Scene<'_>, usage: &Usage<'_>, service: ServiceView<'_>) -> Option<Finding> {
    let nodes: BTreeSet<&str> = service.pods().filter(|pod| pod.is_ready()).filter_map(PodView::node).collect();
    if nodes.is_empty() {
        return None;
    }
    let callers =
        usage.callers(service.namespace(), service.name()).iter().map(|call| call.caller).collect::<BTreeSet<_>>();
    let pods = callers.into_iter().flat_map(|caller| scene.pods_of(&scene.workloads()[caller]));
    let cut: Vec<PodView<'_>> =
        pods.filter(|pod| !pod.is_finished() && pod.node().is_some_and(|node| !nodes.contains(node))).collect();
    let first = *cut.first()?;
    let line = cut
        .iter()
        .flat_map(|pod| pod.containers())
        .find_map(|container| failing_calls::unanswered(container, service.name()));
    Some(finding(service, first, &nodes, &cut, line.as_ref()))
}

fn finding(
    service: ServiceView<'_>,
    first: PodView<'_>,
    nodes: &BTreeSet<&str>,
    cut: &[PodView<'_>],
    line: Option<&Line<'_>>,
) -> Finding {
    let node = first.node().unwrap_or_default();
    let caller = first.workload().object.short();
    let message = format!(
        "{} has `internalTrafficPolicy: Local` and no endpoint on node {node}, so {caller} there cannot reach it",
        service.object().short()
    );
    let patch = r#"{"spec":{"internalTrafficPolicy":"Cluster"}}"#;
    let command =
        quote::command(&["kubectl", "patch", "service", service.name(), "-n", service.namespace(), "-p", patch]);
    let summary =
        format!("set `internalTrafficPolicy: Cluster` at service/{}, or run its pods on every node", service.name());
    let mut finding = RULE
        .finding(service.object(), message)
        .severity(if line.is_some() { Severity::Critical } else { Severity::Error })
        .confidence(if line.is_some() { 0.96 } else { 0.9 })
        .because(service.object(), "spec.internalTrafficPolicy", "Local")
        .because(first.object(), "spec.nodeName", node)
        .because(service.object(), "endpoints.nodeName", nodes.iter().copied().collect::<Vec<_>>().join(", "))
        .recommend(Recommendation::new("edit-object", summary).command(command));
    if let Some(line) = line {
        finding = finding.because(line.pod.clone(), line.path(), line.quote());
    }
    cut.iter().fold(finding, |finding, pod| finding.affects(pod.object()))
}
