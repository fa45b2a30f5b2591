//! The image's name cannot be one.

use crate::model::{Finding, Kind, Severity};
use crate::rules::{Rule, consequences};
use crate::scene::Scene;
use crate::scene::images::image::{self, PullCause, PullFailure};
use crate::scene::images::image_hints::{self, ImageHints};

/// See [`Rule::docs`].
pub static RULE: Rule = Rule {
    id: "image-name-invalid",
    category: "image_pull",
    summary: "detects image names that no registry can have",
    docs: "\
## What it means
The text of the `image` field is not a valid reference: upper-case letters in the repository, a space, two tags, a \
URL scheme, or a placeholder that nobody filled in.

## How it is detected
The container waits with `InvalidImageName`, or the words of the container runtime say `invalid reference format` or \
that a short name cannot be resolved.

## What to do
Correct the `image` field: `registry.example.com/team/app:tag`, in lower case up to the tag. If it holds a \
placeholder such as `${TAG}`, the templates were not rendered.",
    severity: Severity::Error,
    needs: &[Kind::Pod],
    uses: &[Kind::Event, Kind::ReplicaSet],
    explains: &[consequences::PODS_NOT_READY, consequences::PROBES_FAIL, &["crash-no-logs", "image-pull-failed"]],
    check,
};

fn check(scene: &Scene<'_>) -> Vec<Finding> {
    let failures = image::failures(scene, PullCause::NameInvalid);
    if failures.is_empty() {
        return Vec::new();
    }
    let hints = ImageHints::new(scene);
    failures.iter().map(|failure| invalid(failure, &hints)).collect()
}

fn invalid(failure: &PullFailure<'_>, hints: &ImageHints<'_>) -> Finding {
    let message = format!("{}: {}", failure.phrase(), flaw(failure));
    let finding = failure.support(RULE.finding(failure.container.subject(), message)).confidence(0.97);
    image_hints::recommend(finding, failure, hints.alternative(failure.container).as_ref())
}

/// Says what is wrong with the name.
fn flaw(failure: &PullFailure<'_>) -> &'static str {
    let image = failure.image();
    let path = image.split('@').next().unwrap_or(image);
    let last = path.rsplit('/').next().unwrap_or(path);
    if failure.text.contains("short-name") || failure.text.contains("unqualified-search") {
        "the name gives no registry, and the node accepts no short names"
    } else if image.contains("://") {
        "the name of an image has no scheme such as `https://`"
    } else if image.contains(['$', '{', '}', '<', '>', '%']) {
        "the name holds a placeholder that nobody filled in"
    } else if image.contains(char::is_whitespace) {
        "the name contains a space"
    } else if last.matches(':').count() > 1 {
        "the name has more than one `:` after its last `/`"
    } else if last.ends_with(':') {
        "the name ends with `:` without a tag"
    } else if path.split(':').next().unwrap_or(path).contains(|letter: char| letter.is_ascii_uppercase()) {
        "the repository has upper-case letters, which no registry allows"
    } else {
        "it is no valid image name (invalid reference format)"
    }
}
