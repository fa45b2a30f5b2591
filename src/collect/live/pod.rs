//! Reads one pod and what it can depend on, in at most three round trips.
//!
//! First the pod, its events and the small lists of its namespace; then, by name, what the pod refers to, with the logs,
//! and the pods behind the Services that it calls; then what lies behind those. A pod that is gone is answered from its namespace instead.

use std::collections::BTreeSet;

use k8s_openapi::api::core::v1::{Pod, PodSpec, Service};

use super::fetch::{self, List, Name};
use super::suspicion::Suspect;
use super::{amounts, extras, logs, monitoring, namespace, owners, suspicion, usage, version};
use crate::collect::client::{ApiClient, RequestError};
use crate::collect::intake::Intake;
use crate::collect::plan::Plan;
use crate::failure::Failure;
use crate::model::store::HasMeta as _;
use crate::model::{Gap, Kind, Snapshot};
use crate::scene::pods::owners::{controller, reference};
use crate::scene::topology::claim_of;

/// Lists of the pod's namespace that name no pod but may concern it.
const SURROUNDINGS: &[Kind] =
    &[Kind::Service, Kind::NetworkPolicy, Kind::ResourceQuota, Kind::LimitRange, Kind::EndpointSlice];

/// The pods behind so many called Services are read, and so many logs of those in trouble.
const MAX_CALLEES: usize = 4;
const MAX_CALLEE_LOGS: usize = 6;

/// The logs of one pod are few.
const LOGS_AT_ONCE: usize = 24;

/// Reads one pod with what it depends on.
pub(super) async fn collect(client: &ApiClient, plan: &Plan, name: &str) -> Result<Snapshot, Failure> {
    let place = plan.scope.namespaces.first().map_or("default", String::as_str);
    let events = List::of(Kind::Event, Some(place)).narrowed("fieldSelector", format!("involvedObject.name={name}"));
    let around = SURROUNDINGS.iter().map(|kind| List::of(*kind, Some(place)));
    let downloads = std::iter::once(events).chain(around).map(|list| fetch::start(client, list)).collect();
    let address = (Kind::Pod, place.to_owned(), name.to_owned());
    let (version, pod) = tokio::join!(version(client), fetch::get(client, &address));
    let bytes = match pod {
        Ok(bytes) => bytes,
        Err(RequestError::NotFound { .. }) => return namespace::collect(client, plan).await,
        Err(error) if error.concerns_the_whole_run() => return Err(error.into_failure("the pod")),
        Err(RequestError::Forbidden { .. }) => return without_the_pod(client, plan, name).await,
        Err(error) => return Err(error.into_failure(&format!("pod \"{name}\" in namespace \"{place}\""))),
    };
    let mut snapshot = Snapshot::new(jiff::Timestamp::now(), plan.scope.clone());
    snapshot.server = version.ok().flatten();
    snapshot.context.clone_from(&plan.context);
    let mut intake = Intake::new(snapshot, plan.keep);
    intake.object(Kind::Pod, &String::from_utf8_lossy(&bytes));
    intake.snapshot_mut().objects.pods.coverage.add_name(place, name);
    intake.snapshot_mut().objects.sort();
    let intake = fetch::decode(intake, downloads).await?;
    let (intake, systems) = tokio::join!(second_round(client, plan, intake, place), monitoring::find(client, plan));
    let intake = intake?;
    let runs = usage::killed_runs(intake.snapshot());
    let (intake, answers) =
        tokio::join!(third_round(client, intake, place), monitoring::ask(client, plan, &systems, &runs));
    let mut intake = intake?;
    monitoring::take_in(&mut intake, answers);
    Ok(intake.finish())
}

/// Who may not get the pod may perhaps list its namespace.
async fn without_the_pod(client: &ApiClient, plan: &Plan, name: &str) -> Result<Snapshot, Failure> {
    let mut snapshot = namespace::collect(client, plan).await?;
    if snapshot.objects.pods.iter().all(|pod| pod.object.name() != name) {
        snapshot.gaps.push(Gap::kind(
            Kind::Pod,
            snapshot.scope.namespaces.first().map(String::as_str),
            crate::model::GapReason::Forbidden,
            "",
        ));
        snapshot.normalise();
    }
    Ok(snapshot)
}

/// What the pod refers to, the events of its owners, its siblings, and the logs.
async fn second_round(client: &ApiClient, plan: &Plan, mut intake: Intake, place: &str) -> Result<Intake, Failure> {
    let snapshot = intake.snapshot();
    let Some(pod) = snapshot.objects.pods.iter().next() else { return Ok(intake) };
    let suspects = suspicion::of_named_pod(pod);
    let names = referred(snapshot, pod, place);
    let lists = lists(pod, place).into_iter().chain(callees(snapshot, pod, place));
    let downloads = lists.map(|list| fetch::start(client, list)).collect();
    let (answers, texts, usage, cadvisor, amounts) = tokio::join!(
        fetch::named(client, names),
        logs::fetch(client, &suspects, LOGS_AT_ONCE),
        extras::usage(client, plan, &suspects),
        extras::cadvisor(client, plan, snapshot, &suspects),
        amounts::fetch(client, plan, snapshot),
    );
    amounts::take_in(&mut intake, plan, amounts);
    fetch::take_in(&mut intake, answers);
    logs::take_in(&mut intake, texts);
    extras::take_in(&mut intake, usage, cadvisor);
    fetch::decode(intake, downloads).await
}

/// What lies behind that: owners of owners, volumes of claims.
async fn third_round(client: &ApiClient, mut intake: Intake, place: &str) -> Result<Intake, Failure> {
    let snapshot = intake.snapshot();
    let jobs = snapshot.objects.jobs.iter().filter_map(|job| controller(job.object.meta()));
    let sets = snapshot.objects.replica_sets.iter().filter_map(|set| controller(set.object.meta()));
    let above = jobs.chain(sets).filter_map(|owner| named_owner(&owner.api_version, &owner.kind, place, &owner.name));
    let volumes = snapshot.objects.claims.iter().filter_map(|claim| claim.spec.as_ref()?.volume_name.clone());
    let volumes = volumes.map(|name| (Kind::PersistentVolume, String::new(), name));
    let names: BTreeSet<Name> = above.chain(volumes).filter(|name| is_new(snapshot, name)).collect();
    let late = extras::late_lists(snapshot).into_iter().map(|list| fetch::start(client, list)).collect();
    let read: BTreeSet<&str> = snapshot.logs.keys().map(|container| container.pod.as_str()).collect();
    let others = snapshot.objects.pods.in_namespace(place).filter(|pod| !read.contains(pod.object.name()));
    let suspects: Vec<Suspect> = others.flat_map(suspicion::of_pod).take(MAX_CALLEE_LOGS).collect();
    let (answers, owners, texts) = tokio::join!(
        fetch::named(client, names),
        owners::fetch(client, snapshot),
        logs::fetch(client, &suspects, LOGS_AT_ONCE)
    );
    fetch::take_in(&mut intake, answers);
    logs::take_in(&mut intake, texts);
    owners::take_in(&mut intake, owners);
    fetch::decode(intake, late).await
}

fn is_new(snapshot: &Snapshot, (kind, namespace, name): &Name) -> bool {
    let namespace = if kind.namespaced() { namespace } else { "" };
    !snapshot.objects.coverage(*kind).covers(namespace, name)
}

fn named_owner(api_version: &str, kind: &str, place: &str, name: &str) -> Option<Name> {
    Some((Kind::find(api_version, kind)?, place.to_owned(), name.to_owned()))
}

/// Returns the lists that this pod's state calls for.
fn lists(pod: &Pod, place: &str) -> Vec<List> {
    let mut lists = Vec::new();
    let unscheduled = pod.spec.as_ref().is_none_or(|spec| spec.node_name.as_deref().is_none_or(str::is_empty));
    if unscheduled {
        lists.extend([List::of(Kind::Node, None), List::of(Kind::Pod, None), List::of(Kind::PriorityClass, None)]);
    } else if let Some(labels) = siblings(pod) {
        lists.push(List::of(Kind::Pod, Some(place)).narrowed("labelSelector", labels));
    }
    if pod.spec.iter().flat_map(|spec| spec.volumes.iter().flatten()).any(|volume| claim_of(volume).is_some()) {
        lists.extend([List::of(Kind::StorageClass, None), List::of(Kind::PersistentVolume, None)]);
    }
    if let Some(owner) = controller(pod.meta()) {
        lists.push(
            List::of(Kind::Event, Some(place)).narrowed("fieldSelector", format!("involvedObject.name={}", owner.name)),
        );
    }
    lists
}

/// Returns lists of the pods behind the Services that a pod calls, or of all pods and workloads where such a Service has none.
fn callees(snapshot: &Snapshot, pod: &Pod, place: &str) -> Vec<List> {
    let Some(spec) = pod.spec.as_ref() else { return Vec::new() };
    let words: BTreeSet<&str> = addresses(spec).collect();
    let called = snapshot.objects.services.in_namespace(place).filter(|service| words.contains(service.object.name()));
    let selector = |service: &Service| Some(service.spec.as_ref()?.selector.clone()?).filter(|pairs| !pairs.is_empty());
    let called: Vec<_> = called.filter_map(|service| Some((service.object.name(), selector(service)?))).collect();
    // Where a Service meets no pod, those that it misses are looked for.
    if called.iter().any(|(name, _)| !has_endpoints(snapshot, place, name)) {
        return [Kind::Pod, Kind::Deployment, Kind::StatefulSet].map(|kind| List::of(kind, Some(place))).into();
    }
    let labels = called.iter().take(MAX_CALLEES).map(|(_, pairs)| {
        let pairs: Vec<String> = pairs.iter().map(|(key, value)| format!("{key}={value}")).collect();
        pairs.join(",")
    });
    labels.map(|labels| List::of(Kind::Pod, Some(place)).narrowed("labelSelector", labels)).collect()
}

/// Iterates over the words of the values and arguments that may be hosts.
fn addresses(spec: &PodSpec) -> impl Iterator<Item = &str> {
    let containers = spec.containers.iter().chain(spec.init_containers.iter().flatten());
    let texts = containers.flat_map(|container| {
        let values = container.env.iter().flatten().filter_map(|variable| variable.value.as_ref());
        values.chain(container.command.iter().flatten()).chain(container.args.iter().flatten())
    });
    texts.flat_map(|text| text.split(|symbol: char| !(symbol.is_ascii_alphanumeric() || symbol == '-')))
}

fn has_endpoints(snapshot: &Snapshot, place: &str, service: &str) -> bool {
    let slices = snapshot.objects.endpoint_slices.in_namespace(place);
    let mut own = slices.filter(|slice| {
        let label = slice.metadata.labels.as_ref().and_then(|labels| labels.get("kubernetes.io/service-name"));
        label.is_some_and(|name| name == service)
    });
    own.any(|slice| !slice.endpoints.is_empty())
}

/// Returns the selector of the pods that the same template made.
fn siblings(pod: &Pod) -> Option<String> {
    let labels = pod.meta().labels.as_ref()?;
    let keys = ["pod-template-hash", "controller-revision-hash", "batch.kubernetes.io/job-name"];
    keys.iter().find_map(|key| Some(format!("{key}={}", labels.get(*key)?)))
}

/// Returns what the pod names: owner, node, account, configuration, claims.
fn referred(snapshot: &Snapshot, pod: &Pod, place: &str) -> Vec<Name> {
    let mut names: BTreeSet<Name> = BTreeSet::new();
    if let Some(owner) = controller(pod.meta()) {
        names.extend(named_owner(&owner.api_version, &owner.kind, place, &owner.name));
        // A Deployment's name is known from its ReplicaSet's, which saves a round trip.
        let workload = crate::scene::pods::owners::workload_of(snapshot, pod);
        if workload != reference(owner, place) {
            names.extend(named_owner(&workload.api_version, &workload.kind, place, &workload.name));
        }
    }
    let Some(spec) = pod.spec.as_ref() else { return names.into_iter().collect() };
    let mut add = |kind: Kind, name: &str| _ = names.insert((kind, place.to_owned(), name.to_owned()));
    spec.node_name.iter().filter(|name| !name.is_empty()).for_each(|name| add(Kind::Node, name));
    spec.service_account_name.iter().for_each(|name| add(Kind::ServiceAccount, name));
    spec.priority_class_name.iter().for_each(|name| add(Kind::PriorityClass, name));
    spec.image_pull_secrets.iter().flatten().for_each(|secret| add(Kind::Secret, &secret.name));
    configuration(spec, &mut add);
    names.into_iter().collect()
}

fn configuration(spec: &PodSpec, add: &mut impl FnMut(Kind, &str)) {
    for container in spec.containers.iter().chain(spec.init_containers.iter().flatten()) {
        for from in container.env_from.iter().flatten() {
            from.config_map_ref.iter().for_each(|source| add(Kind::ConfigMap, &source.name));
            from.secret_ref.iter().for_each(|source| add(Kind::Secret, &source.name));
        }
        for from in container.env.iter().flatten().filter_map(|variable| variable.value_from.as_ref()) {
            from.config_map_key_ref.iter().for_each(|key| add(Kind::ConfigMap, &key.name));
            from.secret_key_ref.iter().for_each(|key| add(Kind::Secret, &key.name));
        }
    }
    for volume in spec.volumes.iter().flatten() {
        volume.config_map.iter().for_each(|source| add(Kind::ConfigMap, &source.name));
        volume
            .secret
            .iter()
            .filter_map(|source| source.secret_name.as_deref())
            .for_each(|name| add(Kind::Secret, name));
        for source in volume.projected.iter().flat_map(|projected| projected.sources.iter().flatten()) {
            source.config_map.iter().for_each(|from| add(Kind::ConfigMap, &from.name));
            source.secret.iter().for_each(|from| add(Kind::Secret, &from.name));
        }
        claim_of(volume).into_iter().for_each(|name| add(Kind::PersistentVolumeClaim, name));
    }
}
