//! Narrows an answer to the object that was asked about, also when that is gone.

use crate::model::{Incident, Kind, ObjectRef, Target};
use crate::scene::Scene;

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

/// Keeps the incidents that concern the target, and notes if it is gone.
pub(crate) fn focus(scene: &Scene<'_>, fate: &Fate, incidents: Vec<Incident>) -> (Vec<Incident>, Vec<String>) {
    let Some(target) = scene.snapshot.scope.target.as_ref() else { return (incidents, Vec::new()) };
    let object = target_ref(scene, target);
    let mut wanted = vec![object.clone()];
    let mut notes = Vec::new();
    match fate {
        Fate::Present => wanted.extend(workload_of(scene, &object)),
        Fate::Gone { workload } => {
            notes.push(gone_note(&object, workload.as_ref()));
            wanted.extend(workload.clone());
        }
        Fate::Never { .. } | Fate::Unknown => {}
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

/// Finds out what became of the target; [`Fate::Present`] if there is none.
pub fn fate(scene: &Scene<'_>) -> Fate {
    let Some(target) = scene.snapshot.scope.target.as_ref() else { return Fate::Present };
    let object = target_ref(scene, target);
    if workload_of(scene, &object).is_some() {
        return Fate::Present;
    }
    let workload = successor(scene, &object);
    if workload.is_some() || scene.events_of(&object).next().is_some() {
        return Fate::Gone { workload };
    }
    if !scene.snapshot.objects.pods.coverage.covers(object.namespace(), &object.name) {
        return Fate::Unknown;
    }
    Fate::Never { nearest: nearest(scene, &object.name) }
}

fn target_ref(scene: &Scene<'_>, target: &Target) -> ObjectRef {
    let namespace = scene.snapshot.scope.namespaces.first().map_or("", String::as_str);
    ObjectRef::new(target.kind, namespace, &target.name)
}

fn workload_of(scene: &Scene<'_>, object: &ObjectRef) -> Option<ObjectRef> {
    scene.pods().find(|pod| pod.object() == *object).map(|pod| pod.workload().object.clone())
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

fn nearest(scene: &Scene<'_>, name: &str) -> Vec<String> {
    let mut names: Vec<(usize, String)> =
        scene.pods().map(|pod| (strsim::damerau_levenshtein(name, pod.name()), pod.name().to_owned())).collect();
    names.sort();
    let close = |distance: usize| distance <= name.len().max(6) / 2 + 1;
    names.into_iter().filter(|(distance, _)| close(*distance)).take(3).map(|(_, name)| name).collect()
}
