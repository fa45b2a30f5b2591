//! An image runs as root where it may not.

use crate::model::{Finding, Kind, Recommendation, Severity};
use crate::render::safe;
use crate::rules::{Rule, consequences};
use crate::scene::{ContainerView, Scene, commands};

/// See [`Rule::docs`].
pub static RULE: Rule = Rule {
    id: "run-as-non-root",
    category: "run_as_non_root",
    summary: "detects containers that may not start because their image runs as root",
    docs: "\
## What it means
`runAsNonRoot: true` forbids the user root. The image runs as root, or names its user in letters, which the kubelet \
cannot check, or `runAsUser: 0` contradicts it. The container is not started.

## How it is detected
The container waits with `CreateContainerConfigError`, and the kubelet's words name `runAsNonRoot`.

## What to do
Set `runAsUser` to the number of a user that the image supports, or use a variant of the image that does not run as \
root, or give the image a numeric `USER`. Dropping `runAsNonRoot` is the last resort, as it was set for a reason.",
    severity: Severity::Error,
    needs: &[Kind::Pod],
    uses: &[Kind::Event],
    explains: &[consequences::PODS_NOT_READY, consequences::PROBES_FAIL, &["crash-no-logs"]],
    check,
};

fn check(scene: &Scene<'_>) -> Vec<Finding> {
    scene.suspect_containers().filter_map(runs_as_root).collect()
}

fn runs_as_root(container: ContainerView<'_>) -> Option<Finding> {
    if container.pod.is_terminating() || container.waiting_reason() != "CreateContainerConfigError" {
        return None;
    }
    let words = container.waiting()?.message.as_deref()?;
    let why = why(container, words)?;
    let message = format!("{} may not start: runAsNonRoot is set, and {why}", container.phrase());
    let mut finding = RULE
        .finding(container.subject(), message)
        .because(container.pod_ref(), container.status_path("state.waiting.message"), safe::shorten(words, 300))
        .because(container.pod_ref(), container.spec_path("image"), container.image())
        .seen(container.pod.created(), None)
        .affects(container.pod_ref())
        .confidence(0.98);
    for (path, value) in settings(container) {
        finding = finding.because(container.pod_ref(), path, value);
    }
    let summary = format!(
        "set securityContext.runAsUser of `{}` to a user number other than 0 that `{}` supports, or use an image that does not run as root",
        container.name(),
        container.image()
    );
    let recommendation =
        Recommendation::new("edit-object", summary).command(commands::edit(&container.pod.workload().object));
    Some(finding.recommend(recommendation))
}

fn why(container: ContainerView<'_>, words: &str) -> Option<String> {
    let image = container.image();
    if let Some((_, rest)) = words.split_once("non-numeric user (") {
        let user = rest.split(')').next().unwrap_or_default();
        return Some(format!("image `{image}` names its user `{user}`, which cannot be checked as it is no number"));
    }
    if words.contains("runAsUser breaks non-root policy") {
        return Some("runAsUser is 0, which is root".to_owned());
    }
    (words.contains("runAsNonRoot") || words.contains("non-root")).then(|| format!("image `{image}` runs as root"))
}

/// Returns the settings that forbid it: of the container, else of the pod.
fn settings(container: ContainerView<'_>) -> Vec<(String, String)> {
    let own = container.spec.security_context.as_ref();
    let pod = container.pod.spec().and_then(|spec| spec.security_context.as_ref());
    let mut settings = Vec::new();
    if let Some(value) = own.and_then(|context| context.run_as_non_root) {
        settings.push((container.spec_path("securityContext.runAsNonRoot"), value.to_string()));
    } else if let Some(value) = pod.and_then(|context| context.run_as_non_root) {
        settings.push(("spec.securityContext.runAsNonRoot".to_owned(), value.to_string()));
    }
    if let Some(user) = own.and_then(|context| context.run_as_user) {
        settings.push((container.spec_path("securityContext.runAsUser"), user.to_string()));
    } else if let Some(user) = pod.and_then(|context| context.run_as_user) {
        settings.push(("spec.securityContext.runAsUser".to_owned(), user.to_string()));
    }
    settings
}
