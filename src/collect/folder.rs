//! The folder of `kubectl cluster-info dump --output-directory`, and the same with more in it.

use std::fs;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use super::intake::Intake;
use super::plan::Keep;
use super::telemetry;
use crate::failure::Failure;
use crate::model::store::HasMeta as _;
use crate::model::{ContainerRef, Gap, GapReason, Kind, Scope, Snapshot};

/// A `List`, also a typed one such as `PodList`; a dump writes `null` for an empty one.
#[derive(Deserialize)]
struct List<'a> {
    #[serde(borrow, default)]
    items: Option<Vec<&'a RawValue>>,
}

/// What `snapshot.json` may hold.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct About {
    #[serde(default)]
    collected_at: Option<Timestamp>,
    #[serde(default)]
    taken_at: Option<Timestamp>,
}

/// Reads a folder.
///
/// # Errors
/// When it holds nothing that a dump has.
pub fn read(folder: &Path, keep: Keep) -> Result<Snapshot, Failure> {
    let about: About = json(&folder.join("snapshot.json")).unwrap_or_default();
    let moment = about.collected_at.or(about.taken_at);
    let mut intake = Intake::new(Snapshot::new(moment.unwrap_or(Timestamp::UNIX_EPOCH), Scope::default()), keep);
    let namespaces = namespaces(folder)?;
    let mut seen = false;
    for kind in Kind::ALL.iter().copied() {
        let places: Vec<(PathBuf, Option<&str>)> = if kind.namespaced() {
            let inner = namespaces.iter().map(|name| (folder.join(name), Some(name.as_str())));
            std::iter::once((folder.to_owned(), None)).chain(inner).collect()
        } else {
            vec![(folder.to_owned(), None)]
        };
        for (place, namespace) in places {
            seen |= read_kind(&mut intake, kind, &place, namespace);
        }
    }
    if !seen {
        return Err(Failure::unreachable(format!("{} holds no dump of a cluster", folder.display()))
            .hint("`--from` takes what `kubectl rca capture` wrote, or the folder of `kubectl cluster-info dump --output-directory`"));
    }
    read_logs(&mut intake, folder, &namespaces)?;
    read_extras(&mut intake, folder);
    let mut snapshot = intake.finish();
    if moment.is_none() {
        snapshot.taken_at = newest(&snapshot);
    }
    Ok(snapshot)
}

/// Reads one kind at one place; returns whether its file was there.
fn read_kind(intake: &mut Intake, kind: Kind, place: &Path, namespace: Option<&str>) -> bool {
    // A dump spells one of its files with a dash.
    let dashed = (kind == Kind::ReplicationController).then_some("replication-controllers");
    let names = std::iter::once(kind.plural()).chain(dashed);
    let Some(path) = names.map(|name| place.join(format!("{name}.json"))).find(|path| path.is_file()) else {
        return false;
    };
    if let Err(error) = read_list(intake, kind, &path, namespace) {
        // Without the folder's path, so that its place means nothing.
        let file = path.file_name().unwrap_or_default().display();
        intake.gap(Gap::kind(kind, namespace, GapReason::Invalid, format!("{file}: {error}")));
    }
    true
}

fn read_list(intake: &mut Intake, kind: Kind, path: &Path, namespace: Option<&str>) -> anyhow::Result<()> {
    let text = fs::read_to_string(path)?;
    let list: List<'_> = serde_json::from_str(&text)?;
    intake.objects(kind, list.items.unwrap_or_default());
    intake.snapshot_mut().objects.coverage_mut(kind).add_list(namespace);
    Ok(())
}

/// Adds a gap for each kind that a namespace's folder (or the top) does not hold; called when the scope is known.
pub fn note_absent_kinds(snapshot: &mut Snapshot) {
    let namespaces = snapshot.scope.namespaces.clone();
    for kind in Kind::ALL.iter().copied() {
        let coverage = snapshot.objects.coverage(kind);
        let missing: Vec<Option<&str>> = if kind.namespaced() {
            namespaces.iter().filter(|name| !coverage.lists(name)).map(|name| Some(name.as_str())).collect()
        } else if coverage.is_empty() {
            vec![None]
        } else {
            Vec::new()
        };
        let known = |namespace: Option<&str>| snapshot.gaps_of(kind).any(|gap| gap.namespace.as_deref() == namespace);
        let gaps: Vec<Gap> = missing
            .into_iter()
            .filter(|namespace| !known(*namespace))
            .map(|namespace| Gap::kind(kind, namespace, GapReason::NotRecorded, ""))
            .collect();
        snapshot.gaps.extend(gaps);
    }
    snapshot.normalise();
}

fn namespaces(folder: &Path) -> Result<Vec<String>, Failure> {
    let entries = fs::read_dir(folder).map_err(|error| {
        Failure::unreachable(format!("cannot read {}: {error}", folder.display()))
            .hint("see who may read it with `ls -la`")
    })?;
    let folders = entries.flatten().filter(|entry| entry.path().is_dir());
    let mut names: Vec<String> = folders.filter_map(|entry| entry.file_name().into_string().ok()).collect();
    names.sort();
    Ok(names)
}

fn read_logs(intake: &mut Intake, folder: &Path, namespaces: &[String]) -> Result<(), Failure> {
    for namespace in namespaces {
        for pod in self::namespaces(&folder.join(namespace))? {
            for (file, previous) in [("logs.txt", false), ("logs.previous.txt", true)] {
                let Ok(bytes) = fs::read(folder.join(namespace).join(&pod).join(file)) else { continue };
                let text = String::from_utf8_lossy(&bytes);
                for (container, log) in blocks(&text) {
                    let container = ContainerRef { namespace: namespace.clone(), pod: pod.clone(), container };
                    intake.log(container, log, previous);
                }
            }
        }
    }
    Ok(())
}

/// Splits a pod's log file at the lines that kubectl writes around each container's log.
fn blocks(text: &str) -> Vec<(String, &str)> {
    let mut blocks = Vec::new();
    let mut open: Option<(String, usize)> = None;
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        let bare = line.trim_end();
        if let Some(container) = marker(bare, "==== START logs for container ") {
            open = Some((container.to_owned(), at + line.len()));
        } else if marker(bare, "==== END logs for container ").is_some()
            && let Some((container, start)) = open.take()
        {
            blocks.push((container, &text[start..at]));
        }
        at += line.len();
    }
    if let Some((container, start)) = open {
        blocks.push((container, &text[start..]));
    }
    blocks
}

fn marker<'t>(line: &'t str, start: &str) -> Option<&'t str> {
    let rest = line.strip_prefix(start)?.strip_suffix(" ====")?;
    rest.split(' ').next()
}

fn read_extras(intake: &mut Intake, folder: &Path) {
    let version: Option<Value> = json(&folder.join("version.json"));
    let git_version = version.as_ref().and_then(|version| version["gitVersion"].as_str());
    intake.snapshot_mut().server = git_version.map(str::to_owned);
    match fs::read(folder.join("alerts.json")).map(|bytes| telemetry::alerts(&bytes)) {
        Ok(Ok(alerts)) => intake.alerts(alerts),
        Ok(Err(error)) => intake.gap(unread("alerts", GapReason::Invalid, &format!("alerts.json: {error}"))),
        Err(_) => intake.gap(unread("alerts", GapReason::NotRecorded, "")),
    }
    match fs::read(folder.join("metrics.json")).map(|bytes| telemetry::metrics(&bytes)) {
        Ok(Ok(series)) => intake.metrics(series),
        Ok(Err(error)) => intake.gap(unread("metrics", GapReason::Invalid, &format!("metrics.json: {error}"))),
        Err(_) => intake.gap(unread("metrics", GapReason::NotRecorded, "")),
    }
    let Ok(entries) = fs::read_dir(folder.join("cadvisor")) else { return };
    for path in entries.flatten().map(|entry| entry.path()) {
        if let (Some(node), Ok(lines)) = (path.file_stem().and_then(|name| name.to_str()), fs::read_to_string(&path)) {
            intake.snapshot_mut().cadvisor.insert(node.to_owned(), lines);
        }
    }
}

fn unread(what: &str, reason: GapReason, message: &str) -> Gap {
    Gap::other(what, None, None, reason, message)
}

fn json<T: for<'de> Deserialize<'de>>(path: &Path) -> Option<T> {
    serde_json::from_str(&fs::read_to_string(path).ok()?).ok()
}

/// Returns the newest time found, as the moment of a dump that does not say it.
fn newest(snapshot: &Snapshot) -> Timestamp {
    let objects = &snapshot.objects;
    let events = objects.events.iter().filter_map(|event| {
        let last = event.last_timestamp.as_ref().map(|time| time.0);
        last.max(event.event_time.as_ref().map(|time| time.0))
            .max(event.metadata.creation_timestamp.as_ref().map(|time| time.0))
    });
    let heartbeats =
        objects.nodes.iter().flat_map(|node| node.status.iter().flat_map(|status| status.conditions.iter().flatten()));
    let heartbeats = heartbeats.filter_map(|condition| condition.last_heartbeat_time.as_ref().map(|time| time.0));
    let conditions =
        objects.pods.iter().flat_map(|pod| pod.status.iter().flat_map(|status| status.conditions.iter().flatten()));
    let conditions = conditions.filter_map(|condition| condition.last_transition_time.as_ref().map(|time| time.0));
    let pods = objects.pods.iter().filter_map(|pod| pod.object.meta().creation_timestamp.as_ref().map(|time| time.0));
    events.chain(heartbeats).chain(conditions).chain(pods).max().unwrap_or(Timestamp::UNIX_EPOCH)
}
