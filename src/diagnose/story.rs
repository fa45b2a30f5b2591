//! What a picture of the report shows: the moments around the incidents, and the ways from effects to their cause.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use jiff::Timestamp;

use crate::model::story::{Dependency, Happening, Moment, Story};
use crate::model::{Change, Incident, Kind, ObjectRef};
use crate::scene::topology::Relation;
use crate::scene::{ContainerView, EventView, PodView, Scene, Topology};

/// Pods of one workload whose moments are told: its siblings tell the same.
const PODS: usize = 3;

/// Tells the story of incidents.
pub fn tell(scene: &Scene<'_>, incidents: &[Incident]) -> Story {
    let mut moments = BTreeSet::new();
    for object in incidents.iter().flat_map(objects).collect::<BTreeSet<_>>() {
        moments.extend(moments_of(scene, object));
    }
    let dependencies = incidents.iter().map(|incident| dependencies(scene.topology(), incident)).collect();
    Story { moments: moments.into_iter().collect(), dependencies }
}

/// The subjects of cause and effects, and what they hit.
fn objects(incident: &Incident) -> impl Iterator<Item = &ObjectRef> {
    let findings = std::iter::once(&incident.cause).chain(&incident.effects);
    findings.map(|finding| &finding.subject.object).chain(&incident.affected)
}

// --- moments

fn moments_of(scene: &Scene<'_>, object: &ObjectRef) -> Vec<Moment> {
    let mut moments: Vec<Moment> = scene.events_of(object).filter_map(|event| happened(event, object)).collect();
    moments.extend(writes(scene, object).iter().filter_map(|change| written(change, object)));
    let pods: Vec<PodView<'_>> = match scene.workload(object) {
        Some(workload) => scene.pods_of(workload).collect(),
        None => scene.pods().filter(|pod| object.is(Kind::Pod) && pod.object() == *object).collect(),
    };
    for pod in
        pods.into_iter().filter(|pod| !pod.is_ready() || pod.containers().any(|one| one.restarts() > 0)).take(PODS)
    {
        let address = pod.object();
        moments.extend(pod.events().filter_map(|event| happened(event, &address)));
        moments.extend(pod.containers().filter_map(|container| restarted(container, &address)));
    }
    moments
}

fn happened(event: &EventView<'_>, object: &ObjectRef) -> Option<Moment> {
    let what = if event.is_warning() { Happening::Warning } else { Happening::Event };
    let times = if event.count > 1 { format!(" (×{})", event.count) } else { String::new() };
    let time = event.last?;
    let since = event.first.unwrap_or(time).min(time);
    Some(Moment {
        time,
        since,
        object: object.clone(),
        what,
        text: format!("{}{times}: {}", event.reason, event.message),
    })
}

fn restarted(container: ContainerView<'_>, object: &ObjectRef) -> Option<Moment> {
    let end = container.last_end()?;
    let time: Timestamp = end.finished_at.as_ref()?.0;
    let reason = end.reason.as_deref().unwrap_or("it ended");
    let text = format!(
        "container {} ended: {reason}, exit code {}; restarts: {}",
        container.name(),
        end.exit_code,
        container.restarts()
    );
    Some(Moment { time, since: time, object: object.clone(), what: Happening::Restart, text })
}

/// Who wrote to an object that people write to.
fn writes<'s>(scene: &'s Scene<'_>, object: &ObjectRef) -> &'s [Change] {
    let objects = &scene.snapshot.objects;
    let (namespace, name) = (object.namespace(), object.name.as_str());
    let found = match Kind::find(&object.api_version, &object.kind) {
        Some(Kind::ConfigMap) => objects.config_maps.get(namespace, name).map(|item| &item.changes[..]),
        Some(Kind::Secret) => objects.secrets.get(namespace, name).map(|item| &item.changes[..]),
        Some(Kind::Service) => objects.services.get(namespace, name).map(|item| &item.changes[..]),
        Some(Kind::ResourceQuota) => objects.quotas.get(namespace, name).map(|item| &item.changes[..]),
        Some(Kind::NetworkPolicy) => objects.network_policies.get(namespace, name).map(|item| &item.changes[..]),
        _ => scene.workload(object).map(|workload| workload.changes),
    };
    found.unwrap_or_default()
}

fn written(change: &Change, object: &ObjectRef) -> Option<Moment> {
    // Only the status was written.
    let first = change.paths.first()?;
    let time = change.time?;
    let more =
        if change.paths.len() > 1 { format!(" and {} more fields", change.paths.len() - 1) } else { String::new() };
    let text = format!("{} wrote {first}{more}", change.manager);
    Some(Moment { time, since: time, object: object.clone(), what: Happening::Change, text })
}

// --- dependencies

/// The shortest ways from everything that is hit to the cause; of pods, what owns them is shown.
fn dependencies(topology: &Topology, incident: &Incident) -> Vec<Dependency> {
    let cause = &incident.cause.subject.object;
    let mut ways = BTreeSet::new();
    for start in objects(incident).filter(|object| !object.is(Kind::Pod)).collect::<BTreeSet<_>>() {
        ways.extend(way(topology, start, cause));
    }
    ways.into_iter().collect()
}

/// Returns the steps of the shortest way from one object to what it depends on; none if there is no way.
fn way(topology: &Topology, start: &ObjectRef, end: &ObjectRef) -> Vec<Dependency> {
    let mut came: BTreeMap<&ObjectRef, (&ObjectRef, Relation)> = BTreeMap::new();
    let mut queue = VecDeque::from([start]);
    while let Some(object) = queue.pop_front().filter(|object| *object != end) {
        for (next, relation) in topology.depends_on(object) {
            if next != start && !came.contains_key(next) {
                came.insert(next, (object, relation));
                queue.push_back(next);
            }
        }
    }
    let mut steps = Vec::new();
    let mut at = end;
    while let Some(&(from, relation)) = came.get(at) {
        steps.push(Dependency { from: from.clone(), to: at.clone(), verb: verb(relation) });
        at = from;
    }
    steps
}

fn verb(relation: Relation) -> &'static str {
    match relation {
        Relation::Owns => "owns",
        Relation::ScheduledOn => "runs on",
        Relation::Mounts => "mounts",
        Relation::References => "uses",
        Relation::WaitsFor => "waits for",
        Relation::Selects => "selects",
        Relation::Routes => "routes to",
        Relation::Scales => "scales",
        Relation::Admits => "is filtered by",
        Relation::Calls => "calls",
        Relation::Limits => "is limited by",
    }
}
