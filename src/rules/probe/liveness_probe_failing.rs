//! A liveness probe fails.

use crate::model::{Finding, Kind, Recommendation, Severity};
use crate::rules::{Rule, consequences};
use crate::scene::probes::probe::{Handler, Verdict};
use crate::scene::probes::probe_failing::{FailingProbe, failing};
use crate::scene::probes::probe_failure::Reason;
use crate::scene::{ProbeKind, Scene};

/// See [`Rule::docs`].
pub static RULE: Rule = Rule {
    id: "liveness-probe-failing",
    category: "liveness_probe",
    summary: "detects liveness probes that fail",
    docs: "\
## What it means
The liveness probe fails, so the kubelet takes the container for dead and restarts it. The exit code 137 or 143 of such a \
container is the probe's doing, not that of the OOM killer.

## How it is detected
The kubelet says that the probe failed and that it restarts the container for it; or the probe keeps failing and the \
threshold is not yet met. A container that crashes by itself, so that its probe fails too, is left out.

## What to do
A liveness probe should only ask whether the program hangs: a cheap path of its own, not one that depends on a database \
or on start-up. Correct the path or command; for a slow start use a start-up probe; give a slow answer a longer \
`timeoutSeconds`.",
    severity: Severity::Error,
    needs: &[Kind::Pod, Kind::Event],
    uses: &[],
    explains: &[consequences::PODS_NOT_READY, consequences::CALLS_FAIL],
    check,
};

fn check(scene: &Scene<'_>) -> Vec<Finding> {
    failing(scene, ProbeKind::Liveness).filter_map(|failing| finding(&failing)).collect()
}

fn finding(failing: &FailingProbe<'_>) -> Option<Finding> {
    if failing.verdict != Verdict::Failing {
        return None;
    }
    let message = format!("{} {}, {}", failing.probe.phrase(), failing.what_happens(), failing.consequence());
    let recommendation = Recommendation::new("edit-object", fix(failing)).command(failing.edit());
    let severity = if failing.kill.is_some() { Severity::Error } else { Severity::Warning };
    Some(failing.finding(&RULE, message).severity(severity).confidence(confidence(failing)).recommend(recommendation))
}

fn fix(failing: &FailingProbe<'_>) -> String {
    let probe = format!("the liveness probe of `{}`", failing.probe.container.name());
    if let Some(cure) = failing.common_cure(&probe) {
        return cure;
    }
    match (&failing.failure.reason, &failing.probe.handler) {
        (Reason::Status(500..), Handler::Http { path, .. }) => {
            format!(
                "let {probe} ask a path that does not depend on others or on start-up, not `{path}`; leave that to readiness"
            )
        }
        (Reason::Refused, _) if failing.kill.is_some() => format!(
            "add a start-up probe if the program needs longer than {}s to start, else let it listen where {probe} asks",
            failing.probe.budget().as_secs()
        ),
        _ => format!("let the program listen where {probe} asks, or correct {probe}"),
    }
}

/// A server error may have a cause behind it, such as a dead database.
fn confidence(failing: &FailingProbe<'_>) -> f64 {
    if matches!(failing.failure.reason, Reason::Status(500..)) { 0.85 } else { 0.92 }
}
