//! Confidences that keep their word: of the causes said with 0.9, nine in ten are right.
//!
//! A rule's own confidence is a judgement. How often causes that were said with such a confidence were right has been
//! counted on recorded states; the counts are data, and `tests/accuracy/run` makes them. A logistic curve through the
//! counts leads from the one to the other (Platt, "Probabilistic outputs for support vector machines", 1999): it has two
//! numbers only, so that what few answers happened to show does not bend it.

use std::collections::BTreeMap;

use crate::model::Incident;

const SHIPPED: &str = include_str!("calibration.tsv");

/// Answers are counted by the rule's own confidence in steps of this.
const STEP: f64 = 0.05;

/// How many answers the judgement is worth that the rules' own odds are in the right proportion to each other.
const PRIOR: f64 = 1.0;

/// How many causes were said, and how many of them were right, by the rule's own confidence in steps.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Calibration {
    counts: BTreeMap<u32, Count>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Count {
    said: u32,
    right: u32,
}

/// Leads from a rule's own confidence to the share of such causes that are right.
#[derive(Clone, Copy, Debug)]
pub struct Curve {
    offset: f64,
    slope: f64,
}

/// Puts what experience says in the place of the rule's own confidence.
pub(super) fn calibrate(incidents: &mut [Incident]) {
    let curve = Calibration::shipped().curve();
    for incident in incidents {
        incident.cause.confidence = curve.of(incident.cause.confidence);
    }
}

impl Calibration {
    /// Returns what was counted on the recorded states.
    pub fn shipped() -> Self {
        let rows = SHIPPED.lines().filter(|line| !line.starts_with('#'));
        Self { counts: rows.filter_map(row).collect() }
    }

    /// Counts one answer.
    pub fn count(&mut self, own: f64, right: bool) {
        let count = self.counts.entry(step(own)).or_default();
        count.said += 1;
        count.right += u32::from(right);
    }

    /// Writes the counts as the data file holds them.
    pub fn table(&self) -> String {
        let rows = self.counts.iter();
        let rows = rows.map(|(step, count)| format!("{:.2}\t{}\t{}\n", confidence(*step), count.said, count.right));
        format!("# confidence\tsaid\tright; made by tests/accuracy/run\n{}", rows.collect::<String>())
    }

    /// Fits the curve to the counts by Newton's method; without counts it changes nothing.
    pub fn curve(&self) -> Curve {
        let mut curve = Curve { offset: 0.0, slope: 1.0 };
        if self.counts.is_empty() {
            return curve;
        }
        for _ in 0..100 {
            let step = self.newton(curve);
            curve.offset -= step.offset;
            curve.slope -= step.slope;
            if step.offset.abs() + step.slope.abs() < 1e-9 {
                break;
            }
        }
        // The surer of two causes stays the surer, whatever a few answers say.
        curve.slope = curve.slope.max(0.1);
        curve
    }

    /// Returns the step that is to be taken back: the gradient of the loss, scaled by its second derivatives, and short
    /// enough not to leave the region where these mean something.
    fn newton(&self, curve: Curve) -> Curve {
        let (mut gradient, mut bend) = ((0.0, PRIOR * (curve.slope - 1.0)), (1e-9, 0.0, PRIOR));
        let (hit, miss) = self.targets();
        for (step, count) in &self.counts {
            let (x, said, right) = (odds(confidence(*step)), f64::from(count.said), f64::from(count.right));
            let share = curve.of(confidence(*step));
            let off = said * share - right * hit - (said - right) * miss;
            let weight = said * share * (1.0 - share);
            gradient = (gradient.0 + off, gradient.1 + off * x);
            bend = (bend.0 + weight, bend.1 + weight * x, bend.2 + weight * x * x);
        }
        let scale = bend.0 * bend.2 - bend.1 * bend.1;
        Curve {
            offset: ((bend.2 * gradient.0 - bend.1 * gradient.1) / scale).clamp(-1.0, 1.0),
            slope: ((bend.0 * gradient.1 - bend.1 * gradient.0) / scale).clamp(-1.0, 1.0),
        }
    }

    /// Returns what a right and a wrong answer stand for: not 1 and 0, as a next one may be wrong or right too (Platt's).
    fn targets(&self) -> (f64, f64) {
        let said: u32 = self.counts.values().map(|count| count.said).sum();
        let right: u32 = self.counts.values().map(|count| count.right).sum();
        (f64::from(right + 1) / f64::from(right + 2), 1.0 / f64::from(said - right + 2))
    }
}

impl Curve {
    /// Returns the calibrated confidence; it grows with the rule's own.
    pub fn of(&self, own: f64) -> f64 {
        1.0 / (1.0 + (-self.offset - self.slope * odds(own)).exp())
    }
}

fn row(row: &str) -> Option<(u32, Count)> {
    let mut cells = row.split('\t');
    let own: f64 = cells.next()?.parse().ok()?;
    Some((step(own), Count { said: cells.next()?.parse().ok()?, right: cells.next()?.parse().ok()? }))
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a confidence lies between 0 and 1")]
fn step(own: f64) -> u32 {
    (own.clamp(0.0, 1.0) / STEP).round() as u32
}

fn confidence(step: u32) -> f64 {
    f64::from(step) * STEP
}

/// Returns the logarithm of the odds; nothing is certain.
fn odds(confidence: f64) -> f64 {
    let share = confidence.clamp(0.001, 0.999);
    (share / (1.0 - share)).ln()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_never_counted_stays_as_it_was_judged() {
        for own in [0.3, 0.55, 0.8, 0.93, 0.97] {
            assert!((Calibration::default().curve().of(own) - own).abs() < 1e-9, "{own}");
        }
    }

    #[test]
    fn the_surer_of_two_stays_the_surer() {
        let curve = Calibration::shipped().curve();
        let steps = (1..99).map(|step| f64::from(step) / 100.0);
        for own in steps {
            assert!(curve.of(own) < curve.of(own + 0.01), "{own}");
        }
        assert!(curve.of(1.0) <= 1.0);
    }

    #[test]
    fn experience_wins_over_judgement() {
        let mut calibration = Calibration::default();
        (0..100).for_each(|answer| calibration.count(0.96, answer % 2 == 0));
        let said = calibration.curve().of(0.96);
        assert!((0.45..0.6).contains(&said), "{said}");
    }

    #[test]
    fn the_table_is_read_as_it_was_written() {
        assert_eq!(Calibration::shipped().table(), SHIPPED);
    }
}
