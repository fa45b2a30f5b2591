//! Holds each sentence of a model against the incident, and strikes what the engine did not say.
//!
//! A sentence stays if it cites evidence that exists, and is a shorter form of one statement of the engine, or of a cause
//! and an effect that the engine joined. So names, numbers and denials are the engine's, and there is no place for a
//! command, a link, or advice that nobody gave. Words of logs, events and annotations are no statements.
#![warn(clippy::disallowed_methods, clippy::disallowed_types)]

use super::Facts;
use super::facts::Source;
use super::language::{Mark, is_advising, is_frame, is_imperative};
use super::template;
use super::token::{Author, Token, read};
use crate::model::{Narrative, Sentence};

/// Longer is no sentence for a tired person.
const LONGEST: usize = 400;
/// More sentences are not read.
const MOST: usize = 8;
/// Of a long answer the rest is not even looked at.
const MOST_CLAIMED: usize = 40;

/// A sentence as a model gave it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    pub text: String,
    /// Ids of evidence, perhaps made up.
    pub evidence: Vec<String>,
}

/// Keeps what stands the check; where that is less than half, the template speaks instead.
pub fn ground(claims: &[Claim], facts: &Facts<'_>, by: &str) -> Narrative {
    let claims: Vec<Claim> = claims.iter().flat_map(split).take(MOST_CLAIMED).collect();
    let mut kept: Vec<Sentence> = Vec::new();
    for claim in &claims {
        if let Some(sentence) = check(claim, facts)
            && kept.len() < MOST
            && kept.iter().all(|other| other.text != sentence.text)
        {
            kept.push(sentence);
        }
    }
    let struck = claims.len() - kept.len();
    if kept.is_empty() || kept.len() < struck {
        return Narrative { by: Narrative::TEMPLATE.to_owned(), sentences: template::sentences(facts), struck };
    }
    Narrative { by: by.to_owned(), sentences: kept, struck }
}

/// Models put several sentences into one.
fn split(claim: &Claim) -> Vec<Claim> {
    let mut parts = Vec::new();
    let mut start = 0;
    for (at, _) in claim.text.match_indices(". ") {
        if claim.text[at + 2..].trim_start().starts_with(|c: char| c.is_uppercase()) {
            parts.push(&claim.text[start..=at]);
            start = at + 2;
        }
    }
    parts.push(&claim.text[start..]);
    let parts = parts.into_iter().map(str::trim).filter(|part| !part.is_empty());
    parts.map(|text| Claim { text: text.to_owned(), evidence: claim.evidence.clone() }).collect()
}

/// Returns the sentence as it may be shown, if it may.
fn check(claim: &Claim, facts: &Facts<'_>) -> Option<Sentence> {
    let text = without_citations(&claim.text, facts)?;
    let mut evidence = claim.evidence.clone();
    evidence.sort_by_key(|id| (id.len(), id.clone()));
    evidence.dedup();
    let cites = !evidence.is_empty() && evidence.iter().all(|id| facts.knows(id));
    let fits = text.len() <= LONGEST && text.chars().all(is_prose);
    if !cites || !fits || !is_grounded(&text, facts) {
        return None;
    }
    Some(Sentence { text, evidence })
}

/// Drops `(E1, E2)`; ids that do not exist are a reason to doubt all of it.
fn without_citations(text: &str, facts: &Facts<'_>) -> Option<String> {
    let mut kept = String::with_capacity(text.len());
    let mut rest = text.trim();
    while let Some(start) = rest.find(['(', '[']) {
        let Some(length) = rest[start..].find([')', ']']) else { break };
        let inner = &rest[start + 1..start + length];
        let mut ids = inner.split([',', ' ']).filter(|id| !id.is_empty()).peekable();
        let is_id =
            |id: &str| id.strip_prefix('E').is_some_and(|n| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit()));
        if ids.peek().is_some() && ids.clone().all(is_id) {
            if !ids.all(|id| facts.knows(id)) {
                return None;
            }
            kept.push_str(rest[..start].trim_end());
        } else {
            kept.push_str(&rest[..=start + length]);
        }
        rest = &rest[start + length + 1..];
    }
    kept.push_str(rest);
    Some(kept)
}

/// Returns whether a character has a place in a sentence: letters beyond ASCII may look like others.
fn is_prose(c: char) -> bool {
    matches!(c, ' '..='~' | '’' | '‘' | '“' | '”' | '–' | '—' | '·')
}

fn is_grounded(text: &str, facts: &Facts<'_>) -> bool {
    let Some(tokens) = read(text, &facts.names, Author::Model) else { return false };
    let advises = tokens.iter().any(|token| matches!(token, Token::Word(word) if is_advising(word)))
        || matches!(tokens.iter().find(|token| **token != Token::Break), Some(Token::Word(word)) if is_imperative(word));
    if advises {
        let keep = |token: &Token| !matches!(token, Token::Word(word) if is_advising(word) || is_frame(word));
        let plain: Vec<Token> = tokens.iter().filter(|token| keep(token)).cloned().collect();
        let is_called_so = plain.len() < tokens.len();
        return [&tokens, &plain].iter().any(|tokens| facts.advise(tokens, is_called_so));
    }
    if facts.advise(&tokens, false) {
        return true;
    }
    let (tokens, only_cause) = without_frame(tokens);
    // A name alone is no cause: `the root cause is role/watcher`.
    if only_cause && !tokens.iter().any(|token| matches!(token, Token::Word(_))) {
        return false;
    }
    if facts.say(&tokens, Source::Cause) || (!only_cause && facts.say(&tokens, Source::Effect)) {
        return true;
    }
    !only_cause && is_joined(&tokens, facts)
}

/// Drops what claims nothing: `the evidence shows that`. `The root cause is that ...` may say the cause only.
fn without_frame(tokens: Vec<Token>) -> (Vec<Token>, bool) {
    let names_cause = |token: &Token| match token {
        Token::Mark(Mark::Therefore) => true,
        Token::Word(word) => ["root", "main", "reason", "underly", "culprit"].contains(&word.as_str()),
        _ => false,
    };
    let lead = tokens.iter().take_while(|token| names_cause(token)).count();
    let is_cause = tokens[..lead].iter().any(|token| !matches!(token, Token::Word(word) if word == "main"));
    let kept = tokens.into_iter().skip(if is_cause { lead } else { 0 });
    let kept = kept.filter(|token| !matches!(token, Token::Word(word) if is_frame(word)));
    (kept.collect(), is_cause)
}

/// `X because Y`, `Y, so X`, `X. As a result, Y`: with exactly one joint.
fn is_joined(tokens: &[Token], facts: &Facts<'_>) -> bool {
    let joint = |token: &Token| matches!(token, Token::Mark(Mark::Because | Mark::Therefore));
    let Some(at) = tokens.iter().position(joint) else { return false };
    let length = tokens[at..].iter().take_while(|token| joint(token)).count();
    let (before, after) = (&tokens[..at], &tokens[at + length..]);
    if after.iter().any(joint) {
        return false;
    }
    // `caused by` and `as a result of` turn the joint around.
    let is_because = tokens[at..at + length].contains(&Token::Mark(Mark::Because));
    if is_because { facts.join(after, before) } else { facts.join(before, after) }
}
