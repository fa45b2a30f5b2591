//! A container outgrew its memory limit.

use crate::model::{Finding, Kind, Recommendation, Severity};
use crate::rules::Rule;
use crate::scene::{ContainerView, Crash, Scene};

/// See [`Rule::docs`].
pub static RULE: Rule = Rule {
    id: "oom-killed",
    category: "oom_killed",
    summary: "detects containers that the kernel killed for outgrowing their memory limit",
    docs: "\
## What it means
The container used more memory than its limit, and the kernel's OOM killer ended it. The limit is too low for what the \
program needs, or the program leaks.

## How it is detected
The last run ended with the reason `OOMKilled`; or the container could not even start because its init process was \
OOM-killed, which happens under tiny limits.

## What to do
Raise the limit to what the program needs at its peak, or lower the need: fewer workers, a smaller heap flag. If it is \
killed again at each raise, look for a leak.",
    severity: Severity::Error,
    needs: &[Kind::Pod],
    uses: &[],
    explains: &[],
    check,
};

fn check(scene: &Scene<'_>) -> Vec<Finding> {
    scene.containers().filter_map(oom_killed).collect()
}

fn oom_killed(container: ContainerView<'_>) -> Option<Finding> {
    let crash = container.crash().filter(was_killed)?;
    let limit = container.limit("memory");
    let under =
        limit.map_or_else(|| "without a limit of its own".to_owned(), |limit| format!("under a limit of {limit}"));
    let message = format!("{} ran out of memory {under}", container.phrase());
    let path = container.last_end_path();
    let mut finding = RULE
        .finding(container.subject(), message)
        .because_at(container.pod_ref(), format!("{path}.reason"), crash.reason, crash.finished_at)
        .seen(crash.finished_at, crash.finished_at)
        .affects(container.pod_ref())
        .state(crash.state)
        .confidence(0.97)
        .recommend(Recommendation::new(
            "set-resources",
            format!("raise the memory limit of `{}` above its peak, or lower what it needs", container.name()),
        ));
    if let Some(limit) = limit {
        finding = finding.because(container.pod_ref(), container.spec_path("resources.limits.memory"), limit);
    }
    Some(finding)
}

fn was_killed(crash: &Crash<'_>) -> bool {
    crash.reason == "OOMKilled" || crash.message.contains("container init was OOM-killed")
}
