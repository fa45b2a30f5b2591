//! No pod behind a Service is ready.

use std::collections::BTreeMap;

use jiff::SignedDuration;

use crate::model::{Finding, Kind, ObjectRef, Recommendation, Severity};
use crate::render::quote;
use crate::rules::{Rule, consequences};
use crate::scene::services::selector;
use crate::scene::services::usage::{self, Usage};
use crate::scene::{PodView, ProbeKind, ProbeView, Scene, ServiceView, Workload};

/// See [`Rule::docs`].
pub static RULE: Rule = Rule {
    id: "service-backends-missing",
    category: "service_backends_missing",
    summary: "detects Services behind which no pod is ready",
    docs: "\
## What it means
Whoever calls the Service gets no answer, as none of the pods that it selects is ready, or there are none. It is mostly a \
symptom: what keeps the pods from being ready is the cause.

## How it is detected
The selector meets pods of which none is ready, or a workload that has no pods, or nothing at all. Pods that have just \
been made get the time that their readiness probe allows. Services without a selector are left out.

## What to do
Mend what keeps the workload's pods from being ready. If nothing carries the selector's labels, deploy what should, or \
delete the Service.",
    severity: Severity::Critical,
    needs: &[Kind::Service, Kind::Pod, Kind::Event, Kind::StatefulSet, Kind::Ingress],
    uses: &[Kind::EndpointSlice, Kind::Endpoints],
    explains: &[consequences::CALLS_FAIL, consequences::PROBES_FAIL, &["init-container-failed", "webhook-blocking"]],
    check,
};

/// A pod needs some time to be scheduled, pulled and started.
const STARTING: SignedDuration = SignedDuration::from_secs(30);

fn check(scene: &Scene<'_>) -> Vec<Finding> {
    let usage = Usage::new(scene);
    let judged = scene.services().filter(|service| scene.knows(Kind::Pod, service.namespace()) && counts(*service));
    judged
        .filter(|service| usage.ready(*service) == 0 || all_crash(*service))
        .flat_map(|service| missing(&usage, service))
        .collect()
}

/// Services without a selector have their endpoints written by somebody else; some publish pods that are not ready.
fn counts(service: ServiceView<'_>) -> bool {
    let unready = service.service.spec.as_ref().and_then(|spec| spec.publish_not_ready_addresses).unwrap_or(false);
    service.selector().is_some() && !unready && !service.pods().any(|pod| pod.is_ready() && !pod.is_crash_looping())
}

/// Pods of a crash loop are ready for moments; the endpoints follow them.
fn all_crash(service: ServiceView<'_>) -> bool {
    service.pods().next().is_some() && service.pods().all(PodView::is_crash_looping)
}

fn missing(usage: &Usage<'_>, service: ServiceView<'_>) -> Vec<Finding> {
    let workloads: Vec<_> = service.workloads().filter(|workload| !usage::is_batch(workload)).collect();
    if workloads.is_empty() {
        return nothing(usage, service).into_iter().collect();
    }
    let mut pods: BTreeMap<&ObjectRef, Vec<PodView<'_>>> = BTreeMap::new();
    for pod in service.pods() {
        pods.entry(&pod.workload().object).or_default().push(pod);
    }
    // A bare pod that ended is no backend that somebody waits for.
    let serves = |workload: &&Workload<'_>| !workload.object.is(Kind::Pod) || pods.contains_key(&workload.object);
    let found = workloads
        .into_iter()
        .filter(serves)
        .map(|workload| (workload, pods.get(&workload.object).map_or(&[][..], Vec::as_slice)));
    let found: Vec<_> = found.collect();
    let now = service.scene.now();
    let is_new =
        |workload: &Workload<'_>| workload.created.is_some_and(|created| now.duration_since(created) < STARTING);
    if found.iter().any(|(workload, pods)| pods.is_empty() && workload.desired != Some(0) && is_new(workload)) {
        return Vec::new();
    }
    if found.iter().any(|(_, pods)| pods.iter().any(|pod| is_starting(*pod))) {
        return Vec::new();
    }
    found.into_iter().map(|(workload, pods)| behind(usage, service, workload, pods)).collect()
}

fn is_starting(pod: PodView<'_>) -> bool {
    if is_held_up(pod) {
        return false;
    }
    let restarted = pod.containers().any(|container| container.restarts() > 0);
    let probes = pod.containers().filter_map(|container| ProbeView::of(container, ProbeKind::Readiness));
    let allowed =
        probes.map(|probe| probe.budget()).max().unwrap_or_default().min(SignedDuration::from_mins(3)).max(STARTING);
    let since =
        pod.containers().filter_map(|container| container.running()?.started_at.as_ref()).map(|time| time.0).max();
    let since = since.max(pod.created());
    !restarted && since.is_some_and(|since| pod.scene.now().duration_since(since) < allowed)
}

/// Returns whether something already said that the pod cannot start: time alone will not help it.
fn is_held_up(pod: PodView<'_>) -> bool {
    // A gate is there to be lifted.
    let gated = pod.spec().is_some_and(|spec| spec.scheduling_gates.as_ref().is_some_and(|gates| !gates.is_empty()));
    let no_node = !gated && pod.condition("PodScheduled").is_some_and(|condition| condition.status == "False");
    let waits = |reason: &str| !matches!(reason, "" | "ContainerCreating" | "PodInitializing");
    no_node || pod.containers().any(|container| waits(container.waiting_reason()))
}

fn behind(usage: &Usage<'_>, service: ServiceView<'_>, workload: &Workload<'_>, pods: &[PodView<'_>]) -> Finding {
    let short = workload.object.short();
    let (name, asked) = (service.object().short(), workload.desired);
    let message = match (pods.len(), asked) {
        (0, Some(0)) => format!("{name} has no backend: {short} is scaled to 0 replicas"),
        (0, _) => format!("{name} has no backend: {short} has no pods"),
        _ if pods.iter().all(|pod| pod.is_crash_looping()) => {
            format!("{name} has no lasting backend: {short} keeps crashing")
        }
        (1, _) => format!("{name} has no ready backend: the only pod of {short} is not ready"),
        (count, _) => format!("{name} has no ready backend: none of the {count} pods of {short} is ready"),
    };
    let idle = asked == Some(0) && !usage.is_used(service);
    let mut finding = RULE
        .finding(workload.object.clone(), message)
        .key(service.name())
        .severity(if idle { Severity::Info } else { usage.severity(service) })
        .confidence(0.95)
        .because(service.object(), "spec.selector", service.selector().map(selector::print).unwrap_or_default())
        .mentions(service.object())
        .affects(service.object())
        .recommend(fix(workload))
        .next(quote::command(&["kubectl", "describe", &short, "-n", workload.namespace()]));
    for pod in pods {
        let since =
            pod.condition("Ready").and_then(|condition| condition.last_transition_time.as_ref()).map(|time| time.0);
        let ready = if pod.is_ready() { "True" } else { "False" };
        finding = finding
            .because_at(pod.object(), "status.conditions[Ready].status", ready, since)
            .seen(since, Some(pod.scene.now()))
            .affects(pod.object());
    }
    finding.evidence.truncate(4);
    finding
}

fn fix(workload: &Workload<'_>) -> Recommendation {
    let short = workload.object.short();
    if workload.desired != Some(0) {
        return Recommendation::new("mend-cause", format!("mend what keeps the pods of {short} from being ready"));
    }
    let command = quote::command(&["kubectl", "scale", &short, "--replicas=1", "-n", workload.namespace()]);
    Recommendation::new("scale", format!("scale {short} up, if nobody meant it to be off")).command(command)
}

fn nothing(usage: &Usage<'_>, service: ServiceView<'_>) -> Option<Finding> {
    let selector = service.selector()?;
    let pairs = selector::print(selector);
    let read = service.scene.knows(Kind::Deployment, service.namespace());
    let who = if read { "no pod and no workload" } else { "no pod" };
    let message = format!(
        "{} selects `{pairs}`, which {who} in namespace {} carries",
        service.object().short(),
        service.namespace()
    );
    let used = usage.is_used(service);
    let summary = format!(
        "deploy what carries the labels {pairs}, or correct the selector of service/{}, or delete it if nobody needs it",
        service.name()
    );
    Some(
        RULE.finding(service.object(), message)
            .severity(if used { Severity::Critical } else { Severity::Info })
            .confidence(0.9)
            .because(service.object(), "spec.selector", pairs)
            .recommend(Recommendation::new("edit-object", summary))
            .next(quote::command(&["kubectl", "get", "pods", "-n", service.namespace(), "--show-labels"])),
    )
}
