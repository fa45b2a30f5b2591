//! Confidences that keep their word: of the causes said with 0.9, nine in ten are right.
//!
//! A rule's own confidence is a judgement. How often causes that were said with such a confidence were right has been
//! counted on recorded states; the counts are data, and `tests/accuracy/run` makes them.

use crate::model::Incident;

const SHIPPED: &str = include_str!("calibration.tsv");

/// The bands of the rules' own confidence: upper end and typical value.
const BANDS: [(f64, f64); 6] = [(0.6, 0.5), (0.75, 0.68), (0.84, 0.8), (0.9, 0.87), (0.945, 0.92), (1.0, 0.96)];

/// So many answers the rules' judgement is worth beside the counts.
const PRIOR: f64 = 4.0;

/// What of the rules' own confidence is left, so that the surer of two causes stays the surer.
const OWN: f64 = 0.05;

/// How many causes were said, and how many of them were right, by band of the rules' own confidence.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Calibration {
    counts: [Count; BANDS.len()],
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Count {
    said: u32,
    right: u32,
}

/// Puts what experience says in the place of the rule's own confidence.
pub(super) fn calibrate(incidents: &mut [Incident]) {
    let calibration = Calibration::shipped();
    for incident in incidents {
        incident.cause.confidence = calibration.of(incident.cause.confidence);
    }
}

impl Calibration {
    /// Returns what was counted on the recorded states.
    pub fn shipped() -> Self {
        let mut calibration = Self::default();
        let rows = SHIPPED.lines().filter(|line| !line.starts_with('#'));
        for (count, row) in calibration.counts.iter_mut().zip(rows) {
            let mut numbers = row.split('\t').skip(1).map(|cell| cell.parse().unwrap_or_default());
            *count = Count { said: numbers.next().unwrap_or_default(), right: numbers.next().unwrap_or_default() };
        }
        calibration
    }

    /// Counts one answer.
    pub fn count(&mut self, own: f64, right: bool) {
        let band = BANDS.iter().position(|(end, _)| own < *end).unwrap_or(BANDS.len() - 1);
        self.counts[band].said += 1;
        self.counts[band].right += u32::from(right);
    }

    /// Writes the counts as the data file holds them.
    pub fn table(&self) -> String {
        let rows = BANDS.iter().zip(&self.counts);
        let rows = rows.map(|((end, _), count)| format!("{end}\t{}\t{}\n", count.said, count.right));
        format!("# confidence below\tsaid\tright; made by tests/accuracy/run\n{}", rows.collect::<String>())
    }

    /// Returns the calibrated confidence; it grows with the rule's own.
    pub fn of(&self, own: f64) -> f64 {
        (1.0 - OWN) * self.curve(own) + OWN * own
    }

    /// Leads straight from band to band.
    fn curve(&self, own: f64) -> f64 {
        let values = self.values();
        let inner = BANDS.iter().zip(values).map(|((_, typical), value)| (*typical, value));
        let end = (1.0, f64::midpoint(values[BANDS.len() - 1], 1.0));
        let mut before = (0.0, 0.0);
        for next in inner.chain([end]) {
            if own <= next.0 {
                return before.1 + (next.1 - before.1) * (own - before.0) / (next.0 - before.0);
            }
            before = next;
        }
        before.1
    }

    /// Returns the share of right answers in each band; where a higher band fared worse, both get their common share.
    fn values(&self) -> [f64; BANDS.len()] {
        let mut blocks: Vec<(f64, f64, usize)> = Vec::new();
        for ((_, typical), count) in BANDS.iter().zip(&self.counts) {
            let mut block = (f64::from(count.right) + PRIOR * typical, f64::from(count.said) + PRIOR, 1);
            while let Some(last) = blocks.pop_if(|last| last.0 / last.1 >= block.0 / block.1) {
                block = (last.0 + block.0, last.1 + block.1, last.2 + block.2);
            }
            blocks.push(block);
        }
        let mut shares = blocks.iter().flat_map(|(right, said, bands)| std::iter::repeat_n(right / said, *bands));
        std::array::from_fn(|_| shares.next().unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_never_counted_stays_as_it_was_judged() {
        for own in [0.3, 0.55, 0.8, 0.93, 0.97] {
            assert!((Calibration::default().of(own) - own).abs() < 0.03, "{own}");
        }
    }

    #[test]
    fn the_surer_of_two_stays_the_surer() {
        let calibration = Calibration::shipped();
        let steps = (0..100).map(|step| f64::from(step) / 100.0);
        for own in steps {
            assert!(calibration.of(own) < calibration.of(own + 0.01), "{own}");
        }
        assert!(calibration.of(1.0) <= 1.0);
    }

    #[test]
    fn experience_wins_over_judgement() {
        let mut calibration = Calibration::default();
        (0..100).for_each(|answer| calibration.count(0.96, answer % 2 == 0));
        let said = calibration.of(0.96);
        assert!((0.45..0.6).contains(&said), "{said}");
    }

    #[test]
    fn the_table_is_read_as_it_was_written() {
        assert_eq!(Calibration::shipped().table(), SHIPPED);
    }
}
