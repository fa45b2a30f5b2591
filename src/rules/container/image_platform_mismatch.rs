//! The image has no variant for the node's platform.

use crate::model::{Finding, Kind, Recommendation, Severity};
use crate::rules::{Rule, consequences};
use crate::scene::Scene;
use crate::scene::images::image::{self, PullCause, PullFailure};
use crate::scene::images::platform;

/// See [`Rule::docs`].
pub static RULE: Rule = Rule {
    id: "image-platform-mismatch",
    category: "image_pull",
    summary: "detects images that are not built for the platform of their node",
    docs: "\
## What it means
The image exists, but not for the operating system and processor architecture of the node that the pod is on.

## How it is detected
The container waits with `ErrImagePull` or `ImagePullBackOff`, and the words of the container runtime say `no match \
for platform` or `no matching manifest for linux/...`. The platform is read from the node.

## What to do
Build the image for this platform too (`docker buildx build --platform linux/amd64,linux/arm64`), or keep the pod on \
nodes that fit with a `nodeSelector` on `kubernetes.io/arch`.",
    severity: Severity::Error,
    needs: &[Kind::Pod],
    uses: &[Kind::Event, Kind::Node],
    explains: &[consequences::PODS_NOT_READY, consequences::PROBES_FAIL, &["crash-no-logs", "image-pull-failed"]],
    check,
};

fn check(scene: &Scene<'_>) -> Vec<Finding> {
    image::failures(scene, PullCause::Platform).iter().map(mismatch).collect()
}

fn mismatch(failure: &PullFailure<'_>) -> Finding {
    let platform = platform::of_node(failure.container.pod);
    let on = platform.as_ref().map_or_else(
        || "the platform of its node".to_owned(),
        |platform| format!("{}, the platform of its node", platform.name),
    );
    let message = format!("{}: it has no variant for {on}", failure.phrase());
    let summary = "build the image for this platform too, or bind the pod to nodes that fit with a nodeSelector on `kubernetes.io/arch`";
    let finding = failure.support(RULE.finding(failure.container.subject(), message)).confidence(0.96);
    let finding = finding.recommend(Recommendation::new("fix-image", summary));
    match platform {
        Some(platform) => finding.because(platform.node, platform.path, platform.architecture),
        None => finding,
    }
}
