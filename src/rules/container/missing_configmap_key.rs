//! A ConfigMap lacks a key that a pod needs.

use std::collections::BTreeSet;

use crate::model::{Finding, Kind, ObjectRef, Recommendation, Severity};
use crate::rules::{Rule, consequences};
use crate::scene::config::config_lack::{self, ConfigLack};
use crate::scene::config::lack::{self, Lack};
use crate::scene::{Scene, commands, near};

/// See [`Rule::docs`].
pub static RULE: Rule = Rule {
    id: "missing-configmap-key",
    category: "missing_configmap_key",
    summary: "detects pods that need a key that their ConfigMap does not have",
    docs: "\
## What it means
The ConfigMap exists, and the pod takes a key from it that is not there: the key was renamed, removed, misspelt, or \
an older version of the ConfigMap was applied. The container is not started before the key exists.

## How it is detected
A reference of the pod's spec (`env`, items of a volume) that is not `optional` names a key that the ConfigMap does \
not have: the kubelet says so (`CreateContainerConfigError`, `FailedMount`), or the listing shows it. A key within a \
mounted file is known to be missing when the program ends with a line that names it and the file, and the file does \
not contain it.

## What to do
Add the key to the ConfigMap, or correct the reference. The message names the keys that there are.",
    severity: Severity::Error,
    needs: &[Kind::Pod],
    uses: &[Kind::ConfigMap, Kind::Event],
    explains: &[
        consequences::PODS_NOT_READY,
        consequences::CALLS_FAIL,
        consequences::PROBES_FAIL,
        &["init-container-failed", "missing-env", "volume-mount-failed", "volume-mount-path"],
    ],
    check,
};

fn check(scene: &Scene<'_>) -> Vec<Finding> {
    let mut findings: Vec<_> = lack::of_kind(scene, Kind::ConfigMap, true).iter().map(missing).collect();
    findings.extend(scene.suspect_containers().filter_map(config_lack::of).map(|lack| unread(&lack)));
    findings
}

fn missing(lack: &Lack<'_>) -> Finding {
    let (name, key) = (lack.reference.name, lack.reference.key.unwrap_or_default());
    let there = lack.keys_there().unwrap_or_default();
    let near = near::nearest(key, there.iter().copied());
    let has = if there.is_empty() { String::new() } else { format!(" (it has {})", list(&there, &near)) };
    let message = format!("{} key `{key}` of configmap `{name}`, which has no such key{has}", lack.phrase());
    let finding = lack.support(RULE.finding(lack.subject(), message)).key(format!("{name}/{key}"));
    let finding = finding.because(lack.object(), "data", list(&there, &near));
    let finding = near.iter().fold(finding, |finding, near| {
        let summary = format!("refer to the key `{near}`, which exists, in place of `{key}`");
        finding
            .recommend(Recommendation::new("edit-object", summary).command(commands::edit(&lack.pod.workload().object)))
    });
    let summary = format!("add the key `{key}` to configmap `{name}`");
    finding.recommend(Recommendation::new("edit-object", summary).command(commands::edit(&lack.object())))
}

/// Lists up to five keys, near ones first.
fn list(there: &BTreeSet<&str>, near: &[&str]) -> String {
    let others = there.iter().copied().filter(|key| !near.contains(key));
    let keys: Vec<String> = near.iter().copied().chain(others).take(5).map(|key| format!("`{key}`")).collect();
    let more = there.len().saturating_sub(keys.len());
    if more == 0 { keys.join(", ") } else { format!("{} and {more} more", keys.join(", ")) }
}

/// A key within a file: the object and its entry are there, the program says what they lack.
fn unread(lack: &ConfigLack<'_>) -> Finding {
    let container = lack.container;
    let message = format!(
        "{} stops because `{}` of configmap/{} lacks the key `{}`",
        container.phrase(),
        lack.entry,
        lack.map,
        lack.key
    );
    let summary = format!("add `{}` to `{}` of configmap `{}`, then restart the pods", lack.key, lack.entry, lack.map);
    let object = ObjectRef::new(Kind::ConfigMap, container.pod.namespace(), lack.map);
    let edit = commands::edit(&object);
    RULE.finding(container.subject(), message)
        .key(format!("{}/{}", lack.map, lack.key))
        .because_at(container.pod_ref(), lack.path.as_str(), lack.line, lack.time)
        .because(object.clone(), format!("data[{}]", lack.entry), crate::render::safe::shorten(lack.content, 300))
        .seen(lack.time, lack.time)
        .affects(container.pod_ref())
        .mentions(object)
        .confidence(0.88)
        .recommend(Recommendation::new("edit-object", summary).command(edit))
        .next(commands::previous_logs(container))
}
