//! A custom owner says itself that it is not well.

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use crate::model::objects::Custom;
use crate::model::store::HasMeta as _;
use crate::model::{Finding, ObjectRef, Recommendation, Severity, Stored};
use crate::rules::Rule;
use crate::scene::Scene;
use crate::scene::access::refusal;

/// See [`Rule::docs`].
pub static RULE: Rule = Rule {
    id: "owner-not-ready",
    category: "owner_not_ready",
    summary: "detects custom resources whose own conditions say that they are not ready",
    docs: "\
## What it means
A custom resource (a Rollout, HelmRelease, Application, Certificate, database cluster) is managed by an operator, and the \
operator says in its status that something is wrong, often in clearer words than the pods below.

## How it is detected
A condition `Ready`, `Available`, `Healthy`, `Synced` or the like is `False`, or `status.phase` or `status.health.status` says \
`Degraded` or `Failed`. What is so for less than two minutes, or is progressing, is left alone.

## What to do
Read the quoted message; then the log of the operator that wrote it.",
    severity: Severity::Error,
    needs: &[],
    uses: &[],
    explains: &[&["hpa-no-metrics", "missing-configmap", "missing-secret", "rollout-stuck", "service-backends-missing", "tls-secret-missing"]],
    check,
};

const GOOD: &[&str] =
    &["Ready", "Available", "Healthy", "Synced", "Reconciled", "Released", "Succeeded", "Accepted", "Established"];
const PATIENCE: SignedDuration = SignedDuration::from_mins(2);

fn check(scene: &Scene<'_>) -> Vec<Finding> {
    let customs = scene.snapshot.objects.custom.iter();
    let in_scope = |custom: &&Stored<Custom>| {
        let namespace = custom.object.namespace();
        let everything = scene.snapshot.scope.namespaces.is_empty();
        if namespace.is_empty() { everything } else { scene.snapshot.scope.includes(namespace) }
    };
    customs.filter(in_scope).filter(|custom| !is_gateway(custom)).filter_map(|custom| unwell(scene, custom)).collect()
}

/// Gateways and routes have rules of their own.
fn is_gateway(custom: &Stored<Custom>) -> bool {
    custom.object.api_version.starts_with("gateway.networking.k8s.io/")
}

/// What an object says of itself.
struct Word<'c> {
    path: String,
    what: String,
    reason: &'c str,
    message: &'c str,
    since: Option<Timestamp>,
}

fn unwell(scene: &Scene<'_>, custom: &Stored<Custom>) -> Option<Finding> {
    let status = &custom.object.status;
    let word = condition(status).or_else(|| health(status)).or_else(|| phase(status))?;
    let settling = word.since.is_some_and(|since| scene.now().duration_since(since) < PATIENCE);
    let progressing =
        ["Progressing", "Reconciling", "InProgress", "Issuing", "Pending", "Creating"].contains(&word.reason);
    if settling || progressing {
        return None;
    }
    let namespace = custom.object.metadata.namespace.as_deref();
    let object = ObjectRef::parse(&custom.object.api_version, &custom.object.kind, namespace, custom.object.name());
    let said =
        [word.reason, word.message].iter().filter(|part| !part.is_empty()).copied().collect::<Vec<_>>().join(": ");
    let said = if said.is_empty() {
        "gives no reason".to_owned()
    } else {
        refusal::cut(said.trim_end_matches(['.', '\n']), 160)
    };
    let message = format!("{} says of itself {}: {said}", object.short(), word.what);
    let kind = crate::render::quote::sh(&object.kind.to_lowercase()).into_owned();
    let mut next = vec!["kubectl".to_owned(), "describe".to_owned(), kind, object.name.clone()];
    if let Some(namespace) = namespace {
        next.extend(["-n".to_owned(), namespace.to_owned()]);
    }
    let next: Vec<&str> = next.iter().map(String::as_str).collect();
    let value = if word.message.is_empty() { &word.what } else { word.message };
    let finding = RULE
        .finding(object.clone(), message)
        .key(word.what.clone())
        .because_at(object.clone(), word.path, refusal::cut(value, 300), word.since)
        .seen(word.since, Some(scene.now()))
        .confidence(0.7)
        .recommend(Recommendation::new(
            "repair",
            format!("act on what {} says, or read the log of its controller", object.short()),
        ));
    Some(finding.next(crate::render::quote::command(&next)))
}

fn condition(status: &Value) -> Option<Word<'_>> {
    let conditions = status.get("conditions")?.as_array()?;
    let text = |condition: &'_ Value, key: &str| condition.get(key).and_then(Value::as_str).map(str::to_owned);
    let mut bad: Vec<&Value> = conditions
        .iter()
        .filter(|condition| text(condition, "status").as_deref() == Some("False"))
        .filter(|condition| text(condition, "type").is_some_and(|type_| GOOD.contains(&type_.as_str())))
        .collect();
    // Of several, the one that says most: `Ready` often only repeats another.
    bad.sort_by_key(|condition| {
        std::cmp::Reverse(condition.get("message").and_then(Value::as_str).map_or(0, str::len))
    });
    let bad = bad.first()?;
    let type_ = bad.get("type")?.as_str()?;
    Some(Word {
        path: format!("status.conditions[{type_}].message"),
        what: format!("{type_}=False"),
        reason: bad.get("reason").and_then(Value::as_str).unwrap_or_default(),
        message: bad.get("message").and_then(Value::as_str).unwrap_or_default(),
        since: bad.get("lastTransitionTime").and_then(Value::as_str).and_then(|time| time.parse().ok()),
    })
}

/// Argo CD's Application: `status.health.status`.
fn health(status: &Value) -> Option<Word<'_>> {
    let health = status.get("health")?;
    let word = health.get("status")?.as_str().filter(|word| matches!(*word, "Degraded" | "Missing"))?;
    let message = health.get("message").and_then(Value::as_str).unwrap_or_default();
    let path = if message.is_empty() { "status.health.status" } else { "status.health.message" };
    Some(Word { path: path.to_owned(), what: format!("health {word}"), reason: "", message, since: None })
}

/// Argo's Rollout and many databases: `status.phase`.
fn phase(status: &Value) -> Option<Word<'_>> {
    let phase = status
        .get("phase")?
        .as_str()
        .filter(|phase| matches!(*phase, "Degraded" | "Failed" | "Error" | "Unhealthy"))?;
    let message = status.get("message").and_then(Value::as_str).unwrap_or_default();
    let path = if message.is_empty() { "status.phase" } else { "status.message" };
    Some(Word { path: path.to_owned(), what: format!("phase {phase}"), reason: "", message, since: None })
}
