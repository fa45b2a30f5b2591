//! The registry does not answer.

use crate::model::{Finding, Kind, Recommendation, Severity};
use crate::rules::{Rule, consequences};
use crate::scene::Scene;
use crate::scene::images::image::{self, PullCause, PullFailure};

/// See [`Rule::docs`].
pub static RULE: Rule = Rule {
    id: "image-registry-unreachable",
    category: "image_pull",
    summary: "detects images whose registry does not answer",
    docs: "\
## What it means
The registry's name has an address, but nothing usable answers there: a firewall or proxy is in between, the port is \
wrong, or the registry is down.

## How it is detected
The container waits with `ErrImagePull` or `ImagePullBackOff`, and the words of the container runtime say `i/o \
timeout`, `connection refused`, `no route to host`, or that the registry answered with a server error (5xx).

## What to do
From the node, try the registry (`curl -v https://HOST/v2/`): a time-out points to a firewall or proxy, a refusal to \
a wrong port or a dead registry. If other nodes can pull, compare their routes and proxies.",
    severity: Severity::Error,
    needs: &[Kind::Pod],
    uses: &[Kind::Event],
    explains: &[consequences::PODS_NOT_READY, consequences::PROBES_FAIL, &["crash-no-logs", "image-pull-failed"]],
    check,
};

fn check(scene: &Scene<'_>) -> Vec<Finding> {
    image::failures(scene, PullCause::Unreachable).iter().map(unreachable).collect()
}

fn unreachable(failure: &PullFailure<'_>) -> Finding {
    let message =
        format!("{}: the registry {} does not answer ({})", failure.phrase(), failure.host(), answer(failure.text));
    let node = failure.container.pod.node().unwrap_or("the node");
    let summary =
        format!("make `{}` reachable from {node}: check firewall, proxy and the registry itself", failure.host());
    failure
        .support(RULE.finding(failure.container.subject(), message))
        .confidence(0.94)
        .recommend(Recommendation::new("fix-network", summary))
}

fn answer(text: &str) -> &'static str {
    let lower = text.to_ascii_lowercase();
    let words = [
        "connection refused",
        "no route to host",
        "network is unreachable",
        "connection reset by peer",
        "500 Internal Server Error",
        "502 Bad Gateway",
        "503 Service Unavailable",
        "504 Gateway Timeout",
        "TLS handshake timeout",
        "proxyconnect",
        "i/o timeout",
    ];
    words.into_iter().find(|word| lower.contains(&word.to_ascii_lowercase())).unwrap_or("timeout")
}
