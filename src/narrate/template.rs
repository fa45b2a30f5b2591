//! Sentences made of the report without a model.
#![warn(clippy::disallowed_methods, clippy::disallowed_types)]

use super::Facts;
use crate::model::{Finding, Sentence, State};

/// How many effects are told.
const EFFECTS: usize = 2;

/// What happened, what follows from it, what to do first.
pub fn sentences(facts: &Facts<'_>) -> Vec<Sentence> {
    let incident = facts.incident;
    let mut ids = facts.evidence.iter().map(|(id, _)| id.clone());
    let mut take = |finding: &Finding| ids.by_ref().take(finding.evidence.len()).collect::<Vec<_>>();
    let of_cause = take(&incident.cause);
    let mut sentences =
        vec![Sentence { text: format!("{}.", capital(&plain(&incident.cause.message))), evidence: of_cause.clone() }];
    for (index, effect) in incident.effects.iter().enumerate() {
        let evidence = take(effect);
        if index < EFFECTS && effect.state == State::Present && !evidence.is_empty() {
            sentences.push(Sentence { text: format!("As a result, {}.", plain(&effect.message)), evidence });
        }
    }
    if let Some(first) = incident.cause.recommendations.first() {
        sentences.push(Sentence { text: format!("First, {}.", plain(&first.summary)), evidence: of_cause });
    }
    sentences
}

/// Leaves out lines that somebody else wrote: they are quoted in the report.
fn plain(text: &str) -> String {
    let parts = text.split('`').enumerate().map(|(index, part)| match index % 2 {
        0 => part.to_owned(),
        _ if part.contains(char::is_whitespace) => "…".to_owned(),
        _ => format!("`{part}`"),
    });
    parts.collect()
}

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map(|first| first.to_uppercase().chain(chars).collect()).unwrap_or_default()
}
