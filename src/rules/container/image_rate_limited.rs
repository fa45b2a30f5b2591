//! The registry allows no more pulls for now.

use crate::model::{Finding, Kind, Recommendation, Severity};
use crate::rules::{Rule, consequences};
use crate::scene::Scene;
use crate::scene::images::image::{self, PullCause, PullFailure};

/// See [`Rule::docs`].
pub static RULE: Rule = Rule {
    id: "image-rate-limited",
    category: "image_pull",
    summary: "detects images that the registry does not give because of its rate limit",
    docs: "\
## What it means
The registry counts pulls by address or account, and the limit is reached: everything that shares the nodes' way out \
counts together. The kubelet tries again and succeeds when the window is over.

## How it is detected
The container waits with `ErrImagePull` or `ImagePullBackOff`, and the words of the container runtime say `429 Too \
Many Requests` or `toomanyrequests`.

## What to do
Pull with an account (`imagePullSecrets`), through a mirror or a cache in the cluster, and avoid `imagePullPolicy: \
Always` for images that do not change.",
    severity: Severity::Error,
    needs: &[Kind::Pod],
    uses: &[Kind::Event],
    explains: &[consequences::PODS_NOT_READY, consequences::PROBES_FAIL, &["crash-no-logs", "image-pull-failed"]],
    check,
};

fn check(scene: &Scene<'_>) -> Vec<Finding> {
    image::failures(scene, PullCause::RateLimited).iter().map(limited).collect()
}

fn limited(failure: &PullFailure<'_>) -> Finding {
    let message = format!(
        "{}: the registry {} limits the rate of pulls (429 Too Many Requests)",
        failure.phrase(),
        failure.host()
    );
    let summary = format!(
        "pull from `{}` with an account (imagePullSecrets) or through a mirror; the kubelet tries again by itself",
        failure.host()
    );
    failure
        .support(RULE.finding(failure.container.subject(), message))
        .confidence(0.96)
        .recommend(Recommendation::new("fix-image", summary))
}
