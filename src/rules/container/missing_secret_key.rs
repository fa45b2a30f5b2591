//! A Secret lacks a key that a pod needs.

use std::collections::BTreeSet;

use crate::model::{Finding, Kind, Recommendation, Severity};
use crate::rules::{Rule, consequences};

use crate::scene::config::lack::{self, Lack};
use crate::scene::{Scene, commands, near};

/// See [`Rule::docs`].
pub static RULE: Rule = Rule {
    id: "missing-secret-key",
    category: "missing_secret_key",
    summary: "detects pods that need a key that their Secret does not have",
    docs: "\
## What it means
The Secret exists, and the pod takes a key from it that is not there: the key was renamed, removed, misspelt, or an \
older version of the Secret was applied. The container is not started before the key exists.

## How it is detected
A reference of the pod's spec (`env`, items of a volume) that is not `optional` names a key that the Secret does not \
have: the kubelet says so (`CreateContainerConfigError`, `FailedMount`), or the listing shows it.

## What to do
Add the key to the Secret, or correct the reference. The message names the keys that there are.",
    severity: Severity::Error,
    needs: &[Kind::Pod],
    uses: &[Kind::Secret, Kind::Event],
    explains: &[
        consequences::PODS_NOT_READY,
        consequences::PROBES_FAIL,
        &["crash-no-logs", "volume-mount-failed", "volume-mount-path"],
    ],
    check,
};

fn check(scene: &Scene<'_>) -> Vec<Finding> {
    lack::of_kind(scene, Kind::Secret, true).iter().map(missing).collect()
}

fn missing(lack: &Lack<'_>) -> Finding {
    let (name, key) = (lack.reference.name, lack.reference.key.unwrap_or_default());
    let there = lack.keys_there().unwrap_or_default();
    let near = near::nearest(key, there.iter().copied());
    let has = if there.is_empty() { String::new() } else { format!(" (it has {})", list(&there, &near)) };
    let message = format!("{} key `{key}` of secret `{name}`, which has no such key{has}", lack.phrase());
    let finding = lack.support(RULE.finding(lack.subject(), message)).key(format!("{name}/{key}"));
    let finding = finding.because(lack.object(), "data", list(&there, &near));
    let finding = near.iter().fold(finding, |finding, near| {
        let summary = format!("refer to the key `{near}`, which exists, in place of `{key}`");
        finding
            .recommend(Recommendation::new("edit-object", summary).command(commands::edit(&lack.pod.workload().object)))
    });
    let summary = format!("add the key `{key}` to secret `{name}`");
    finding.recommend(Recommendation::new("edit-object", summary).command(commands::edit(&lack.object())))
}

/// Lists up to five keys, near ones first.
fn list(there: &BTreeSet<&str>, near: &[&str]) -> String {
    let others = there.iter().copied().filter(|key| !near.contains(key));
    let keys: Vec<String> = near.iter().copied().chain(others).take(5).map(|key| format!("`{key}`")).collect();
    let more = there.len().saturating_sub(keys.len());
    if more == 0 { keys.join(", ") } else { format!("{} and {more} more", keys.join(", ")) }
}
