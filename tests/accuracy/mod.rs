//! The gates that every answer has to pass, and the figures: see docs/accuracy.md.
//!
//! The rules' own fixtures are always judged. The recorded bodies are judged where their folder is there, and as that takes
//! minutes only when they are asked for: `tests/accuracy/run`.

mod body;
mod calibration;
mod cure;
mod document;
mod gap;
mod noise;
mod order;
mod page;
mod parallel;
mod score;
mod verdict;

use std::collections::BTreeSet;
use std::sync::OnceLock;

use body::Case;
use parallel::map;
use score::Answer;

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

impl Outcome {
    /// Iterates over what went wrong: case, gate, and what.
    fn misses(&self) -> impl Iterator<Item = (&str, &'static str, &str)> {
        let gates = [("order", &self.order), ("noise", &self.noise), ("gap", &self.gap), ("cure", &self.cure)];
        gates.into_iter().flat_map(move |(name, tally)| {
            tally.misses.iter().map(move |miss| (self.case.as_str(), name, miss.as_str()))
        })
    }
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

/// What was said to all recorded states.
fn answers() -> &'static [Answer] {
    static ANSWERS: OnceLock<Vec<Answer>> = OnceLock::new();
    ANSWERS.get_or_init(score::answers)
}

/// So that a run takes minutes, the states of every third rule are judged, unless all are asked for.
const EVERY: usize = 3;

/// What the gates say of the recorded states that are told right: of one for each third rule, or of all.
fn recorded() -> &'static [Outcome] {
    static OUTCOMES: OnceLock<Vec<Outcome>> = OnceLock::new();
    OUTCOMES.get_or_init(|| {
        let all = std::env::var_os("RCA_GATES").is_some_and(|which| which == "all");
        let mut seen = BTreeSet::new();
        let right = answers().iter().filter(|answer| answer.right);
        let told = right.filter_map(|answer| Some((answer.said.as_ref()?.0.as_str(), &answer.case)));
        let chosen = told.filter(|(rule, _)| all || (seen.insert(*rule) && seen.len() % EVERY == 1));
        let cases: Vec<Case> = chosen.map(|(_, case)| case.clone()).collect();
        map(&cases, judge)
    })
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

#[test]
#[ignore = "takes minutes: see tests/accuracy/run"]
fn recorded_states_are_told_right() {
    let figures = page::Figures { answers: answers(), fixtures: fixtures(), recorded: recorded() };
    println!("{}", figures.page());
    figures.save();
    let misses: Vec<_> = recorded().iter().flat_map(Outcome::misses).collect();
    assert!(misses.is_empty(), "{misses:#?}");
}
