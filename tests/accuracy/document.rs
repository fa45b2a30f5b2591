//! A state as a capture's JSON, which the gates change and judge again.

use std::io::Read as _;

use flate2::read::GzDecoder;
use jiff::{SignedDuration, Timestamp};
use kubectl_rca::analyse::analyse;
use kubectl_rca::collect::capture;
use kubectl_rca::collect::plan::Keep;
use kubectl_rca::model::{Report, Snapshot};
use kubectl_rca::policy::Policy;
use serde_json::Value;

/// The JSON of a capture.
#[derive(Clone, Debug)]
pub(super) struct Document(pub(super) Value);

impl Document {
    /// Writes down a snapshot that kept its raw JSON.
    pub(super) fn of(snapshot: &Snapshot) -> Self {
        let packed = capture::write(snapshot).unwrap();
        let mut text = String::new();
        GzDecoder::new(packed.as_slice()).read_to_string(&mut text).unwrap();
        Self(serde_json::from_str(&text).unwrap())
    }

    pub(super) fn snapshot(&self) -> Snapshot {
        capture::read("a changed state", self.0.to_string().as_bytes(), Keep::default())
            .unwrap_or_else(|error| panic!("{error}"))
    }

    pub(super) fn report(&self) -> Report {
        analyse(&self.snapshot(), &Policy::default())
    }

    pub(super) fn now(&self) -> Timestamp {
        self.0["takenAt"].as_str().unwrap().parse().unwrap()
    }

    /// Writes a time so many seconds before the state was taken.
    pub(super) fn ago(&self, seconds: i64) -> String {
        (self.now() - SignedDuration::from_secs(seconds)).strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
    }

    pub(super) fn objects(&self) -> &Vec<Value> {
        self.0["objects"].as_array().unwrap()
    }

    pub(super) fn objects_mut(&mut self) -> &mut Vec<Value> {
        self.0["objects"].as_array_mut().unwrap()
    }

    /// Returns the logs, which a document without any does not hold.
    pub(super) fn logs_mut(&mut self) -> &mut Vec<Value> {
        if self.0["logs"].is_null() {
            self.0["logs"] = Value::Array(Vec::new());
        }
        self.0["logs"].as_array_mut().unwrap()
    }

    /// Returns the namespaces that are asked about; empty means all.
    pub(super) fn namespaces(&self) -> Vec<String> {
        let names = self.0["scope"]["namespaces"].as_array().into_iter().flatten();
        names.filter_map(|name| name.as_str().map(str::to_owned)).collect()
    }
}

/// Returns a word of an object: `word(&pod, "/metadata/name")`.
pub(super) fn word<'v>(object: &'v Value, pointer: &str) -> &'v str {
    object.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}
