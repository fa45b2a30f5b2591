//! A Job failed as often as it may.

use crate::model::{Finding, Kind, Recommendation, Severity};
use crate::render::quote;
use crate::rules::Rule;
use crate::scene::Scene;
use crate::scene::access::refusal;
use crate::scene::pods::job::{self, FailedJob};

/// See [`Rule::docs`].
pub static RULE: Rule = Rule {
    id: "job-backoff-limit",
    category: "job_backoff_limit",
    summary: "detects Jobs whose pods failed more often than their backoffLimit allows",
    docs: "\
## What it means
The pods of the Job failed again and again, and the Job gave up. Why they failed is what matters; where their logs or states \
still tell it, that stands above this.

## How it is detected
The Job's condition `Failed` has the reason `BackoffLimitExceeded`, `PodFailurePolicy` or `MaxFailedIndexesExceeded`, within the \
last day, and its CronJob has not succeeded since.

## What to do
Find why the pods failed and correct that, then create the Job anew: a failed Job is not tried again.",
    severity: Severity::Error,
    needs: &[Kind::Job],
    uses: &[Kind::CronJob],
    explains: &[&["owner-not-ready"]],
    check,
};

fn check(scene: &Scene<'_>) -> Vec<Finding> {
    let gave_up = ["BackoffLimitExceeded", "PodFailurePolicy", "MaxFailedIndexesExceeded", "FailedIndexes"];
    let failed = job::failed(scene).into_iter().filter(|failed| gave_up.contains(&failed.reason));
    failed.map(|failed| gave_up_finding(scene, &failed)).collect()
}

fn gave_up_finding(scene: &Scene<'_>, failed: &FailedJob<'_>) -> Finding {
    let spec = failed.job.spec.as_ref();
    let limit = spec.and_then(|spec| spec.backoff_limit).unwrap_or(6);
    let pods = failed.job.status.as_ref().and_then(|status| status.failed).unwrap_or(0);
    let message = match failed.reason {
        "BackoffLimitExceeded" => {
            format!("{} gave up after {pods} failed pods, with a backoffLimit of {limit}", failed.phrase())
        }
        reason => format!("{} gave up after {pods} failed pods ({reason})", failed.phrase()),
    };
    let words = if failed.message.is_empty() { failed.reason } else { failed.message };
    let mut finding = RULE
        .finding(failed.workload.clone(), message)
        .because_at(
            failed.object.clone(),
            "status.conditions[Failed].message",
            refusal::cut(words, 300),
            failed.failed_at,
        )
        .because(failed.object.clone(), "status.failed", pods.to_string())
        .because(failed.object.clone(), "spec.backoffLimit", limit.to_string())
        .seen(failed.failed_at, failed.failed_at)
        .state(failed.state)
        .confidence(0.6);
    if let Some(workload) = scene.workload(&failed.workload) {
        for pod in scene.pods_of(workload).filter(|pod| pod.name().starts_with(failed.object.name.as_str())) {
            finding = finding.affects(pod.object());
        }
    }
    let namespace = failed.object.namespace();
    let logs =
        quote::command(&["kubectl", "logs", &failed.object.short(), "-n", namespace, "--all-containers", "--tail=50"]);
    let summary = format!("correct what makes the pods of {} fail, then create it anew", failed.object.short());
    finding.recommend(Recommendation::new("repair", summary)).next(logs)
}
