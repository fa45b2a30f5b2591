//! The gates that every answer has to pass, and the figures: see docs/accuracy.md.
//!
//! The rules' own fixtures are always judged. The recorded bodies are judged where their folder is there, and as that takes
//! minutes only when they are asked for: `tests/accuracy/run`.

mod body;
mod cure;
mod document;
mod gap;
mod noise;
mod order;
mod parallel;
mod verdict;

use std::sync::OnceLock;

use body::Case;
use parallel::map;

/// What one gate says of one case.
#[derive(Clone, Debug, Default)]
struct Tally {
    /// How many changed states were judged.
    tried: usize,
    /// What went wrong in which.
    misses: Vec<String>,
}

impl Tally {
    fn check(&mut self, miss: Option<String>) {
        self.tried += 1;
        self.misses.extend(miss);
    }
}

/// What the gates say of one case.
#[derive(Clone, Debug)]
struct Outcome {
    case: String,
    order: Tally,
    noise: Tally,
    gap: Tally,
    cure: Tally,
}

fn judge(case: &Case) -> Outcome {
    let document = case.load();
    let report = document.report();
    Outcome {
        case: case.name.clone(),
        order: order::try_all(&document, &report),
        noise: noise::try_all(&document, &report),
        gap: gap::try_all(&document, &report),
        cure: cure::try_all(&document, &report),
    }
}

fn fixtures() -> &'static [Outcome] {
    static OUTCOMES: OnceLock<Vec<Outcome>> = OnceLock::new();
    OUTCOMES.get_or_init(|| map(&body::fixtures(), judge))
}

#[track_caller]
fn holds(outcomes: &[Outcome], gate: impl Fn(&Outcome) -> &Tally) {
    let misses: Vec<String> = outcomes
        .iter()
        .flat_map(|outcome| gate(outcome).misses.iter().map(|miss| format!("{}: {miss}", outcome.case)))
        .collect();
    let tried: usize = outcomes.iter().map(|outcome| gate(outcome).tried).sum();
    println!("{} of {tried} changed states are told as they should", tried - misses.len());
    assert!(misses.is_empty(), "{} of {tried} fail:\n{}", misses.len(), misses.join("\n"));
}

#[test]
fn order_changes_nothing() {
    holds(fixtures(), |outcome| &outcome.order);
}

#[test]
fn noise_changes_nothing() {
    holds(fixtures(), |outcome| &outcome.noise);
}

#[test]
fn a_gap_makes_no_other_verdict() {
    holds(fixtures(), |outcome| &outcome.gap);
}

#[test]
fn a_cured_state_is_quiet() {
    holds(fixtures(), |outcome| &outcome.cure);
}
