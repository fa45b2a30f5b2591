//! A CronJob starts no Jobs.

use k8s_openapi::api::batch::v1::CronJob;

use crate::model::store::HasMeta as _;
use crate::model::{Finding, Kind, ObjectRef, Recommendation, Severity, Stored};
use crate::render::quote;
use crate::rules::Rule;
use crate::scene::access::refusal;
use crate::scene::{EventView, Scene, changes};

/// See [`Rule::docs`].
pub static RULE: Rule = Rule {
    id: "cronjob-suspended",
    category: "cronjob_suspended",
    summary: "detects CronJobs that start no Jobs: suspended, or held up by a run before",
    docs: "\
## What it means
The CronJob does not run at its times. It is suspended, which may be meant; or `concurrencyPolicy: Forbid` skips every run \
because one before has not ended; or its schedule cannot be read or was missed too often.

## How it is detected
`spec.suspend` is `true`; or a recent event of the CronJob says why it started no Job.

## What to do
Resume it, or find out why the run before does not end.",
    severity: Severity::Info,
    needs: &[Kind::CronJob, Kind::Event],
    uses: &[],
    explains: &[&["owner-not-ready"]],
    check,
};

/// A run that takes a little longer than its interval is no trouble.
const SKIPPED: i32 = 5;

fn check(scene: &Scene<'_>) -> Vec<Finding> {
    let crons = scene.snapshot.objects.cron_jobs.iter();
    let crons = crons.filter(|cron| scene.snapshot.scope.includes(cron.object.namespace()));
    crons.filter_map(|cron| suspended(cron).or_else(|| held_up(scene, cron))).collect()
}

fn suspended(cron: &Stored<CronJob>) -> Option<Finding> {
    let spec = cron.spec.as_ref().filter(|spec| spec.suspend == Some(true))?;
    let object = ObjectRef::new(Kind::CronJob, cron.object.namespace(), cron.object.name());
    let writer = changes::newest(&cron.changes, "spec.suspend");
    let by = writer.map(|change| format!(" by `{}`", change.manager)).unwrap_or_default();
    let message = format!("{} is suspended{by}: its schedule `{}` starts nothing", object.short(), spec.schedule);
    let resume = r#"{"spec":{"suspend":false}}"#;
    let command = quote::command(&["kubectl", "patch", &object.short(), "-n", object.namespace(), "-p", resume]);
    let finding = RULE
        .finding(object.clone(), message)
        .because_at(object.clone(), "spec.suspend", "true", writer.and_then(|change| change.time))
        .confidence(0.95)
        .recommend(
            Recommendation::new("resume", format!("resume {}, unless it is meant to rest", object.short()))
                .command(command),
        );
    Some(finding)
}

/// The controller says why it started nothing.
fn held_up(scene: &Scene<'_>, cron: &Stored<CronJob>) -> Option<Finding> {
    let object = ObjectRef::new(Kind::CronJob, cron.object.namespace(), cron.object.name());
    let event =
        scene.events_of(&object).filter(|event| why(event).is_some() && scene.is_recent(event.last)).last().copied()?;
    let (why, summary) = why(&event)?;
    let active = cron.status.as_ref().and_then(|status| status.active.as_deref()).unwrap_or_default();
    if event.reason == "JobAlreadyActive" && active.is_empty() {
        return None;
    }
    let running =
        active.first().and_then(|job| job.name.as_deref()).map(|job| format!(" (job/{job})")).unwrap_or_default();
    let message = format!("{} starts no Job: {why}{running}", object.short());
    let finding = RULE
        .finding(object.clone(), message)
        .key(event.reason)
        .severity(if event.reason == "JobAlreadyActive" && event.count < SKIPPED {
            Severity::Info
        } else {
            Severity::Warning
        })
        .because_at(
            object.clone(),
            format!("events[{}].message", event.reason),
            refusal::cut(event.message, 300),
            event.last,
        )
        .seen(event.first, event.last)
        .confidence(0.85)
        .recommend(Recommendation::new("edit-object", summary));
    Some(finding.next(quote::command(&["kubectl", "get", "jobs,pods", "-n", object.namespace()])))
}

fn why(event: &EventView<'_>) -> Option<(&'static str, &'static str)> {
    Some(match event.reason {
        "JobAlreadyActive" => (
            "concurrencyPolicy is Forbid and the run before has not ended",
            "find why the run before does not end; give it an activeDeadlineSeconds, so that it cannot block for ever",
        ),
        "TooManyMissedTimes" => (
            "it missed too many start times",
            "set startingDeadlineSeconds, so that missed runs of long ago do not count",
        ),
        "UnparseableSchedule" | "InvalidSchedule" | "UnParseableCronJobSchedule" => {
            ("its schedule cannot be read", "correct spec.schedule")
        }
        "UnknownTimeZone" => ("its time zone is not known", "correct spec.timeZone"),
        _ => return None,
    })
}
