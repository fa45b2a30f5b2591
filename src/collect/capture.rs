//! The file that `capture` writes and `--from` reads: one JSON document, gzipped. Fixtures are the same as YAML.

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};

use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;

use super::intake::Intake;
use crate::failure::Failure;
use crate::model::store::HasMeta as _;
use crate::model::{ContainerLogs, ContainerRef, Coverage, Gap, Kind, Scope, Snapshot, Usage};

/// The version of the file; readers refuse what they do not know.
const API_VERSION: &str = "rca/v1alpha1";

/// A larger document is not read: it is no capture, or it is a bomb.
const MAX_BYTES: u64 = 4 << 30;

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
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    gaps: Vec<Gap>,
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

/// Reads a capture (gzipped or plain JSON) or a fixture (YAML).
///
/// # Errors
/// When it is not one, is truncated, too large, or of an unknown version. `name` is used in the message.
pub fn read(name: &str, bytes: &[u8], keep_raw: bool) -> Result<Snapshot, Failure> {
    let text = decompress(name, bytes)?;
    let document: Document<Box<RawValue>> = if text.trim_start().starts_with('{') {
        serde_json::from_str(&text).map_err(|error| foreign(name, &error.to_string()))?
    } else {
        let document: Document<Value> =
            serde_saphyr::from_str(&text).map_err(|error| foreign(name, &first_line(&error.to_string())))?;
        raw_document(document).map_err(|error| foreign(name, &error.to_string()))?
    };
    if document.api_version != API_VERSION || document.kind != "Snapshot" {
        let what =
            format!("it is a `{}` of `{}`, not a `Snapshot` of `{API_VERSION}`", document.kind, document.api_version);
        return Err(foreign(name, &what));
    }
    Ok(restore(document, keep_raw))
}

fn restore(document: Document<Box<RawValue>>, keep_raw: bool) -> Snapshot {
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
    let mut intake = Intake::new(snapshot, keep_raw);
    for object in &document.objects {
        intake.any_object(object.get());
    }
    for entry in document.logs {
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

fn raw_document(document: Document<Value>) -> Result<Document<Box<RawValue>>, serde_json::Error> {
    serde_json::from_value(serde_json::to_value(document)?)
}

fn decompress(name: &str, bytes: &[u8]) -> Result<String, Failure> {
    let mut text = Vec::new();
    if bytes.starts_with(&[0x1f, 0x8b]) {
        let mut decoder = GzDecoder::new(bytes).take(MAX_BYTES + 1);
        decoder.read_to_end(&mut text).map_err(|error| {
            Failure::unreachable(format!("{name} is damaged or cut off: {error}"))
                .hint("take it again: kubectl rca capture -n NAMESPACE -o FILE")
        })?;
    } else {
        text.extend_from_slice(bytes);
    }
    if text.len() as u64 > MAX_BYTES {
        return Err(Failure::unreachable(format!("{name} is larger than 4 GiB when unpacked, which no capture is")));
    }
    String::from_utf8(text).map_err(|_| foreign(name, "it is not text"))
}

fn foreign(name: &str, why: &str) -> Failure {
    Failure::unreachable(format!("{name} is not a capture of kubectl rca: {why}"))
        .hint("`--from` takes what `kubectl rca capture` wrote, or the folder of `kubectl cluster-info dump --output-directory`")
}

fn first_line(text: &str) -> String {
    text.lines().next().unwrap_or_default().to_owned()
}
