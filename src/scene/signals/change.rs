//! By how much something changed: as an alert's text tells it, or as its series show it.

use crate::model::Series;
use crate::scene::pattern::{Match, Pattern};
use jiff::Timestamp;

/// A value before and after; of latencies in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Change {
    pub before: f64,
    pub after: f64,
    /// It is that of the median, and not of the slowest.
    pub median: bool,
    /// The values are a share in percent.
    pub percent: bool,
}

impl Change {
    /// Returns how many times more it is now; what was next to nothing counts as one unit.
    pub fn ratio(&self) -> f64 {
        self.after / self.before.max(if self.percent { 0.01 } else { 1e-3 })
    }

    /// Returns how much more it is now.
    pub fn increase(&self) -> f64 {
        self.after - self.before
    }
}

/// Matches `Normal=17.77ms -> Current=148.7ms`, `from 12 ms to 3.2s`, `0.2% → 14%`.
static PAIR: Pattern = Pattern::new(concat!(
    r"(\d+(?:\.\d+)?)\s?((?:[a-zA-Z%]|µ|μ)*)",
    r"[^0-9|;]{0,12}?(?:->|→|=>|\bto\b)[^0-9|;]{0,16}?",
    r"(\d+(?:\.\d+)?)\s?((?:[a-zA-Z%]|µ|μ)*)",
));

/// Finds all changes that a text tells.
pub fn told(text: &str) -> Vec<Change> {
    let mut changes = Vec::new();
    for pair in PAIR.captures_iter(text) {
        let part = |group: usize| pair.get(group).map_or("", |part| part.as_str());
        let (Ok(before), Ok(after)) = (part(1).parse::<f64>(), part(3).parse::<f64>()) else { continue };
        let unit = if part(2).is_empty() { part(4) } else { part(2) };
        let start = pair.get(0).map_or(0, Match::start);
        // What the pair is about stands before it.
        let lead: String = text[..start].chars().rev().take(40).collect::<Vec<_>>().into_iter().rev().collect();
        let lead = lead.rsplit(['|', ';']).next().unwrap_or_default().to_ascii_lowercase();
        let after_unit = if part(4).is_empty() { unit } else { part(4) };
        changes.push(Change {
            before: before * milliseconds(unit),
            after: after * milliseconds(after_unit),
            median: ["p50", "median", "average", "avg", "mean"].iter().any(|word| lead.contains(word)),
            percent: unit == "%",
        });
    }
    changes
}

fn milliseconds(unit: &str) -> f64 {
    match unit {
        "s" | "sec" | "seconds" => 1e3,
        "us" | "µs" | "μs" => 1e-3,
        "ns" => 1e-6,
        _ => 1.0,
    }
}

/// Computes the change of a series at a moment: the median before it, against the upper end of what came after.
pub fn measured(series: &Series, since: Timestamp) -> Option<Change> {
    /// Fewer samples on one side say nothing.
    const ENOUGH: usize = 3;
    #[expect(clippy::cast_precision_loss, reason = "seconds are far below 2^52")]
    let since = since.as_second() as f64;
    let sides = series.samples.iter().filter(|(_, value)| value.is_finite());
    let (before, after): (Vec<_>, Vec<_>) = sides.partition(|(time, _)| *time < since);
    if before.len() < ENOUGH || after.len() < ENOUGH {
        return None;
    }
    let name = series.name();
    let unit = if name.ends_with("seconds") || name.contains("_seconds_") { 1e3 } else { 1.0 };
    let at = |side: Vec<&(f64, f64)>, share: usize| {
        let mut values: Vec<f64> = side.into_iter().map(|(_, value)| value * unit).collect();
        values.sort_by(f64::total_cmp);
        values[(values.len() - 1) * share / 100]
    };
    let median = ["p50", "median", "avg"].iter().any(|word| name.contains(word));
    Some(Change { before: at(before, 50), after: at(after, 80), median, percent: false })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_are_read_with_their_units() {
        let read = |text| told(text).iter().map(|change| (change.before, change.after)).collect::<Vec<_>>();
        assert_eq!(read("p50latency: Normal=17.5ms -> Current=2.5s (+14185%)"), [(17.5, 2500.0)]);
        assert_eq!(read("latency rose from 10 ms to 90 ms"), [(10.0, 90.0)]);
        assert_eq!(read("p99 is 3.2s"), []);
        let changes = told("p50: Normal=1ms -> Current=2ms | p90: Normal=3ms -> Current=4ms");
        assert_eq!(changes.iter().map(|change| change.median).collect::<Vec<_>>(), [true, false]);
    }
}
