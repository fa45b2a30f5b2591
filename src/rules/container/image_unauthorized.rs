//! The registry refuses the pull.

use crate::model::{Finding, Kind, Severity};
use crate::rules::{Rule, consequences};
use crate::scene::Scene;
use crate::scene::images::image::{self, PullCause, PullFailure};
use crate::scene::images::image_hints::{self, ImageHints};
use crate::scene::images::pull_secrets::Credentials;

/// See [`Rule::docs`].
pub static RULE: Rule = Rule {
    id: "image-unauthorized",
    category: "image_pull",
    summary: "detects images that the registry does not give without other credentials",
    docs: "\
## What it means
The registry was reached and refused: the repository is private and the pod has no credentials for it, or the wrong \
ones. Many registries refuse in the same way when the repository does not exist.

## How it is detected
The container waits with `ErrImagePull` or `ImagePullBackOff`, and the words of the container runtime say `401 \
Unauthorized`, `403 Forbidden`, `pull access denied` or the like. The pod's `imagePullSecrets` are looked up: one \
that does not exist is named.

## What to do
Create the missing Secret of the type `kubernetes.io/dockerconfigjson` in the pod's namespace, name it under \
`imagePullSecrets` of the pod template or its ServiceAccount, and check that its server is the image's registry. If \
the image is public, check its name.",
    severity: Severity::Error,
    needs: &[Kind::Pod],
    uses: &[Kind::Event, Kind::Secret, Kind::ReplicaSet],
    explains: &[consequences::PODS_NOT_READY, consequences::PROBES_FAIL, &["crash-no-logs", "image-pull-failed"]],
    check,
};

fn check(scene: &Scene<'_>) -> Vec<Finding> {
    let failures = image::failures(scene, PullCause::Unauthorized);
    if failures.is_empty() {
        return Vec::new();
    }
    let hints = ImageHints::new(scene);
    failures.iter().map(|failure| unauthorized(failure, &hints)).collect()
}

fn unauthorized(failure: &PullFailure<'_>, hints: &ImageHints<'_>) -> Finding {
    let container = failure.container;
    let credentials = Credentials::of(container.pod);
    let said = answer(failure.text).map(|answer| format!(" ({answer})")).unwrap_or_default();
    let message =
        format!("{}: {} refuses it{said}, and {}", failure.phrase(), failure.host(), credentials.words(container.pod));
    let finding = failure.support(RULE.finding(container.subject(), message)).confidence(0.93);
    let finding = credentials.support(finding, container.pod).recommend(credentials.cure(failure));
    match hints.alternative(container) {
        Some(found) => image_hints::recommend(finding, failure, Some(&found)),
        None => finding,
    }
}

/// Returns the registry's own word.
fn answer(text: &str) -> Option<&'static str> {
    let lower = text.to_ascii_lowercase();
    let words = [
        "401 Unauthorized",
        "403 Forbidden",
        "pull access denied",
        "authorization failed",
        "no basic auth credentials",
        "denied",
    ];
    words.into_iter().find(|word| lower.contains(&word.to_ascii_lowercase()))
}
