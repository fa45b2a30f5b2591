//! The order of incidents: worst first, then surest, then widest, then first.

use std::cmp::Ordering;

use crate::model::{Incident, Severity};

/// Sorts incidents by a total order.
pub(super) fn sort(incidents: &mut [Incident]) {
    incidents.sort_by(order);
    for incident in incidents {
        incident.effects.sort_by(|a, b| {
            b.severity
                .cmp(&a.severity)
                .then_with(|| (&a.subject, a.rule.id, &a.key).cmp(&(&b.subject, b.rule.id, &b.key)))
        });
    }
}

/// Of what is not broken now, a fault that has not hurt yet comes before mere advice.
fn nature(incident: &Incident) -> Option<Severity> {
    (incident.severity == Severity::Info).then_some(incident.cause.rule.severity)
}

fn order(a: &Incident, b: &Incident) -> Ordering {
    let reach = |incident: &Incident| incident.effects.len() + incident.affected.len();
    let started = |incident: &Incident| (incident.first_seen.is_none(), incident.first_seen);
    let identity =
        |incident: &Incident| (incident.cause.subject.clone(), incident.cause.rule.id, incident.cause.key.clone());
    b.severity
        .cmp(&a.severity)
        .then(b.cause.severity.cmp(&a.cause.severity))
        .then(nature(b).cmp(&nature(a)))
        .then(b.cause.confidence.total_cmp(&a.cause.confidence))
        .then(reach(b).cmp(&reach(a)))
        .then(started(a).cmp(&started(b)))
        .then_with(|| identity(a).cmp(&identity(b)))
}
