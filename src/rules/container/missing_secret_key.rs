//! A Secret lacks a key that a pod needs.

use crate::model::{Finding, Kind, Severity};
use crate::rules::{Rule, consequences};
use crate::scene::Scene;
use crate::scene::config::missing;

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
    missing::entries(scene, &RULE, Kind::Secret)
}
