//! A startup probe fails.

use crate::model::{Finding, Kind, Recommendation, Severity};
use crate::rules::{Rule, consequences};
use crate::scene::probes::probe::Verdict;
use crate::scene::probes::probe_failing::{FailingProbe, failing};
use crate::scene::probes::probe_failure::Reason;
use crate::scene::{ProbeKind, Scene};

/// See [`Rule::docs`].
pub static RULE: Rule = Rule {
    id: "startup-probe-failing",
    category: "startup_probe",
    summary: "detects startup probes that fail",
    docs: "\
## What it means
The start-up probe did not pass in the time that it allows, so the kubelet restarts the container before it is up.

## How it is detected
The kubelet says that the probe failed, and the container was killed for it or has run for longer than the probe allows. \
A start-up probe that fails while the container is young is as it should be.

## What to do
If the program starts slowly, raise `failureThreshold`; if the probe asks the wrong port or path, correct it; else read \
the log to see what start-up waits for.",
    severity: Severity::Error,
    needs: &[Kind::Pod, Kind::Event],
    uses: &[],
    explains: &[consequences::PODS_NOT_READY, consequences::CALLS_FAIL],
    check,
};

fn check(scene: &Scene<'_>) -> Vec<Finding> {
    failing(scene, ProbeKind::Startup).filter_map(|failing| finding(&failing)).collect()
}

fn finding(failing: &FailingProbe<'_>) -> Option<Finding> {
    if !matches!(failing.verdict, Verdict::Failing | Verdict::WrongProtocol) {
        return None;
    }
    let message = format!("{} {}, {}", failing.probe.phrase(), failing.what_happens(), failing.consequence());
    let recommendation = Recommendation::new("edit-object", fix(failing)).command(failing.edit());
    Some(failing.finding(&RULE, message).confidence(0.85).recommend(recommendation))
}

fn fix(failing: &FailingProbe<'_>) -> String {
    let probe = format!("the startup probe of `{}`", failing.probe.container.name());
    if let Some(cure) = failing.common_cure(&probe) {
        return cure;
    }
    match &failing.failure.reason {
        Reason::Refused => {
            format!("raise `failureThreshold` of {probe} if the program starts slowly, or correct its port")
        }
        _ => format!("let the program listen where {probe} asks, or correct {probe}"),
    }
}
