//! A Job cannot end because a side-car keeps running.

use jiff::{SignedDuration, Timestamp};

use crate::model::{Finding, Kind, Recommendation, Severity};
use crate::render::quote;
use crate::rules::Rule;
use crate::scene::pods::owners;
use crate::scene::{ContainerView, PodView, Role, Scene};

/// See [`Rule::docs`].
pub static RULE: Rule = Rule {
    id: "job-sidecar",
    category: "job_sidecar",
    summary: "detects Jobs whose work is done but whose side-car keeps the pod running",
    docs: "\
## What it means
A pod of a Job is complete when all its containers have ended. The work is done, but a side-car (a log shipper, a proxy) runs \
on, so that the Job never completes; of a CronJob, such pods pile up.

## How it is detected
In a pod of a Job one container ended well and minutes ago, and another runs on that looks like a side-car: by its name, or \
because it serves a port.

## What to do
Declare the side-car as an init container with `restartPolicy: Always`: Kubernetes ends it when the work is done. Or let the \
work tell it to quit (`/quitquitquit` of many proxies).",
    severity: Severity::Error,
    needs: &[Kind::Pod],
    uses: &[Kind::Job],
    explains: &[&["cronjob-suspended", "job-backoff-limit", "job-deadline", "owner-not-ready"]],
    check,
};

/// How long a side-car may take to see that the work is done.
const PATIENCE: SignedDuration = SignedDuration::from_secs(90);
/// After this, any container that runs on counts.
const LONG: SignedDuration = SignedDuration::from_mins(30);
const NAMES: &[&str] = &[
    "sidecar",
    "side-car",
    "proxy",
    "agent",
    "fluent",
    "envoy",
    "vector",
    "filebeat",
    "promtail",
    "collector",
    "logger",
    "shipper",
    "exporter",
    "tunnel",
    "vault",
    "dapr",
    "refresher",
    "reloader",
];

fn check(scene: &Scene<'_>) -> Vec<Finding> {
    scene.suspects().filter(|pod| is_of_job(*pod)).filter_map(held_open).collect()
}

fn is_of_job(pod: PodView<'_>) -> bool {
    let job = owners::controller(&pod.pod.metadata).is_some_and(|owner| owner.kind == "Job");
    job && pod.phase() == "Running" && !pod.is_terminating()
}

fn held_open(pod: PodView<'_>) -> Option<Finding> {
    let apps: Vec<ContainerView<'_>> = pod.containers().filter(|container| container.role == Role::App).collect();
    let (done, done_at) =
        apps.iter().filter_map(|container| Some((*container, ended_well(*container)?))).max_by_key(|(_, at)| *at)?;
    let running: Vec<ContainerView<'_>> =
        apps.iter().copied().filter(|container| container.running().is_some()).collect();
    // A container that failed, or that has still to start, is another story.
    if running.is_empty()
        || running.len() + apps.iter().filter(|container| ended_well(**container).is_some()).count() < apps.len()
    {
        return None;
    }
    let since_done = pod.scene.now().duration_since(done_at);
    let known = running.iter().all(|container| looks_like_sidecar(*container));
    if since_done < if known { PATIENCE } else { LONG } {
        return None;
    }
    Some(finding(pod, done, done_at, *running.first()?, if known { 0.93 } else { 0.6 }))
}

fn ended_well(container: ContainerView<'_>) -> Option<Timestamp> {
    let end = container.terminated().filter(|end| end.exit_code == 0)?;
    end.finished_at.as_ref().map(|time| time.0)
}

fn looks_like_sidecar(container: ContainerView<'_>) -> bool {
    let name = container.name().to_ascii_lowercase();
    NAMES.iter().any(|word| name.contains(word)) || container.spec.ports.as_ref().is_some_and(|ports| !ports.is_empty())
}

fn finding(
    pod: PodView<'_>,
    done: ContainerView<'_>,
    done_at: Timestamp,
    sidecar: ContainerView<'_>,
    confidence: f64,
) -> Finding {
    let workload = &pod.workload().object;
    let runs = if workload.is(Kind::CronJob) { "a run of " } else { "" };
    let message = format!(
        "{runs}{} never completes: container `{}` is done, but side-car `{}` keeps its pod running",
        workload.short(),
        done.name(),
        sidecar.name()
    );
    let started = sidecar.running().and_then(|running| running.started_at.as_ref()).map(|time| time.0);
    let summary = format!(
        "declare `{}` of {} as a native side-car: move it to initContainers with `restartPolicy: Always`, or let `{}` tell it to quit when it is done",
        sidecar.name(),
        workload.short(),
        done.name()
    );
    RULE.finding(workload.clone(), message)
        .key(sidecar.name())
        .because_at(pod.object(), done.status_path("state.terminated.exitCode"), "0", Some(done_at))
        .because_at(pod.object(), sidecar.status_path("state"), "running", started)
        .seen(Some(done_at), Some(pod.scene.now()))
        .affects(pod.object())
        .confidence(confidence)
        .recommend(Recommendation::new("edit-object", summary))
        .next(quote::command(&[
            "kubectl",
            "logs",
            pod.name(),
            "-n",
            pod.namespace(),
            "-c",
            sidecar.name(),
            "--tail=20",
        ]))
}
