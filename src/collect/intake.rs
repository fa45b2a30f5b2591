//! Takes in what was read, from wherever it came, in one way: prune, redact, parse, sort.

use std::borrow::Cow;
use std::panic::resume_unwind;
use std::thread;

use base64::Engine as _;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::decode;
use super::plan::Keep;
use crate::json::Json;
use crate::model::objects::Objects;
use crate::model::telemetry::Labels;
use crate::model::{Alert, ContainerLogs, ContainerRef, Gap, GapReason, Kind, Series, Snapshot};
use crate::redact::Redactor;

/// So many objects are worth the start of a thread.
const WORTH_A_THREAD: usize = 64;

/// Fills a snapshot. Redaction numbers secrets in the order in which they come: feed it in a stable order.
#[derive(Debug)]
pub struct Intake {
    snapshot: Snapshot,
    redactor: Redactor,
    /// Whether the pruned JSON is kept, for a capture.
    keep: Keep,
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

/// An object under way: its JSON, and what is left of it.
struct Item<'j> {
    kind: Option<Kind>,
    json: &'j str,
    pruned: Result<decode::Pruned<'j>, serde_json::Error>,
}

impl<'j> Item<'j> {
    fn new(kind: Option<Kind>, json: &'j str) -> Self {
        Self { kind, json, pruned: decode::prune(json, kind) }
    }
}

/// What could not be read as its kind.
type Failed<'j> = Vec<(Option<Kind>, &'j str, serde_json::Error)>;

impl Intake {
    /// Starts with an empty snapshot.
    pub fn new(snapshot: Snapshot, keep: Keep) -> Self {
        Self { snapshot, redactor: Redactor::with(keep.personal), keep }
    }

    /// Returns an empty one, to be filled at the same time and joined.
    #[must_use]
    pub fn beside(&self) -> Self {
        Self::new(Snapshot::new(self.snapshot.taken_at, self.snapshot.scope.clone()), self.keep)
    }

    /// Takes over the objects and gaps of another, unless it met secrets: those are numbered in one order.
    pub fn join(&mut self, other: Self) -> bool {
        if other.redactor.count() > 0 {
            return false;
        }
        self.snapshot.objects.append(other.snapshot.objects);
        self.snapshot.gaps.extend(other.snapshot.gaps);
        true
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
        let items: Vec<&RawValue> = items.into_iter().collect();
        let pruned = halved(items, |items| items.into_iter().map(|item| Item::new(Some(kind), item.get())).collect());
        self.in_order(pruned.into_iter().flat_map(|half: Vec<Item<'_>>| half).collect());
    }

    /// Adds an object of a known kind.
    pub fn object(&mut self, kind: Kind, json: &str) {
        self.in_order(vec![Item::new(Some(kind), json)]);
    }

    /// Adds objects that say their kinds themselves, also of kinds that are not in the table, by kind and name.
    pub fn any_objects<'r>(&mut self, items: impl IntoIterator<Item = &'r str>) {
        let pruned = items.into_iter().map(|json| {
            let identity: Option<Identity> = serde_json::from_str(json).ok();
            let kind = identity.and_then(|identity| Kind::find(&identity.api_version, &identity.kind));
            Item::new(kind, json)
        });
        self.in_order(pruned.collect());
    }

    /// Redacts one after the other, as secrets are numbered; the work before and after that is shared by two threads.
    fn in_order(&mut self, mut items: Vec<Item<'_>>) {
        items.sort_by(|a, b| (a.kind, address(&a.pruned)).cmp(&(b.kind, address(&b.pruned))));
        items.iter_mut().for_each(|item| self.redact_item(item));
        let keep_raw = self.keep.raw;
        for (objects, failed) in halved(items, |items| typed(items, keep_raw)) {
            self.snapshot.objects.append(objects);
            for (kind, json, error) in failed {
                self.invalid(kind.map_or("objects", Kind::plural), kind, json, &error);
            }
        }
    }

    fn redact_item(&mut self, item: &mut Item<'_>) {
        let Ok(pruned) = &mut item.pruned else { return };
        let known = self.redactor.count();
        self.redact(item.kind, &mut pruned.value);
        if self.redactor.count() > known + 1
            && let Ok(again) = decode::prune(item.json, item.kind)
        {
            // Several new secrets are numbered in the order of their keys, which is not to be the writer's.
            self.redactor.rewind(known);
            pruned.value = again.value;
            pruned.value.sort();
            self.redact(item.kind, &mut pruned.value);
        }
    }

    fn redact(&mut self, kind: Option<Kind>, value: &mut Json<'_>) {
        self.redactor.object(kind.map(Kind::name).unwrap_or_default(), value);
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
        self.snapshot.redacted = self.redactor.count();
        self.snapshot
    }
}

/// Makes the types of the API of redacted objects.
fn typed(items: Vec<Item<'_>>, keep_raw: bool) -> (Objects, Failed<'_>) {
    let (mut objects, mut failed) = (Objects::default(), Vec::new());
    for Item { kind, json, pruned } in items {
        if let Err(error) = pruned.and_then(|pruned| insert(&mut objects, kind, pruned, keep_raw)) {
            failed.push((kind, json, error));
        }
    }
    (objects, failed)
}

fn insert(
    objects: &mut Objects,
    kind: Option<Kind>,
    pruned: decode::Pruned<'_>,
    keep_raw: bool,
) -> Result<(), serde_json::Error> {
    let decode::Pruned { value, changes } = pruned;
    let raw =
        if keep_raw { Some(serde_json::value::to_raw_value(&decode::with_changes(&value, &changes))?) } else { None };
    match kind {
        Some(kind) => objects.insert(kind, value, changes, raw),
        None => objects.insert_custom(value, changes, raw),
    }
}

/// Does the same with both halves, in two threads where there is enough to do; the order stays.
fn halved<T: Send, R: Send>(mut items: Vec<T>, work: impl Fn(Vec<T>) -> R + Sync) -> Vec<R> {
    if items.len() < WORTH_A_THREAD {
        return vec![work(items)];
    }
    let rest = items.split_off(items.len() / 2);
    thread::scope(|scope| {
        let other = scope.spawn(|| work(rest));
        let first = work(items);
        vec![first, other.join().unwrap_or_else(|panic| resume_unwind(panic))]
    })
}

/// Returns namespace, name and uid of an object that was read.
fn address<'p>(pruned: &'p Result<decode::Pruned<'_>, serde_json::Error>) -> [&'p str; 3] {
    let word = |key: &str| pruned.as_ref().ok()?.value.get("metadata")?.get(key)?.as_str();
    ["namespace", "name", "uid"].map(|key| word(key).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Scope;

    fn intake() -> Intake {
        Intake::new(Snapshot::new(jiff::Timestamp::UNIX_EPOCH, Scope::default()), Keep::RAW)
    }

    fn pod(env: &str) -> String {
        format!(r#"{{"metadata":{{"name":"p"}},"spec":{{"containers":[{{"name":"main","env":[{env}]}}]}}}}"#)
    }

    #[test]
    fn secrets_are_numbered_whatever_the_order_of_keys() {
        let [one, two] = [r#""args":["--token=t1"]"#, r#""env":[{"name":"DB_PASSWORD","value":"hunter2"}]"#];
        let arguments = |first: &str, second: &str| {
            let mut intake = intake();
            let container = format!(r#"{{"name":"main",{first},{second}}}"#);
            let json = format!(r#"{{"metadata":{{"name":"p"}},"spec":{{"containers":[{container}]}}}}"#);
            intake.object(Kind::Pod, &json);
            let pods = intake.finish().objects.pods;
            pods.iter().next().and_then(|pod| pod.spec.as_ref()?.containers[0].args.clone())
        };
        assert_eq!(arguments(one, two), Some(vec!["--token=<secret:1>".to_owned()]));
        assert_eq!(arguments(two, one), arguments(one, two));
    }

    #[test]
    fn what_met_secrets_is_not_joined() {
        let mut main = intake();
        let mut beside = main.beside();
        beside.object(Kind::Pod, &pod(r#"{"name":"DB_PASSWORD","value":"hunter2"}"#));
        assert!(!main.join(beside));
        let mut harmless = main.beside();
        harmless.object(Kind::Pod, &pod(r#"{"name":"MODE","value":"fast"}"#));
        harmless.snapshot_mut().objects.coverage_mut(Kind::Pod).add_list(None);
        assert!(main.join(harmless));
        let objects = main.finish().objects;
        assert_eq!(objects.count(Kind::Pod), 1);
        assert!(objects.pods.look_up("", "q").is_absent());
    }
}
