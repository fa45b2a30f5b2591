//! Nothing crashes, and the log repeats an error.

use jiff::SignedDuration;

use crate::model::{Finding, Kind, Recommendation, Risk, Severity};
use crate::rules::Rule;
use crate::scene::log::decisive::names_reason;
use crate::scene::log::descriptors::Limit;
use crate::scene::log::line::{self, Level};
use crate::scene::log::template::masked;
use crate::scene::log::{Weight, auth};
use crate::scene::{Scene, Template, Testimony, testimonies};

/// See [`Rule::docs`].
pub static RULE: Rule = Rule {
    id: "log-error-running",
    category: "log_error_running",
    summary: "detects running containers whose log repeats an error",
    docs: "\
## What it means
The container runs and may even be ready, but its program complains of the same thing again and again: users may be served \
errors while Kubernetes sees nothing wrong.

## How it is detected
The log of a running container holds at least three lines of one error that differ in numbers and ids only, the last of \
them lately; or several different errors of which one is fatal. One or two errors in a long log are told as information. Warnings, info lines and access logs do not count.

## What to do
Read the quoted error: what it names (a host, a file, a user) is where to look. If it began with a change, undo that.",
    severity: Severity::Warning,
    needs: &[Kind::Pod],
    uses: &[],
    explains: &[],
    check,
};

/// Errors of a program's first moments are start-up order, not faults, if none follow.
const START: SignedDuration = SignedDuration::from_secs(180);

/// How long such errors must have ceased.
const SILENCE: SignedDuration = SignedDuration::from_secs(45);

/// An error that is made as often is no matter of the start.
const OFTEN: usize = 20;

/// A log of so many lines in which an error is made once or twice is a program that works.
const MANY: usize = 30;

/// So many different errors, one of them fatal, are a fault though none repeats.
const SEVERAL: usize = 4;

fn check(scene: &Scene<'_>) -> Vec<Finding> {
    testimonies(scene)
        .filter(|testimony| testimony.crash.is_none())
        .filter_map(|testimony| log_error_running(&testimony))
        .collect()
}

fn log_error_running(testimony: &Testimony<'_>) -> Option<Finding> {
    let errors: Vec<&Template<'_>> =
        testimony.log.templates.iter().filter(|template| counts(testimony, template)).collect();
    let repeats = |template: &&&Template<'_>| template.count >= 3 && is_current(testimony, template);
    let weight = |template: &Template<'_>| {
        (template.weight, names_reason(&template.message()), template.count, std::cmp::Reverse(template.number))
    };
    if let Some(worst) = errors.iter().filter(repeats).max_by_key(|template| weight(template)) {
        return Some(repeated(testimony, worst, &errors));
    }
    several(testimony).or_else(|| single(testimony, &errors))
}

/// What the program calls an error counts; what has no level only if it says so many times. A database's words about its
/// clients' passwords and rows are theirs.
fn counts(testimony: &Testimony<'_>, template: &Template<'_>) -> bool {
    let parsed = line::parse(template.line);
    let levelled = parsed.level.is_some_and(|level| level >= Level::Error);
    let said = levelled
        || template.weight >= Weight::Error
        || (parsed.level.is_none() && template.count >= 5 && template.count * 5 >= testimony.log.count);
    let clients = |message: &str| auth::is_refusal(message) || auth::is_constraint(message);
    said && !(testimony.is_server() && clients(&parsed.message))
}

/// Returns whether a repeated error is of now: made lately, or so often in a young run that it cannot be its start.
fn is_current(testimony: &Testimony<'_>, template: &Template<'_>) -> bool {
    let started = testimony.container.running().and_then(|running| running.started_at.as_ref()).map(|time| time.0);
    let often = template.count >= OFTEN;
    let startup = match (started, template.last_time()) {
        (Some(started), Some(last)) => {
            last.duration_since(started) < START && testimony.container.pod.scene.now().duration_since(last) > SILENCE
        }
        _ => false,
    };
    let young = testimony.container.pod.scene.is_recent(started);
    (testimony.is_fresh(template) && (often || !startup)) || (often && young)
}

fn repeated(testimony: &Testimony<'_>, template: &Template<'_>, errors: &[&Template<'_>]) -> Finding {
    let container = testimony.container;
    let shown = line::shown(template.line);
    let message =
        format!("{} runs but logs the same error again and again: `{}`", container.phrase(), line::clip(&shown, 130));
    let confidence = if template.count >= OFTEN { 0.65 } else { 0.55 };
    let finding = RULE.finding(container.subject(), message).key(masked(&shown)).confidence(confidence);
    let mut finding = testimony.attest(finding, template);
    let share = template.count * 100 / testimony.log.count.max(1);
    let times = format!("{} times, {share} % of {} lines", template.count, testimony.log.count);
    finding = finding.because(container.pod_ref(), testimony.path(template.last_number), times);
    // The first errors of the log are nearer to the cause than the most frequent one.
    for other in errors.iter().filter(|other| other.number != template.number).take(4) {
        finding = testimony.quote(finding, other.line, other.number);
    }
    let first = errors.first().copied().unwrap_or(template);
    advise(before(finding, testimony, first), testimony, template)
}

/// Several different errors in a row, one of them fatal, in a program that goes on.
fn several(testimony: &Testimony<'_>) -> Option<Finding> {
    let errors: Vec<_> = testimony.log.templates.iter().filter(|template| template.weight >= Weight::Error).collect();
    if !errors.last().is_some_and(|last| testimony.is_fresh(last)) {
        return None;
    }
    let fatal = testimony.log.templates.iter().any(|template| line::parse(template.line).level == Some(Level::Fatal));
    let first = errors.iter().find(|template| names_reason(&template.message()))?;
    if errors.len() < SEVERAL || !fatal {
        return None;
    }
    let container = testimony.container;
    let message = format!(
        "{} runs but logged {} different errors in a row, first `{}`",
        container.phrase(),
        errors.len(),
        line::clip(&line::shown(first.line), 130)
    );
    let finding = RULE.finding(container.subject(), message).key("several").confidence(0.5);
    let mut finding = testimony.attest(finding, first);
    for other in errors.iter().filter(|other| other.number != first.number).take(6) {
        finding = testimony.quote(finding, other.line, other.number);
    }
    Some(advise(finding, testimony, first))
}

/// A single error among many good lines: worth knowing, no more.
fn single(testimony: &Testimony<'_>, errors: &[&Template<'_>]) -> Option<Finding> {
    let started = testimony.container.running().and_then(|running| running.started_at.as_ref()).map(|time| time.0);
    let current =
        |template: &&&Template<'_>| testimony.is_fresh(template) || testimony.container.pod.scene.is_recent(started);
    let clear = |template: &&&Template<'_>| template.weight >= Weight::Error && names_reason(&template.message());
    let first = errors.iter().filter(clear).find(current)?;
    if testimony.log.count < MANY || errors.len() > 2 {
        return None;
    }
    let container = testimony.container;
    let message =
        format!("{} runs but logged an error: `{}`", container.phrase(), line::clip(&line::shown(first.line), 130));
    let finding = RULE.finding(container.subject(), message).key(masked(&line::shown(first.line))).confidence(0.4);
    let finding = testimony.attest(finding, first).severity(Severity::Info);
    Some(advise(finding, testimony, first))
}

/// Quotes what the program said of a change shortly before the errors began.
fn before(mut finding: Finding, testimony: &Testimony<'_>, template: &Template<'_>) -> Finding {
    for (number, text) in testimony.change_before(template.number).into_iter().rev().take(4) {
        finding = testimony.quote(finding, text, number);
    }
    finding
}

fn advise(finding: Finding, testimony: &Testimony<'_>, template: &Template<'_>) -> Finding {
    let finding = match Limit::of(&template.message()) {
        Some(limit) => {
            let mut cure = Recommendation::new("node-limit", limit.cure().0).risk(Risk::Medium);
            cure.command = limit.cure().1.map(str::to_owned);
            finding.recommend(cure)
        }
        None => finding,
    };
    finding
        .recommend(
            Recommendation::new("inspect", "look at what the quoted error names, and at what changed when it began")
                .risk(Risk::None),
        )
        .next(testimony.logs_command())
}
