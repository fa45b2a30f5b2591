//! Jobs and how they ended.

use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::batch::v1::{Job, JobCondition};

use crate::model::store::HasMeta as _;
use crate::model::{Kind, ObjectRef, State, Stored};
use crate::scene::Scene;
use crate::scene::scheduling::shortage;

/// A failed Job that is older than this is history.
const REMEMBERED: SignedDuration = SignedDuration::from_hours(24);

/// A Job in scope that failed for good.
#[derive(Clone, Debug)]
pub struct FailedJob<'s> {
    pub job: &'s Stored<Job>,
    pub object: ObjectRef,
    /// The CronJob that made it, else itself.
    pub workload: ObjectRef,
    pub reason: &'s str,
    pub message: &'s str,
    pub failed_at: Option<Timestamp>,
    pub state: State,
}

impl FailedJob<'_> {
    /// Returns `job/backup`, or `job/backup-123 of cronjob/backup`.
    pub fn phrase(&self) -> String {
        if self.object == self.workload {
            self.object.short()
        } else {
            format!("{} of {}", self.object.short(), self.workload.short())
        }
    }
}

/// Returns the Jobs that failed within a day, of a CronJob only the newest.
pub fn failed<'s>(scene: &'s Scene<'_>) -> Vec<FailedJob<'s>> {
    let jobs = scene.snapshot.objects.jobs.iter();
    let jobs = jobs.filter(|job| scene.snapshot.scope.includes(job.object.namespace()));
    let mut failed: Vec<FailedJob<'s>> = jobs.filter_map(|job| of(scene, job)).collect();
    failed.sort_by(|a, b| (&a.workload, b.failed_at, &a.object).cmp(&(&b.workload, a.failed_at, &b.object)));
    failed.dedup_by(|later, first| later.workload == first.workload);
    failed
}

fn of<'s>(scene: &Scene<'_>, job: &'s Stored<Job>) -> Option<FailedJob<'s>> {
    let conditions = job.status.as_ref()?.conditions.as_ref()?;
    let condition: &JobCondition =
        conditions.iter().find(|condition| condition.type_ == "Failed" && condition.status == "True")?;
    let failed_at = condition.last_transition_time.as_ref().map(|time| time.0);
    if failed_at.is_some_and(|at| scene.now().duration_since(at) > REMEMBERED) {
        return None;
    }
    let object = ObjectRef::new(Kind::Job, job.object.namespace(), job.object.name());
    let workload = shortage::workload_of(scene, &object);
    let (reason, message) =
        (condition.reason.as_deref().unwrap_or_default(), condition.message.as_deref().unwrap_or_default());
    let state = if succeeded_since(scene, &workload, failed_at) { State::Past } else { State::Present };
    Some(FailedJob { job, object, workload, reason, message, failed_at, state })
}

/// Returns whether a later run of the CronJob did well.
fn succeeded_since(scene: &Scene<'_>, workload: &ObjectRef, failed_at: Option<Timestamp>) -> bool {
    let cron = scene
        .snapshot
        .objects
        .cron_jobs
        .get(workload.namespace(), &workload.name)
        .filter(|_| workload.is(Kind::CronJob));
    let success = cron.and_then(|cron| cron.status.as_ref()?.last_successful_time.as_ref()).map(|time| time.0);
    success.zip(failed_at).is_some_and(|(success, failed)| success > failed)
}
