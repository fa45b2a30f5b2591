//! What the user decided about the answer: which rules speak, how bad they are, what is known and ignored, what is shown.
#![warn(clippy::disallowed_methods, clippy::disallowed_types)]

pub mod baseline;
pub mod ignore;
pub mod view;

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

pub use baseline::{Baseline, Compared};
pub use ignore::{Ignore, Ignored};
pub use view::View;

use crate::model::{Finding, Incident, Severity, Snapshot};

/// What the user decided about the answer.
#[derive(Clone, Debug, Default)]
pub struct Policy {
    /// Ids of rules to leave out.
    pub skip: BTreeSet<String>,
    /// Severities instead of the rules' own, by the rule's id.
    pub severities: BTreeMap<String, Severity>,
    pub ignores: Vec<Ignore>,
    /// Whether objects may say themselves, by an annotation, what is to be ignored of them.
    pub allow_annotations: bool,
    pub view: View,
    /// An earlier report, to tell what is new.
    pub baseline: Option<Baseline>,
}

/// What the policy made of the incidents.
#[derive(Clone, Debug, Default)]
pub struct Judged {
    pub incidents: Vec<Incident>,
    pub ignored: Vec<Ignored>,
    pub compared: Option<Compared>,
    /// How many incidents are not shown.
    pub hidden: usize,
    /// Why, a line for each reason.
    pub notes: Vec<String>,
}

impl Policy {
    /// Leaves out what rules that do not speak found, and puts the user's severities in place of the rules'.
    pub fn apply_to_findings(&self, findings: &mut Vec<Finding>) {
        findings.retain(|finding| !self.skip.contains(finding.rule.id));
        for finding in findings {
            if let Some(severity) = self.severities.get(finding.rule.id) {
                finding.severity = *severity;
            }
        }
    }

    /// Parts the incidents into those that are shown and those that are not; nothing vanishes without a word.
    pub fn judge(&self, snapshot: &Snapshot, incidents: Vec<Incident>) -> Judged {
        let (incidents, ignored) = ignore::part(self, snapshot, incidents);
        self.show(snapshot.taken_at, incidents, ignored)
    }

    /// Compares with the earlier report and parts what is shown from what is not, where what is ignored was taken out before.
    pub fn show(&self, taken_at: Timestamp, incidents: Vec<Incident>, ignored: Vec<Ignored>) -> Judged {
        let compared = self.baseline.as_ref().map(|baseline| baseline.compare(&incidents, &ignored));
        let all = incidents.len();
        let (incidents, notes) = self.view.part(taken_at, incidents);
        Judged { hidden: all - incidents.len(), incidents, ignored, compared, notes }
    }
}
