//! A container outgrew its memory limit.

use crate::model::{Finding, Kind, ObjectRef, Recommendation, Risk, Severity};
use crate::quantity::Quantity;
use crate::render::safe;
use crate::rules::{Rule, consequences};
use crate::scene::pods::memory::{self, How, OutOfMemory};
use crate::scene::pods::{fresh, limit_history};
use crate::scene::{ContainerView, EventView, PodView, Scene, commands};

/// See [`Rule::docs`].
pub static RULE: Rule = Rule {
    id: "oom-killed",
    category: "oom_killed",
    summary: "detects containers that the kernel killed for outgrowing their memory limit",
    docs: "\
## What it means
The container used more memory than its limit, and the kernel's OOM killer ended it, or a process in it. The limit \
is too low for what the program needs, or the program leaks. Without a limit of its own, the container was killed \
because its node ran out of memory.

## How it is detected
The last run ended with the reason `OOMKilled`; or the container or its sandbox could not even start because its \
first process was OOM-killed, which happens under tiny limits; or the log says that a process was killed for want of \
memory, as gunicorn's `Worker was sent SIGKILL! Perhaps out of memory?`; or, with `--kubelet-metrics`, the kubelet \
counts kills in a container whose first process lives, which nothing else may tell. `SystemOOM` events of the node are not \
about a container's limit.

## What to do
Raise the limit to what the program needs at its peak (the report works out a number, with its arithmetic, and tells \
whether it fits LimitRanges, quotas and nodes), or lower the need: fewer workers (each worker of `gunicorn -w \
N` needs its own memory), a smaller heap flag. If it is killed again at each raise, look for a leak.",
    severity: Severity::Error,
    needs: &[Kind::Pod, Kind::Event],
    uses: &[Kind::Node, Kind::ReplicaSet],
    explains: &[
        consequences::PODS_NOT_READY,
        consequences::CALLS_FAIL,
        consequences::PROBES_FAIL,
        &["init-container-failed", "sandbox-failed", "resource-unit"],
    ],
    check,
};

fn check(scene: &Scene<'_>) -> Vec<Finding> {
    let containers =
        scene.suspect_containers().filter_map(|container| Some(killed(container, &memory::of(container)?)));
    let sandboxes = scene.suspects().filter_map(|pod| sandbox(pod, memory::sandbox(pod)?));
    containers.chain(sandboxes).collect()
}

fn killed(container: ContainerView<'_>, oom: &OutOfMemory<'_>) -> Finding {
    let node = memory::node_event(container.pod, oom.time);
    let message =
        format!("{} {}{}", container.phrase(), what(container, oom.how, node.is_some()), often(container, oom));
    let mut finding = RULE
        .finding(container.subject(), message)
        .because_at(container.pod_ref(), oom.path.as_str(), safe::shorten(oom.words, 300), oom.time)
        .seen(oom.time, oom.time)
        .affects(container.pod_ref())
        .state(oom.state)
        .confidence(if node.is_some() { 0.7 } else { oom.confidence });
    if oom.how == How::Worker {
        finding = finding.severity(Severity::Warning);
    }
    if let (Some(event), Some(name)) = (node, container.pod.node()) {
        finding = finding.because_at(
            ObjectRef::new(Kind::Node, "", name),
            "events[SystemOOM].message",
            event.message,
            event.last,
        );
    }
    cured(limited(finding, container), container).next(commands::describe(&container.pod_ref()))
}

fn what(container: ContainerView<'_>, how: How, node: bool) -> String {
    let limit = container.limit("memory");
    let under = limit.map_or_else(
        || "without a limit of its own".to_owned(),
        |limit| format!("under a limit of {limit}{}", origin(container)),
    );
    match how {
        How::Container if node => format!("was OOM-killed {under} when its node itself ran out of memory"),
        How::Container => format!("ran out of memory {under}"),
        How::Child => format!("ended after a process in it was killed, out of memory {under}"),
        How::Worker => format!("loses processes that are killed, out of memory {under}"),
        How::Start | How::Sandbox => format!("cannot even start {under}: its first process is OOM-killed"),
    }
}

/// Says what the limit was where it was another one.
fn origin(container: ContainerView<'_>) -> String {
    if let Some(limit) = limit_history::before_admission(container) {
        return format!(" (its template says {}: something changes it at admission)", limit.value);
    }
    limit_history::before_rollout(container)
        .map(|limit| format!(" ({} in the revision before)", limit.value))
        .unwrap_or_default()
}

/// Counts restarts and the time in which they happened, from the status alone, as events may be gone.
fn often(container: ContainerView<'_>, oom: &OutOfMemory<'_>) -> String {
    let restarts = container.restarts();
    let start = container
        .pod
        .status()
        .and_then(|status| status.start_time.as_ref())
        .map(|time| time.0)
        .or_else(|| container.pod.created());
    match (oom.how, start) {
        (How::Container | How::Start, Some(start)) if restarts > 1 => {
            format!(", with {restarts} restarts in {}", fresh::span(container.pod.scene.now().duration_since(start)))
        }
        _ => String::new(),
    }
}

/// Adds the limit, and who wrote it last.
fn limited(finding: Finding, container: ContainerView<'_>) -> Finding {
    let Some(limit) = container.limit("memory") else { return finding };
    let mut finding = finding.because(container.pod_ref(), container.spec_path("resources.limits.memory"), limit);
    let path = format!("spec.template.spec.containers[{}].resources.limits.memory", container.name());
    for limit in limit_history::before_admission(container).into_iter().chain(limit_history::before_rollout(container))
    {
        finding = finding.because(limit.object, path.as_str(), limit.value);
    }
    automated(finding, container)
}

/// Names the CronJobs that may have lowered a limit that was higher before: they would lower it again.
fn automated(finding: Finding, container: ContainerView<'_>) -> Finding {
    if limit_history::before_rollout(container).is_none() {
        return finding;
    }
    limit_history::automation(container).into_iter().take(3).fold(finding, |finding, (job, role)| {
        let summary = format!(
            "look at {} in namespace {} first: it may change {} and could lower the limit again",
            job.short(),
            job.namespace(),
            container.owner_phrase()
        );
        let command = commands::describe(&job);
        let words = format!("runs as a ServiceAccount that {} lets change {}", role.short(), container.owner_phrase());
        finding
            .because(job, "spec.jobTemplate.spec.template.spec.serviceAccountName", words)
            .recommend(Recommendation::new("investigate", summary).risk(Risk::None).command(command))
    })
}

fn cured(finding: Finding, container: ContainerView<'_>) -> Finding {
    cure(container).into_iter().fold(finding, Finding::recommend)
}

/// Returns what to do but for a new limit, which `recommend` works out.
fn cure(container: ContainerView<'_>) -> Option<Recommendation> {
    let name = container.name();
    if let Some(limit) = limit_history::before_admission(container) {
        let summary = format!(
            "find the webhook or LimitRange that changes the memory limit of `{name}` from {} when its pods are created",
            limit.value
        );
        return Some(Recommendation::new("edit-object", summary).command("kubectl get mutatingwebhookconfigurations"));
    }
    let summary =
        format!("give `{name}` a memory request of what it needs, so that it gets a node with room, and a limit");
    container.limit("memory").is_none().then(|| Recommendation::new("set-resources", summary))
}

/// A sandbox is bounded by the sum of the limits; the container with the least is the one to look at.
fn sandbox(pod: PodView<'_>, event: &EventView<'_>) -> Option<Finding> {
    let limit =
        |container: &ContainerView<'_>| container.limit("memory").and_then(|limit| limit.parse::<Quantity>().ok());
    let container = pod
        .containers()
        .filter(|container| limit(container).is_some())
        .min_by_key(limit)
        .or_else(|| pod.containers().next())?;
    let message = format!("{} {}", container.phrase(), what(container, How::Sandbox, false));
    let finding = RULE
        .finding(container.subject(), message)
        .because_at(
            pod.object(),
            "events[FailedCreatePodSandBox].message",
            safe::shorten(event.message, 300),
            event.last,
        )
        .seen(event.first, event.last)
        .affects(pod.object())
        .confidence(0.95);
    Some(cured(limited(finding, container), container).next(commands::describe(&pod.object())))
}
