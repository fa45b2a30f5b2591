//! The registry's certificate is not trusted.

use crate::model::{Finding, Kind, Recommendation, Severity};
use crate::rules::{Rule, consequences};
use crate::scene::Scene;
use crate::scene::images::image::{self, PullCause, PullFailure};

/// See [`Rule::docs`].
pub static RULE: Rule = Rule {
    id: "image-registry-tls",
    category: "image_pull",
    summary: "detects images whose registry cannot be trusted by the node",
    docs: "\
## What it means
The node reached the registry, but not safely: its certificate is signed by an authority that the node does not \
know, has expired or is for another name, or the registry speaks plain HTTP.

## How it is detected
The container waits with `ErrImagePull` or `ImagePullBackOff`, and the words of the container runtime contain \
`x509:`, `tls:` or `server gave HTTP response to HTTPS client`.

## What to do
Give the registry a certificate for its name, or tell the container runtime of every node its authority (containerd: \
`/etc/containerd/certs.d/HOST/hosts.toml`). For plain HTTP in a test cluster, mark the registry as insecure there.",
    severity: Severity::Error,
    needs: &[Kind::Pod],
    uses: &[Kind::Event],
    explains: &[consequences::PODS_NOT_READY, consequences::PROBES_FAIL, &["crash-no-logs", "image-pull-failed"]],
    check,
};

fn check(scene: &Scene<'_>) -> Vec<Finding> {
    image::failures(scene, PullCause::Tls).iter().map(untrusted).collect()
}

fn untrusted(failure: &PullFailure<'_>) -> Finding {
    let message = format!(
        "{}: the node does not trust the registry {} ({})",
        failure.phrase(),
        failure.host(),
        complaint(failure.text)
    );
    let summary = if failure.text.contains("HTTP response to HTTPS") {
        format!(
            "serve `{}` over TLS, or mark it as an insecure registry in the container runtime of every node",
            failure.host()
        )
    } else {
        format!(
            "renew the certificate of `{}`, or install its authority in the container runtime of every node",
            failure.host()
        )
    };
    failure
        .support(RULE.finding(failure.container.subject(), message))
        .confidence(0.95)
        .recommend(Recommendation::new("fix-certificate", summary))
}

/// Returns the complaint as it was written, from its mark on.
fn complaint(text: &str) -> String {
    let marks = ["x509:", "server gave HTTP response", "tls:", "certificate signed by"];
    let start = marks.iter().filter_map(|mark| text.find(mark)).min().unwrap_or(0);
    crate::render::safe::shorten(&text[start..], 100).into_owned()
}
