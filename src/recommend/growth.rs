//! Whether a program grows for as long as it lives.

use jiff::SignedDuration;

use crate::quantity::Quantity;
use crate::recommend::facts::{Facts, Point};

/// What a straight line through all that was seen tells.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Growth {
    bytes_a_second: f64,
}

/// A line is no line with fewer points; where a life under another limit took its share of time, that is one that counts.
const POINTS: usize = 4;
const POINTS_OF_LIMITS: usize = 3;
/// Programs that live no longer than this are still starting.
const YOUNG: f64 = 60.0;
/// A sample from before this age may be one of the run before, as it is no better dated than samples are taken.
const UNSURE: f64 = 10.0;
/// How much of the variance the line must explain.
const STRAIGHT: f64 = 0.95;

impl Growth {
    /// Returns how much is gained in an hour.
    pub fn an_hour(self) -> Quantity {
        Quantity::from_bytes(whole(self.bytes_a_second * 3600.0))
    }

    /// Returns how long more memory lasts.
    pub fn lasts(self, more: Quantity) -> SignedDuration {
        #[expect(clippy::cast_precision_loss, reason = "an estimate of a time")]
        let bytes = more.value().max(0) as f64;
        SignedDuration::from_secs(whole(bytes / self.bytes_a_second))
    }
}

/// Writes how long more memory lasts with two units, as one would be a third off: `116s`, `7m 16s`, `6h 24m`, `3d 4h`.
pub fn lasting(duration: SignedDuration) -> String {
    let seconds = duration.as_secs().max(0);
    let (whole, unit, rest, part) = match seconds {
        ..120 => return format!("{seconds}s"),
        120..7200 => (seconds / 60, "m", seconds % 60, "s"),
        7200..172_800 => (seconds / 3600, "h", seconds % 3600 / 60, "m"),
        _ => (seconds / 86_400, "d", seconds % 86_400 / 3600, "h"),
    };
    if rest == 0 { format!("{whole}{unit}") } else { format!("{whole}{unit} {rest}{part}") }
}

/// Cuts a float to a whole number that is not negative; what is no number is nothing.
#[expect(clippy::cast_possible_truncation, reason = "the cast saturates, as it should")]
fn whole(number: f64) -> i64 {
    (number.round() as i64).max(0)
}

/// Finds a growth that is linear from a third of the longest life to its end, and leads to the limit.
pub fn of(facts: &Facts) -> Option<Growth> {
    let samples = facts.points.iter().copied().filter(|point| point.seconds >= UNSURE);
    let mut points: Vec<Point> = samples.chain(kills(facts)).chain(lives(facts)).collect();
    points.retain(|point| point.seconds.is_finite() && point.bytes.is_finite() && point.seconds >= 0.0);
    points.sort_by(|a, b| a.seconds.total_cmp(&b.seconds).then(a.bytes.total_cmp(&b.bytes)));
    let (first, last) = (points.first()?, points.last()?);
    let grew_into_limits = lives(facts).any(|life| life.seconds >= YOUNG && life.bytes < last.bytes);
    let (enough, longer) = if grew_into_limits { (POINTS_OF_LIMITS, 1.5) } else { (POINTS, 3.0) };
    if points.len() < enough || last.seconds < YOUNG || first.seconds * longer > last.seconds {
        return None;
    }
    let line = Line::through(&points)?;
    #[expect(clippy::cast_precision_loss, reason = "compared with a fit")]
    let limit = facts.limit.value() as f64;
    let gain = line.slope * (last.seconds - first.seconds);
    let halves = points.split_at(points.len() / 2);
    // A start-up that flattens is straight enough until it does.
    let steady = Line::through(halves.1).is_none_or(|late| late.slope >= 0.6 * line.slope);
    let reaches = kills(facts).next().is_none_or(|kill| (line.at(kill.seconds) - kill.bytes).abs() <= 0.2 * limit);
    // Who idles and then grows has a line that begins below nothing.
    let from_the_start = !grew_into_limits || line.start >= -0.1 * limit;
    let grows =
        line.slope > 0.0 && line.straightness >= STRAIGHT && gain >= 0.2 * limit && steady && reaches && from_the_start;
    grows.then_some(Growth { bytes_a_second: line.slope })
}

/// A kill tells how much was used at the end of a life: the limit.
fn kills(facts: &Facts) -> impl Iterator<Item = Point> {
    #[expect(clippy::cast_precision_loss, reason = "points of a fit")]
    let point = |limit: Quantity, seconds: i64| Point { seconds: seconds as f64, bytes: limit.value() as f64 };
    facts.kills.iter().filter_map(move |kill| Some(point(kill.limit, kill.lasted?.as_secs())))
}

/// What was used at the end of the lives under other limits.
fn lives(facts: &Facts) -> impl Iterator<Item = Point> {
    #[expect(clippy::cast_precision_loss, reason = "points of a fit")]
    facts.lives.iter().map(|life| Point { seconds: life.seconds, bytes: life.limit.value() as f64 })
}

/// A least-squares fit.
struct Line {
    slope: f64,
    start: f64,
    straightness: f64,
}

impl Line {
    fn through(points: &[Point]) -> Option<Self> {
        #[expect(clippy::cast_precision_loss, reason = "a count of samples")]
        let count = points.len() as f64;
        let (x, y) = points.iter().fold((0.0, 0.0), |(x, y), point| (x + point.seconds, y + point.bytes));
        let (x, y) = (x / count, y / count);
        let sum = |term: fn(f64, f64) -> f64| -> f64 {
            points.iter().map(|point| term(point.seconds - x, point.bytes - y)).sum()
        };
        let (xx, xy, yy) = (sum(|dx, _| dx * dx), sum(|dx, dy| dx * dy), sum(|_, dy| dy * dy));
        let slope = xy / xx;
        let line = Self { slope, start: y - slope * x, straightness: xy * xy / (xx * yy) };
        (slope.is_finite() && line.straightness.is_finite() && line.start.is_finite()).then_some(line)
    }

    fn at(&self, seconds: f64) -> f64 {
        self.start + self.slope * seconds
    }
}
