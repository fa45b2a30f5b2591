//! Nothing crashes, and the log repeats an error.

use jiff::SignedDuration;

use crate::model::{Finding, Kind, Recommendation, Severity};
use crate::rules::Rule;
use crate::scene::log::line::{self, Level};
use crate::scene::{Scene, Template, Testimony, testimonies};
use crate::scene::log::Weight;

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
them lately; or several different errors of which one is fatal. Warnings, info lines and access logs do not count.

## What to do
Read the quoted error: what it names (a host, a file, a user) is where to look. If it began with a change, undo that.",
    severity: Severity::Warning,
    needs: &[Kind::Pod],
    uses: &[],
    explains: &[],
    check,
};

/// Errors of a program's first moments are start-up order, not faults, if none follow.
const START: SignedDuration = SignedDuration::from_secs(60);

/// So many different errors, one of them fatal, are a fault though none repeats.
const SEVERAL: usize = 4;

fn check(scene: &Scene<'_>) -> Vec<Finding> {
    testimonies(scene).filter(|testimony| testimony.crash.is_none()).filter_map(|testimony| log_error_running(&testimony)).collect()
}

fn log_error_running(testimony: &Testimony<'_>) -> Option<Finding> {
    let errors = || testimony.complaints().filter(|template| counts(template));
    let worst = errors().max_by_key(|template| (template.weight, template.count, std::cmp::Reverse(template.number)));
    let worst = worst.filter(|template| !is_startup(testimony, template));
    match worst {
        Some(template) => Some(repeated(testimony, template, errors().filter(|other| other.number != template.number))),
        None => several(testimony),
    }
}

/// Complaints without a level are often harmless words; what the program calls an error, or says many times, is not.
fn counts(template: &Template<'_>) -> bool {
    let parsed = line::parse(template.line);
    let levelled = parsed.level.is_some_and(|level| level >= Level::Error);
    levelled || template.weight >= Weight::Error || (parsed.level.is_none() && template.count >= 5)
}

fn is_startup(testimony: &Testimony<'_>, template: &Template<'_>) -> bool {
    let started = testimony.container.running().and_then(|running| running.started_at.as_ref()).map(|time| time.0);
    match (started, template.last_time()) {
        (Some(started), Some(last)) => last.duration_since(started) < START && !testimony.is_last(template),
        _ => false,
    }
}

fn repeated<'s>(testimony: &Testimony<'s>, template: &Template<'_>, others: impl Iterator<Item = &'s Template<'s>>) -> Finding {
    let container = testimony.container;
    let shown = line::shown(template.line);
    let message = format!("{} runs but logs the same error again and again: `{}`", container.phrase(), clip(&shown));
    let confidence = if template.count >= 10 { 0.65 } else { 0.55 };
    let finding = RULE.finding(container.subject(), message).key(crate::scene::log::template::masked(&shown)).confidence(confidence);
    let mut finding = testimony.attest(finding, template);
    let share = template.count * 100 / testimony.log.count.max(1);
    finding = finding.because(container.pod_ref(), testimony.path(template.last_number), format!("{} times, {share} % of {} lines", template.count, testimony.log.count));
    for other in others.take(3) {
        finding = testimony.quote(finding, other.line, other.number);
    }
    advise(before(finding, testimony, template), testimony)
}

/// Several different errors in a row, one of them fatal, in a program that goes on.
fn several(testimony: &Testimony<'_>) -> Option<Finding> {
    let errors: Vec<_> = testimony.log.templates.iter().filter(|template| template.weight >= Weight::Error && testimony.is_fresh(template)).collect();
    let fatal = testimony.log.templates.iter().any(|template| line::parse(template.line).level == Some(Level::Fatal));
    let first = errors.iter().find(|template| crate::scene::log::decisive::names_reason(&template.message()))?;
    if errors.len() < SEVERAL || !fatal {
        return None;
    }
    let container = testimony.container;
    let message = format!("{} runs but logged {} different errors in a row, first `{}`", container.phrase(), errors.len(), clip(&line::shown(first.line)));
    let finding = RULE.finding(container.subject(), message).key("several").confidence(0.5);
    let mut finding = testimony.attest(finding, first);
    for other in errors.iter().filter(|other| other.number != first.number).take(6) {
        finding = testimony.quote(finding, other.line, other.number);
    }
    Some(advise(finding, testimony))
}

/// Quotes what the program said of a change shortly before the errors began.
fn before(mut finding: Finding, testimony: &Testimony<'_>, template: &Template<'_>) -> Finding {
    let speaks = |text: &str| {
        let lower = text.to_ascii_lowercase();
        ["reload", "config changed", "configuration changed", "change detected", "mismatch", "was: ", "switched to", "failover"].iter().any(|word| lower.contains(word))
    };
    let earlier = testimony.log.text.lines().enumerate().take(template.number.saturating_sub(1));
    let near: Vec<_> = earlier.skip(template.number.saturating_sub(30)).filter(|(_, text)| speaks(text)).collect();
    for (index, text) in near.into_iter().rev().take(4) {
        finding = testimony.quote(finding, text, index + 1);
    }
    finding
}

fn advise(finding: Finding, testimony: &Testimony<'_>) -> Finding {
    finding
        .recommend(Recommendation::new("inspect", "look at what the quoted error names, and at what changed when it began").risk(crate::model::Risk::None))
        .next(testimony.logs_command())
}

fn clip(line: &str) -> String {
    if line.chars().count() <= 130 { line.to_owned() } else { line.chars().take(129).chain(['…']).collect() }
}
