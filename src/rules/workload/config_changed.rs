//! A workload is broken since its template changed.

use std::collections::HashMap;

use jiff::SignedDuration;
use k8s_openapi::api::apps::v1::ReplicaSet;
use serde_json::Value;

use crate::model::store::HasMeta as _;
use crate::model::{Finding, Kind, ObjectRef, Recommendation, Severity, Stored};
use crate::render::quote;
use crate::rules::Rule;
use crate::scene::access::refusal;
use crate::scene::pods::owners;
use crate::scene::{PodView, Scene, Workload, changes};

/// See [`Rule::docs`].
pub static RULE: Rule = Rule {
    id: "config-changed",
    category: "config_changed",
    summary: "detects what changed in the template of a Deployment whose newest pods fail",
    docs: "\
## What it means
The newest pods of a Deployment fail, and its template was changed within the last day. The difference is often the cause, and \
always worth a look; it is told as context beside the cause.

## How it is detected
Pods of the newest ReplicaSet are not ready, and its template differs from that of the ReplicaSet before it. The first fields that \
differ are named, with who wrote them last.

## What to do
If the change is what broke it: `kubectl rollout undo`.",
    severity: Severity::Info,
    needs: &[Kind::ReplicaSet, Kind::Deployment],
    uses: &[Kind::Pod],
    explains: &[],
    check,
};

/// A change of longer ago is not news.
const NEWS: SignedDuration = SignedDuration::from_hours(24);

fn check(scene: &Scene<'_>) -> Vec<Finding> {
    let sets = by_deployment(scene);
    let deployments = scene.workloads().iter().filter(|workload| workload.object.is(Kind::Deployment));
    let changed = deployments.filter_map(|workload| {
        let sets = sets.get(&(workload.namespace(), workload.object.name.as_str()))?;
        changed(scene, workload, sets)
    });
    changed.collect()
}

fn changed(scene: &Scene<'_>, workload: &Workload<'_>, sets: &[&Stored<ReplicaSet>]) -> Option<Finding> {
    let object = &workload.object;
    let &[.., old, new] = sets else { return None };
    let since = new.metadata.creation_timestamp.as_ref().map(|time| time.0)?;
    let of_new =
        |pod: PodView<'_>| owners::controller(&pod.pod.metadata).is_some_and(|owner| owner.name == new.object.name());
    let news = scene.now().duration_since(since) <= NEWS;
    if !news || !(lacks(new) || scene.pods_of(workload).any(|pod| of_new(pod) && fails(pod))) {
        return None;
    }
    let differences = differences(old, new);
    let first = differences.first()?;
    let writer = changes::newest(workload.changes, "spec.template");
    let by = writer.map(|change| format!(", last written by `{}`", change.manager)).unwrap_or_default();
    let more = if differences.len() > 1 { format!(" and {} more", differences.len() - 1) } else { String::new() };
    let (was, is) = (tick(&first.old), tick(&first.new));
    let message =
        format!("{} fails since its template changed: {} from {was} to {is}{more}{by}", object.short(), first.path);
    let mut finding = RULE
        .finding(object.clone(), message)
        .seen(Some(since), Some(scene.now()))
        .confidence(0.5)
        .recommend(undo(object));
    for difference in differences.iter().take(3) {
        let path = format!("spec.template.{}", difference.path);
        finding = finding
            .because(
                ObjectRef::new(Kind::ReplicaSet, object.namespace(), old.object.name()),
                path.clone(),
                difference.old.as_str(),
            )
            .because_at(
                ObjectRef::new(Kind::ReplicaSet, object.namespace(), new.object.name()),
                path,
                difference.new.as_str(),
                Some(since),
            );
    }
    Some(finding.next(quote::command(&["kubectl", "rollout", "history", &object.short(), "-n", object.namespace()])))
}

fn fails(pod: PodView<'_>) -> bool {
    let stuck = |container: crate::scene::ContainerView<'_>| {
        let reason = container.waiting_reason();
        container.crash().is_some_and(|crash| crash.state == crate::model::State::Present)
            || !matches!(reason, "" | "ContainerCreating" | "PodInitializing")
    };
    let unscheduled = pod.condition("PodScheduled").is_some_and(|condition| condition.status == "False");
    !pod.is_terminating() && (unscheduled || pod.containers().any(stuck))
}

/// Returns whether a ReplicaSet was refused pods.
fn lacks(set: &Stored<ReplicaSet>) -> bool {
    let conditions = set.status.as_ref().and_then(|status| status.conditions.as_ref());
    conditions.into_iter().flatten().any(|condition| condition.type_ == "ReplicaFailure" && condition.status == "True")
}

/// Returns the ReplicaSets of each Deployment, (namespace, name), the newest revision last.
fn by_deployment<'s>(scene: &'s Scene<'_>) -> HashMap<(&'s str, &'s str), Vec<&'s Stored<ReplicaSet>>> {
    let mut sets: Vec<&Stored<ReplicaSet>> = scene.snapshot.objects.replica_sets.iter().collect();
    sets.sort_by_key(|set| (revision(set), set.object.name()));
    let mut found: HashMap<_, Vec<_>> = HashMap::new();
    for set in sets {
        let owner = owners::controller(set.object.meta()).filter(|owner| owner.kind == "Deployment");
        if let Some(owner) = owner {
            found.entry((set.object.namespace(), owner.name.as_str())).or_default().push(set);
        }
    }
    found
}

fn revision(set: &Stored<ReplicaSet>) -> u64 {
    let annotations = set.metadata.annotations.as_ref();
    annotations.and_then(|all| all.get("deployment.kubernetes.io/revision")?.parse().ok()).unwrap_or(0)
}

struct Difference {
    path: String,
    old: String,
    new: String,
}

fn differences(old: &ReplicaSet, new: &ReplicaSet) -> Vec<Difference> {
    let spec = |set: &ReplicaSet| serde_json::to_value(set.spec.as_ref()?.template.as_ref()?.spec.as_ref()?).ok();
    let (Some(old), Some(new)) = (spec(old), spec(new)) else { return Vec::new() };
    let mut found = Vec::new();
    compare(Some(&old), Some(&new), "spec", &mut found);
    found
}

/// Walks two values side by side; items of lists are paired by their name.
fn compare(old: Option<&Value>, new: Option<&Value>, path: &str, found: &mut Vec<Difference>) {
    match (old, new) {
        (Some(Value::Object(one)), Some(Value::Object(other))) => {
            for key in one.keys().chain(other.keys().filter(|key| !one.contains_key(*key))) {
                compare(one.get(key), other.get(key), &format!("{path}.{key}"), found);
            }
        }
        (Some(Value::Array(one)), Some(Value::Array(other)))
            if one.iter().chain(other).all(|item| name(item).is_some()) =>
        {
            let names = one.iter().chain(other.iter().filter(|item| find(one, name(item)).is_none())).filter_map(name);
            for item in names {
                compare(find(one, Some(item)), find(other, Some(item)), &format!("{path}[{item}]"), found);
            }
        }
        (old, new) if old != new => found.push(Difference { path: path.to_owned(), old: print(old), new: print(new) }),
        _ => {}
    }
}

fn name(item: &Value) -> Option<&str> {
    item.get("name")?.as_str()
}

fn find<'v>(items: &'v [Value], wanted: Option<&str>) -> Option<&'v Value> {
    items.iter().find(|item| name(item) == wanted)
}

fn print(value: Option<&Value>) -> String {
    match value {
        None => NOTHING.to_owned(),
        Some(Value::String(text)) => refusal::cut(text, 60),
        Some(other) => refusal::cut(&other.to_string(), 60),
    }
}

const NOTHING: &str = "nothing";

fn tick(value: &str) -> String {
    if value == NOTHING { value.to_owned() } else { format!("`{value}`") }
}

fn undo(object: &ObjectRef) -> Recommendation {
    let command = quote::command(&["kubectl", "rollout", "undo", &object.short(), "-n", object.namespace()]);
    Recommendation::new("rollback", format!("if that change was the mistake, undo the rollout of {}", object.short()))
        .command(command)
}
