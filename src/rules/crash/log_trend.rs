//! A program runs, and its log tells that it fares worse than before.

use crate::model::{Finding, Kind, Recommendation, Risk, Severity};
use crate::rules::Rule;
use crate::scene::log::Weight;
use crate::scene::log::line::{self, Level};
use crate::scene::log::template::masked;
use crate::scene::log::trend::{self, Drift, Trend};
use crate::scene::{Scene, Template, Testimony, testimonies};

/// See [`Rule::docs`].
pub static RULE: Rule = Rule {
    id: "log-trend",
    category: "log_trend",
    summary: "detects programs whose log turns bad at some line, is bad for a while, or tells of latency that grows",
    docs: "\
## What it means
Nothing crashes, but the log says that the program fares worse than before: from some line on most of what it logs are \
warnings and errors, or there is a window in which they were, or the times that it logs grow and grow.

## How it is detected
The shares of lines at warning level and above are compared along the log (by lines, not by times, which many programs do \
not write). A turn counts if the log was good before, clearly bad after, and at least one error was logged then and none \
before. Numbers whose names tell of time, room or success (`latency_ms`, `heap`, `hit_rate`) are followed along it too.

## What to do
Look at what was logged at the turn: a reload, a failover, a new version often stands just before it. Then at the first \
error, which is nearer to the cause than the most frequent one.",
    severity: Severity::Warning,
    needs: &[Kind::Pod],
    uses: &[],
    explains: &[&["log-error-running"]],
    check,
};

/// A window that is over counts if it holds as many errors.
const WINDOW_ERRORS: usize = 15;
/// Times that grow count without an error if they grow as much.
const GROWTH: f64 = 5.0;

fn check(scene: &Scene<'_>) -> Vec<Finding> {
    let running = testimonies(scene).filter(|testimony| testimony.crash.is_none());
    running.filter_map(|testimony| turned(&testimony).or_else(|| grown(&testimony))).collect()
}

fn turned(testimony: &Testimony<'_>) -> Option<Finding> {
    let trend = trend::turn(testimony.log.text)?;
    let errors: Vec<&Template<'_>> = testimony.log.templates.iter().filter(|template| is_error(template)).collect();
    let inside: Vec<&Template<'_>> = errors.iter().copied().filter(|template| holds(&trend, template)).collect();
    let first = *inside.first()?;
    let count: usize = inside.iter().map(|template| template.count).sum();
    let before = errors.iter().any(|template| template.number < trend.begin);
    if before || (!trend.lasts && count < WINDOW_ERRORS) {
        return None;
    }
    let worst = inside.iter().copied().max_by_key(|template| (template.weight, template.count)).unwrap_or(first);
    Some(finding(testimony, &trend, &inside, worst))
}

fn is_error(template: &Template<'_>) -> bool {
    template.weight > Weight::Error || line::parse(template.line).level.is_some_and(|level| level >= Level::Error)
}

fn holds(trend: &Trend, template: &Template<'_>) -> bool {
    template.number >= trend.begin && template.last_number <= trend.end
}

fn finding(testimony: &Testimony<'_>, trend: &Trend, errors: &[&Template<'_>], worst: &Template<'_>) -> Finding {
    const QUOTED: usize = 4;
    let container = testimony.container;
    let drifts = trend::drifts(testimony.log.text);
    let since = testimony.log.line(trend.begin).and_then(|text| line::parse(text).time);
    let when = since.map_or_else(|| format!("line {}", trend.begin), |time| format!("{time:.0}"));
    let span = if trend.lasts {
        format!("since {when}")
    } else {
        format!("for {} lines from {when} on", trend.end + 1 - trend.begin)
    };
    let message = format!(
        "{} runs, but {span} {} % of what it logs are warnings and errors (else {} %): `{}`",
        container.phrase(),
        trend.within,
        trend.outside,
        line::clip(&line::shown(worst.line), 130)
    );
    let finding = RULE.finding(container.subject(), message).key(masked(&line::shown(worst.line)));
    let mut finding = testimony.attest(finding.confidence(0.7), worst);
    if let Some(text) = testimony.log.line(trend.begin).filter(|_| trend.begin != worst.number) {
        finding = testimony.quote(finding, text, trend.begin);
    }
    for (number, text) in testimony.change_before(trend.begin) {
        finding = testimony.quote(finding, text, number);
    }
    for error in errors.iter().filter(|error| error.number != worst.number).take(QUOTED) {
        finding = testimony.quote(finding, error.line, error.number);
    }
    advise(with_drifts(finding, testimony, &drifts), testimony)
}

fn grown(testimony: &Testimony<'_>) -> Option<Finding> {
    let drifts = trend::drifts(testimony.log.text);
    let strongest = drifts.iter().find(|drift| is_time(drift) && drift.to > drift.from)?;
    if trend::strength(strongest) < GROWTH {
        return None;
    }
    let container = testimony.container;
    let message = format!("{} runs and grows slower, as its log tells: {}", container.phrase(), strongest.phrase());
    let finding = RULE.finding(container.subject(), message).key(strongest.name.clone()).confidence(0.5);
    let finding = testimony.attest_crash(finding);
    Some(advise(with_drifts(finding, testimony, &drifts), testimony))
}

fn is_time(drift: &Drift) -> bool {
    let name = drift.name.to_ascii_lowercase();
    ["latency", "duration", "elapsed", "took", "response_time", "_ms"].iter().any(|word| name.contains(word))
}

fn with_drifts(mut finding: Finding, testimony: &Testimony<'_>, drifts: &[Drift]) -> Finding {
    const SHOWN: usize = 3;
    let container = testimony.container;
    for drift in drifts.iter().take(SHOWN) {
        finding = finding.because(container.pod_ref(), testimony.path(testimony.log.count), drift.phrase());
    }
    finding
}

fn advise(finding: Finding, testimony: &Testimony<'_>) -> Finding {
    let summary = "look at what happened when it began: a reload, a rollout, a peer that failed";
    finding.recommend(Recommendation::new("inspect", summary).risk(Risk::None)).next(testimony.logs_command())
}
