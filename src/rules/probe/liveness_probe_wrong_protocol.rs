//! A liveness probe speaks another protocol than the server.

use crate::model::{Finding, Kind, Severity};
use crate::rules::{Rule, consequences};
use crate::scene::probes::probe_failing::failing;
use crate::scene::{ProbeKind, Scene};

/// See [`Rule::docs`].
pub static RULE: Rule = Rule {
    id: "liveness-probe-wrong-protocol",
    category: "liveness_probe",
    summary: "detects liveness probes that speak another protocol than the server",
    docs: "\
## What it means
The liveness probe speaks HTTP to a gRPC or TLS server, or the other way round, so that no answer makes sense to it. The kubelet takes the container for dead and restarts it, although the program may be well.

## How it is detected
The kubelet's words say so: a malformed HTTP response, an HTTP answer to an HTTPS client, a broken HTTP/2 preface, or a \
server without the gRPC health service.

## What to do
Use the probe type of the server: `grpc` for gRPC, `scheme: HTTPS` for TLS, `tcpSocket` where neither fits.",
    severity: Severity::Error,
    needs: &[Kind::Pod, Kind::Event],
    uses: &[],
    explains: &[consequences::PODS_NOT_READY, consequences::CALLS_FAIL],
    check,
};

fn check(scene: &Scene<'_>) -> Vec<Finding> {
    failing(scene, ProbeKind::Liveness).filter_map(|failing| failing.wrong_protocol(&RULE)).collect()
}
