//! One answer for incidents of one kind: the words for the first, with the names of the other, are checked like any.
#![warn(clippy::disallowed_methods, clippy::disallowed_types)]

use super::Facts;
use super::grounding::Claim;
use crate::model::{Finding, Incident};

/// Returns whether two incidents differ in names and numbers only.
pub fn are_siblings(one: &Incident, other: &Incident) -> bool {
    shape(one) == shape(other)
}

fn shape(incident: &Incident) -> (Vec<(&'static str, usize)>, usize) {
    let findings = findings(incident).map(|finding| (finding.rule.id, finding.evidence.len()));
    (findings.collect(), incident.cause.recommendations.len())
}

fn findings(incident: &Incident) -> impl Iterator<Item = &Finding> {
    std::iter::once(&incident.cause).chain(&incident.effects)
}

/// Rewords what was said about one for its sibling.
pub fn reword(claims: &[Claim], from: &Facts<'_>, to: &Facts<'_>) -> Vec<Claim> {
    let mut renamed: Vec<(String, String)> = names(from).into_iter().zip(names(to)).collect();
    renamed.retain(|(old, new)| old != new);
    // A long name may hold a short one.
    renamed.sort_by_key(|(old, _)| std::cmp::Reverse(old.len()));
    renamed.dedup_by(|a, b| a.0 == b.0);
    let id = |old: &String| {
        let at = from.evidence.iter().position(|(id, _)| id == old);
        at.and_then(|at| to.evidence.get(at)).map_or_else(|| old.clone(), |(id, _)| id.clone())
    };
    let reword = |claim: &Claim| Claim {
        text: rename(&claim.text, &renamed),
        evidence: claim.evidence.iter().map(id).collect(),
    };
    claims.iter().map(reword).collect()
}

/// Replaces names from left to right, so that what was put in is not replaced again.
fn rename(text: &str, renamed: &[(String, String)]) -> String {
    let mut done = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(next) = rest.chars().next() {
        let within = done.ends_with(|c: char| c.is_ascii_alphanumeric() || c == '-');
        let found = renamed.iter().find(|(old, _)| !within && rest.starts_with(old.as_str()));
        if let Some((old, new)) = found {
            done.push_str(new);
            rest = &rest[old.len()..];
        } else {
            done.push(next);
            rest = &rest[next.len_utf8()..];
        }
    }
    done
}

/// The names in an incident, in an order that siblings share.
fn names(facts: &Facts<'_>) -> Vec<String> {
    let subjects = findings(facts.incident).flat_map(|finding| {
        let subject = &finding.subject;
        [subject.object.name.clone(), subject.container.clone().unwrap_or_default()]
    });
    let witnesses =
        facts.evidence.iter().flat_map(|(_, evidence)| [evidence.object.name.clone(), evidence.value.clone()]);
    let names: Vec<String> = subjects.chain(witnesses).collect();
    names.into_iter().map(|name| if name.len() < 2 { "\u{0}".to_owned() } else { name }).collect()
}
