//! Takes in what was read, from wherever it came, in one way: prune, redact, parse, sort.

use std::borrow::Cow;

use base64::Engine as _;
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use super::decode;
use crate::model::telemetry::Labels;
use crate::model::{Alert, ContainerLogs, ContainerRef, Gap, GapReason, Kind, Series, Snapshot};
use crate::redact::Redactor;

/// Fills a snapshot. Redaction numbers secrets in the order in which they come: feed it in a stable order.
#[derive(Debug)]
pub struct Intake {
    snapshot: Snapshot,
    redactor: Redactor,
    /// Whether the pruned JSON is kept, for a capture.
    keep_raw: bool,
}

/// The words of an object's identity, for one that cannot be parsed as its kind, or whose kind is not known.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Identity {
    #[serde(default)]
    api_version: String,
    #[serde(default)]
    kind: String,
    #[serde(default)]
    metadata: IdentityMeta,
}

#[derive(Default, Deserialize)]
struct IdentityMeta {
    #[serde(default)]
    name: String,
    #[serde(default)]
    namespace: Option<String>,
}

impl Intake {
    /// Starts with an empty snapshot.
    pub fn new(snapshot: Snapshot, keep_raw: bool) -> Self {
        Self { snapshot, redactor: Redactor::new(), keep_raw }
    }

    /// Returns the snapshot as far as it is filled; nothing is sorted yet.
    pub fn snapshot(&self) -> &Snapshot {
        &self.snapshot
    }

    /// Returns the snapshot, for what needs no redaction: coverage, gaps, versions.
    pub fn snapshot_mut(&mut self) -> &mut Snapshot {
        &mut self.snapshot
    }

    /// Adds objects of one kind, by name: a server may send them in any order, and secrets are numbered as they are met.
    ///
    /// One that does not parse becomes a gap with its name.
    pub fn objects<'r>(&mut self, kind: Kind, items: impl IntoIterator<Item = &'r RawValue>) {
        let pruned = items.into_iter().map(|item| (Some(kind), item.get(), decode::prune(item.get(), Some(kind))));
        self.in_order(pruned.collect());
    }

    /// Adds an object of a known kind.
    pub fn object(&mut self, kind: Kind, json: &str) {
        self.in_order(vec![(Some(kind), json, decode::prune(json, Some(kind)))]);
    }

    /// Adds objects that say their kinds themselves, also of kinds that are not in the table, by kind and name.
    pub fn any_objects<'r>(&mut self, items: impl IntoIterator<Item = &'r str>) {
        let pruned = items.into_iter().map(|json| {
            let identity: Option<Identity> = serde_json::from_str(json).ok();
            let kind = identity.and_then(|identity| Kind::find(&identity.api_version, &identity.kind));
            (kind, json, decode::prune(json, kind))
        });
        self.in_order(pruned.collect());
    }

    fn in_order(&mut self, mut items: Vec<(Option<Kind>, &str, Result<decode::Pruned, serde_json::Error>)>) {
        items.sort_by(|(a_kind, _, a), (b_kind, _, b)| (a_kind, address(a)).cmp(&(b_kind, address(b))));
        for (kind, json, pruned) in items {
            if let Err(error) = pruned.and_then(|pruned| self.insert(kind, pruned)) {
                self.invalid(kind.map_or("objects", Kind::plural), kind, json, &error);
            }
        }
    }

    fn insert(&mut self, kind: Option<Kind>, pruned: decode::Pruned) -> Result<(), serde_json::Error> {
        let decode::Pruned { mut value, changes } = pruned;
        let word =
            kind.map(Kind::name).or_else(|| value.get("kind").and_then(Value::as_str)).unwrap_or_default().to_owned();
        self.redactor.object(&word, &mut value);
        let raw = if self.keep_raw {
            Some(serde_json::value::to_raw_value(&decode::with_changes(&value, &changes))?)
        } else {
            None
        };
        match kind {
            Some(kind) => self.snapshot.objects.insert(kind, value, changes, raw),
            None => self.snapshot.objects.insert_custom(value, changes, raw),
        }
    }

    fn invalid(&mut self, what: &str, kind: Option<Kind>, json: &str, error: &serde_json::Error) {
        let identity: Option<Identity> = serde_json::from_str(json).ok();
        let meta = identity.map(|identity| identity.metadata).unwrap_or_default();
        self.snapshot.gaps.push(Gap {
            what: what.to_owned(),
            kind,
            namespace: meta.namespace,
            name: Some(if meta.name.is_empty() { "?".to_owned() } else { meta.name }),
            reason: GapReason::Invalid,
            message: error.to_string(),
        });
    }

    /// Adds a log.
    pub fn log(&mut self, container: ContainerRef, text: &str, previous: bool) {
        let text = self.redactor.text(text).into_owned();
        let logs: &mut ContainerLogs = self.snapshot.logs.entry(container).or_default();
        let slot = if previous { &mut logs.previous } else { &mut logs.current };
        *slot = Some(text);
    }

    /// Adds alerts.
    pub fn alerts(&mut self, mut alerts: Vec<Alert>) {
        alerts.sort();
        for alert in &mut alerts {
            self.redact_labels(&mut alert.labels);
            self.redact_labels(&mut alert.annotations);
        }
        self.snapshot.alerts.get_or_insert_default().extend(alerts);
    }

    /// Adds time series.
    pub fn metrics(&mut self, mut series: Vec<Series>) {
        series.sort_by(|a, b| a.labels.cmp(&b.labels));
        series.iter_mut().for_each(|one| self.redact_labels(&mut one.labels));
        self.snapshot.metrics.get_or_insert_default().extend(series);
    }

    fn redact_labels(&mut self, labels: &mut Labels) {
        for value in labels.values_mut() {
            if let Cow::Owned(redacted) = self.redactor.text(value) {
                *value = redacted;
            }
        }
    }

    /// Keeps the certificate of a TLS Secret, given as the API encodes it.
    pub fn certificate(&mut self, namespace: &str, name: &str, encoded: Option<&str>) {
        let decoded = encoded.and_then(|text| base64::engine::general_purpose::STANDARD.decode(text).ok());
        let Some(pem) = decoded.and_then(|bytes| String::from_utf8(bytes).ok()) else { return };
        self.snapshot.objects.secrets.update(namespace, name, |secret| secret.certificate = Some(pem));
    }

    /// Notes something that could not be read.
    pub fn gap(&mut self, gap: Gap) {
        self.snapshot.gaps.push(gap);
    }

    /// Returns the snapshot in its one order.
    pub fn finish(mut self) -> Snapshot {
        self.snapshot.normalise();
        self.snapshot
    }
}

/// Returns namespace, name and uid of an object that was read.
fn address(pruned: &Result<decode::Pruned, serde_json::Error>) -> [&str; 3] {
    let word = |key: &str| pruned.as_ref().ok()?.value.get("metadata")?.get(key)?.as_str();
    ["namespace", "name", "uid"].map(|key| word(key).unwrap_or_default())
}
