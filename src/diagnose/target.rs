//! Narrows an answer to the object that was asked about, also when that is gone.

use crate::model::store::HasMeta;
use crate::model::{Incident, Kind, ObjectRef, Target, Type};
use crate::scene::pods::owners;
use crate::scene::topology::Relation;
use crate::scene::{PodView, Scene};

/// What became of the object that was asked about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It is there.
    Present,
    /// It was replaced: its workload and its events still tell.
    Gone { workload: Option<ObjectRef> },
    /// It never was, as far as can be seen: the nearest names.
    Never { nearest: Vec<String> },
    /// Nobody was allowed to look.
    Unknown,
}

/// Keeps the incidents that concern one of the targets, and notes which of them are gone.
pub(crate) fn focus(scene: &Scene<'_>, fates: &[Fate], incidents: Vec<Incident>) -> (Vec<Incident>, Vec<String>) {
    let targets = &scene.snapshot.scope.targets;
    if targets.is_empty() {
        return (incidents, Vec::new());
    }
    let mut wanted = Vec::new();
    let mut notes = Vec::new();
    for (target, fate) in targets.iter().zip(fates) {
        let object = target_ref(scene, target);
        wanted.push(object.clone());
        match fate {
            Fate::Present => wanted.extend(stands_on(scene, &object)),
            Fate::Gone { workload } => {
                notes.push(gone_note(&object, workload.as_ref()));
                wanted.extend(workload.clone());
            }
            Fate::Never { .. } | Fate::Unknown => {}
        }
    }
    let concerns = |incident: &Incident| {
        let findings = std::iter::once(&incident.cause).chain(&incident.effects);
        let subjects = findings.map(|finding| &finding.subject.object);
        subjects.chain(&incident.affected).any(|object| wanted.contains(object))
    };
    (incidents.into_iter().filter(concerns).collect(), notes)
}

fn gone_note(object: &ObjectRef, workload: Option<&ObjectRef>) -> String {
    match workload {
        Some(workload) => {
            format!(
                "{} is gone; this is answered from its events, {} and its successors",
                object.short(),
                workload.short()
            )
        }
        None => format!("{} is gone; this is answered from its events", object.short()),
    }
}

/// Finds out what became of each target.
pub fn fates(scene: &Scene<'_>) -> Vec<Fate> {
    scene.snapshot.scope.targets.iter().map(|target| fate(scene, target)).collect()
}

fn fate(scene: &Scene<'_>, target: &Target) -> Fate {
    let object = target_ref(scene, target);
    let names = names(scene, &target.kind, object.namespace());
    if names.contains(&target.name.as_str()) {
        return Fate::Present;
    }
    let workload = successor(scene, &object).filter(|_| object.is(Kind::Pod));
    if workload.is_some() || scene.events_of(&object).next().is_some() {
        return Fate::Gone { workload };
    }
    if !was_looked_for(scene, target, &object) {
        return Fate::Unknown;
    }
    Fate::Never { nearest: nearest(&object.name, names) }
}

/// Returns the names of all objects of a type in a namespace.
fn names<'s>(scene: &Scene<'s>, of: &Type, namespace: &str) -> Vec<&'s str> {
    let objects = &scene.snapshot.objects;
    match of.known() {
        Some(kind) => objects.names(kind, if kind.namespaced() { namespace } else { "" }),
        None => objects.of_type(of).filter(|item| item.namespace() == namespace).map(HasMeta::name).collect(),
    }
}

/// Returns whether an object that is not in the snapshot does not exist: a custom one is asked for by its name.
fn was_looked_for(scene: &Scene<'_>, target: &Target, object: &ObjectRef) -> bool {
    match target.kind.known() {
        Some(kind) => scene.snapshot.objects.coverage(kind).covers(object.namespace(), &object.name),
        None => !scene.snapshot.gaps.iter().any(|gap| gap.name.as_ref() == Some(&object.name)),
    }
}

fn target_ref(scene: &Scene<'_>, target: &Target) -> ObjectRef {
    let of_scope = || scene.snapshot.scope.namespaces.first().map_or("", String::as_str);
    let namespace = target.namespace.as_deref().unwrap_or_else(of_scope);
    target.kind.object(namespace, &target.name)
}

/// Returns what an object is made of or leads to: the pods of a workload, the workloads behind a Service or Ingress.
///
/// What is wrong with these is wrong with it.
fn stands_on(scene: &Scene<'_>, object: &ObjectRef) -> Vec<ObjectRef> {
    let leads = |relation| match relation {
        Relation::Owns | Relation::Selects | Relation::Routes | Relation::Scales => true,
        Relation::Mounts => object.is(Kind::PersistentVolumeClaim),
        _ => false,
    };
    let mut found = vec![object.clone()];
    let mut at = 0;
    while at < found.len() {
        let next = scene.topology().depends_on(&found[at]).filter(|(_, relation)| leads(*relation));
        let next: Vec<ObjectRef> = next.map(|(next, _)| next.clone()).filter(|next| !found.contains(next)).collect();
        found.extend(next);
        at += 1;
    }
    let pods = scene.pods().filter(|pod| {
        let controller = owners::controller(pod.pod.meta()).map(|owner| owners::reference(owner, pod.namespace()));
        found.contains(&pod.workload().object) || controller.is_some_and(|owner| found.contains(&owner))
    });
    let pods: Vec<ObjectRef> = pods.map(PodView::object).collect();
    found.extend(scene.pods().find(|pod| pod.object() == *object).map(|pod| pod.workload().object.clone()));
    found.extend(pods);
    found
}

/// Returns the workload that would have made a pod of this name: `<name>-<hash>-<5>` of a Deployment, `<name>-<5>` of a
/// ReplicaSet, DaemonSet or Job, `<name>-<ordinal>` of a StatefulSet.
fn successor(scene: &Scene<'_>, object: &ObjectRef) -> Option<ObjectRef> {
    let made = |workload: &ObjectRef| {
        let rest = object.name.strip_prefix(workload.name.as_str()).and_then(|rest| rest.strip_prefix('-'));
        rest.is_some_and(|rest| is_suffix(workload, rest))
    };
    let workloads = scene.workloads().iter().map(|workload| &workload.object);
    let same = workloads.filter(|workload| workload.namespace() == object.namespace() && !workload.is(Kind::Pod));
    same.filter(|workload| made(workload)).max_by_key(|workload| workload.name.len()).cloned()
}

fn is_suffix(workload: &ObjectRef, rest: &str) -> bool {
    let random = |part: &str| part.len() == 5 && part.bytes().all(|byte| byte.is_ascii_alphanumeric());
    let hash = |part: &str| (6..=10).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_alphanumeric());
    match rest.rsplit_once('-') {
        Some((middle, last)) => {
            (workload.is(Kind::Deployment) || workload.is(Kind::CronJob)) && hash(middle) && random(last)
        }
        None if workload.is(Kind::StatefulSet) => rest.bytes().all(|byte| byte.is_ascii_digit()),
        None => random(rest),
    }
}

fn nearest(name: &str, others: Vec<&str>) -> Vec<String> {
    let mut names: Vec<(usize, &str)> =
        others.into_iter().map(|other| (strsim::damerau_levenshtein(name, other), other)).collect();
    names.sort_unstable();
    let close = |distance: usize| distance <= name.len().max(6) / 2 + 1;
    names.into_iter().filter(|(distance, _)| close(*distance)).take(3).map(|(_, name)| name.to_owned()).collect()
}
