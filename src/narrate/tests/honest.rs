//! A model that means well and says the report in its own words keeps most of them: else the check would be vacuous.

use super::bodies;
use crate::model::{Finding, State};
use crate::narrate::Facts;
use crate::narrate::grounding::{Claim, ground};

/// Ways to say a message of the engine differently.
type Style = (&'static str, fn(&str) -> String);

const STYLES: &[Style] = &[
    ("as it is", |message| sentence(message)),
    ("without signs", |message| {
        sentence(&message.replace('`', "").replace("pod/", "pod ").replace("deployment/", "deployment "))
    }),
    ("first clause", |message| sentence(clause(message))),
    ("framed", |message| format!("The evidence shows that {}.", clause(message))),
    ("synonyms", |message| {
        let words = [
            ("ran out of memory", "was OOMKilled"),
            ("cannot", "is unable to"),
            ("exits", "terminates"),
            ("needs", "requires"),
            ("raise", "increase"),
            ("crashes", "is crashing"),
        ];
        sentence(&words.iter().fold(message.to_owned(), |text, (word, other)| text.replace(word, other)))
    }),
    ("units", |message| sentence(&message.replace("Mi ", " MiB ").replace("Gi ", " GiB ").replace("5m", "5 minutes"))),
    ("tense", |message| {
        sentence(
            &message
                .replace(" has ", " had ")
                .replace(" ends ", " ended ")
                .replace(" fails ", " failed ")
                .replace(" selects ", " is selecting "),
        )
    }),
];

fn sentence(text: &str) -> String {
    let mut chars = text.chars();
    let first: String = chars.next().into_iter().flat_map(char::to_uppercase).collect();
    format!("{first}{}.", chars.as_str())
}

/// What stands before the first comma, colon or bracket outside of quotes.
fn clause(message: &str) -> &str {
    let mut quoted = false;
    let end = message.char_indices().find(|(at, c)| {
        quoted ^= *c == '`';
        !quoted
            && (message[*at..].starts_with(": ")
                || message[*at..].starts_with(", ")
                || message[*at..].starts_with(" ("))
    });
    end.map_or(message, |(at, _)| &message[..at])
}

/// Returns what the engine says in an incident, with the ids of its evidence.
fn told<'a>(facts: &Facts<'a>) -> Vec<(&'a Finding, Vec<String>)> {
    let mut ids = facts.evidence.iter().map(|(id, _)| id.clone());
    let findings = std::iter::once(&facts.incident.cause).chain(&facts.incident.effects);
    let all = findings.map(|finding| (finding, ids.by_ref().take(finding.evidence.len()).collect::<Vec<_>>()));
    all.filter(|(finding, ids)| !ids.is_empty() && finding.state == State::Present).take(4).collect()
}

pub(super) fn paraphrases(facts: &Facts<'_>, style: fn(&str) -> String) -> Vec<Claim> {
    let told = told(facts);
    let mut claims: Vec<Claim> =
        told.iter().map(|(finding, ids)| Claim { text: style(&finding.message), evidence: ids.clone() }).collect();
    let (cause, ids) = &told[0];
    for (effect, effect_ids) in &told[1..] {
        let text = sentence(&format!("{} because {}", clause(&effect.message), clause(&cause.message)));
        claims.push(Claim { text, evidence: [ids.clone(), effect_ids.clone()].concat() });
    }
    for recommendation in cause.recommendations.iter().take(2) {
        claims.push(Claim { text: style(&recommendation.summary), evidence: ids.clone() });
        claims.push(Claim { text: format!("You should {}.", recommendation.summary), evidence: ids.clone() });
    }
    claims
}

#[test]
fn an_honest_model_keeps_more_than_half_of_its_sentences_in_every_style() {
    let mut lost: Vec<String> = Vec::new();
    for (name, style) in STYLES {
        let (mut all, mut kept, mut incidents, mut by_model) = (0, 0, 0, 0);
        for (report, index) in bodies::incidents() {
            let facts = Facts::new(report, index).unwrap();
            let claims = paraphrases(&facts, *style);
            for claim in &claims {
                let stands = ground(std::slice::from_ref(claim), &facts, "honest").is_a_models();
                all += 1;
                kept += usize::from(stands);
                if !stands {
                    lost.push(format!("{name}: {}", claim.text));
                }
            }
            incidents += 1;
            by_model += usize::from(ground(&claims, &facts, "honest").is_a_models());
        }
        println!("{name}: {kept} of {all} sentences stand, {by_model} of {incidents} incidents are the model's");
        assert!(kept * 10 >= all * 6, "{name}: {kept} of {all}\n{}", lost.join("\n"));
        assert!(by_model * 10 >= incidents * 7, "{name}: {by_model} of {incidents}");
    }
    if let Ok(path) = std::env::var("RCA_LOST_SENTENCES") {
        std::fs::write(path, lost.join("\n")).unwrap();
    }
}
