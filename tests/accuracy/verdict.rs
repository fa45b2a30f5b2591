//! What a report says, in so few words that two can be compared.

use std::collections::BTreeSet;

use kubectl_rca::model::{Incident, Report, Severity};

/// What is wrong, with what.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Verdict {
    pub(super) category: &'static str,
    pub(super) subject: String,
}

impl Verdict {
    pub(super) fn of(incident: &Incident) -> Self {
        let subject = &incident.cause.subject;
        let container = subject.container.as_ref().map(|name| format!("[{name}]")).unwrap_or_default();
        Self { category: incident.cause.rule.category, subject: format!("{}{container}", subject.object) }
    }
}

impl std::fmt::Display for Verdict {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "{} of {}", self.category, self.subject)
    }
}

/// Iterates over what is wrong now: the incidents above `info`.
pub(super) fn troubles(report: &Report) -> impl Iterator<Item = &Incident> {
    report.incidents.iter().filter(|incident| incident.severity > Severity::Info)
}

/// Returns the first verdict, if anything is wrong.
pub(super) fn first(report: &Report) -> Option<Verdict> {
    troubles(report).next().map(Verdict::of)
}

/// Returns all that is wrong.
pub(super) fn all(report: &Report) -> BTreeSet<Verdict> {
    troubles(report).map(Verdict::of).collect()
}

/// Says what two reports do not have in common, the first verdict above all; `None` if they tell the same.
pub(super) fn difference(before: &Report, after: &Report) -> Option<String> {
    let (was, is) = (first(before), first(after));
    if was != is {
        return Some(format!("{} became {}", show(was.as_ref()), show(is.as_ref())));
    }
    let (were, are) = (all(before), all(after));
    let changed: Vec<String> = were.symmetric_difference(&are).map(ToString::to_string).collect();
    (!changed.is_empty()).then(|| format!("also changed: {}", changed.join(", ")))
}

pub(super) fn show(verdict: Option<&Verdict>) -> String {
    verdict.map_or_else(|| "nothing".to_owned(), ToString::to_string)
}
