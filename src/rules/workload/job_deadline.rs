//! A Job ran out of time.

use crate::model::{Finding, Kind, Recommendation, Severity};
use crate::render::quote;
use crate::rules::Rule;
use crate::scene::Scene;
use crate::scene::access::refusal;
use crate::scene::pods::job::{self, FailedJob};

/// See [`Rule::docs`].
pub static RULE: Rule = Rule {
    id: "job-deadline",
    category: "job_deadline",
    summary: "detects Jobs that were ended for running longer than their activeDeadlineSeconds",
    docs: "\
## What it means
The Job was still active after `activeDeadlineSeconds`; its pods were ended and it is not tried again. Either the work takes \
longer than planned, or its pods could not run or wait for something.

## How it is detected
The Job's condition `Failed` has the reason `DeadlineExceeded`, within the last day, and its CronJob has not succeeded since.

## What to do
If the pods did work, raise `activeDeadlineSeconds`; else find what they waited for.",
    severity: Severity::Error,
    needs: &[Kind::Job],
    uses: &[Kind::CronJob],
    explains: &[&["owner-not-ready"]],
    check,
};

fn check(scene: &Scene<'_>) -> Vec<Finding> {
    let failed = job::failed(scene).into_iter().filter(|failed| failed.reason == "DeadlineExceeded");
    failed.map(|failed| late(&failed)).collect()
}

fn late(failed: &FailedJob<'_>) -> Finding {
    let deadline = failed.job.spec.as_ref().and_then(|spec| spec.active_deadline_seconds);
    let limit =
        deadline.map_or_else(|| "its deadline".to_owned(), |seconds| format!("its activeDeadlineSeconds of {seconds}"));
    let message = format!("{} was ended, as it ran longer than {limit}", failed.phrase());
    let status = failed.job.status.as_ref();
    let started = status.and_then(|status| status.start_time.as_ref()).map(|time| time.0);
    let words = if failed.message.is_empty() { "DeadlineExceeded" } else { failed.message };
    let mut finding = RULE
        .finding(failed.workload.clone(), message)
        .because_at(
            failed.object.clone(),
            "status.conditions[Failed].message",
            refusal::cut(words, 300),
            failed.failed_at,
        )
        .seen(started.or(failed.failed_at), failed.failed_at)
        .state(failed.state)
        .confidence(0.75);
    if let Some(seconds) = deadline {
        finding = finding.because(failed.object.clone(), "spec.activeDeadlineSeconds", seconds.to_string());
    }
    let summary = format!(
        "raise activeDeadlineSeconds of {} if its work takes longer, else find what its pods waited for",
        failed.workload.short()
    );
    let next = quote::command(&["kubectl", "describe", &failed.object.short(), "-n", failed.object.namespace()]);
    finding.recommend(Recommendation::new("edit-object", summary)).next(next)
}
