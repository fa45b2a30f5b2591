//! A container's command cannot run, or ends at once for its arguments.

use crate::model::{Finding, Kind, Recommendation, Severity};
use crate::render::{quote, safe};
use crate::rules::{Rule, consequences};
use crate::scene::pods::command_error::{self, CommandError, Flaw};
use crate::scene::{ContainerView, Scene, commands};

/// See [`Rule::docs`].
pub static RULE: Rule = Rule {
    id: "bad-command",
    category: "bad_command",
    summary: "detects containers whose command cannot be executed, rejects its arguments, or ends at once",
    docs: "\
## What it means
The container's process does not get going: the program is not in the image, is not executable, the working \
directory does not exist, the program does not understand its arguments, or it ends well at once because there is \
nothing to do in the foreground.

## How it is detected
The container runtime cannot start it (`StartError`, `RunContainerError`: `executable file not found in $PATH`); or \
a shell ends with 127 (command not found) or 126 (not executable); or the program ends within a minute with a line \
such as `unknown flag` or `can't open file`; or it ends again and again with exit code 0 although the pod should \
keep running.

## What to do
Correct `command` and `args` (together they replace the image's entry point and its arguments), or use an image that \
contains the program. A command line in one string needs a shell: `[\"sh\", \"-c\", \"...\"]`. What should end \
belongs into a Job; what should run must stay in the foreground.",
    severity: Severity::Error,
    needs: &[Kind::Pod],
    uses: &[],
    explains: &[
        consequences::PODS_NOT_READY,
        consequences::CALLS_FAIL,
        consequences::PROBES_FAIL,
        &["init-container-failed"],
    ],
    check,
};

fn check(scene: &Scene<'_>) -> Vec<Finding> {
    scene.suspect_containers().filter_map(command_error::of).map(|error| bad_command(&error)).collect()
}

fn bad_command(error: &CommandError<'_>) -> Finding {
    let container = error.container;
    let message = format!("{} {}", container.phrase(), what(error));
    let mut finding =
        RULE.finding(container.subject(), message).confidence(error.confidence).affects(container.pod_ref());
    if !error.words.is_empty() {
        finding = finding.because_at(container.pod_ref(), error.path.as_str(), error.words.as_str(), error.time);
    }
    if let Some(code) = error.exit_code {
        finding = finding.because_at(
            container.pod_ref(),
            format!("{}.exitCode", container.last_end_path()),
            code.to_string(),
            error.time,
        );
    }
    for (field, words) in [("command", &container.spec.command), ("args", &container.spec.args)] {
        let line = words.iter().flatten().map(|word| quote::sh(word)).collect::<Vec<_>>().join(" ");
        if !line.is_empty() {
            finding = finding.because(container.pod_ref(), container.spec_path(field), safe::shorten(&line, 300));
        }
    }
    finding
        .because(container.pod_ref(), container.spec_path("image"), container.image())
        .seen(error.time, error.time)
        .recommend(cure(error))
        .next(commands::previous_logs(container))
}

fn what(error: &CommandError<'_>) -> String {
    let code = error.exit_code.map(|code| format!(" (exit code {code})")).unwrap_or_default();
    let words = &error.words;
    match error.flaw {
        Flaw::NotFound if words.is_empty() => {
            format!("does not find a command that it runs{code}: {}", command(error.container))
        }
        Flaw::NotExecutable if words.is_empty() => {
            format!("may not execute a command that it runs{code}: {}", command(error.container))
        }
        Flaw::NotFound => format!("cannot run its command: `{words}`{code}"),
        Flaw::NotExecutable => format!("may not execute its command: `{words}`{code}"),
        Flaw::WorkingDir => format!("cannot start as its working directory is not in the image: `{words}`"),
        Flaw::Usage => format!("ends at once as its command is rejected: `{words}`{code}"),
        Flaw::NothingToDo if words.is_empty() => {
            format!("ends at once and well{code} though it should keep running: {}", command(error.container))
        }
        Flaw::NothingToDo => format!(
            "ends at once and well{code} though it should keep running; its last line is `{}`",
            safe::shorten(words, 100)
        ),
    }
}

/// Returns what is run, as far as the spec tells.
fn command(container: ContainerView<'_>) -> String {
    let line = container.command_line().iter().map(|word| quote::sh(word)).collect::<Vec<_>>().join(" ");
    match (line.is_empty(), container.spec.command.is_none()) {
        (true, _) => format!("the entry point of image `{}`", container.image()),
        (false, true) => format!("the image's entry point with `{}`", safe::shorten(&line, 80)),
        (false, false) => format!("`{}`", safe::shorten(&line, 80)),
    }
}

fn cure(error: &CommandError<'_>) -> Recommendation {
    let (container, image) = (error.container, error.container.image());
    let name = container.name();
    let first = container.command_line().first().copied().unwrap_or_default();
    let summary = match error.flaw {
        Flaw::NotFound if first.trim().contains(' ') => {
            format!("split the command of `{name}` into words, or give it to a shell: [\"sh\", \"-c\", ...]")
        }
        Flaw::NotFound => format!(
            "correct command and args of `{name}`, or use an image that contains the program (`{image}` does not)"
        ),
        Flaw::NotExecutable => {
            format!("make the program executable in image `{image}` (chmod +x), or run it through its interpreter")
        }
        Flaw::WorkingDir => format!("correct workingDir of `{name}`, or create the directory in image `{image}`"),
        Flaw::Usage => format!("correct command and args of `{name}`: the program in `{image}` rejects them"),
        Flaw::NothingToDo => {
            format!("let `{name}` run something that stays in the foreground, or make it a Job if it should end")
        }
    };
    let object = &container.pod.workload().object;
    let recommendation = Recommendation::new("edit-object", summary);
    if object.is(Kind::Pod) { recommendation } else { recommendation.command(commands::edit(object)) }
}
