//! The numbers by which a report's evidence and recommendations are cited.

use super::{Incident, Report};

/// Hands out `E1`, `E2`, ... and `R1`, `R2`, ... through a report, in the order in which everything is printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ids {
    evidence: usize,
    recommendations: usize,
}

impl Ids {
    /// Returns the numbers as they stand before an incident of the report.
    pub fn before(report: &Report, incident: usize) -> Self {
        let mut ids = Self::default();
        report.incidents.iter().take(incident).for_each(|passed| ids.skip(passed));
        ids
    }

    /// Returns the id of the next piece of evidence.
    pub fn evidence(&mut self) -> String {
        self.evidence += 1;
        format!("E{}", self.evidence)
    }

    /// Returns the id of the next recommendation.
    pub fn recommendation(&mut self) -> String {
        self.recommendations += 1;
        format!("R{}", self.recommendations)
    }

    fn skip(&mut self, incident: &Incident) {
        let findings = std::iter::once(&incident.cause).chain(&incident.effects);
        self.evidence += findings.map(|finding| finding.evidence.len()).sum::<usize>();
        self.recommendations += incident.cause.recommendations.len();
    }
}
