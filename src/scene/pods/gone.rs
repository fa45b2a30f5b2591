//! The workload of a pod that is gone, from its name.

use crate::model::store::HasMeta as _;
use crate::model::{Kind, ObjectRef};
use crate::scene::Scene;
use crate::scene::pods::owners;

/// Returns the workload that a pod of this name belongs or belonged to; the pod itself if nothing tells.
pub fn workload_of_name(scene: &Scene<'_>, namespace: &str, pod: &str) -> ObjectRef {
    let objects = &scene.snapshot.objects;
    if let Some(pod) = objects.pods.get(namespace, pod) {
        return owners::workload_of(scene.snapshot, &pod.object);
    }
    let made_by = pod.rsplit_once('-').and_then(|(owner, _)| owner_of_name(scene, namespace, owner));
    made_by.unwrap_or_else(|| ObjectRef::new(Kind::Pod, namespace, pod))
}

/// Controllers name their pods `<controller>-<suffix>`.
fn owner_of_name(scene: &Scene<'_>, namespace: &str, owner: &str) -> Option<ObjectRef> {
    let objects = &scene.snapshot.objects;
    let above = |kind, meta| match owners::controller(meta) {
        Some(above) => owners::reference(above, namespace),
        None => ObjectRef::new(kind, namespace, owner),
    };
    if let Some(set) = objects.replica_sets.get(namespace, owner) {
        return Some(above(Kind::ReplicaSet, set.meta()));
    }
    if let Some(job) = objects.jobs.get(namespace, owner) {
        return Some(above(Kind::Job, job.meta()));
    }
    let listed = [
        (Kind::StatefulSet, objects.stateful_sets.get(namespace, owner).is_some()),
        (Kind::DaemonSet, objects.daemon_sets.get(namespace, owner).is_some()),
        (Kind::ReplicationController, objects.replication_controllers.get(namespace, owner).is_some()),
    ];
    let (kind, _) = listed.into_iter().find(|(_, exists)| *exists)?;
    Some(ObjectRef::new(kind, namespace, owner))
}
