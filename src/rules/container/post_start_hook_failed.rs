//! A container is killed because its postStart hook fails.

use k8s_openapi::api::core::v1::LifecycleHandler;

use crate::model::{Finding, Kind, Recommendation, Severity};
use crate::render::safe;
use crate::rules::{Rule, consequences};
use crate::scene::{ContainerView, EventView, Scene, commands};

/// See [`Rule::docs`].
pub static RULE: Rule = Rule {
    id: "post-start-hook-failed",
    category: "lifecycle_hook",
    summary: "detects containers that are killed because their postStart hook fails",
    docs: "\
## What it means
The kubelet runs the hook `lifecycle.postStart` right after the container's start, beside its program. When the hook fails, \
the kubelet kills the container (exit code 137 or 143), whatever state the program was in.

## How it is detected
The kubelet says `FailedPostStartHook` about a container that is down or crashes again and again.

## What to do
Run the hook's command in the container by hand: mostly a tool is not in the image, or the hook asks a program that is \
not up yet, as nothing lets it wait. Have it try again for a while, or move the step into the program or an init container.",
    severity: Severity::Error,
    needs: &[Kind::Pod, Kind::Event],
    uses: &[],
    explains: &[
        consequences::PODS_NOT_READY,
        consequences::CALLS_FAIL,
        consequences::PROBES_FAIL,
        &["bad-command"],
    ],
    check,
};

fn check(scene: &Scene<'_>) -> Vec<Finding> {
    scene.suspect_containers().filter_map(hook_failed).collect()
}

fn hook_failed(container: ContainerView<'_>) -> Option<Finding> {
    let hook = container.spec.lifecycle.as_ref()?.post_start.as_ref()?;
    let event = last_failure(container)?;
    let crash = container.crash()?;
    let told = safe::shorten(event.message, 300);
    let message = format!(
        "the postStart hook of {} fails ({}), so the kubelet kills the container each time it starts",
        container.phrase(),
        safe::shorten(&words(hook), 100)
    );
    let summary = format!(
        "correct the postStart hook of `{}`, or have it wait for what it needs: it runs while the program still starts",
        container.name()
    );
    let edit = commands::edit(&container.pod.workload().object);
    Some(
        RULE.finding(container.subject(), message)
            .because_at(container.pod_ref(), "events[FailedPostStartHook].message", told, event.last)
            .because(container.pod_ref(), container.spec_path("lifecycle.postStart"), safe::shorten(&words(hook), 300))
            .because_at(
                container.pod_ref(),
                format!("{}.exitCode", container.last_end_path()),
                crash.exit_code.to_string(),
                crash.finished_at,
            )
            .seen(event.first, event.last)
            .state(crash.state)
            .affects(container.pod_ref())
            .confidence(0.93)
            .recommend(Recommendation::new("edit-object", summary).command(edit))
            .next(commands::previous_logs(container)),
    )
}

fn last_failure(container: ContainerView<'_>) -> Option<&EventView<'_>> {
    let recent =
        |event: &&EventView<'_>| event.reason == "FailedPostStartHook" && container.pod.scene.is_recent(event.last);
    container.events().filter(recent).last()
}

/// Returns what the hook does: its command, or what it asks.
fn words(hook: &LifecycleHandler) -> String {
    if let Some(exec) = &hook.exec {
        return format!("`{}`", exec.command.iter().flatten().cloned().collect::<Vec<_>>().join(" "));
    }
    let path = hook.http_get.as_ref().map(|http| http.path.as_deref().unwrap_or("/"));
    path.map_or_else(|| "its handler".to_owned(), |path| format!("GET `{path}`"))
}
