//! Which workloads are asked about.

use crate::model::{Kind, ObjectRef};
use crate::scene::Scene;

/// What the user named: all, all of a kind, or one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    pub kind: Option<Kind>,
    pub name: Option<String>,
}

/// Lets some workloads through.
#[derive(Clone, Debug)]
pub struct Filter {
    kind: Option<Kind>,
    /// Several, where the same name is in several namespaces.
    objects: Option<Vec<ObjectRef>>,
}

impl Filter {
    /// Returns whether a workload is asked about.
    pub fn lets(&self, object: &ObjectRef) -> bool {
        match &self.objects {
            Some(objects) => objects.contains(object),
            None => self.kind.is_none_or(|kind| object.is(kind)),
        }
    }
}

impl Wanted {
    /// Returns `deployment/cart`, or `deployment`; `None` for all.
    pub fn words(&self) -> Option<String> {
        let kind = self.kind?.name().to_lowercase();
        Some(self.name.as_ref().map_or(kind.clone(), |name| format!("{kind}/{name}")))
    }

    /// Finds what is meant: of a pod or ReplicaSet, the workload that made it; `None` where nothing has that name.
    pub fn filter(&self, scene: &Scene<'_>) -> Option<Filter> {
        let (Some(kind), Some(name)) = (self.kind, &self.name) else {
            return Some(Filter { kind: self.kind, objects: None });
        };
        let workloads = scene.workloads().iter().map(|workload| &workload.object);
        let mut objects: Vec<ObjectRef> =
            workloads.filter(|object| object.is(kind) && object.name == *name).cloned().collect();
        if kind == Kind::Pod {
            let pods = scene.pods().filter(|pod| pod.name() == name);
            objects.extend(pods.map(|pod| pod.workload().object.clone()));
        }
        if matches!(kind, Kind::ReplicaSet | Kind::Job) {
            let made = scene.pods().filter(|pod| {
                let owner = crate::scene::pods::owners::controller(&pod.pod.metadata);
                owner.is_some_and(|owner| owner.kind == kind.name() && owner.name == *name)
            });
            objects.extend(made.map(|pod| pod.workload().object.clone()));
        }
        (!objects.is_empty()).then_some(Filter { kind: self.kind, objects: Some(objects) })
    }

    /// Returns the names that are nearest to the one that was not found.
    pub fn near(&self, scene: &Scene<'_>) -> Vec<String> {
        let (Some(kind), Some(name)) = (self.kind, &self.name) else { return Vec::new() };
        let of_kind = scene.workloads().iter().map(|workload| &workload.object).filter(|object| object.is(kind));
        let near = of_kind
            .map(|object| &object.name)
            .filter(|other| strsim::damerau_levenshtein(other, name) <= 2 || other.contains(name.as_str()));
        let mut names: Vec<String> = near.cloned().collect();
        names.sort();
        names.dedup();
        names.truncate(3);
        names
    }
}
