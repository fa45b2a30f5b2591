//! A readiness probe fails.

use crate::model::{Finding, Kind, Recommendation, Severity};
use crate::rules::{Rule, consequences};
use crate::scene::probes::probe::Verdict;
use crate::scene::probes::probe_failing::{FailingProbe, failing};
use crate::scene::probes::probe_failure::Reason;
use crate::scene::{ProbeKind, Scene};

/// See [`Rule::docs`].
pub static RULE: Rule = Rule {
    id: "readiness-probe-failing",
    category: "readiness_probe",
    summary: "detects readiness probes that fail",
    docs: "\
## What it means
The container runs, but its readiness probe fails, so the pod gets no traffic. Often it is a symptom: the program waits \
for something that is down, and says so.

## How it is detected
The kubelet says that the probe fails, the container is not ready, it has run for longer than the probe allows, and it \
does not crash.

## What to do
A refused connection or a status 404 means a wrong port or path: correct the probe. A status of 500 or more means that \
the program is not well: read its log.",
    severity: Severity::Error,
    needs: &[Kind::Pod, Kind::Event],
    uses: &[],
    explains: &[consequences::PODS_NOT_READY],
    check,
};

fn check(scene: &Scene<'_>) -> Vec<Finding> {
    failing(scene, ProbeKind::Readiness).filter_map(|failing| finding(&failing)).collect()
}

fn finding(failing: &FailingProbe<'_>) -> Option<Finding> {
    if failing.verdict != Verdict::Failing {
        return None;
    }
    let message = format!("{} {}, {}", failing.probe.phrase(), failing.what_happens(), failing.consequence());
    let recommendation = match failing.failure.reason {
        Reason::Status(500..) | Reason::TimedOut => Recommendation::new("look", fix(failing)).command(failing.logs()),
        _ => Recommendation::new("edit-object", fix(failing)).command(failing.edit()),
    };
    Some(failing.finding(&RULE, message).confidence(confidence(failing)).recommend(recommendation))
}

fn fix(failing: &FailingProbe<'_>) -> String {
    let probe = format!("the readiness probe of `{}`", failing.probe.container.name());
    if let Some(cure) = failing.common_cure(&probe) {
        return cure;
    }
    match &failing.failure.reason {
        Reason::Status(500..) => {
            format!("read in the log why the program answers {probe} so: mostly something that it needs is down")
        }
        _ => format!("let the program listen where {probe} asks, or correct {probe}"),
    }
}

/// A program that answers badly, or not yet, mostly has a cause behind it.
fn confidence(failing: &FailingProbe<'_>) -> f64 {
    match failing.failure.reason {
        Reason::Status(500..) | Reason::TimedOut => 0.7,
        Reason::Refused | Reason::Other | Reason::Command => 0.8,
        Reason::Status(_) | Reason::Protocol => 0.93,
    }
}
