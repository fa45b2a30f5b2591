//! An earlier report: what is new since, what was known, what is gone.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Deserialize;

use super::Ignored;
use crate::model::{Incident, Severity};

/// What an earlier report says of its incidents.
#[derive(Clone, Debug, Default)]
pub struct Baseline {
    pub taken_at: Option<Timestamp>,
    /// Headlines by id.
    known: BTreeMap<String, String>,
}

/// How the incidents compare with the earlier ones, by their ids.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Compared {
    pub taken_at: Option<Timestamp>,
    pub new: Vec<String>,
    pub known: Vec<String>,
    /// Ids and headlines of what is no more.
    pub gone: Vec<(String, String)>,
}

/// The parts of a report that are compared.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Earlier {
    api_version: String,
    kind: String,
    meta: EarlierMeta,
    incidents: Vec<EarlierIncident>,
    /// What was ignored was known too.
    #[serde(default)]
    ignored: Vec<EarlierIncident>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct EarlierMeta {
    taken_at: Option<Timestamp>,
}

#[derive(Deserialize)]
struct EarlierIncident {
    id: String,
    severity: Severity,
    #[serde(default)]
    message: String,
    cause: Option<EarlierCause>,
}

#[derive(Deserialize)]
struct EarlierCause {
    message: String,
}

impl Baseline {
    /// Reads a report as `-o json` prints it.
    ///
    /// # Errors
    /// When it is none, in a few words.
    pub fn parse(text: &[u8]) -> Result<Self, String> {
        let earlier: Earlier = serde_json::from_slice(text).map_err(|error| error.to_string())?;
        if earlier.kind != "Report" || !earlier.api_version.starts_with("rca/") {
            return Err(format!("it is a {} of {}", earlier.kind, earlier.api_version));
        }
        let all = earlier.incidents.into_iter().chain(earlier.ignored);
        // History is nothing that is known to be broken: should it happen again, that is news.
        let broken = all.filter(|incident| incident.severity > Severity::Info);
        let known =
            broken.map(|incident| (incident.id, incident.cause.map_or(incident.message, |cause| cause.message)));
        Ok(Self { taken_at: earlier.meta.taken_at, known: known.collect() })
    }

    pub(super) fn compare(&self, incidents: &[Incident], ignored: &[Ignored]) -> Compared {
        let broken = incidents.iter().filter(|incident| incident.severity > Severity::Info);
        let (known, new): (Vec<&Incident>, Vec<_>) = broken.partition(|incident| self.known.contains_key(&incident.id));
        let ids = |incidents: Vec<&Incident>| incidents.into_iter().map(|incident| incident.id.clone()).collect();
        let is_there = |id: &str| {
            let ignored = ignored.iter().map(|ignored| &ignored.incident);
            incidents.iter().chain(ignored).any(|incident| incident.id == id && incident.severity > Severity::Info)
        };
        let gone = self.known.iter().filter(|(id, _)| !is_there(id));
        let gone = gone.map(|(id, message)| (id.clone(), message.clone())).collect();
        Compared { taken_at: self.taken_at, new: ids(new), known: ids(known), gone }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::{json, sample};

    #[test]
    fn a_report_has_nothing_new_to_itself() {
        let report = sample::rich();
        let baseline = Baseline::parse(&json::render(&report).unwrap()).unwrap();
        let compared = baseline.compare(&report.incidents, &[]);
        assert_eq!((compared.new.len(), compared.gone.len()), (0, 0));
        assert!(!compared.known.is_empty());
        let empty = Baseline::default().compare(&report.incidents, &[]);
        assert_eq!(empty.new, compared.known);
        let over = baseline.compare(&[], &[]);
        assert_eq!(over.gone.len(), compared.known.len());
        assert!(over.gone.iter().all(|(_, message)| !message.is_empty()));
    }

    #[test]
    fn what_is_no_report_is_refused() {
        for text in ["", "{}", "[]", r#"{"apiVersion":"rca/v1alpha1","kind":"Limits","meta":{},"incidents":[]}"#] {
            assert!(Baseline::parse(text.as_bytes()).is_err(), "{text}");
        }
    }
}
