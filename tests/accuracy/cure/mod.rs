//! Cure: when the fault is repaired, the verdict is gone, and where all faults are, nothing is wrong.
//!
//! A cure is written against the objects alone, apart from the rule that it tests: it undoes the fault (`repair`), lets the
//! cluster recover (`heal`), and knows of the verdict only the category, the object to change, and what was hit.

mod admission;
mod cluster;
mod container;
mod heal;
mod patient;
mod scheduling;
mod service;
mod workload;

use kubectl_rca::model::{Incident, ObjectRef, Report};

use super::Tally;
use super::document::Document;
use super::verdict::{self, Verdict};
use patient::Patient;

/// A state holds this many faults at most.
const FAULTS: usize = 12;

pub(super) fn try_all(document: &Document, report: &Report) -> Tally {
    let mut tally = Tally::default();
    let Some(first) = verdict::troubles(report).next() else { return tally };
    let Some(cured) = cure(document, first) else {
        tally.check(Some(format!("nobody wrote a cure of {}", first.cause.rule.category)));
        return tally;
    };
    let after = cured.report();
    tally.check(miss(report, first, &after).or_else(|| remains(cured, after)));
    tally
}

/// Says what is wrong with what is said after one cure.
fn miss(before: &Report, first: &Incident, after: &Report) -> Option<String> {
    let old = Verdict::of(first);
    let (were, are) = (verdict::all(before), verdict::all(after));
    if are.contains(&old) {
        return Some(format!("{old} is still told after its cure: {}", message(after, &old)));
    }
    let new: Vec<_> = are.difference(&were).map(|new| format!("{new}: {}", message(after, new))).collect();
    (!new.is_empty()).then(|| format!("the cure of {old} leads to {}", new.join(", ")))
}

fn message(report: &Report, verdict: &Verdict) -> String {
    let told = verdict::troubles(report).find(|incident| Verdict::of(incident) == *verdict);
    told.map(|incident| incident.cause.message.clone()).unwrap_or_default()
}

/// Cures what is left, one fault after the other; says what does not go away.
fn remains(mut document: Document, mut report: Report) -> Option<String> {
    for _ in 0..FAULTS {
        let first = verdict::troubles(&report).next()?;
        let Some(next) = cure(&document, first) else {
            return Some(format!("nobody wrote a cure of {}", first.cause.rule.category));
        };
        let after = next.report();
        if verdict::all(&after).contains(&Verdict::of(first)) {
            let old = Verdict::of(first);
            return Some(format!("{old} is still told after its cure: {}", message(&after, &old)));
        }
        (document, report) = (next, after);
    }
    Some(format!("{} comes up after {FAULTS} cures", verdict::show(verdict::first(&report).as_ref())))
}

/// Repairs and heals; `None` if nobody wrote how.
fn cure(document: &Document, incident: &Incident) -> Option<Document> {
    let mut document = document.clone();
    let mut patient = Patient { document: &mut document, incident };
    if !repair(&mut patient) {
        return None;
    }
    let mut hurt: Vec<ObjectRef> = vec![incident.cause.subject.object.clone()];
    hurt.extend(incident.affected.iter().cloned());
    hurt.extend(incident.effects.iter().map(|effect| effect.subject.object.clone()));
    hurt.sort();
    hurt.dedup();
    for object in &hurt {
        heal::object(&mut patient, object);
    }
    heal::endpoints(&mut patient);
    heal::alerts(&mut patient);
    Some(document)
}

/// Undoes the fault; `false` if nobody wrote how.
fn repair(patient: &mut Patient<'_>) -> bool {
    let category = patient.incident.cause.rule.category;
    container::repair(patient, category)
        || scheduling::repair(patient, category)
        || service::repair(patient, category)
        || admission::repair(patient, category)
        || cluster::repair(patient, category)
        || workload::repair(patient, category)
}

#[test]
fn every_category_has_a_cure() {
    let document = Document(serde_json::json!({"takenAt": "2026-01-01T12:00:00Z", "objects": [], "scope": {}}));
    let object = ObjectRef::parse("v1", "ConfigMap", Some("shop"), "nobody");
    for rule in kubectl_rca::rules::ALL {
        let cause = rule.finding(object.clone(), "nobody");
        let incident = Incident {
            id: String::new(),
            severity: rule.severity,
            cause,
            effects: Vec::new(),
            affected: Vec::new(),
            alternatives: Vec::new(),
            first_seen: None,
            last_seen: None,
            next: Vec::new(),
            narrative: None,
        };
        let known = repair(&mut Patient { document: &mut document.clone(), incident: &incident });
        assert!(known, "nobody wrote a cure of {}", rule.category);
    }
}
