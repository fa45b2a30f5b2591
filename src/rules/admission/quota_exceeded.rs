//! A quota of the namespace is used up.

use crate::model::{Finding, Kind, Severity};
use crate::rules::{Rule, consequences};
use crate::scene::Scene;
use crate::scene::access::quota;

/// See [`Rule::docs`].
pub static RULE: Rule = Rule {
    id: "quota-exceeded",
    category: "quota_exceeded",
    summary: "detects workloads that cannot get pods or claims because a ResourceQuota of storage, claims or other objects is used up",
    docs: "\
## What it means
The namespace has a ResourceQuota, and what is asked for does not fit into what is left of it: storage, claims, GPUs or the \
number of some kind of object. The API server refuses the object; nothing is even scheduled, so there is no pod to look at.

## How it is detected
A controller that still lacks pods was refused with `exceeded quota`. CPU, memory, pods and Services have rules of their own.

## What to do
Raise the quota, lower what is asked for, or remove what is not needed.",
    severity: Severity::Error,
    needs: &[Kind::Event, Kind::Service, Kind::ResourceQuota, Kind::Deployment, Kind::ReplicaSet],
    uses: &[],
    explains: &[consequences::PODS_NOT_READY, &["app-exception", "config-changed", "external-dns", "readiness-probe-failing", "scaled-to-zero", "service-missing"]],
    check,
};

/// Resources that have rules of their own.
const ELSEWHERE: [&str; 10] = [
    "cpu",
    "requests.cpu",
    "limits.cpu",
    "memory",
    "requests.memory",
    "limits.memory",
    "pods",
    "count/pods",
    "services",
    "count/services",
];

fn check(scene: &Scene<'_>) -> Vec<Finding> {
    quota::exceeded(scene, &RULE, |resource| !ELSEWHERE.contains(&resource))
}
