//! Why a container's command cannot run, in the words of the container runtime, the shell or the program.

use jiff::{SignedDuration, Timestamp};

use crate::scene::log::Weight;
use crate::scene::pods::fresh;
use crate::scene::{ContainerView, Crash, LogDigest, Role};

/// What is wrong with the command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flaw {
    /// There is no such program, or not where it is looked for.
    NotFound,
    /// The program may not be executed.
    NotExecutable,
    /// The working directory does not exist.
    WorkingDir,
    /// The program does not understand its arguments, or does not find the file that they name.
    Usage,
    /// It ends at once and well, as it has nothing to do.
    NothingToDo,
}

/// A command that cannot run, and who says so.
#[derive(Clone, Debug)]
pub struct CommandError<'s> {
    pub container: ContainerView<'s>,
    pub flaw: Flaw,
    /// The words, short enough for a message; empty where only the exit code tells.
    pub words: String,
    /// The object path of the words, such as `log[main]:3`.
    pub path: String,
    pub exit_code: Option<i32>,
    pub time: Option<Timestamp>,
    pub confidence: f64,
}

/// A program that rejects its arguments does so at once.
const AT_ONCE: SignedDuration = SignedDuration::from_secs(60);

/// Returns why a container's command cannot run; `None` if it can or something else is to blame.
pub fn of(container: ContainerView<'_>) -> Option<CommandError<'_>> {
    runtime_error(container).or_else(|| {
        let crash = fresh::crash(container).filter(|crash| crash.reason != "OOMKilled")?;
        let log = container.crash_log();
        if log.is_some_and(|log| contains(log.text, "exec format error")) {
            return None;
        }
        match crash.exit_code {
            126 | 127 => Some(shell_error(container, &crash, log)),
            0 => nothing_to_do(container, &crash, log),
            _ => usage_error(container, &crash, log?),
        }
    })
}

/// Reads the container runtime's words: of the last attempt, or of the present one.
fn runtime_error(container: ContainerView<'_>) -> Option<CommandError<'_>> {
    let crash = fresh::crash(container);
    let ended = crash.as_ref().map(|crash| (crash.message, format!("{}.message", container.last_end_path())));
    let waits = matches!(container.waiting_reason(), "RunContainerError" | "CreateContainerError" | "CrashLoopBackOff");
    let waiting = container.waiting().filter(|_| waits).and_then(|waiting| waiting.message.as_deref());
    let waiting = waiting.map(|message| (message, container.status_path("state.waiting.message")));
    let (message, path, flaw) =
        ended.into_iter().chain(waiting).find_map(|(message, path)| Some((message, path, flaw_of(message)?)))?;
    let time = crash.as_ref().and_then(|crash| crash.finished_at);
    let exit_code = crash.as_ref().map(|crash| crash.exit_code);
    Some(CommandError { container, flaw, words: essence(message), path, exit_code, time, confidence: 0.98 })
}

/// Reads what runc, crun and Docker say of a program that they cannot execute.
fn flaw_of(message: &str) -> Option<Flaw> {
    let lower = message.to_ascii_lowercase();
    let has = |word: &str| lower.contains(word);
    if has("exec format error") || has("error mounting") || has("oom-killed") {
        return None;
    }
    if has("chdir to cwd") {
        return Some(Flaw::WorkingDir);
    }
    let execs = has("exec: \"") || has("exec \"") || has("executable file") || has("open executable");
    if execs && has("permission denied") {
        return Some(Flaw::NotExecutable);
    }
    (execs && (has("not found") || has("no such file") || has("is a directory"))).then_some(Flaw::NotFound)
}

/// Returns the end of a runtime's message, which says what it could not do.
fn essence(message: &str) -> String {
    let start = ["exec: \"", "exec \"", "chdir to cwd", "executable file", "open executable"]
        .iter()
        .filter_map(|mark| message.find(mark))
        .min();
    let end = message[start.unwrap_or(0)..].trim_end().trim_end_matches(": unknown");
    crate::render::safe::shorten(end, 160).into_owned()
}

/// A shell ends with 127 if it does not find a command, with 126 if it may not execute it.
fn shell_error<'s>(
    container: ContainerView<'s>,
    crash: &Crash<'s>,
    log: Option<&'s LogDigest<'s>>,
) -> CommandError<'s> {
    let flaw = if crash.exit_code == 126 { Flaw::NotExecutable } else { Flaw::NotFound };
    let marks: &[&str] = match flaw {
        Flaw::NotExecutable => &["permission denied", "cannot execute", "is a directory"],
        _ => &["not found", "no such file or directory", "cannot open shared object", "error loading shared"],
    };
    let line =
        log.and_then(|log| Some((log, log.lines().rfind(|(_, line)| marks.iter().any(|mark| contains(line, mark)))?)));
    match line {
        Some((log, (number, line))) => said(container, crash, flaw, log, number, line, 0.95),
        None => by_code(container, crash, flaw, if log.is_none() { 0.75 } else { 0.6 }),
    }
}

fn said<'s>(
    container: ContainerView<'s>,
    crash: &Crash<'s>,
    flaw: Flaw,
    log: &LogDigest<'s>,
    number: usize,
    line: &str,
    confidence: f64,
) -> CommandError<'s> {
    let words = crate::render::safe::shorten(line.trim(), 160).into_owned();
    let path = fresh::log_path(container, log, number);
    CommandError { container, flaw, words, path, exit_code: Some(crash.exit_code), time: crash.finished_at, confidence }
}

fn by_code<'s>(container: ContainerView<'s>, crash: &Crash<'s>, flaw: Flaw, confidence: f64) -> CommandError<'s> {
    let path = format!("{}.exitCode", container.last_end_path());
    CommandError {
        container,
        flaw,
        words: String::new(),
        path,
        exit_code: Some(crash.exit_code),
        time: crash.finished_at,
        confidence,
    }
}

/// What programs say of arguments that they do not know, in lower case.
const USAGE: &[&str] = &[
    "unknown flag",
    "unknown shorthand flag",
    "flag provided but not defined",
    "unrecognized arguments",
    "unrecognized option",
    "unrecognised option",
    "unknown option",
    "invalid option",
    "illegal option",
    "unexpected argument",
    "the following arguments are required",
    "can't open file '",
    "could not find or load main class",
    "unable to access jarfile",
    "cannot find module '/",
    "no such option",
    "could not open input file",
    "could not import module",
    "failed to find attribute",
];

/// Finds the line with which a program rejects its arguments, provided that it did so at once.
fn usage_error<'s>(
    container: ContainerView<'s>,
    crash: &Crash<'s>,
    log: &'s LogDigest<'s>,
) -> Option<CommandError<'s>> {
    if crash.lasted().is_some_and(|lasted| lasted > AT_ONCE) {
        return None;
    }
    let (number, line) = log.lines().find(|(_, line)| rejects(container, line))?;
    Some(said(container, crash, Flaw::Usage, log, number, line, 0.9))
}

fn rejects(container: ContainerView<'_>, line: &str) -> bool {
    let lower = line.to_ascii_lowercase();
    USAGE.iter().any(|mark| lower.contains(mark))
        || container.command_line().iter().any(|argument| misses(&lower, argument))
}

/// Returns whether a line says that a word of the command names nothing: `python -m app`, `sh run.sh`, `tool start`.
fn misses(lower: &str, argument: &str) -> bool {
    let argument = argument.to_ascii_lowercase();
    let usable = argument.len() >= 3 && !argument.starts_with('-') && !argument.contains(char::is_whitespace);
    let said = || {
        [
            format!("no module named {argument}"),
            format!("no module named '{argument}'"),
            format!("cannot open {argument}"),
            format!("can't open '{argument}'"),
            format!("{argument}: no such file or directory"),
            format!("unknown command \"{argument}\""),
            format!("unknown command: {argument}"),
        ]
    };
    usable && said().iter().any(|words| lower.contains(words))
}

/// A container that should keep running and ended well, soon, again and again.
fn nothing_to_do<'s>(
    container: ContainerView<'s>,
    crash: &Crash<'s>,
    log: Option<&'s LogDigest<'s>>,
) -> Option<CommandError<'s>> {
    let soon = crash.lasted().is_none_or(|lasted| lasted <= AT_ONCE);
    let again = crash.restarts >= 2 || container.waiting_reason() == "CrashLoopBackOff";
    let complains = log.and_then(|log| log.decisive).is_some_and(|decisive| decisive.weight >= Weight::Error);
    let killed = container.pod.events().any(|event| event.reason == "Killing" && event.message.contains("probe"));
    let runs = container.role != Role::Init && soon && again && !complains && !killed;
    let last = log.and_then(|log| Some((log, log.lines().rfind(|(_, line)| !line.trim().is_empty())?)));
    runs.then(|| match last {
        // What it wrote may tell more than that it ended.
        Some((log, (number, line))) => said(container, crash, Flaw::NothingToDo, log, number, line, 0.5),
        None => by_code(container, crash, Flaw::NothingToDo, 0.7),
    })
}

fn contains(text: &str, mark: &str) -> bool {
    text.to_ascii_lowercase().contains(mark)
}
