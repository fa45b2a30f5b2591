//! A scheduling gate that nobody lifts, or a resource claim that is not allocated.

use jiff::SignedDuration;

use crate::model::{Finding, Kind, Recommendation, Severity};
use crate::render::quote;
use crate::rules::{Rule, consequences};
use crate::scene::{Obstacle, Placement, PodView, Scene};

/// See [`Rule::docs`].
pub static RULE: Rule = Rule {
    id: "scheduling-gated",
    category: "scheduling_gated",
    summary: "detects pods held back by a scheduling gate or by a ResourceClaim that is not allocated",
    docs: "\
## What it means
The scheduler leaves a pod alone until every scheduling gate is removed by the controller that set it (a queue such as Kueue, \
a provisioner). A pod with ResourceClaims waits until each is allocated.

## How it is detected
The condition `PodScheduled` is false with the reason `SchedulingGated` and `spec.schedulingGates` is not empty for more than \
a minute; or the scheduler names a resource claim.

## What to do
Look at the controller that owns the gate (its name says which): is it running, is the queue full? For claims: is the driver \
installed, is a device free?",
    severity: Severity::Error,
    needs: &[Kind::Pod],
    uses: &[Kind::Event],
    explains: &[consequences::PODS_NOT_READY],
    check,
};

/// A controller may take this long to lift its gate.
const PATIENCE: SignedDuration = SignedDuration::from_mins(1);

fn check(scene: &Scene<'_>) -> Vec<Finding> {
    let gated = scene.suspects().filter_map(gated);
    let claims = scene.placements().iter().filter(|placement| placement.obstacle == Obstacle::ResourceClaim);
    gated.chain(claims.map(|placement| claim_waits(scene, placement))).collect()
}

fn gated(pod: PodView<'_>) -> Option<Finding> {
    let gates = pod.spec()?.scheduling_gates.as_deref().filter(|gates| !gates.is_empty())?;
    let waited = pod.created().is_none_or(|created| pod.scene.now().duration_since(created) > PATIENCE);
    if !waited || !pod.is_unscheduled() || pod.is_terminating() {
        return None;
    }
    let names: Vec<_> = gates.iter().map(|gate| gate.name.as_str()).collect();
    let workload = &pod.workload().object;
    let message = format!("{} waits for its scheduling gate `{}` to be lifted", workload.short(), names.join("`, `"));
    let cure = format!(
        "see why the controller behind `{}` does not lift it: is it running, is its queue full?",
        names.join("`, `")
    );
    let finding = RULE.finding(workload.clone(), message).key(names.join(","));
    let finding = finding.because_at(pod.object(), "spec.schedulingGates", names.join(","), pod.created());
    let finding = finding.seen(pod.created(), Some(pod.scene.now())).affects(pod.object()).confidence(0.95);
    let finding = finding.recommend(Recommendation::new("lift-gate", cure));
    Some(finding.next(quote::command(&["kubectl", "describe", "pod", "-n", pod.namespace(), pod.name()])))
}

fn claim_waits(scene: &Scene<'_>, placement: &Placement) -> Finding {
    let pod = scene.pod(placement.pod);
    let workload = &pod.workload().object;
    let claims = pod.spec().and_then(|spec| spec.resource_claims.as_deref()).unwrap_or_default();
    let names: Vec<_> = claims.iter().map(|claim| claim.name.as_str()).collect();
    let which = if names.is_empty() { String::new() } else { format!(" `{}`", names.join("`, `")) };
    let said = placement
        .reasons
        .iter()
        .find(|reason| reason.obstacle == Obstacle::ResourceClaim)
        .map_or("", |reason| reason.detail.split(". ").next().unwrap_or_default());
    let message = format!("the resource claim{which} of {} is not allocated: {said}", workload.short());
    let finding = placement.cite(scene, RULE.finding(workload.clone(), message).key(names.join(","))).confidence(0.9);
    let cure = "check that the driver of the device class runs and that a device is free";
    finding.recommend(Recommendation::new("fix-claim", cure)).next(quote::command(&[
        "kubectl",
        "get",
        "resourceclaims",
        "-n",
        pod.namespace(),
    ]))
}
