//! A Secret or ConfigMap changed after the container read it.

use jiff::{SignedDuration, Timestamp};

use crate::model::{Change, Finding, Kind, Recommendation, Severity};
use crate::render::quote;
use crate::rules::Rule;
use crate::scene::log::auth;
use crate::scene::{Environment, Scene, Source, Template, Testimony, Variable, testimonies};

/// See [`Rule::docs`].
pub static RULE: Rule = Rule {
    id: "stale-secret-env",
    category: "stale_secret_env",
    summary: "detects containers that still use an old value of a Secret or ConfigMap, and are refused for it",
    docs: "\
## What it means
A container reads its environment once, when it starts. The Secret or ConfigMap behind a variable was changed later, so the \
program goes on with the old value, such as a password that was rotated.

## How it is detected
The object's last write to its data is later than the container's start, and the log repeats that credentials are refused. \
Without such a complaint nothing is said: many changes do not matter.

## What to do
Restart the workload, so that it reads the new value. If that happens often, mount the Secret as a file and have the \
program read it again.",
    severity: Severity::Error,
    needs: &[Kind::Pod],
    uses: &[Kind::Secret, Kind::ConfigMap],
    explains: &[&["app-exception", "dependency-unreachable", "liveness-probe-failing", "log-error-running", "log-trend", "readiness-probe-failing", "service-backends-missing", "wrong-env-credentials", "wrong-env-host", "wrong-env-port", "wrong-env-value"]],
    check,
};

/// Clocks of nodes and of the API server differ a little.
const SLACK: SignedDuration = SignedDuration::from_secs(2);

fn check(scene: &Scene<'_>) -> Vec<Finding> {
    testimonies(scene).filter_map(|testimony| stale(&testimony)).collect()
}

fn stale(testimony: &Testimony<'_>) -> Option<Finding> {
    let started = testimony.container.running()?.started_at.as_ref()?.0;
    if testimony.is_server() {
        return None;
    }
    let mut complaints = testimony.log.templates.iter();
    let refused = |message: &str| auth::is_refusal(message) || auth::is_unauthorized(message);
    let complaint = complaints.find(|template| refused(&template.message()) && testimony.is_fresh(template))?;
    let environment = Environment::of(testimony.container);
    let changed =
        environment.variables.iter().filter_map(|variable| Some((variable, change(testimony, variable, started)?)));
    let (variable, change) = changed.max_by_key(|(_, change)| change.time)?;
    Some(finding(testimony, complaint, variable, change, started))
}

/// Returns the last write to the data behind a variable, if that was after the container's start.
fn change<'s>(testimony: &Testimony<'s>, variable: &Variable<'_>, started: Timestamp) -> Option<&'s Change> {
    let objects = &testimony.container.pod.scene.snapshot.objects;
    let namespace = testimony.container.pod.namespace();
    let changes = match variable.source {
        Source::Secret { name, .. } => &objects.secrets.get(namespace, name)?.changes,
        Source::ConfigMap { name, .. } => &objects.config_maps.get(namespace, name)?.changes,
        Source::Literal(_) | Source::Field => return None,
    };
    let wrote = |change: &&Change| {
        change.paths.is_empty()
            || change.paths.iter().any(|path| path.starts_with("data") || path.starts_with("stringData"))
    };
    let late = |change: &&Change| change.time.is_some_and(|time| time.duration_since(started) > SLACK);
    changes.iter().filter(wrote).filter(late).max_by_key(|change| change.time)
}

fn finding(
    testimony: &Testimony<'_>,
    complaint: &Template<'_>,
    variable: &Variable<'_>,
    change: &Change,
    started: Timestamp,
) -> Finding {
    let container = testimony.container;
    let origin = variable.origin().unwrap_or_default();
    let message = format!(
        "{} still uses an old value of `{}`: {origin} was changed after it started, and it is refused",
        container.phrase(),
        variable.name
    );
    let object = variable.object(container);
    let finding =
        RULE.finding(container.subject(), message).key(origin.clone()).confidence(0.88).mentions(object.clone());
    let finding = testimony.attest(finding, complaint);
    let finding = finding
        .because_at(
            object,
            "metadata.managedFields",
            format!("data written by {} at {}", change.manager, change.time.unwrap_or(started)),
            change.time,
        )
        .because(container.pod_ref(), variable.path.clone(), variable.shown())
        .because_at(
            container.pod_ref(),
            container.status_path("state.running.startedAt"),
            started.to_string(),
            Some(started),
        );
    let workload = &container.pod.workload().object;
    let mut recommendation =
        Recommendation::new("restart", format!("restart {} so that it reads {origin} again", workload.short()));
    if !workload.is(Kind::Pod) {
        recommendation = recommendation.command(quote::command(&[
            "kubectl",
            "rollout",
            "restart",
            &workload.short(),
            "-n",
            workload.namespace(),
        ]));
    }
    finding.recommend(recommendation).next(testimony.logs_command())
}
