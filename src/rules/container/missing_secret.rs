//! A Secret that a pod needs does not exist.

use crate::model::{Finding, Kind, Severity};
use crate::rules::{Rule, consequences};
use crate::scene::Scene;
use crate::scene::config::missing;

/// See [`Rule::docs`].
pub static RULE: Rule = Rule {
    id: "missing-secret",
    category: "missing_secret",
    summary: "detects pods that need a Secret that does not exist",
    docs: "\
## What it means
The pod takes environment variables or files from a Secret of its own namespace, and there is none of this name: it \
was never created, was deleted, has another name, or lives in another namespace. The container is not started before \
it exists.

## How it is detected
A reference of the pod's spec (`env`, `envFrom`, a volume, a projected volume) that is not `optional` leads to \
nothing: the kubelet says so (`CreateContainerConfigError`, `FailedMount`), or the listing of the namespace does not \
have it. A listing that may not be read counts for nothing.

## What to do
Create the Secret, or correct the name. The recommendation names a Secret of a similar name, and the namespace that \
has one of the same name.",
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
    missing::objects(scene, &RULE, Kind::Secret)
}
