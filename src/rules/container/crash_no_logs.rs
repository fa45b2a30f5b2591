//! A container crashes and leaves no word.

use crate::model::{Finding, Kind, Recommendation, Risk, Severity};
use crate::render::{quote, safe};
use crate::rules::{Rule, consequences};
use crate::scene::pods::fresh;
use crate::scene::{ContainerView, Crash, Scene, commands};

/// See [`Rule::docs`].
pub static RULE: Rule = Rule {
    id: "crash-no-logs",
    category: "crash_no_logs",
    summary: "detects containers that crash without a word about the reason",
    docs: "\
## What it means
The container ends again and again, and neither its log nor its termination message says why. What is left is the \
exit code: 128 + N stands for the signal N, 137 is SIGKILL, 139 a segmentation fault, 143 SIGTERM.

## How it is detected
The last run failed, and its log is empty, could not be read, or holds no line that speaks of an error. A finding \
that knows more explains this one.

## What to do
Look at the previous log (`kubectl logs --previous`), raise the program's log level, or start the image with another \
command and run the program by hand: `kubectl debug POD -it --copy-to=NAME --container=CONTAINER -- sh`.",
    severity: Severity::Error,
    needs: &[Kind::Pod],
    uses: &[],
    explains: &[consequences::PODS_NOT_READY, consequences::PROBES_FAIL, &["init-container-failed"]],
    check,
};

fn check(scene: &Scene<'_>) -> Vec<Finding> {
    scene.suspect_containers().filter_map(silent_crash).collect()
}

fn silent_crash(container: ContainerView<'_>) -> Option<Finding> {
    let crash = fresh::crash(container).filter(|crash| keeps_failing(container, crash))?;
    let (log, confidence) = log(container)?;
    let code = crash.exit_code;
    let word = crash.message.lines().map(str::trim).find(|line| !line.is_empty());
    let word =
        word.map(|line| format!("; its termination message is `{}`", safe::shorten(line, 100))).unwrap_or_default();
    let message =
        format!("{} keeps crashing with exit code {code} ({}){}{word}", container.phrase(), meaning(code), log);
    let path = container.last_end_path();
    let mut finding = RULE
        .finding(container.subject(), message)
        .because_at(container.pod_ref(), format!("{path}.exitCode"), code.to_string(), crash.finished_at)
        .because_at(container.pod_ref(), format!("{path}.reason"), crash.reason, crash.finished_at)
        .because(container.pod_ref(), container.status_path("restartCount"), crash.restarts.to_string())
        .seen(crash.finished_at, crash.finished_at)
        .affects(container.pod_ref())
        .confidence(confidence);
    if !crash.message.is_empty() {
        finding = finding.because_at(
            container.pod_ref(),
            format!("{path}.message"),
            safe::shorten(crash.message, 300),
            crash.finished_at,
        );
    }
    let summary =
        format!("run the image of `{}` by hand to see what ends it, or raise its log level", container.name());
    Some(
        finding
            .recommend(Recommendation::new("investigate", summary).risk(Risk::None).command(debug(container)))
            .next(commands::previous_logs(container))
            .next(commands::describe(&container.pod_ref())),
    )
}

/// Returns whether it fails more than once, or failed and stays down; a run that ended well is not told apart here.
fn keeps_failing(container: ContainerView<'_>, crash: &Crash<'_>) -> bool {
    let repeats = crash.restarts >= 2 || container.running().is_none();
    let killed_by_probe =
        container.pod.events().any(|event| event.reason == "Killing" && event.message.contains("probe"));
    crash.exit_code != 0 && crash.reason != "OOMKilled" && repeats && !killed_by_probe
}

/// Returns what can be said of the log, and how sure that makes; `None` if the log tells more.
fn log(container: ContainerView<'_>) -> Option<(String, f64)> {
    let Some(logs) = container.logs() else {
        return Some((", and its log could not be read".to_owned(), 0.3));
    };
    let Some(log) = container.crash_log() else {
        let read = logs.current.is_some() || logs.previous.is_some();
        return Some(if read {
            (" and logs nothing".to_owned(), 0.5)
        } else {
            (", and its log could not be read".to_owned(), 0.3)
        });
    };
    if log.decisive.is_some() {
        return None;
    }
    // Programs draw progress bars with carriage returns; what counts is what stood there last.
    let last = log.last_line().and_then(|line| line.rsplit('\r').next()).unwrap_or_default();
    let end = last.char_indices().rev().nth(119).map_or(last, |(at, _)| &last[at..]);
    Some((format!("; its log ends with `{}`", end.trim()), 0.35))
}

/// Says what an exit code usually means.
fn meaning(code: i32) -> &'static str {
    match code {
        1 => "a general error",
        2 => "wrong use of a command, or a Go panic",
        126 => "a command that may not be executed",
        127 => "a command that was not found",
        128 => "the container runtime could not start it",
        129 => "SIGHUP",
        130 => "SIGINT",
        132 => "SIGILL, an instruction that the processor lacks",
        134 => "SIGABRT, it aborted itself",
        135 => "SIGBUS, often too little shared memory",
        136 => "SIGFPE, a division by zero",
        137 => "SIGKILL, killed from outside",
        139 => "SIGSEGV, a segmentation fault",
        143 => "SIGTERM, asked to stop",
        255 => "an exit code out of range, or -1",
        _ => "the program's own code",
    }
}

fn debug(container: ContainerView<'_>) -> String {
    let copy = format!("--copy-to={}-debug", container.pod.name());
    let name = format!("--container={}", container.name());
    quote::command(&[
        "kubectl",
        "-n",
        container.pod.namespace(),
        "debug",
        container.pod.name(),
        "-it",
        &copy,
        &name,
        "--",
        "sh",
    ])
}
