//! Calibration: do confidences keep their word on a body that their counts did not come from?

use kubectl_rca::diagnose::calibration::Calibration;

use super::score::Answer;

/// How well confidences did on one body.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Mark {
    /// The expected calibration error, in ten bins.
    pub(super) ece: f64,
    /// The mean squared error.
    pub(super) brier: f64,
}

/// Counts from one body, judged on another.
#[derive(Clone, Debug)]
pub(super) struct Trial {
    pub(super) counted: String,
    pub(super) judged: String,
    pub(super) answers: usize,
    pub(super) ours: Mark,
    /// Of the share that was right in the counted body, said each time.
    pub(super) constant: Mark,
}

/// The rule's own confidence in each answer, and whether it was right.
type Said = Vec<(f64, bool)>;

pub(super) fn trials(answers: &[Answer]) -> Vec<Trial> {
    let bench = |answer: &Answer| answer.body.starts_with("cloudopsbench");
    let systems: Vec<&str> = {
        let mut names: Vec<&str> =
            answers.iter().filter(|answer| bench(answer)).map(|answer| answer.body.as_str()).collect();
        names.sort_unstable();
        names.dedup();
        names
    };
    let mut pairs: Vec<(String, String)> = Vec::new();
    for one in &systems {
        pairs
            .extend(systems.iter().filter(|other| *other != one).map(|other| ((*one).to_owned(), (*other).to_owned())));
    }
    pairs.push(("cloudopsbench".to_owned(), "scenarios".to_owned()));
    pairs.push(("scenarios".to_owned(), "cloudopsbench".to_owned()));
    pairs.into_iter().filter_map(|(counted, judged)| trial(answers, &counted, &judged)).collect()
}

fn trial(answers: &[Answer], counted: &str, judged: &str) -> Option<Trial> {
    let (from, on) = (said(answers, counted), said(answers, judged));
    if from.is_empty() || on.is_empty() {
        return None;
    }
    let curve = counts(&from).curve();
    let share = mean(&from, |(_, right)| truth(*right));
    let ours: Said = on.iter().map(|(own, right)| (curve.of(*own), *right)).collect();
    let constant: Said = on.iter().map(|(_, right)| (share, *right)).collect();
    let (counted, judged) = (counted.to_owned(), judged.to_owned());
    Some(Trial { counted, judged, answers: on.len(), ours: mark(&ours), constant: mark(&constant) })
}

/// Counts all answers, for the file that the engine reads.
pub(super) fn of_all(answers: &[Answer]) -> Calibration {
    counts(&said(answers, ""))
}

fn counts(said: &Said) -> Calibration {
    let mut calibration = Calibration::default();
    said.iter().for_each(|(own, right)| calibration.count(*own, *right));
    calibration
}

fn said(answers: &[Answer], body: &str) -> Said {
    let of_body = answers.iter().filter(|answer| answer.body.starts_with(body));
    of_body.filter_map(|answer| Some((own(answer.said.as_ref()?.1), answer.right))).collect()
}

/// Finds the rule's own confidence behind a calibrated one, which grows with it.
fn own(calibrated: f64) -> f64 {
    let shipped = Calibration::shipped().curve();
    let (mut low, mut high) = (0.0, 1.0);
    for _ in 0..40 {
        let middle = f64::midpoint(low, high);
        if shipped.of(middle) < calibrated { low = middle } else { high = middle }
    }
    low
}

fn mark(said: &Said) -> Mark {
    let off = |(confidence, right): &(f64, bool)| confidence - truth(*right);
    let in_bin = |bin: usize| move |answer: &(f64, bool)| if bin_of(answer.0) == bin { off(answer) } else { 0.0 };
    Mark {
        ece: (0..10).map(|bin| mean(said, in_bin(bin)).abs()).sum(),
        brier: mean(said, |answer| off(answer).powi(2)),
    }
}

fn truth(right: bool) -> f64 {
    f64::from(u8::from(right))
}

fn mean(said: &Said, value: impl Fn(&(f64, bool)) -> f64) -> f64 {
    let count: f64 = said.iter().map(|_| 1.0).sum();
    said.iter().map(value).sum::<f64>() / count
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a confidence lies between 0 and 1")]
fn bin_of(confidence: f64) -> usize {
    ((confidence * 10.0) as usize).min(9)
}
