//! Signs that a container, or a process in it, ran out of memory.

use jiff::{SignedDuration, Timestamp};

use crate::model::State;
use crate::scene::pods::fresh;
use crate::scene::{ContainerView, EventView, LogDigest, PodView};

/// How it shows that memory ran out.
#[derive(Clone, Debug)]
pub struct OutOfMemory<'s> {
    pub how: How,
    /// The object path in the pod and the words there.
    pub path: String,
    pub words: &'s str,
    pub time: Option<Timestamp>,
    pub state: State,
    pub confidence: f64,
}

/// Who was killed, and when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    /// The container's own process.
    Container,
    /// A process in the container; the container ended for it.
    Child,
    /// A process in the container, which runs on without it.
    Worker,
    /// The first process of the container, before the program ran.
    Start,
    /// The first process of the pod's sandbox.
    Sandbox,
}

/// What container runtimes say when the limit does not even let the container start.
const TOO_LOW: [&str; 4] = [
    "container init was OOM-killed",
    "memory limit too low",
    "too low; should be at least",
    "Minimum memory limit allowed",
];

/// What logs say of a process that the kernel killed for want of memory.
const KILLED: [&str; 9] = [
    "Memory cgroup out of memory",
    "Perhaps out of memory?",
    "Out of memory: Kill",
    "oom-kill:",
    // uwsgi, php-fpm and nginx, celery, PostgreSQL, unicorn: of a worker that they did not kill themselves.
    "died, killed by signal 9",
    "exited on signal 9",
    "exited prematurely: signal 9 (SIGKILL)",
    "was terminated by signal 9: Killed",
    "SIGKILL (signal 9)> worker",
];

/// Returns how a container ran out of memory.
pub fn of(container: ContainerView<'_>) -> Option<OutOfMemory<'_>> {
    ended(container).or_else(|| refused(container)).or_else(|| in_log(container)).or_else(|| counted(container))
}

fn ended(container: ContainerView<'_>) -> Option<OutOfMemory<'_>> {
    let crash = container.crash().filter(|_| !container.pod.is_terminating())?;
    let present = fresh::crash(container).is_some();
    let state = if present { State::Present } else { State::Past };
    let path = container.last_end_path();
    let time = crash.finished_at;
    if too_low(crash.message) {
        return Some(OutOfMemory {
            how: How::Start,
            path: format!("{path}.message"),
            words: crash.message,
            time,
            state,
            confidence: 0.96,
        });
    }
    (crash.reason == "OOMKilled").then(|| OutOfMemory {
        how: How::Container,
        path: format!("{path}.reason"),
        words: crash.reason,
        time,
        state,
        confidence: 0.97,
    })
}

fn refused(container: ContainerView<'_>) -> Option<OutOfMemory<'_>> {
    let words = container.waiting()?.message.as_deref().filter(|message| too_low(message))?;
    let path = container.status_path("state.waiting.message");
    Some(OutOfMemory { how: How::Start, path, words, time: None, state: State::Present, confidence: 0.96 })
}

fn too_low(message: &str) -> bool {
    TOO_LOW.iter().any(|word| message.contains(word))
}

/// Reads the log of a run that was killed, or of one that still runs and loses its workers.
fn in_log(container: ContainerView<'_>) -> Option<OutOfMemory<'_>> {
    container.limit("memory")?;
    let crash = fresh::crash(container);
    let (how, log) = match &crash {
        Some(_) => (How::Child, container.crash_log()?),
        None => (How::Worker, container.logs()?.current.as_ref().filter(|_| container.running().is_some())?),
    };
    let killed = crash.as_ref().is_some_and(|crash| crash.exit_code == 137);
    let (number, words) = killed_line(log, killed)?;
    let path = fresh::log_path(container, log, number);
    let time = crash.and_then(|crash| crash.finished_at);
    Some(OutOfMemory {
        how,
        path,
        words,
        time,
        state: State::Present,
        confidence: if how == How::Child { 0.85 } else { 0.75 },
    })
}

/// Reads the kernel's count of a run that goes on: its first process lives, others were killed.
///
/// It does not say when. A run of less than an hour is close enough; in a longer one it has to have happened every hour.
fn counted(container: ContainerView<'_>) -> Option<OutOfMemory<'_>> {
    container.limit("memory")?;
    let count = container.oom_count()?;
    let started = container.running()?.started_at.as_ref()?.0;
    let hours = container.pod.scene.now().duration_since(started).as_secs_f64() / 3600.0;
    (count.kills >= hours).then_some(OutOfMemory {
        how: How::Worker,
        path: format!("metrics/cadvisor[{}].container_oom_events_total", container.name()),
        words: &count.words,
        time: None,
        state: State::Present,
        confidence: 0.85,
    })
}

/// Finds the line that says so; a shell's bare `Killed` counts as the last word of a run that ended with 137.
fn killed_line<'s>(log: &LogDigest<'s>, killed: bool) -> Option<(usize, &'s str)> {
    if let Some((number, line)) = log.lines().rfind(|(_, line)| KILLED.iter().any(|word| line.contains(word))) {
        return Some((number, line.trim()));
    }
    let (number, last) = log.lines().rfind(|(_, line)| !line.trim().is_empty())?;
    let last = last.trim();
    let bare = last == "Killed" || last.ends_with(" Killed") || last.contains(": Killed");
    (killed && bare).then_some((number, last))
}

/// Returns the event with which a pod's sandbox was killed for want of memory, if it still cannot be made.
pub fn sandbox(pod: PodView<'_>) -> Option<&EventView<'_>> {
    let starting =
        !pod.is_terminating() && !pod.is_finished() && pod.containers().all(|container| container.running().is_none());
    let event = pod
        .event("FailedCreatePodSandBox")
        .filter(|event| too_low(event.message) && pod.scene.is_recent(event.last))?;
    starting.then_some(event)
}

/// Returns the event with which the node itself ran out of memory at about this time.
pub fn node_event(pod: PodView<'_>, time: Option<Timestamp>) -> Option<&EventView<'_>> {
    let (node, time) = (pod.node()?, time?);
    let near = |event: &&EventView<'_>| {
        event.last.is_some_and(|last| last.duration_since(time).abs() <= SignedDuration::from_mins(2))
    };
    pod.scene
        .events_about("Node", "", node)
        .chain(pod.scene.events_about("Node", "default", node))
        .filter(|event| event.reason == "SystemOOM")
        .find(near)
}
