//! What of the answer is shown; what is not shown is counted.

use jiff::{SignedDuration, Timestamp};

use crate::model::{Incident, Severity, State};

/// What of the answer is shown.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct View {
    /// Leave out what concerns only other containers.
    pub container: Option<String>,
    /// Leave out what is over for longer.
    pub since: Option<SignedDuration>,
    /// Leave out what is milder.
    pub min_severity: Option<Severity>,
}

impl View {
    /// Returns what is shown, and a line for each reason for which something is not.
    pub(super) fn part(&self, now: Timestamp, incidents: Vec<Incident>) -> (Vec<Incident>, Vec<String>) {
        let mut notes = Vec::new();
        let mut kept = incidents;
        let mut leave = |kept: &mut Vec<Incident>, is_shown: &dyn Fn(&Incident) -> bool, why: String| {
            let before = kept.len();
            kept.retain(is_shown);
            match before - kept.len() {
                0 => {}
                1 => notes.push(format!("1 incident is not shown: {why}")),
                several => notes.push(format!("{several} incidents are not shown: {why}")),
            }
        };
        if let Some(name) = &self.container {
            leave(&mut kept, &|incident| concerns(incident, name), format!("of other containers than `{name}`"));
        }
        if let Some(since) = self.since {
            let why = format!("over for longer than {}s", since.as_secs());
            leave(&mut kept, &|incident| is_current(incident, now, since), why);
        }
        if let Some(least) = self.min_severity {
            leave(&mut kept, &|incident| incident.severity >= least, format!("below {}", least.as_str()));
        }
        (kept, notes)
    }
}

/// Returns whether an incident concerns a container: one of the pod as a whole concerns each.
fn concerns(incident: &Incident, container: &str) -> bool {
    let findings = std::iter::once(&incident.cause).chain(&incident.effects);
    let mut named = findings.filter_map(|finding| finding.subject.container.as_deref()).peekable();
    named.peek().is_none() || named.any(|name| name == container)
}

/// Returns whether it still happens, or did so lately; of what has no time nobody can say that it is over.
fn is_current(incident: &Incident, now: Timestamp, since: SignedDuration) -> bool {
    let findings = std::iter::once(&incident.cause).chain(&incident.effects);
    let is_present = findings.clone().any(|finding| finding.state == State::Present);
    let seen = incident.last_seen.or(incident.first_seen);
    is_present || seen.is_none_or(|seen| now.duration_since(seen) <= since)
}
