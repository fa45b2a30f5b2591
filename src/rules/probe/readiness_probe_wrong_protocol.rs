//! A readiness probe speaks another protocol than the server.

use crate::model::{Finding, Kind, Severity};
use crate::rules::{Rule, consequences};
use crate::scene::probes::probe_failing::failing;
use crate::scene::{ProbeKind, Scene};

/// See [`Rule::docs`].
pub static RULE: Rule = Rule {
    id: "readiness-probe-wrong-protocol",
    category: "readiness_probe",
    summary: "detects readiness probes that speak another protocol than the server",
    docs: "\
## What it means
The readiness probe speaks HTTP to a gRPC or TLS server, or the other way round, so that no answer makes sense to it. The pod runs but never becomes ready, so no Service sends it traffic and a rollout waits for it.

## How it is detected
The kubelet's words say so: a malformed HTTP response, an HTTP answer to an HTTPS client, a broken HTTP/2 preface, or a \
server without the gRPC health service.

## What to do
Use the probe type of the server: `grpc` for gRPC, `scheme: HTTPS` for TLS, `tcpSocket` where neither fits.",
    severity: Severity::Error,
    needs: &[Kind::Pod, Kind::Event],
    uses: &[],
    explains: &[consequences::PODS_NOT_READY],
    check,
};

fn check(scene: &Scene<'_>) -> Vec<Finding> {
    failing(scene, ProbeKind::Readiness).filter_map(|failing| failing.wrong_protocol(&RULE)).collect()
}
