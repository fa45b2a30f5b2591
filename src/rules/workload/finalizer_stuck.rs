//! An object cannot go because of a finalizer.

use jiff::{SignedDuration, Timestamp};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use crate::model::store::HasMeta as _;
use crate::model::{Finding, Kind, ObjectRef, Recommendation, Risk, Severity};
use crate::render::quote;
use crate::rules::Rule;
use crate::scene::access::refusal;
use crate::scene::{Scene, topology};

/// See [`Rule::docs`].
pub static RULE: Rule = Rule {
    id: "finalizer-stuck",
    category: "finalizer_stuck",
    summary: "detects objects that were deleted but are kept by a finalizer",
    docs: "\
## What it means
The object was deleted, but it carries a finalizer: somebody asked to clean up before it goes, and has not done so. The \
controller behind the finalizer may be gone or failing; a volume or claim may still be in use.

## How it is detected
An object has a `deletionTimestamp` of more than two minutes ago and finalizers. A namespace says itself in its conditions what it \
waits for.

## What to do
Bring the controller that owns the finalizer back, or end what uses the object. Removing a finalizer by hand skips the clean-up: \
what it guarded (cloud disks, DNS names, load balancers) stays behind.",
    severity: Severity::Warning,
    needs: &[Kind::PersistentVolumeClaim, Kind::Namespace],
    uses: &[Kind::Pod],
    explains: &[&["owner-not-ready", "pvc-missing", "rollout-stuck", "service-missing", "stuck-terminating"]],
    check,
};

const PATIENCE: SignedDuration = SignedDuration::from_mins(2);

fn check(scene: &Scene<'_>) -> Vec<Finding> {
    let leaving = leaving(scene);
    leaving
        .iter()
        .filter(|(object, _)| concerns(scene, object))
        .filter_map(|(object, meta)| kept(scene, object, meta))
        .collect()
}

/// Returns whether an object is in scope; of what has no namespace, the namespaces themselves and volumes of their claims.
fn concerns(scene: &Scene<'_>, object: &ObjectRef) -> bool {
    let scope = &scene.snapshot.scope;
    if object.namespace.is_some() || scope.namespaces.is_empty() {
        return scope.includes(object.namespace());
    }
    let volume = scene.snapshot.objects.volumes.get("", &object.name).filter(|_| object.is(Kind::PersistentVolume));
    let claim = volume.and_then(|volume| volume.spec.as_ref()?.claim_ref.as_ref()?.namespace.as_deref());
    object.is(Kind::Namespace) || claim.is_some_and(|namespace| scope.includes(namespace))
}

/// Returns all objects with a deletion timestamp.
fn leaving<'s>(scene: &'s Scene<'_>) -> Vec<(ObjectRef, &'s ObjectMeta)> {
    let objects = &scene.snapshot.objects;
    let mut found: Vec<(ObjectRef, &'s ObjectMeta)> = Vec::new();
    macro_rules! add {
        ($($store:ident $kind:ident),*) => {$(
            for item in objects.$store.iter().filter(|item| item.object.meta().deletion_timestamp.is_some()) {
                found.push((ObjectRef::new(Kind::$kind, item.object.namespace(), item.object.name()), item.object.meta()));
            }
        )*};
    }
    add!(
        pods Pod, services Service, config_maps ConfigMap, secrets Secret, claims PersistentVolumeClaim, deployments Deployment,
        replica_sets ReplicaSet, stateful_sets StatefulSet, daemon_sets DaemonSet, jobs Job, cron_jobs CronJob, ingresses Ingress,
        volumes PersistentVolume, nodes Node
    );
    for item in objects.custom.iter().filter(|item| item.object.metadata.deletion_timestamp.is_some()) {
        let meta = &item.object.metadata;
        found.push((
            ObjectRef::parse(
                &item.object.api_version,
                &item.object.kind,
                meta.namespace.as_deref(),
                item.object.name(),
            ),
            meta,
        ));
    }
    for item in objects.namespaces.iter().filter(|item| item.metadata.deletion_timestamp.is_some()) {
        if scene.snapshot.scope.includes(item.object.name()) {
            found.push((ObjectRef::new(Kind::Namespace, "", item.object.name()), item.object.meta()));
        }
    }
    found
}

fn kept(scene: &Scene<'_>, object: &ObjectRef, meta: &ObjectMeta) -> Option<Finding> {
    let since = meta.deletion_timestamp.as_ref()?.0;
    if scene.now().duration_since(since) <= PATIENCE {
        return None;
    }
    if object.is(Kind::Namespace) {
        return namespace(scene, object, since);
    }
    let finalizer = meta.finalizers.as_ref()?.first()?.clone();
    let (waits, user) = waits_for(scene, object, &finalizer);
    let message = format!("{} was deleted but finalizer `{finalizer}` keeps it: {waits}", object.short());
    let mut finding = base(object, message, since, scene.now()).key(finalizer.clone()).because(
        object.clone(),
        "metadata.finalizers",
        meta.finalizers.as_ref().map(|all| all.join(", ")).unwrap_or_default(),
    );
    if let Some(user) = user {
        finding = finding
            .because(user.clone(), "spec.volumes.persistentVolumeClaim.claimName", object.name.as_str())
            .mentions(user);
    }
    let summary = match owner(&finalizer) {
        Some(owner) => format!("bring back {owner}, which has to remove finalizer `{finalizer}` of {}", object.short()),
        None => format!("end what finalizer `{finalizer}` of {} waits for: {waits}", object.short()),
    };
    let mut finding = finding.recommend(Recommendation::new("repair", summary)).next(get(object));
    if owner(&finalizer).is_some() {
        finding = finding.recommend(by_hand(object));
    }
    Some(finding)
}

fn base(object: &ObjectRef, message: String, since: Timestamp, now: Timestamp) -> Finding {
    RULE.finding(object.clone(), message)
        .because_at(object.clone(), "metadata.deletionTimestamp", since.to_string(), Some(since))
        .seen(Some(since), Some(now))
        .confidence(0.9)
}

/// Returns what a finalizer waits for, and the object that holds it up if that is known.
fn waits_for(scene: &Scene<'_>, object: &ObjectRef, finalizer: &str) -> (String, Option<ObjectRef>) {
    match finalizer {
        "kubernetes.io/pvc-protection" => {
            let uses = |pod: &crate::scene::PodView<'_>| {
                let volumes = pod.spec().and_then(|spec| spec.volumes.as_deref()).unwrap_or_default();
                pod.namespace() == object.namespace()
                    && volumes.iter().filter_map(topology::claim_of).any(|claim| claim == object.name)
            };
            match scene.pods().find(uses) {
                Some(pod) => (format!("a pod of {} still uses it", pod.workload().object.short()), Some(pod.object())),
                None => ("a pod still uses it".to_owned(), None),
            }
        }
        "kubernetes.io/pv-protection" => ("a claim is still bound to it".to_owned(), None),
        "foregroundDeletion" => ("what it owns is not gone yet".to_owned(), None),
        "orphan" => ("the garbage collector has not released what it owns".to_owned(), None),
        "service.kubernetes.io/load-balancer-cleanup" => {
            ("the cloud's load balancer is not cleaned up".to_owned(), None)
        }
        "batch.kubernetes.io/job-tracking" => ("the Job controller has not counted it".to_owned(), None),
        _ => (
            owner(finalizer).map_or_else(
                || "its controller has not removed it".to_owned(),
                |owner| format!("{owner} has not removed it"),
            ),
            None,
        ),
    }
}

/// Returns who has to remove a finalizer, by its prefix.
fn owner(finalizer: &str) -> Option<String> {
    let (domain, _) = finalizer.split_once('/')?;
    if domain.ends_with("kubernetes.io") || domain.ends_with("k8s.io") {
        return match domain {
            "external-attacher" => Some("the CSI driver".to_owned()),
            "service.kubernetes.io" => Some("the cloud controller manager".to_owned()),
            "batch.kubernetes.io" => Some("the Job controller".to_owned()),
            _ => None,
        };
    }
    Some(format!("the controller of `{domain}`"))
}

/// A namespace says in its conditions what it waits for.
fn namespace(scene: &Scene<'_>, object: &ObjectRef, since: Timestamp) -> Option<Finding> {
    let found = scene.snapshot.objects.namespaces.get("", &object.name)?;
    let conditions = found.status.as_ref()?.conditions.as_deref().unwrap_or_default();
    let order = [
        "NamespaceFinalizersRemaining",
        "NamespaceDeletionDiscoveryFailure",
        "NamespaceDeletionContentFailure",
        "NamespaceDeletionGroupVersionParsingFailure",
        "NamespaceContentRemaining",
    ];
    let condition =
        order.iter().find_map(|type_| conditions.iter().find(|one| one.type_ == *type_ && one.status == "True"))?;
    let text = condition.message.as_deref().unwrap_or(&condition.type_);
    let message = format!(
        "namespace/{} was deleted but does not go: {}",
        object.name,
        refusal::cut(text.trim_end_matches('.'), 160)
    );
    let path = format!("status.conditions[{}].message", condition.type_);
    let time = condition.last_transition_time.as_ref().map(|time| time.0);
    let finding = base(object, message, since, scene.now()).key(condition.type_.clone()).because_at(
        object.clone(),
        path,
        refusal::cut(text, 300),
        time,
    );
    let summary = if condition.type_ == "NamespaceDeletionDiscoveryFailure" {
        "repair or delete the APIService that does not answer: until then nobody can tell what is left in the namespace"
            .to_owned()
    } else {
        format!(
            "clean up what is left in namespace {}: bring back the controllers that own the finalizers named",
            object.name
        )
    };
    let list = format!(
        "kubectl get apiservices; kubectl api-resources --verbs=list --namespaced -o name | xargs -n1 kubectl get --ignore-not-found -n {}",
        quote::sh(&object.name)
    );
    Some(finding.recommend(Recommendation::new("repair", summary)).next(list))
}

fn by_hand(object: &ObjectRef) -> Recommendation {
    let summary = format!(
        "only if that controller is gone for good and its clean-up is done by hand: remove the finalizer of {}",
        object.short()
    );
    Recommendation::new("edit-object", summary).risk(Risk::High)
}

fn get(object: &ObjectRef) -> String {
    let kind = object.kind.to_lowercase();
    let mut words = vec!["kubectl", "get", &kind, &object.name, "-o", "yaml"];
    if let Some(namespace) = &object.namespace {
        words.extend(["-n", namespace]);
    }
    quote::command(&words)
}
