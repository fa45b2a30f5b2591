//! A quota of pods is used up.

use crate::model::{Finding, Kind, Severity};
use crate::rules::{Rule, consequences};
use crate::scene::Scene;
use crate::scene::access::quota;

/// See [`Rule::docs`].
pub static RULE: Rule = Rule {
    id: "quota-exceeded-pods",
    category: "quota_exceeded",
    summary: "detects workloads that cannot get pods because a ResourceQuota of pods is used up",
    docs: "\
## What it means
The namespace has a ResourceQuota on the number of pods, and it is used up. \
The API server refuses the object; nothing is even scheduled, so there is no pod to look at.

## How it is detected
A controller that still lacks pods was refused with `exceeded quota`, and pods are what is exceeded.

## What to do
Raise the quota, or remove pods that are not needed. Finished pods do not count.",
    severity: Severity::Error,
    needs: &[Kind::Event, Kind::ReplicaSet],
    uses: &[Kind::ResourceQuota],
    explains: &[
        consequences::PODS_NOT_READY,
        &[
            "app-exception",
            "config-changed",
            "external-dns",
            "readiness-probe-failing",
            "scaled-to-zero",
            "service-missing",
        ],
    ],
    check,
};

fn check(scene: &Scene<'_>) -> Vec<Finding> {
    quota::exceeded(scene, &RULE, |resource| matches!(resource, "pods" | "count/pods"))
}
