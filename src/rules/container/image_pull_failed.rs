//! An image cannot be had, and nothing tells why, or nothing known.

use crate::model::{Finding, Kind, Recommendation, Risk, Severity};
use crate::render::quote;
use crate::rules::{Rule, consequences};
use crate::scene::Scene;
use crate::scene::images::image::{self, PullCause, PullFailure};
use crate::scene::images::image_hints::{self, ImageHints};

/// See [`Rule::docs`].
pub static RULE: Rule = Rule {
    id: "image-pull-failed",
    category: "image_pull",
    summary: "detects images that cannot be pulled for a reason that was not recorded or is not known",
    docs: "\
## What it means
The kubelet cannot get the image and waits before it tries again. Its words about the reason are gone (events live \
for an hour), or they fit none of the known causes; then they are quoted.

## How it is detected
The container waits with `ErrImagePull` or `ImagePullBackOff`, and neither its status nor its events tell a known \
cause.

## What to do
Look at the pod's newest `Failed` event, which comes back at the next attempt (at most five minutes later), or pull \
the image by hand on the node: `crictl pull IMAGE`.",
    severity: Severity::Error,
    needs: &[Kind::Pod],
    uses: &[Kind::Event, Kind::ReplicaSet],
    explains: &[consequences::PODS_NOT_READY, consequences::PROBES_FAIL, &["crash-no-logs"]],
    check,
};

fn check(scene: &Scene<'_>) -> Vec<Finding> {
    let failures = image::failures(scene, PullCause::Unknown);
    if failures.is_empty() {
        return Vec::new();
    }
    let hints = ImageHints::new(scene);
    failures.iter().map(|failure| failed(failure, &hints)).collect()
}

fn failed(failure: &PullFailure<'_>, hints: &ImageHints<'_>) -> Finding {
    let (why, confidence) = match failure.text {
        "" => ("the kubelet waits to try again, and its reason was not kept".to_owned(), 0.6),
        text => (format!("`{}`", brief(text)), 0.8),
    };
    let message = format!("{}: {why}", failure.phrase());
    let finding = failure.support(RULE.finding(failure.container.subject(), message)).confidence(confidence);
    if !failure.text.is_empty() {
        return finding.recommend(cure(failure));
    }
    image_hints::recommend(finding, failure, hints.alternative(failure.container).as_ref())
}

fn cure(failure: &PullFailure<'_>) -> Recommendation {
    let node = failure.container.pod.node().unwrap_or("the node");
    if failure.text.contains("no space left on device") {
        return Recommendation::new("fix-node", format!("free disk space on {node}, which has none left for images"));
    }
    let summary = format!("pull `{}` by hand on {node} to see more", failure.image());
    Recommendation::new("investigate", summary).risk(Risk::None).command(quote::command(&[
        "crictl",
        "pull",
        failure.image(),
    ]))
}

/// Returns the end of the words, where the runtime says what went wrong.
fn brief(text: &str) -> String {
    let mut parts = text.rsplitn(3, ": ");
    let (last, before) = (parts.next().unwrap_or_default(), parts.next());
    let end = before.map_or_else(|| last.to_owned(), |before| format!("{before}: {last}"));
    crate::render::safe::shorten(&end, 120).into_owned()
}
