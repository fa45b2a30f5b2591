//! A rollout does not get on.

use k8s_openapi::api::apps::v1::{DaemonSet, Deployment, ReplicaSet, StatefulSet};

use jiff::SignedDuration;

use crate::model::store::HasMeta as _;
use crate::model::{Finding, Kind, ObjectRef, Recommendation, Severity, Stored};
use crate::render::quote;
use crate::rules::Rule;
use crate::scene::access::refusal;
use crate::scene::pods::owners;
use crate::scene::{PodView, Scene};

/// See [`Rule::docs`].
pub static RULE: Rule = Rule {
    id: "rollout-stuck",
    category: "rollout_stuck",
    summary: "detects rollouts that do not progress",
    docs: "\
## What it means
A new version is being rolled out and gets nowhere: its pods do not become ready, or the rollout is paused. Old pods may still \
serve meanwhile. It is usually a symptom; whatever keeps the new pods from being ready stands above it.

## How it is detected
A Deployment's condition `Progressing` is `False` with `ProgressDeadlineExceeded`; a Deployment is paused while its template has \
changed; a StatefulSet or DaemonSet has pods of the old revision while a pod of the new one has been unready for minutes.

## What to do
Look why the newest pods are not ready. To get back to what worked: `kubectl rollout undo`.",
    severity: Severity::Error,
    needs: &[Kind::Deployment, Kind::Pod],
    uses: &[Kind::ReplicaSet, Kind::StatefulSet, Kind::DaemonSet],
    explains: &[&["hpa-no-metrics", "owner-not-ready", "pdb-blocks-eviction", "service-backends-missing"]],
    check,
};

/// How long a new pod may take to become ready before its rollout counts as stuck.
const PATIENCE: SignedDuration = SignedDuration::from_mins(5);

fn check(scene: &Scene<'_>) -> Vec<Finding> {
    let objects = &scene.snapshot.objects;
    let in_scope = |namespace: &str| scene.snapshot.scope.includes(namespace);
    let deployments = objects.deployments.iter().filter(|item| in_scope(item.object.namespace()));
    let mut findings: Vec<Finding> = deployments.filter_map(|item| deployment(scene, item)).collect();
    let sets = objects.stateful_sets.iter().filter(|item| in_scope(item.object.namespace()));
    findings.extend(sets.filter_map(|item| stateful(scene, item)));
    let sets = objects.daemon_sets.iter().filter(|item| in_scope(item.object.namespace()));
    findings.extend(sets.filter_map(|item| daemon(scene, item)));
    findings
}

fn deployment(scene: &Scene<'_>, item: &Stored<Deployment>) -> Option<Finding> {
    let spec = item.spec.as_ref()?;
    if spec.paused == Some(true) { paused(item) } else { overdue(scene, item) }
}

fn overdue(scene: &Scene<'_>, item: &Stored<Deployment>) -> Option<Finding> {
    let status = item.status.as_ref()?;
    let conditions = status.conditions.iter().flatten();
    let progressing = conditions.into_iter().find(|one| one.type_ == "Progressing" && one.status == "False")?;
    if progressing.reason.as_deref() != Some("ProgressDeadlineExceeded") {
        return None;
    }
    let object = ObjectRef::new(Kind::Deployment, item.object.namespace(), item.object.name());
    let wanted = item.spec.as_ref().and_then(|spec| spec.replicas).unwrap_or(1);
    let since = progressing.last_transition_time.as_ref().map(|time| time.0);
    let (new, old) = replica_sets(scene, item);
    let available = new.and_then(|set| set.status.as_ref()?.available_replicas).unwrap_or(0);
    if new.is_some() && available >= wanted {
        return None;
    }
    let of = new.map(|set| format!(" of replicaset/{}", set.object.name())).unwrap_or_default();
    let meanwhile = old
        .map(|set| format!(", while replicaset/{} of the old version still runs", set.object.name()))
        .unwrap_or_default();
    let message = format!(
        "rollout of {} is stuck: {available} of {wanted} new pods{of} are available{meanwhile}",
        object.short()
    );
    let text = progressing.message.as_deref().unwrap_or("ProgressDeadlineExceeded");
    let finding = RULE
        .finding(object.clone(), message)
        .because_at(object.clone(), "status.conditions[Progressing].message", refusal::cut(text, 300), since)
        .seen(since, Some(scene.now()))
        .confidence(0.6)
        .recommend(undo(&object));
    Some(finding.next(quote::command(&["kubectl", "describe", &object.short(), "-n", object.namespace()])))
}

/// Returns the ReplicaSet of the newest revision, and the largest older one that still has pods.
fn replica_sets<'s>(
    scene: &'s Scene<'_>,
    item: &Stored<Deployment>,
) -> (Option<&'s Stored<ReplicaSet>>, Option<&'s Stored<ReplicaSet>>) {
    let owned = |set: &&Stored<ReplicaSet>| {
        owners::controller(set.object.meta())
            .is_some_and(|owner| owner.kind == "Deployment" && owner.name == item.object.name())
    };
    let sets = scene.snapshot.objects.replica_sets.in_namespace(item.object.namespace()).filter(owned);
    let mut sets: Vec<&Stored<ReplicaSet>> = sets.collect();
    sets.sort_by_key(|set| (revision(set), set.object.name()));
    let new = sets.pop();
    let running = |set: &Stored<ReplicaSet>| set.status.as_ref().map_or(0, |status| status.replicas);
    let old = sets.into_iter().filter(|set| running(set) > 0).max_by_key(|set| running(set));
    (new, old)
}

fn revision(set: &Stored<ReplicaSet>) -> u64 {
    let annotations = set.metadata.annotations.as_ref();
    annotations.and_then(|all| all.get("deployment.kubernetes.io/revision")?.parse().ok()).unwrap_or(0)
}

/// A paused Deployment whose new template waits.
fn paused(item: &Stored<Deployment>) -> Option<Finding> {
    let object = ObjectRef::new(Kind::Deployment, item.object.namespace(), item.object.name());
    let status = item.status.as_ref()?;
    let (updated, replicas) = (status.updated_replicas.unwrap_or(0), status.replicas.unwrap_or(0));
    let wanted = item.spec.as_ref().and_then(|spec| spec.replicas).unwrap_or(1);
    if updated >= wanted {
        return None;
    }
    let message = format!(
        "{} is paused while {replicas} pods are of an older template: its new version is not rolled out",
        object.short()
    );
    let writer = crate::scene::changes::newest(&item.changes, "spec.paused");
    let mut finding = RULE
        .finding(object.clone(), message)
        .key("paused")
        .because_at(object.clone(), "spec.paused", "true", writer.and_then(|change| change.time))
        .because(object.clone(), "status.updatedReplicas", updated.to_string())
        .severity(Severity::Warning)
        .confidence(0.8);
    if let Some(change) = writer {
        finding = finding.because_at(
            object.clone(),
            "metadata.managedFields[spec.paused].manager",
            change.manager.as_str(),
            change.time,
        );
    }
    let resume = quote::command(&["kubectl", "rollout", "resume", &object.short(), "-n", object.namespace()]);
    Some(
        finding.recommend(
            Recommendation::new("resume", format!("resume the rollout of {}", object.short())).command(resume),
        ),
    )
}

fn stateful(scene: &Scene<'_>, item: &Stored<StatefulSet>) -> Option<Finding> {
    let (spec, status) = (item.spec.as_ref()?, item.status.as_ref()?);
    if spec.update_strategy.as_ref().and_then(|strategy| strategy.type_.as_deref()) == Some("OnDelete") {
        return None;
    }
    let newest = status.update_revision.as_deref()?;
    let (updated, wanted) = (status.updated_replicas.unwrap_or(0), spec.replicas.unwrap_or(1));
    if status.current_revision.as_deref() == Some(newest) || updated >= wanted {
        return None;
    }
    let object = ObjectRef::new(Kind::StatefulSet, item.object.namespace(), item.object.name());
    let workload = scene.workload(&object)?;
    // Of either revision: a set in order waits for a broken pod of an older one, too.
    let pod = scene.pods_of(workload).find(|pod| is_overdue(scene, *pod))?;
    Some(of_set(scene, &object, pod, updated, wanted, newest))
}

fn daemon(scene: &Scene<'_>, item: &Stored<DaemonSet>) -> Option<Finding> {
    let status = item.status.as_ref()?;
    let (updated, wanted) = (status.updated_number_scheduled.unwrap_or(0), status.desired_number_scheduled);
    let strategy = item.spec.as_ref()?.update_strategy.as_ref().and_then(|strategy| strategy.type_.as_deref());
    if strategy == Some("OnDelete") || updated >= wanted || status.number_unavailable.unwrap_or(0) == 0 {
        return None;
    }
    let object = ObjectRef::new(Kind::DaemonSet, item.object.namespace(), item.object.name());
    let workload = scene.workload(&object)?;
    let pod =
        scene.pods_of(workload).filter(|pod| is_overdue(scene, *pod)).max_by_key(|pod| (pod.created(), pod.name()))?;
    Some(of_set(scene, &object, pod, updated, wanted, "the newest revision"))
}

fn is_overdue(scene: &Scene<'_>, pod: PodView<'_>) -> bool {
    !pod.is_ready() && pod.created().is_some_and(|created| scene.now().duration_since(created) > PATIENCE)
}

fn of_set(
    scene: &Scene<'_>,
    object: &ObjectRef,
    pod: PodView<'_>,
    updated: i32,
    wanted: i32,
    revision: &str,
) -> Finding {
    let message = format!(
        "rollout of {} is stuck: {updated} of {wanted} pods are of {revision}, and one that is not ready holds it up",
        object.short()
    );
    let since = pod.condition("Ready").and_then(|condition| condition.last_transition_time.as_ref()).map(|time| time.0);
    RULE.finding(object.clone(), message)
        .because(object.clone(), "status.updatedReplicas", updated.to_string())
        .because_at(pod.object(), "status.conditions[Ready].status", "False", since)
        .seen(since, Some(scene.now()))
        .affects(pod.object())
        .confidence(0.6)
        .recommend(undo(object))
        .next(quote::command(&["kubectl", "describe", "pod", pod.name(), "-n", pod.namespace()]))
}

fn undo(object: &ObjectRef) -> Recommendation {
    let command = quote::command(&["kubectl", "rollout", "undo", &object.short(), "-n", object.namespace()]);
    Recommendation::new(
        "rollback",
        format!("to get back to the version before: undo the rollout of {}", object.short()),
    )
    .command(command)
}
