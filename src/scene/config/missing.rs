//! Findings about ConfigMaps, Secrets and keys that a pod needs and that are not there.

use std::collections::BTreeSet;

use crate::model::{Finding, Kind, ObjectRef, Recommendation};
use crate::render::quote;
use crate::rules::Rule;
use crate::scene::config::lack::{self, Lack, Likely, Names};
use crate::scene::{Scene, commands, near};

/// Finds the objects of a kind that pods refer to and that do not exist.
pub fn objects(scene: &Scene<'_>, rule: &'static Rule, kind: Kind) -> Vec<Finding> {
    let mut names = Names::default();
    lack::of_kind(scene, kind, false).iter().map(|lack| missing(rule, lack, &names.like(lack))).collect()
}

/// Finds the keys that pods refer to and that an object of a kind does not have.
pub fn entries(scene: &Scene<'_>, rule: &'static Rule, kind: Kind) -> Vec<Finding> {
    lack::of_kind(scene, kind, true).iter().map(|lack| missing_key(rule, lack)).collect()
}

/// Returns `configmap` or `secret`.
fn word(lack: &Lack<'_>) -> &'static str {
    if lack.object().is(Kind::Secret) { "secret" } else { "configmap" }
}

fn missing(rule: &'static Rule, lack: &Lack<'_>, likely: &Likely) -> Finding {
    let (name, namespace) = (lack.reference.name, lack.pod.namespace());
    let (kind, word) = (lack.reference.kind, word(lack));
    let hint = match (likely.near.first(), &likely.elsewhere) {
        (Some(near), _) => format!(" (there is `{near}`)"),
        (None, Some(other)) => format!(" (namespace {other} has one)"),
        (None, None) => String::new(),
    };
    let message = format!("{} {word} `{name}`, which does not exist in namespace {namespace}{hint}", lack.phrase());
    let mut finding = lack.support(rule.finding(lack.subject(), message)).key(name);
    for near in &likely.near {
        let object = ObjectRef::new(kind, namespace, near);
        let summary = format!("refer to `{near}`, which exists, in place of `{name}`");
        finding = finding.because(object, "metadata.name", near.as_str()).recommend(rename(lack, &summary));
    }
    if let Some(other) = &likely.elsewhere {
        let object = ObjectRef::new(kind, other, name);
        let summary =
            format!("copy {word} `{name}` from namespace {other}, as pods cannot use those of other namespaces");
        // A Secret is described, as its values are for nobody's screen.
        let show = if object.is(Kind::Secret) { commands::describe(&object) } else { commands::get(&object) };
        let recommendation = Recommendation::new("create-object", summary).command(show);
        finding = finding.because(object, "metadata.namespace", other.as_str()).recommend(recommendation);
    }
    finding.recommend(create(lack))
}

fn rename(lack: &Lack<'_>, summary: &str) -> Recommendation {
    Recommendation::new("edit-object", summary).command(commands::edit(&lack.pod.workload().object))
}

fn create(lack: &Lack<'_>) -> Recommendation {
    let name = lack.reference.name;
    let keys = lack.keys_needed();
    let literals: Vec<String> = keys.iter().map(|key| format!("--from-literal={key}=VALUE")).collect();
    let word = word(lack);
    let mut words = vec!["kubectl", "-n", lack.pod.namespace(), "create", word];
    words.extend((word == "secret").then_some("generic"));
    words.push(name);
    words.extend(literals.iter().map(String::as_str));
    if literals.is_empty() {
        words.push("--from-file=PATH");
    }
    let with = if keys.is_empty() { String::new() } else { format!(" with the keys {}", list(&keys)) };
    Recommendation::new("create-object", format!("create {word} `{name}`{with}, or correct the name in the workload"))
        .command(quote::command(&words))
}

fn list(keys: &BTreeSet<&str>) -> String {
    keys.iter().map(|key| format!("`{key}`")).collect::<Vec<_>>().join(", ")
}

fn missing_key(rule: &'static Rule, lack: &Lack<'_>) -> Finding {
    let (name, key) = (lack.reference.name, lack.reference.key.unwrap_or_default());
    let word = word(lack);
    let there = lack.keys_there().unwrap_or_default();
    let near = near::nearest(key, there.iter().copied());
    let has = if there.is_empty() { String::new() } else { format!(" (it has {})", keys(&there, &near)) };
    let message = format!("{} key `{key}` of {word} `{name}`, which has no such key{has}", lack.phrase());
    let finding = lack.support(rule.finding(lack.subject(), message)).key(format!("{name}/{key}"));
    let finding = finding.because(lack.object(), "data", keys(&there, &near));
    let finding = near.iter().fold(finding, |finding, near| {
        let summary = format!("refer to the key `{near}`, which exists, in place of `{key}`");
        finding
            .recommend(Recommendation::new("edit-object", summary).command(commands::edit(&lack.pod.workload().object)))
    });
    let summary = format!("add the key `{key}` to {word} `{name}`");
    finding.recommend(Recommendation::new("edit-object", summary).command(commands::edit(&lack.object())))
}

/// Lists up to five keys, near ones first.
fn keys(there: &BTreeSet<&str>, near: &[&str]) -> String {
    let others = there.iter().copied().filter(|key| !near.contains(key));
    let shown: Vec<String> = near.iter().copied().chain(others).take(5).map(|key| format!("`{key}`")).collect();
    let more = there.len().saturating_sub(shown.len());
    if more == 0 { shown.join(", ") } else { format!("{} and {more} more", shown.join(", ")) }
}
