//! The pull policy forbids to pull and the node lacks the image.

use crate::model::{Finding, Kind, ObjectRef, Recommendation, Severity};
use crate::rules::{Rule, consequences};
use crate::scene::Scene;
use crate::scene::images::image::{self, PullCause, PullFailure};
use crate::scene::images::image_hints::ImageHints;

/// See [`Rule::docs`].
pub static RULE: Rule = Rule {
    id: "image-never-pulled",
    category: "image_pull",
    summary: "detects images that may not be pulled and are not on the node",
    docs: "\
## What it means
The container has `imagePullPolicy: Never`, so the node must have the image already, and this node does not: it was \
loaded onto another node, under another name, or was removed by the kubelet's garbage collection.

## How it is detected
The container waits with `ErrImageNeverPull`. The images that nodes report tell where the image is, or under which \
name.

## What to do
Load the image onto every node on which the pod may run (`kind load docker-image`, `minikube image load`, `ctr -n \
k8s.io images import`), or push it to a registry and set the policy to `IfNotPresent`.",
    severity: Severity::Error,
    needs: &[Kind::Pod],
    uses: &[Kind::Node],
    explains: &[consequences::PODS_NOT_READY, consequences::PROBES_FAIL, &["crash-no-logs", "image-pull-failed"]],
    check,
};

fn check(scene: &Scene<'_>) -> Vec<Finding> {
    let failures = image::failures(scene, PullCause::NeverPulled);
    if failures.is_empty() {
        return Vec::new();
    }
    let hints = ImageHints::new(scene);
    failures.iter().map(|failure| never_pulled(failure, &hints)).collect()
}

fn never_pulled(failure: &PullFailure<'_>, hints: &ImageHints<'_>) -> Finding {
    let (container, image) = (failure.container, failure.image());
    let node = container.pod.node().unwrap_or_default();
    let message = format!(
        "{} may not pull `{image}` (imagePullPolicy: Never), and node/{node} does not have it{}",
        container.phrase(),
        elsewhere(image, hints)
    );
    let policy = container.spec.image_pull_policy.as_deref().unwrap_or("Never");
    let load = format!(
        "load `{image}` onto every node that may run the pod, or push it to a registry and set imagePullPolicy to IfNotPresent"
    );
    let finding = failure.support(RULE.finding(container.subject(), message)).confidence(0.97);
    let finding = finding.because(container.pod_ref(), container.spec_path("imagePullPolicy"), policy);
    let finding = finding.recommend(Recommendation::new("load-image", load));
    hints.nodes_with(image).iter().take(3).fold(finding, |finding, holder| {
        finding.because(ObjectRef::new(Kind::Node, "", holder), "status.images", image)
    })
}

fn elsewhere(image: &str, hints: &ImageHints<'_>) -> String {
    if let Some(holder) = hints.nodes_with(image).first() {
        return format!("; node/{holder} does");
    }
    let names = hints.other_names(image);
    names.first().map(|name| format!("; a node has it under the name `{name}`")).unwrap_or_default()
}
