//! Whether words say no more than a statement of the engine: they must be a shorter form of it.
#![warn(clippy::disallowed_methods, clippy::disallowed_types)]

use super::language::{Mark, binds};
use super::token::Token;

/// Returns whether the words are the statement with parts left out, none of which turns it into another claim.
pub(super) fn is_excerpt(words: &[Token], statement: &[Token]) -> bool {
    if words.is_empty() {
        return false;
    }
    // For each place in the statement: how the words so far can end there.
    let mut ends: Vec<Option<End>> = (0..statement.len())
        .map(|at| {
            let free = at == 0 || !(is_binding(&statement[at - 1]) || is_denied(statement, at));
            (free && says(&words[0], &statement[at])).then(|| End { owes: matches!(words[0], Token::Number(_)) })
        })
        .collect();
    for pair in words.windows(2) {
        ends = (0..statement.len()).map(|at| step(&ends, pair, statement, at)).collect();
    }
    ends.iter().flatten().any(|end| !end.owes)
}

/// How a match ends.
#[derive(Clone, Copy)]
struct End {
    /// A number whose neighbour in front is another one: then the one behind must be the same.
    owes: bool,
}

fn step(ends: &[Option<End>], pair: &[Token], statement: &[Token], at: usize) -> Option<End> {
    if !says(&pair[1], &statement[at]) {
        return None;
    }
    let is_number = matches!(pair[1], Token::Number(_));
    let denied = is_denied(statement, at);
    let mut found: Option<End> = None;
    for (before, end) in ends[..at].iter().enumerate() {
        let Some(end) = end else { continue };
        let adjacent = before + 1 == at;
        let is_whole = || !denied && !is_cut_denial(statement, before) && may_skip(&statement[before + 1..at]);
        if adjacent || (!end.owes && is_whole()) {
            let owes = is_number && !adjacent;
            found = Some(End { owes: owes && found.is_none_or(|found| found.owes) });
        }
    }
    found
}

/// Returns whether leaving this out changes no claim: neither what is left of the clause before nor of the one behind.
fn may_skip(skipped: &[Token]) -> bool {
    let is_break = |token: &Token| *token == Token::Break;
    let head = skipped.iter().position(is_break).unwrap_or(skipped.len());
    let tail = skipped.iter().rposition(is_break).unwrap_or(0);
    !skipped[..head].iter().chain(&skipped[tail..]).any(is_binding)
}

/// Returns whether something in the same clause denies what stands here.
fn is_denied(statement: &[Token], at: usize) -> bool {
    let clause = statement[..at].iter().rev().take_while(|token| **token != Token::Break);
    clause.into_iter().any(|token| *token == Token::Mark(Mark::Not))
}

/// Returns whether leaving out what follows would cut a denial in two: `no pod` of `no pod carries it`.
fn is_cut_denial(statement: &[Token], last: usize) -> bool {
    let denies = statement[last] == Token::Mark(Mark::Not) || is_denied(statement, last);
    denies && statement.get(last + 1).is_some_and(|next| *next != Token::Break)
}

/// Returns whether a word of a model means what one of the engine means.
fn says(word: &Token, fact: &Token) -> bool {
    match (word, fact) {
        (Token::Number(one), Token::Number(other)) => one.agrees(other),
        (Token::Name { kind, name }, Token::Name { kind: known, name: other }) => {
            name == other && (kind.is_none() || kind == known)
        }
        (Token::Word(word), Token::Word(other)) => word == other || (word == "memory" && other == "oom"),
        // `the deployment` is the one that the statement names.
        (Token::Word(word), Token::Name { kind: Some(kind), .. }) => word == kind,
        (Token::Mark(one), Token::Mark(other)) => one == other,
        _ => false,
    }
}

fn is_binding(token: &Token) -> bool {
    match token {
        Token::Mark(mark) => *mark == Mark::Not,
        Token::Word(word) => binds(word),
        _ => false,
    }
}

/// Returns whether the words name no more than an observation, and all of its value.
pub(super) fn is_observation(words: &[Token], about: &[Token], value: &[Token]) -> bool {
    let known = |word: &Token| about.iter().chain(value).any(|fact| says(word, fact));
    let told = |fact: &Token| words.iter().any(|word| says(word, fact));
    let denies = words.contains(&Token::Mark(Mark::Not));
    let numbers = words.iter().filter(|word| matches!(word, Token::Number(_))).count();
    !value.is_empty() && !denies && numbers <= 1 && words.iter().all(known) && value.iter().all(told)
}
