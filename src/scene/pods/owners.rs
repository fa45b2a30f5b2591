//! From a pod to the object that a person edits.

use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, OwnerReference};

use crate::model::store::HasMeta as _;
use crate::model::{Kind, ObjectRef, Snapshot};

/// Returns the controlling owner.
pub fn controller(meta: &ObjectMeta) -> Option<&OwnerReference> {
    let owners = meta.owner_references.as_deref()?;
    owners.iter().find(|owner| owner.controller == Some(true))
}

/// Returns the workload of a pod: the Deployment behind its ReplicaSet, the CronJob behind its Job, else its controller,
/// else the pod itself.
pub fn workload_of(snapshot: &Snapshot, pod: &Pod) -> ObjectRef {
    let Some(owner) = controller(pod.meta()) else {
        return ObjectRef::new(Kind::Pod, pod.namespace(), pod.name());
    };
    let owner = reference(owner, pod.namespace());
    if owner.is(Kind::ReplicaSet) {
        return above_replica_set(snapshot, pod, owner);
    }
    if owner.is(Kind::Job) {
        let job = snapshot.objects.jobs.get(pod.namespace(), &owner.name);
        return job.and_then(|job| controller(job.meta())).map_or(owner, |cron| reference(cron, pod.namespace()));
    }
    owner
}

/// Returns whether two pods have the same controller, so that [`workload_of`] is the same for both.
pub(in crate::scene) fn are_siblings(one: &Pod, other: &Pod) -> bool {
    let owner = controller(one.meta());
    owner.is_some()
        && owner == controller(other.meta())
        && one.namespace() == other.namespace()
        && template_hash(one) == template_hash(other)
}

fn template_hash(pod: &Pod) -> Option<&str> {
    pod.meta().labels.as_ref()?.get("pod-template-hash").map(String::as_str)
}

/// Returns the owner's address, in the namespace of what it owns.
pub fn reference(owner: &OwnerReference, namespace: &str) -> ObjectRef {
    ObjectRef::parse(&owner.api_version, &owner.kind, Some(namespace), &owner.name)
}

/// Returns the Deployment (or custom rollout) of a ReplicaSet. If the ReplicaSet was not read, its name tells: a
/// Deployment names its ReplicaSets `<deployment>-<pod-template-hash>`.
fn above_replica_set(snapshot: &Snapshot, pod: &Pod, owner: ObjectRef) -> ObjectRef {
    if let Some(set) = snapshot.objects.replica_sets.get(pod.namespace(), &owner.name) {
        return controller(set.meta()).map_or(owner, |above| reference(above, pod.namespace()));
    }
    let deployment = template_hash(pod).and_then(|hash| owner.name.strip_suffix(hash)?.strip_suffix('-'));
    match deployment {
        Some(name) => ObjectRef::new(Kind::Deployment, pod.namespace(), name),
        None => owner,
    }
}
