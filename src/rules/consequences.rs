//! What follows from a fault, as lists that rules share in their `explains`.

/// What follows when the pods of a workload do not run or do not become ready.
pub const PODS_NOT_READY: &[&str] = &[
    "dependency-unreachable",
    "hpa-no-metrics",
    "init-container-waiting",
    "job-backoff-limit",
    "job-deadline",
    "log-error-running",
    "log-trend",
    "owner-not-ready",
    "pdb-blocks-eviction",
    "rollout-stuck",
    "service-backends-missing",
];

/// What follows in a container when something that it needs does not answer.
pub const CALLS_FAIL: &[&str] = &[
    "app-exception",
    "crash-no-logs",
    "dependency-unreachable",
    "init-container-waiting",
    "log-error-running",
    "log-trend",
    "readiness-probe-failing",
];

/// What a container that is down or hung shows: its probes fail.
pub const PROBES_FAIL: &[&str] = &["liveness-probe-failing", "readiness-probe-failing", "startup-probe-failing"];

/// What follows when a node, or a part of its room, is gone: pods find no place.
pub const NO_ROOM: &[&str] =
    &["insufficient-cpu", "insufficient-memory", "insufficient-pods", "insufficient-resources"];
