//! A readiness gate's condition is missing or false.

use jiff::SignedDuration;
use k8s_openapi::api::core::v1::PodReadinessGate;

use crate::model::{Finding, Kind, Recommendation, Severity};
use crate::render::quote;
use crate::rules::{Rule, consequences};
use crate::scene::{PodView, Scene};

/// See [`Rule::docs`].
pub static RULE: Rule = Rule {
    id: "readiness-gate",
    category: "readiness_gate",
    summary: "detects pods whose containers are ready but whose readiness gate is not met",
    docs: "\
## What it means
A readiness gate makes a pod wait for a condition that some controller (a load balancer's, say) sets on it. The containers \
are ready, but without that condition the pod gets no traffic.

## How it is detected
The condition `ContainersReady` is true, and a condition named in `spec.readinessGates` has been missing or not true for more \
than a minute.

## What to do
Look at the controller that should set the condition; if there is none any more, remove the gate from the pod template.",
    severity: Severity::Error,
    needs: &[Kind::Pod],
    uses: &[],
    explains: &[consequences::PODS_NOT_READY],
    check,
};

/// A controller may take this long to set its condition.
const PATIENCE: SignedDuration = SignedDuration::from_mins(1);

fn check(scene: &Scene<'_>) -> Vec<Finding> {
    scene.suspects().flat_map(unmet).collect()
}

fn unmet(pod: PodView<'_>) -> Vec<Finding> {
    let ready = pod.condition("ContainersReady").filter(|condition| condition.status == "True");
    let since =
        ready.and_then(|condition| condition.last_transition_time.as_ref()).map(|time| time.0).or(pod.created());
    let waited = since.is_none_or(|since| pod.scene.now().duration_since(since) > PATIENCE);
    if ready.is_none() || !waited || pod.is_finished() || pod.is_terminating() {
        return Vec::new();
    }
    let gates = pod.spec().and_then(|spec| spec.readiness_gates.as_deref()).unwrap_or_default();
    gates.iter().filter_map(|gate| finding(pod, gate, since)).collect()
}

fn finding(pod: PodView<'_>, gate: &PodReadinessGate, since: Option<jiff::Timestamp>) -> Option<Finding> {
    let name = gate.condition_type.as_str();
    let condition = pod.condition(name);
    let status = match condition {
        None => "missing",
        Some(condition) if condition.status == "True" => return None,
        Some(_) => "not true",
    };
    let said = condition.and_then(|condition| condition.message.as_deref().or(condition.reason.as_deref()));
    let said = said.filter(|said| !said.is_empty()).map(|said| format!(": {said}")).unwrap_or_default();
    let workload = &pod.workload().object;
    let message = format!(
        "{} is not ready though its containers are: the condition `{name}` of its readiness gate is {status}{said}",
        workload.short()
    );
    let value = condition.map_or("missing", |condition| condition.status.as_str());
    let cure = format!(
        "see why the controller behind `{name}` does not set it, or remove the readiness gate from {}",
        workload.short()
    );
    Some(
        RULE.finding(workload.clone(), message)
            .key(name)
            .because_at(pod.object(), format!("status.conditions[{name}].status"), value, since)
            .because(pod.object(), "spec.readinessGates", name)
            .seen(since, Some(pod.scene.now()))
            .affects(pod.object())
            .confidence(0.95)
            .recommend(Recommendation::new("edit-object", cure))
            .next(quote::command(&["kubectl", "describe", "pod", "-n", pod.namespace(), pod.name()])),
    )
}
