//! What a rule is: a static with its words and one pure function.

use crate::model::{Finding, Kind, Severity, State, Subject};
use crate::scene::Scene;

/// A rule: a table entry, no trait to implement.
#[derive(Debug)]
pub struct Rule {
    /// Unique, kebab-case, equal to the file name. People put it in ignores: it is never renamed.
    pub id: &'static str,
    /// One of [`crate::rules::category::ALL`].
    pub category: &'static str,
    /// One line, third person, lower case: `detects ...`.
    pub summary: &'static str,
    /// Markdown with the headings *What it means*, *How it is detected*, *What to do*.
    pub docs: &'static str,
    pub severity: Severity,
    /// Kinds without which it cannot judge.
    pub needs: &'static [Kind],
    /// Kinds that make it surer.
    pub uses: &'static [Kind],
    /// Ids of rules whose findings may follow from this one: shared lists of [`crate::rules::consequences`] and its own.
    pub explains: &'static [&'static [&'static str]],
    /// Finds all cases; linear in what it looks at.
    pub check: fn(&Scene<'_>) -> Vec<Finding>,
}

impl Rule {
    /// Ids of the other rules whose findings may follow from this one, sorted.
    pub fn explained(&self) -> Vec<&'static str> {
        let mut ids: Vec<_> = self.explains.iter().copied().flatten().copied().filter(|id| *id != self.id).collect();
        ids.sort_unstable();
        ids.dedup();
        ids
    }

    /// Tells if a finding of the rule `id` may follow from this one.
    pub fn may_explain(&self, id: &str) -> bool {
        id != self.id && self.explains.iter().any(|list| list.contains(&id))
    }

    /// Starts a finding with the rule's severity and a confidence of 0.9.
    pub fn finding(&'static self, subject: impl Into<Subject>, message: impl Into<String>) -> Finding {
        Finding {
            rule: self,
            subject: subject.into(),
            key: String::new(),
            severity: self.severity,
            confidence: 0.9,
            state: State::Present,
            message: message.into(),
            evidence: Vec::new(),
            affected: Vec::new(),
            mentions: Vec::new(),
            since: None,
            last_seen: None,
            recommendations: Vec::new(),
            next: Vec::new(),
        }
    }
}
