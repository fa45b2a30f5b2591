//! The registry has no such image.

use crate::model::{Finding, Kind, Recommendation, Severity};
use crate::rules::{Rule, consequences};
use crate::scene::Scene;
use crate::scene::images::image::{self, PullCause, PullFailure};
use crate::scene::images::image_hints::{self, ImageHints};

/// See [`Rule::docs`].
pub static RULE: Rule = Rule {
    id: "image-absent",
    category: "image_pull",
    summary: "detects images that do not exist in their registry",
    docs: "\
## What it means
The registry was reached and has no such repository, tag or digest: the name is misspelt, the tag was never pushed, \
or it was deleted. Some registries answer the same when the repository is private, so that strangers learn nothing; \
the message says when that is possible.

## How it is detected
The container waits with `ErrImagePull` or `ImagePullBackOff`, and the words of the container runtime (in the \
status, or in the newest `Failed` event) say `not found`, `manifest unknown` or `repository does not exist or may \
require authorization`.

## What to do
Correct the image in the workload, or push it. The recommendation names an image that exists where one is known: of \
an older revision, of another workload, or on a node. If the repository is private, give the pod an \
`imagePullSecret`.",
    severity: Severity::Error,
    needs: &[Kind::Pod],
    uses: &[Kind::Event, Kind::ReplicaSet, Kind::Node],
    explains: &[consequences::PODS_NOT_READY, consequences::PROBES_FAIL, &["crash-no-logs", "image-pull-failed"]],
    check,
};

fn check(scene: &Scene<'_>) -> Vec<Finding> {
    let failures = image::failures(scene, PullCause::Absent);
    if failures.is_empty() {
        return Vec::new();
    }
    let hints = ImageHints::new(scene);
    failures.iter().map(|failure| absent(failure, &hints)).collect()
}

fn absent(failure: &PullFailure<'_>, hints: &ImageHints<'_>) -> Finding {
    let message = format!("{}: {}{}", failure.phrase(), why(failure), elsewhere(failure, hints));
    let confidence = match (failure.is_refused_official(), failure.is_ambiguous()) {
        (true, _) => 0.75,
        (_, true) => 0.85,
        _ => 0.97,
    };
    let finding = failure.support(RULE.finding(failure.container.subject(), message)).confidence(confidence);
    let finding = if elsewhere(failure, hints).is_empty() {
        finding
    } else {
        let summary =
            format!("load `{}` onto every node that may run the pod, or push it to a registry", failure.image());
        finding.recommend(Recommendation::new("load-image", summary))
    };
    image_hints::recommend(finding, failure, hints.alternative(failure.container).as_ref())
}

fn why(failure: &PullFailure<'_>) -> String {
    let registry = image::registry(failure.image());
    let (_, tag) = image::parts(failure.image());
    if failure.is_refused_official() {
        format!(
            "{} refuses it, although official images are public: the name or the tag `{tag}` is most likely wrong",
            failure.host()
        )
    } else if failure.is_ambiguous() {
        format!(
            "{registry} has no such repository, or it is private and wants credentials (the registry does not tell which)"
        )
    } else if failure.lacks_only_tag() {
        format!("{registry} has no tag `{tag}` of it (manifest unknown)")
    } else {
        format!("{registry} does not have it (not found)")
    }
}

/// Names the node that holds the image, as one that was loaded onto nodes by hand is absent from the others.
fn elsewhere(failure: &PullFailure<'_>, hints: &ImageHints<'_>) -> String {
    let nodes = hints.nodes_with(failure.image());
    match (nodes.first(), failure.container.pod.node()) {
        (Some(holder), Some(node)) if !nodes.contains(&node) => {
            format!("; node/{holder} holds it, node/{node} does not")
        }
        _ => String::new(),
    }
}
