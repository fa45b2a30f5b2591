//! Which controllers want more pods than exist.

use crate::model::store::HasMeta as _;
use crate::model::{Kind, Lookup, ObjectRef};
use crate::scene::Scene;
use crate::scene::pods::owners;

/// Whether a controller has the pods that it asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shortage {
    /// It has them, or asks for none, or is gone.
    None,
    /// So many do not exist.
    Of(i32),
    /// Nothing tells: the controller was not read, or its kind has no such number.
    Unknown,
}

impl Shortage {
    fn of(desired: i32, existing: i32) -> Self {
        if desired > existing { Self::Of(desired - existing) } else { Self::None }
    }
}

/// Returns how many pods a controller lacks, by its own status.
pub fn of(scene: &Scene<'_>, controller: &ObjectRef) -> Shortage {
    let objects = &scene.snapshot.objects;
    let (namespace, name) = (controller.namespace(), controller.name.as_str());
    let known = if controller.is(Kind::ReplicaSet) {
        objects.replica_sets.look_up(namespace, name).map_to(|set| {
            let desired = set.spec.as_ref().map_or(1, |spec| spec.replicas.unwrap_or(1));
            Shortage::of(desired, set.status.as_ref().map_or(0, |status| status.replicas))
        })
    } else if controller.is(Kind::Deployment) {
        objects.deployments.look_up(namespace, name).map_to(|deployment| {
            let desired = deployment.spec.as_ref().map_or(1, |spec| spec.replicas.unwrap_or(1));
            Shortage::of(desired, deployment.status.as_ref().and_then(|status| status.updated_replicas).unwrap_or(0))
        })
    } else if controller.is(Kind::StatefulSet) {
        objects.stateful_sets.look_up(namespace, name).map_to(|set| {
            let desired = set.spec.as_ref().map_or(1, |spec| spec.replicas.unwrap_or(1));
            Shortage::of(desired, set.status.as_ref().map_or(0, |status| status.replicas))
        })
    } else if controller.is(Kind::DaemonSet) {
        objects.daemon_sets.look_up(namespace, name).map_to(|set| {
            let numbers = set.status.as_ref();
            numbers
                .map_or(Shortage::None, |now| Shortage::of(now.desired_number_scheduled, now.current_number_scheduled))
        })
    } else if controller.is(Kind::Job) {
        job(scene, namespace, name)
    } else {
        Lookup::Unknown
    };
    match known {
        Lookup::Found(shortage) => shortage,
        Lookup::Absent => Shortage::None,
        Lookup::Unknown => Shortage::Unknown,
    }
}

fn job(scene: &Scene<'_>, namespace: &str, name: &str) -> Lookup<Shortage> {
    scene.snapshot.objects.jobs.look_up(namespace, name).map_to(|job| {
        let status = job.status.as_ref();
        let ended = status.and_then(|status| status.conditions.as_ref()).is_some_and(|conditions| {
            conditions.iter().any(|condition| {
                matches!(condition.type_.as_str(), "Complete" | "Failed") && condition.status == "True"
            })
        });
        let suspended = job.spec.as_ref().is_some_and(|spec| spec.suspend == Some(true));
        let active = status.and_then(|status| status.active).unwrap_or(0);
        if ended || suspended { Shortage::None } else { Shortage::of(1, active) }
    })
}

/// Returns what a person edits for a controller: the Deployment of a ReplicaSet, the CronJob of a Job, else itself.
pub fn workload_of(scene: &Scene<'_>, controller: &ObjectRef) -> ObjectRef {
    let objects = &scene.snapshot.objects;
    let (namespace, name) = (controller.namespace(), controller.name.as_str());
    let above = if controller.is(Kind::ReplicaSet) {
        objects.replica_sets.get(namespace, name).and_then(|set| owners::controller(set.meta()))
    } else if controller.is(Kind::Job) {
        objects.jobs.get(namespace, name).and_then(|job| owners::controller(job.meta()))
    } else {
        None
    };
    if let Some(above) = above {
        return owners::reference(above, namespace);
    }
    let unread = controller.is(Kind::ReplicaSet) && objects.replica_sets.get(namespace, name).is_none();
    let deployment =
        name.rsplit_once('-').filter(|_| unread).and_then(|(name, _)| objects.deployments.get(namespace, name));
    deployment.map_or_else(|| controller.clone(), |found| ObjectRef::new(Kind::Deployment, namespace, found.name()))
}

trait MapTo<T> {
    fn map_to<U>(self, with: impl FnOnce(T) -> U) -> Lookup<U>;
}

impl<T> MapTo<T> for Lookup<T> {
    fn map_to<U>(self, with: impl FnOnce(T) -> U) -> Lookup<U> {
        match self {
            Lookup::Found(found) => Lookup::Found(with(found)),
            Lookup::Absent => Lookup::Absent,
            Lookup::Unknown => Lookup::Unknown,
        }
    }
}
