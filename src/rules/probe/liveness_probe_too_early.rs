//! A liveness probe kills the container before that is up.

use crate::model::{Finding, Kind, Recommendation, Severity};
use crate::rules::{Rule, consequences};
use crate::scene::probes::probe::Verdict;
use crate::scene::probes::probe_failing::{FailingProbe, failing};
use crate::scene::{ProbeKind, Scene};

/// See [`Rule::docs`].
pub static RULE: Rule = Rule {
    id: "liveness-probe-too-early",
    category: "liveness_probe",
    summary: "detects liveness probes that kill the container before it is up",
    docs: "\
## What it means
The program needs longer to start than the liveness probe allows, so the kubelet kills it each time before it is up.

## How it is detected
The kubelet kills the container for its liveness probe, there is no start-up probe, and the log tells that the start takes \
longer than `initialDelaySeconds` + `periodSeconds` × `failureThreshold`.

## What to do
Add a start-up probe that allows the time: the liveness probe then waits for it. Raising `initialDelaySeconds` works too, \
but delays the detection of a hang after every restart.",
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
    let Verdict::TooEarly { took } = failing.verdict else { return None };
    let (probe, budget) = (&failing.probe, failing.probe.budget().as_secs());
    let took = took?.as_secs();
    let message = format!(
        "{} ({}, which {}) gives up {budget}s after the start, but the start takes {took}s, so the kubelet restarts it again and again",
        probe.phrase(),
        probe.asks(),
        failing.failure.words(),
    );
    // Half as much again, as a busy node starts things slower.
    let threshold = (took * 3 / 2) / 10 + 1;
    let summary = format!(
        "add a start-up probe to `{}` that allows {}s: `periodSeconds: 10`, `failureThreshold: {threshold}`",
        probe.container.name(),
        threshold * 10
    );
    let timing = format!(
        "{:?} {:?} {:?}",
        probe.probe.initial_delay_seconds.unwrap_or(0),
        probe.probe.period_seconds.unwrap_or(10),
        probe.probe.failure_threshold.unwrap_or(3)
    );
    let recommendation = Recommendation::new("edit-object", summary).command(failing.edit());
    let finding = failing.finding(&RULE, message).confidence(0.9).recommend(recommendation);
    Some(finding.because(
        probe.container.pod_ref(),
        probe.path(".{initialDelaySeconds,periodSeconds,failureThreshold}"),
        timing,
    ))
}
