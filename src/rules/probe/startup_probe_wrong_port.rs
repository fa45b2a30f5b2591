//! A startup probe asks a port where nothing listens.

use crate::model::{Finding, Kind, Severity};
use crate::rules::{Rule, consequences};
use crate::scene::probes::probe_failing::failing;
use crate::scene::{ProbeKind, Scene};

/// See [`Rule::docs`].
pub static RULE: Rule = Rule {
    id: "startup-probe-wrong-port",
    category: "startup_probe",
    summary: "detects startup probes that ask a port where the container does not listen",
    docs: "\
## What it means
The startup probe asks a port on which nothing listens, while the container serves another one. The container never counts as started, and the kubelet restarts it.

## How it is detected
The kubelet says that the connection is refused, and the container's log names another port on which it listens, or the \
manifest declares other ports than the probe's, or another probe passes on another port. The ports of a mesh's side-car \
are left out.

## What to do
Set the probe's port to the one that the program listens on; naming the port in `ports` and in the probe keeps the two together.",
    severity: Severity::Error,
    needs: &[Kind::Pod, Kind::Event],
    uses: &[],
    explains: &[consequences::PODS_NOT_READY, &["app-exception", "crash-no-logs"]],
    check,
};

fn check(scene: &Scene<'_>) -> Vec<Finding> {
    failing(scene, ProbeKind::Startup).filter_map(|failing| failing.wrong_port(&RULE)).collect()
}
