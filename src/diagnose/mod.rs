//! From findings to incidents: siblings merged, symptoms folded under their cause, worst first.
#![warn(clippy::disallowed_methods, clippy::disallowed_types)]

pub mod calibration;
mod doubt;
mod fingerprint;
mod fold;
mod rank;
mod siblings;
pub mod story;
pub mod target;

use crate::model::{Finding, Incident, NotEvaluated, ObjectRef, Severity, State};
use crate::scene::Scene;

/// Turns findings into incidents; the order of the findings leaves no trace.
pub fn diagnose(scene: &Scene<'_>, findings: Vec<Finding>, not_evaluated: &[NotEvaluated]) -> Vec<Incident> {
    let findings = siblings::merge(findings);
    let folded = fold::fold(scene.topology(), &findings);
    let mut incidents: Vec<Incident> = folded.into_iter().map(|group| incident(&group, &findings)).collect();
    incidents.iter_mut().for_each(|incident| doubt::weaken(incident, not_evaluated));
    rank::sort(&mut incidents);
    calibration::calibrate(&mut incidents);
    incidents
}

fn incident(group: &fold::Group, findings: &[Finding]) -> Incident {
    let cause = findings[group.cause].clone();
    let effects: Vec<Finding> = group.effects.iter().map(|&index| findings[index].clone()).collect();
    let all = || std::iter::once(&cause).chain(&effects);
    let mut affected: Vec<ObjectRef> = all().flat_map(|finding| finding.affected.iter().cloned()).collect();
    affected.sort();
    affected.dedup();
    let severity = all().map(severity).max().unwrap_or(cause.severity);
    let first_seen = all().filter_map(|finding| finding.since).min();
    let last_seen = all().filter_map(|finding| finding.last_seen).max();
    let next = cause.next.clone();
    Incident {
        id: fingerprint::of(&cause),
        severity,
        alternatives: Vec::new(),
        affected,
        first_seen,
        last_seen,
        next,
        cause,
        effects,
        narrative: None,
    }
}

/// What is over is told, but as history.
fn severity(finding: &Finding) -> Severity {
    match finding.state {
        State::Present => finding.severity,
        State::Past => Severity::Info,
    }
}
