//! Crashes that still matter, and where their words stand.

use jiff::SignedDuration;

use crate::model::{Kind, State};
use crate::scene::{ContainerView, Crash, LogDigest, PodView};

/// After so long in a retry, a Job's earlier failure is overcome.
const OVERCOME: SignedDuration = SignedDuration::from_mins(10);

/// Returns the present crash of a container; `None` if it recovered, or its pod leaves or was replaced by a better one.
pub fn crash(container: ContainerView<'_>) -> Option<Crash<'_>> {
    if container.pod.is_terminating() || is_replaced(container.pod) {
        return None;
    }
    container.crash().filter(|crash| crash.state == State::Present && is_told(crash))
}

/// Returns whether the end is one that the container runtime saw, not one that the kubelet made up after it lost track.
fn is_told(crash: &Crash<'_>) -> bool {
    !matches!(crash.reason, "ContainerStatusUnknown" | "Unknown")
}

/// Returns whether a finished pod says nothing about the present: a later one of its workload fared better, or nobody
/// would make another one and it ended long ago.
fn is_replaced(pod: PodView<'_>) -> bool {
    if !pod.is_finished() {
        return false;
    }
    let workload = pod.workload();
    if workload.object.is(Kind::Pod) {
        let ends =
            pod.containers().filter_map(|container| container.terminated()?.finished_at.as_ref().map(|time| time.0));
        return !pod.scene.is_recent(ends.max());
    }
    let retries = workload.object.is(Kind::Job) || workload.object.is(Kind::CronJob);
    pod.scene.pods_of(workload).filter(|other| other.created() > pod.created()).any(|other| {
        let up = other.created().is_some_and(|created| pod.scene.now().duration_since(created) > OVERCOME);
        other.phase() == "Succeeded" || (other.is_ready() && (!retries || up))
    })
}

/// Returns the path of a line of a container's log: `log.previous[main]:12`.
pub fn log_path(container: ContainerView<'_>, log: &LogDigest<'_>, line: usize) -> String {
    let previous = container.logs().and_then(|logs| logs.previous.as_ref());
    let which =
        if previous.is_some_and(|previous| std::ptr::eq(previous.text, log.text)) { "log.previous" } else { "log" };
    format!("{which}[{}]:{line}", container.name())
}

/// Returns a duration as people say it: `45s`, `12m`, `3h`, `2d`.
pub fn span(duration: SignedDuration) -> String {
    match duration.as_secs() {
        seconds if seconds < 120 => format!("{}s", seconds.max(0)),
        seconds if seconds < 7200 => format!("{}m", seconds / 60),
        seconds if seconds < 172_800 => format!("{}h", seconds / 3600),
        seconds => format!("{}d", seconds / 86_400),
    }
}
