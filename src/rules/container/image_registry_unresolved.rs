//! The registry's name does not resolve.

use crate::model::{Finding, Kind, Recommendation, Severity};
use crate::rules::{Rule, consequences};
use crate::scene::Scene;
use crate::scene::images::image::{self, PullCause, PullFailure};
use crate::scene::images::image_hints::{self, ImageHints};

/// See [`Rule::docs`].
pub static RULE: Rule = Rule {
    id: "image-registry-unresolved",
    category: "image_pull",
    summary: "detects images whose registry has a host name that does not resolve",
    docs: "\
## What it means
The node looked for the registry's host name and DNS has no address for it: the registry's name is misspelt in the \
image, it is known inside another network only, or the node's DNS is broken.

## How it is detected
The container waits with `ErrImagePull` or `ImagePullBackOff`, and the words of the container runtime say `no such \
host`, `server misbehaving`, or that the lookup timed out.

## What to do
Check the registry's name in the image. If it is right, look it up on the node (`nslookup HOST`): nodes do not use \
the cluster's DNS but their own `/etc/resolv.conf`. If other images of this registry fail too, it is the node's DNS \
or the way out of the cluster.",
    severity: Severity::Error,
    needs: &[Kind::Pod],
    uses: &[Kind::Event, Kind::ReplicaSet],
    explains: &[consequences::PODS_NOT_READY, consequences::PROBES_FAIL, &["crash-no-logs", "image-pull-failed"]],
    check,
};

fn check(scene: &Scene<'_>) -> Vec<Finding> {
    let failures = image::failures(scene, PullCause::Unresolved);
    if failures.is_empty() {
        return Vec::new();
    }
    let hints = ImageHints::new(scene);
    failures.iter().map(|failure| unresolved(failure, &hints)).collect()
}

fn unresolved(failure: &PullFailure<'_>, hints: &ImageHints<'_>) -> Finding {
    let why =
        if failure.text.contains("i/o timeout") { "the node's DNS server does not answer" } else { "no such host" };
    let message = format!("{}: the registry's name `{}` does not resolve ({why})", failure.phrase(), failure.host());
    let finding = failure.support(RULE.finding(failure.container.subject(), message)).confidence(0.96);
    let check = format!("check the registry's name in the image, and that the node can resolve `{}`", failure.host());
    let finding = finding.recommend(Recommendation::new("fix-image", check));
    match hints.alternative(failure.container) {
        Some(found) => image_hints::recommend(finding, failure, Some(&found)),
        None => finding,
    }
}
