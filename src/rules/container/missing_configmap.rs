//! A ConfigMap that a pod needs does not exist.

use std::collections::BTreeSet;

use crate::model::{Finding, Kind, ObjectRef, Recommendation, Severity};
use crate::render::quote;
use crate::rules::{Rule, consequences};
use crate::scene::config::lack::{self, Lack, Likely, Names};
use crate::scene::{Scene, commands};

/// See [`Rule::docs`].
pub static RULE: Rule = Rule {
    id: "missing-configmap",
    category: "missing_configmap",
    summary: "detects pods that need a ConfigMap that does not exist",
    docs: "\
## What it means
The pod takes environment variables or files from a ConfigMap of its own namespace, and there is none of this name: \
it was never created, was deleted, has another name, or lives in another namespace. The container is not started \
before it exists.

## How it is detected
A reference of the pod's spec (`env`, `envFrom`, a volume, a projected volume) that is not `optional` leads to \
nothing: the kubelet says so (`CreateContainerConfigError`, `FailedMount`), or the listing of the namespace does not \
have it. A listing that may not be read counts for nothing.

## What to do
Create the ConfigMap, or correct the name. The recommendation names a ConfigMap of a similar name, and the namespace \
that has one of the same name.",
    severity: Severity::Error,
    needs: &[Kind::Pod],
    uses: &[Kind::ConfigMap, Kind::Event],
    explains: &[
        consequences::PODS_NOT_READY,
        consequences::PROBES_FAIL,
        &["crash-no-logs", "volume-mount-failed", "volume-mount-path"],
    ],
    check,
};

fn check(scene: &Scene<'_>) -> Vec<Finding> {
    let mut names = Names::default();
    let lacks = lack::of_kind(scene, Kind::ConfigMap, false);
    lacks.iter().map(|lack| missing(lack, &names.like(lack))).collect()
}

fn missing(lack: &Lack<'_>, likely: &Likely) -> Finding {
    let (name, namespace) = (lack.reference.name, lack.pod.namespace());
    let hint = match (likely.near.first(), &likely.elsewhere) {
        (Some(near), _) => format!(" (there is `{near}`)"),
        (None, Some(other)) => format!(" (namespace {other} has one)"),
        (None, None) => String::new(),
    };
    let message = format!("{} configmap `{name}`, which does not exist in namespace {namespace}{hint}", lack.phrase());
    let mut finding = lack.support(RULE.finding(lack.subject(), message)).key(name);
    for near in &likely.near {
        let object = ObjectRef::new(Kind::ConfigMap, namespace, near);
        let summary = format!("refer to `{near}`, which exists, in place of `{name}`");
        finding = finding.because(object, "metadata.name", near.as_str()).recommend(rename(lack, &summary));
    }
    if let Some(other) = &likely.elsewhere {
        let object = ObjectRef::new(Kind::ConfigMap, other, name);
        let summary =
            format!("copy configmap `{name}` from namespace {other}, as pods cannot use those of other namespaces");
        let recommendation = Recommendation::new("create-object", summary).command(commands::get(&object));
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
    let mut words = vec!["kubectl", "-n", lack.pod.namespace(), "create", "configmap", name];
    words.extend(literals.iter().map(String::as_str));
    if literals.is_empty() {
        words.push("--from-file=PATH");
    }
    let with = if keys.is_empty() { String::new() } else { format!(" with the keys {}", list(&keys)) };
    Recommendation::new(
        "create-object",
        format!("create configmap `{name}`{with}, or correct the name in the workload"),
    )
    .command(quote::command(&words))
}

fn list(keys: &BTreeSet<&str>) -> String {
    keys.iter().map(|key| format!("`{key}`")).collect::<Vec<_>>().join(", ")
}
