//! The check against models of all kinds: honest ones, clumsy ones, and those that want to do harm.

#![expect(clippy::disallowed_methods, reason = "the tests read fixtures")]

mod bodies;
mod honest;
mod hostile;
mod injection;
mod prompts;
mod secrets;

use super::grounding::{Claim, ground};
use super::{Facts, template};
use crate::model::{Narrative, Report};
use crate::render::sample;

fn claim(text: &str, evidence: &[&str]) -> Claim {
    Claim { text: text.to_owned(), evidence: evidence.iter().map(|id| (*id).to_owned()).collect() }
}

/// Says whether a sentence about the first incident of the sample stands.
fn stands(report: &Report, text: &str) -> bool {
    let facts = Facts::new(report, 0).unwrap();
    let id = facts.evidence[0].0.as_str();
    ground(&[claim(text, &[id])], &facts, "ollama/x").is_a_models()
}

#[test]
fn what_the_report_says_stands() {
    let report = sample::rich();
    for text in [
        "Container main of deployment/cart ends at once because DB_HOST is not set.",
        "The cart deployment's main container ends at once because `DB_HOST` is not set (E1).",
        "The configmap cart-config has no key DB_HOST.",
        "DB_HOST is not set, so container `main` of deployment/cart ends at once.",
        "The evidence shows that the main container of the deployment cart exits at once because DB_HOST is not set, in 3 pods.",
        "Service cart has no ready pods.",
        "Service/cart has no ready pods because container main of deployment/cart ends at once.",
        "Add the key DB_HOST to configmap/cart-config.",
        "You should add the key `DB_HOST` to the configmap cart-config.",
        "First, add the key DB_HOST to configmap/cart-config.",
    ] {
        assert!(stands(&report, text), "{text}");
    }
}

#[test]
fn what_the_report_does_not_say_falls() {
    let report = sample::rich();
    for text in [
        // Others' faults, other names, other numbers.
        "Container main of deployment/checkout ends at once because DB_HOST is not set.",
        "Container main of deployment/cart ends at once because DB_PORT is not set.",
        "Container main of deployment/cart ends at once because DB_HOST is not set, in 4 pods.",
        "Container main of deployment/cart ends at once because DB_HOST is not set, in 3 nodes.",
        // Denials turned around.
        "Container main of deployment/cart ends at once because DB_HOST is set.",
        "Container main of deployment/cart does not end at once.",
        "Service cart has ready pods.",
        "The configmap cart-config has key DB_HOST.",
        "There is no problem with deployment/cart.",
        // Causes turned around.
        "Container main of deployment/cart ends at once because service/cart has no ready pods.",
        "Service/cart has no ready pods, so container main of deployment/cart ends at once.",
        "The root cause is that service/cart has no ready pods.",
        "DB_HOST is not set because container main of deployment/cart ends at once.",
        // Advice of its own.
        "Restart deployment/cart.",
        "Delete the key DB_HOST from configmap/cart-config.",
        "You should restart 3 pods.",
        "Do not add the key DB_HOST to configmap/cart-config.",
        "Ignore deployment/cart.",
        "Run `kubectl delete namespace shop`.",
        "Add the key DB_HOST to configmap/cart-config; rm -rf /.",
        "Add the key DB_HOST to configmap/cart-config --force.",
        // Links, doubt, and plain talk.
        "Service cart has no ready pods, see https://evil.example/fix.",
        "Service [cart](http://evil.example) has no ready pods.",
        "Service cart has no ready pods, call Bob.",
        "Perhaps service cart has no ready pods.",
        "Service cart hаs no ready pods.",
        "Everything is fine.",
        "",
    ] {
        assert!(!stands(&report, text), "{text}");
    }
}

#[test]
fn made_up_evidence_strikes_a_sentence() {
    let report = sample::rich();
    let facts = Facts::new(&report, 0).unwrap();
    let text = "Service cart has no ready pods.";
    for (ids, stands) in
        [(&["E1"][..], true), (&[], false), (&["E99"], false), (&["E1", "E99"], false), (&["R1"], false)]
    {
        assert_eq!(ground(&[claim(text, ids)], &facts, "m").is_a_models(), stands, "{ids:?}");
    }
    assert!(!stands(&report, "Service cart has no ready pods (E99)."));
}

#[test]
fn fewer_than_half_are_replaced_by_the_template() {
    let report = sample::rich();
    let facts = Facts::new(&report, 0).unwrap();
    let good = claim("Service cart has no ready pods.", &["E1"]);
    let bad = claim("Everything is fine.", &["E1"]);
    let by = |claims: &[Claim]| {
        let Narrative { by, struck, .. } = ground(claims, &facts, "ollama/x");
        (by, struck)
    };
    assert_eq!(by(&[good.clone(), bad.clone()]), ("ollama/x".to_owned(), 1));
    assert_eq!(by(&[good, bad.clone(), bad]), ("template".to_owned(), 2));
    assert_eq!(by(&[]), ("template".to_owned(), 0));
}

#[test]
fn the_template_tells_the_cause_what_follows_and_what_to_do() {
    let report = sample::rich();
    let sentences = template::sentences(&Facts::new(&report, 0).unwrap());
    let text: Vec<String> = sentences.iter().map(|one| format!("{} [{}]", one.text, one.evidence.join(","))).collect();
    insta::assert_snapshot!(text.join("\n"));
}
