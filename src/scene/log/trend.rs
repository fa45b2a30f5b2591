//! How a log changes while it is written: from when on, or in which window, it turns bad, and which numbers grow.
//!
//! Lines are the axis, not times: many programs write none, or write hours of a recording at once.

use crate::scene::pattern::Pattern;
use std::collections::BTreeMap;

use super::line::{self, Level};

/// A log of fewer lines shows no trend.
const LINES: usize = 150;
/// So many lines, evenly spread, are taken apart.
const SAMPLES: usize = 600;
/// A part is bad in which more than this share of the lines are warnings or worse.
const BAD: f64 = 0.35;

/// The part of a log that is bad while the rest is good.
#[derive(Clone, Debug, PartialEq)]
pub struct Trend {
    /// The first and the last bad line, counted from 1.
    pub begin: usize,
    pub end: usize,
    /// Whether it goes on to the end of the log.
    pub lasts: bool,
    /// The shares of warnings and worse within and outside, in percent.
    pub within: usize,
    pub outside: usize,
}

/// A number that the program logs and that grew or fell.
#[derive(Clone, Debug, PartialEq)]
pub struct Drift {
    /// The field's name as written: `latency_ms`.
    pub name: String,
    /// The medians of the first and the last fifth of the log.
    pub from: f64,
    pub to: f64,
}

impl Drift {
    /// Says it as a clause: `latency_ms rose from 12 to 950`.
    pub fn phrase(&self) -> String {
        let verb = if self.to > self.from { "rose" } else { "fell" };
        format!("{} {verb} from {} to {}", self.name, number(self.from), number(self.to))
    }
}

fn number(value: f64) -> String {
    let rounded = (value * 100.0).round() / 100.0;
    format!("{rounded}")
}

/// One line of the sample.
struct Sample<'a> {
    number: usize,
    text: &'a str,
    bad: bool,
}

/// Finds the part of a log that is bad while the rest is good; none if the whole log is one or the other.
pub fn turn(text: &str) -> Option<Trend> {
    let lines: Vec<&str> = text.lines().collect();
    let samples = sample(&lines);
    let (first, last) = worst_part(&samples)?;
    let bad = |part: &[Sample<'_>]| part.iter().filter(|sample| sample.bad).count();
    let inside = &samples[first..=last];
    let (within, total) = (bad(inside), inside.len());
    let (outside, rest) = (bad(&samples) - within, samples.len() - total);
    // What is bad from the start on did not turn bad, and what is bad for a moment only is no trend.
    let enough = first * 10 >= samples.len() && rest * 5 >= samples.len() && total >= 8;
    let clear = within * 2 >= total && outside * 10 <= rest;
    if !enough || !clear {
        return None;
    }
    let lasts = (samples.len() - 1 - last) * 20 <= samples.len();
    let begin = first_bad(&lines, &samples, first);
    let end = if lasts { lines.len() } else { samples[last].number };
    Some(Trend { begin, end, lasts, within: within * 100 / total, outside: outside * 100 / rest.max(1) })
}

fn sample<'a>(lines: &[&'a str]) -> Vec<Sample<'a>> {
    if lines.len() < LINES {
        return Vec::new();
    }
    let stride = lines.len().div_ceil(SAMPLES);
    lines
        .iter()
        .enumerate()
        .step_by(stride)
        .map(|(index, text)| Sample { number: index + 1, text, bad: is_bad(text) })
        .collect()
}

fn is_bad(text: &str) -> bool {
    line::parse(text).level.is_some_and(|level| level >= Level::Warning)
}

/// Returns the run of samples in which bad ones outweigh good ones most.
fn worst_part(samples: &[Sample<'_>]) -> Option<(usize, usize)> {
    let (mut best, mut found) = (0.0, None);
    let (mut sum, mut start) = (0.0, 0);
    for (index, sample) in samples.iter().enumerate() {
        if sum <= 0.0 {
            (sum, start) = (0.0, index);
        }
        sum += if sample.bad { 1.0 - BAD } else { -BAD };
        if sum > best {
            (best, found) = (sum, Some((start, index)));
        }
    }
    found
}

/// Returns the number of the first bad line at or just before a sample.
fn first_bad(lines: &[&str], samples: &[Sample<'_>], index: usize) -> usize {
    let from = index.checked_sub(1).map_or(0, |before| samples[before].number);
    let to = samples[index].number;
    (from..to).find(|at| is_bad(lines[*at])).map_or(to, |at| at + 1)
}

/// Finds the numbers about time, room and success that drifted, the strongest first.
pub fn drifts(text: &str) -> Vec<Drift> {
    let lines: Vec<&str> = text.lines().collect();
    let samples = sample(&lines);
    let mut series: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
    for sample in &samples {
        for (name, value) in numbers(sample.text) {
            series.entry(name).or_default().push(value);
        }
    }
    let mut found: Vec<Drift> = series.into_iter().filter_map(|(name, values)| drift(name, &values)).collect();
    found.sort_by(|a, b| strength(b).total_cmp(&strength(a)).then_with(|| a.name.cmp(&b.name)));
    found
}

/// Returns the named numbers of a line: fields of JSON, `name=12.5ms`, `took 12 ms`.
fn numbers(text: &str) -> impl Iterator<Item = (&str, f64)> {
    static FIELD: Pattern =
        Pattern::new(r#""?\b([A-Za-z][A-Za-z_.]{2,40})"?\s?[=: ]\s?([0-9]+(?:\.[0-9]+)?)(?:ms|s|%|[KMG]i?B?)?\b"#);
    FIELD.captures_iter(text).filter_map(|found| {
        let name = found.get(1)?.as_str();
        is_telling(name).then_some((name, found[2].parse().ok()?))
    })
}

/// Returns whether a number of this name tells how a program fares: counters and ids always grow.
fn is_telling(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let telling = [
        "latency",
        "duration",
        "elapsed",
        "took",
        "response_time",
        "_ms",
        "memory",
        "heap",
        "rss",
        "queue",
        "backlog",
        "lag",
        "pending",
        "usage",
        "percent",
        "hit_rate",
        "error_rate",
        "success_rate",
        "wait",
    ];
    let constant = ["limit", "max", "total", "timeout"];
    telling.iter().any(|word| name.contains(word)) && !constant.iter().any(|word| name.contains(word))
}

/// Returns the drift of a series that grows or falls all along, or jumps once and stays.
fn drift(name: &str, values: &[f64]) -> Option<Drift> {
    const ENOUGH: usize = 25;
    const PARTS: usize = 5;
    if values.len() < ENOUGH {
        return None;
    }
    let medians: Vec<f64> = values.chunks(values.len().div_ceil(PARTS)).map(median).collect();
    let rises = medians.windows(2).all(|pair| pair[1] >= pair[0] * 0.98);
    let falls = medians.windows(2).all(|pair| pair[1] <= pair[0] * 1.02);
    let (from, to) = (*medians.first()?, *medians.last()?);
    let drift = Drift { name: name.to_owned(), from, to };
    ((rises || falls) && strength(&drift) >= 1.5).then_some(drift)
}

/// Returns how many times larger one end of a drift is than the other.
pub fn strength(drift: &Drift) -> f64 {
    let (low, high) = (drift.from.min(drift.to), drift.from.max(drift.to));
    (high / low.max(0.001)).min(1e6)
}

fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted[sorted.len() / 2]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn log(parts: &[(usize, &str)]) -> String {
        parts.iter().flat_map(|(count, line)| std::iter::repeat_n(format!("{line}\n"), *count)).collect()
    }

    #[test]
    fn the_line_from_which_on_it_is_bad_is_found() {
        let text = log(&[(300, "INFO served"), (1, "INFO configuration reloaded"), (200, "WARN cache miss")]);
        let trend = turn(&text).expect("a turn");
        assert_eq!((trend.begin, trend.lasts), (302, true));
    }

    #[test]
    fn a_window_is_found() {
        let text = log(&[(300, "INFO served"), (60, "ERROR upstream timed out"), (300, "INFO served")]);
        let trend = turn(&text).expect("a window");
        assert_eq!((trend.begin, trend.lasts), (301, false));
    }

    #[test]
    fn what_was_always_bad_or_never_is_no_trend() {
        assert_eq!(turn(&log(&[(400, "INFO served")])), None);
        assert_eq!(turn(&log(&[(400, "WARN deprecated")])), None);
        assert_eq!(turn(&log(&[(5, "INFO start"), (400, "WARN deprecated")])), None);
        assert_eq!(turn(&log(&[(90, "INFO served"), (20, "ERROR failed")])), None);
    }

    #[test]
    fn numbers_that_grow_are_named() {
        let text: String =
            (0..400).map(|at| format!("INFO request done latency_ms={} request_id={at}\n", 10 + at)).collect();
        let drifts = drifts(&text);
        assert_eq!(drifts.len(), 1);
        assert_eq!(drifts[0].phrase(), "latency_ms rose from 50 to 370");
    }
}
