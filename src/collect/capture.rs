//! The file that `capture` writes and `--from` reads: one JSON document, gzipped. Fixtures are the same as YAML.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::path::Path;

use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;

use super::intake::Intake;
use super::plan::Keep;
use super::telemetry::{Answer, WireAlert};
use crate::failure::Failure;
use crate::model::store::HasMeta as _;
use crate::model::{Alert, ContainerLogs, ContainerRef, Coverage, Gap, Kind, Scope, Snapshot, Usage};

/// The version of the file; readers refuse what they do not know.
const API_VERSION: &str = "rca/v1alpha1";

/// A larger document is not read: it is no capture, or it is a bomb.
const MAX_BYTES: usize = 1 << 30;

/// So much is unpacked before it is looked at.
const PIECE: u64 = 1 << 20;

/// Up to here nobody asks how well a document was compressed.
const HARMLESS: usize = 64 << 20;

/// No capture is compressed better than to this part of its size.
const BEST_RATIO: usize = 200;

/// The document.
#[derive(Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
struct Document<O> {
    api_version: String,
    kind: String,
    taken_at: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    server: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    context: Option<String>,
    #[serde(default)]
    scope: Scope,
    /// Where each kind was looked for. A document without this (a fixture) holds everything that there is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    coverage: Option<BTreeMap<Kind, Coverage>>,
    #[serde(default = "Vec::new")]
    objects: Vec<O>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    logs: Vec<Log>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    usage: Vec<ContainerUsage>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    cadvisor: BTreeMap<String, String>,
    /// As Alertmanager prints them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    alerts: Option<Vec<WireAlert>>,
    /// As Prometheus answers a range query.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    metrics: Option<Answer>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    gaps: Vec<Gap>,
}

/// What nearly every document of Kubernetes says of itself.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Head {
    api_version: String,
    kind: String,
}

#[derive(Deserialize, Serialize)]
struct Log {
    #[serde(flatten)]
    container: ContainerRef,
    #[serde(flatten)]
    logs: ContainerLogs,
}

#[derive(Deserialize, Serialize)]
struct ContainerUsage {
    #[serde(flatten)]
    container: ContainerRef,
    #[serde(flatten)]
    usage: Usage,
}

/// Writes a snapshot that was collected with its raw JSON.
///
/// # Errors
/// When it cannot be serialised.
pub fn write(snapshot: &Snapshot) -> anyhow::Result<Vec<u8>> {
    let known = Kind::ALL.iter().flat_map(|kind| snapshot.objects.raw(*kind).into_iter().map(|raw| (Some(*kind), raw)));
    let custom = snapshot.objects.custom.iter().filter_map(|item| item.raw.as_deref()).map(|raw| (None, raw));
    let document = Document {
        api_version: API_VERSION.to_owned(),
        kind: "Snapshot".to_owned(),
        taken_at: snapshot.taken_at,
        server: snapshot.server.clone(),
        context: snapshot.context.clone(),
        scope: snapshot.scope.clone(),
        coverage: Some(Kind::ALL.iter().map(|kind| (*kind, snapshot.objects.coverage(*kind).clone())).collect()),
        objects: known.chain(custom).map(|(kind, raw)| typed(kind, raw)).collect::<Result<Vec<_>, _>>()?,
        logs: snapshot
            .logs
            .iter()
            .map(|(container, logs)| Log { container: container.clone(), logs: logs.clone() })
            .collect(),
        usage: snapshot
            .usage
            .iter()
            .map(|(container, usage)| ContainerUsage { container: container.clone(), usage: usage.clone() })
            .collect(),
        cadvisor: snapshot.cadvisor.clone(),
        alerts: snapshot.alerts.as_ref().map(|alerts| alerts.iter().map(WireAlert::from).collect()),
        metrics: snapshot.metrics.as_deref().map(Answer::of),
        gaps: snapshot.gaps.clone(),
    };
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    serde_json::to_writer(&mut encoder, &document)?;
    encoder.flush()?;
    Ok(encoder.finish()?)
}

/// Says an item's kind: the items of a list come without it.
fn typed(kind: Option<Kind>, raw: &RawValue) -> Result<Value, serde_json::Error> {
    let mut value: Value = serde_json::from_str(raw.get())?;
    if let (Some(kind), Some(object)) = (kind, value.as_object_mut()) {
        object.insert("apiVersion".to_owned(), kind.api_version().into());
        object.insert("kind".to_owned(), kind.name().into());
    }
    Ok(value)
}

/// Reads the file of a capture; see [`read`].
///
/// # Errors
/// Also when the file cannot be read.
pub fn read_file(path: &Path, keep: Keep) -> Result<Snapshot, Failure> {
    let name = path.display().to_string();
    let mut bytes = Vec::new();
    // A device has no end.
    let file = File::open(path).and_then(|file| file.take(MAX_BYTES as u64 + 1).read_to_end(&mut bytes));
    file.map_err(|error| {
        Failure::unreachable(format!("cannot read {name}: {error}")).hint("kubectl rca capture -n NAMESPACE -o FILE")
    })?;
    read(&name, &bytes, keep)
}

/// Reads a capture (gzipped or plain JSON) or a fixture (YAML).
///
/// # Errors
/// When it is not one, is truncated, too large, or of an unknown version. `name` is used in the message.
pub fn read(name: &str, bytes: &[u8], keep: Keep) -> Result<Snapshot, Failure> {
    let text = decompress(name, bytes)?;
    let document: Document<Box<RawValue>> = if text.trim_start().starts_with('{') {
        serde_json::from_str(&text)
            .map_err(|error| foreign(name, &what_else(&text).unwrap_or_else(|| error.to_string())))?
    } else {
        let value: Value =
            serde_saphyr::from_str(&text).map_err(|error| foreign(name, &first_line(&error.to_string())))?;
        serde_json::from_value(value).map_err(|error| foreign(name, &error.to_string()))?
    };
    if document.api_version != API_VERSION || document.kind != "Snapshot" {
        return Err(foreign(name, &is_another(&document.kind, &document.api_version)));
    }
    Ok(restore(document, keep))
}

fn restore(document: Document<Box<RawValue>>, keep: Keep) -> Snapshot {
    let mut snapshot = Snapshot::new(document.taken_at, document.scope);
    snapshot.server = document.server;
    snapshot.context = document.context;
    snapshot.gaps = document.gaps;
    snapshot.cadvisor = document.cadvisor;
    snapshot.usage = document.usage.into_iter().map(|entry| (entry.container, entry.usage)).collect();
    for kind in Kind::ALL {
        *snapshot.objects.coverage_mut(*kind) = match &document.coverage {
            Some(coverage) => coverage.get(kind).cloned().unwrap_or_default(),
            None => Coverage { everywhere: true, ..Coverage::default() },
        };
    }
    let mut intake = Intake::new(snapshot, keep);
    intake.any_objects(document.objects.iter().map(|object| object.get()));
    if let Some(alerts) = document.alerts {
        intake.alerts(alerts.into_iter().map(Alert::from).collect());
    }
    if let Some(answer) = document.metrics {
        intake.metrics(answer.series());
    }
    let mut logs = document.logs;
    logs.sort_by(|a, b| a.container.cmp(&b.container));
    for entry in logs {
        entry.logs.current.iter().for_each(|text| intake.log(entry.container.clone(), text, false));
        entry.logs.previous.iter().for_each(|text| intake.log(entry.container.clone(), text, true));
    }
    let mut snapshot = intake.finish();
    if snapshot.scope.namespaces.is_empty() && document.coverage.is_none() {
        let mut namespaces: Vec<_> =
            snapshot.objects.pods.iter().map(|pod| pod.object.namespace().to_owned()).collect();
        namespaces.dedup();
        snapshot.scope.namespaces = namespaces;
    }
    snapshot
}

fn decompress(name: &str, bytes: &[u8]) -> Result<String, Failure> {
    let text = match bytes {
        [0x1f, 0x8b, ..] => unpack(name, bytes)?,
        _ if bytes.contains(&0) => return Err(foreign(name, "it is not text")),
        _ => bytes.to_vec(),
    };
    if text.iter().all(u8::is_ascii_whitespace) {
        return Err(foreign(name, "it is empty"));
    }
    if text.len() > MAX_BYTES {
        return Err(foreign(name, "it is larger than 1 GiB"));
    }
    String::from_utf8(text).map_err(|_| foreign(name, "it is not text"))
}

/// Unpacks piece by piece, so that what cannot be a capture is given up early.
fn unpack(name: &str, packed: &[u8]) -> Result<Vec<u8>, Failure> {
    let mut text = Vec::new();
    let mut decoder = GzDecoder::new(packed);
    loop {
        let start = text.len();
        let read = decoder.by_ref().take(PIECE).read_to_end(&mut text).map_err(|error| damaged(name, &error))?;
        if read == 0 {
            return Ok(text);
        }
        if text[start..].contains(&0) {
            return Err(foreign(name, "it is not text"));
        }
        let is_bomb = text.len() > HARMLESS && text.len() / BEST_RATIO > packed.len();
        if is_bomb || text.len() > MAX_BYTES {
            return Err(foreign(name, &format!("its {} bytes unpack to more than {}", packed.len(), text.len())));
        }
    }
}

fn damaged(name: &str, error: &io::Error) -> Failure {
    Failure::unreachable(format!("{name} is damaged or cut off: {error}"))
        .hint("take it again: kubectl rca capture -n NAMESPACE -o FILE")
}

/// Says what a JSON document is that is no capture, if it says so itself.
fn what_else(text: &str) -> Option<String> {
    let head: Head = serde_json::from_str(text).ok()?;
    (head.kind != "Snapshot" || head.api_version != API_VERSION).then(|| is_another(&head.kind, &head.api_version))
}

fn is_another(kind: &str, api_version: &str) -> String {
    format!("it is a `{kind}` of `{api_version}`, not a `Snapshot` of `{API_VERSION}`")
}

fn foreign(name: &str, why: &str) -> Failure {
    Failure::unreachable(format!("{name} is not a capture of kubectl rca: {why}"))
        .hint("`--from` takes what `kubectl rca capture` wrote, or the folder of `kubectl cluster-info dump --output-directory`")
}

fn first_line(text: &str) -> String {
    text.lines().next().unwrap_or_default().to_owned()
}
