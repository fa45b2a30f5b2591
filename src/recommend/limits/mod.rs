//! What every workload of a scope asks for, what it uses, and what it should ask for: for healthy ones, too.
//!
//! Who is killed for want of memory gets what its incident says; `memory` and `cpu` judge the others, `bounds` checks what
//! they advise, `container` puts it together.

pub mod bounds;
pub mod container;
pub mod cpu;
pub mod memory;
pub mod opinion;
pub mod order;
#[cfg(test)]
mod tests;
pub mod usage;
pub mod wanted;

use crate::model::limits::{ContainerLimits, Cost, Costs, Field, WorkloadLimits};
use crate::model::telemetry::{CPU_CORES, CPU_SECONDS, SOURCE, WORKING_SET, WORKING_SET_MAX};
use crate::model::{Incident, Kind};
use crate::quantity::Quantity;
use crate::recommend::edit::{self, Edit};
use crate::recommend::owner;
use crate::scene::{PodView, Role, Scene, Workload};
use container::Piece;
use usage::Book;
use wanted::Filter;

/// Reviews the workloads in scope that a filter lets through, given the incidents that were found.
pub fn review<'s>(scene: &'s Scene<'s>, incidents: &[Incident], wanted: &Filter) -> Vec<WorkloadLimits> {
    let book = Book::new(scene);
    let all = scene.workloads().iter().filter(|workload| wanted.lets(&workload.object));
    all.filter_map(|workload| of_workload(scene, &book, incidents, workload)).collect()
}

/// Returns where the measurements come from.
pub fn sources(scene: &Scene<'_>) -> Vec<&'static str> {
    let snapshot = scene.snapshot;
    let names = [WORKING_SET, WORKING_SET_MAX, CPU_CORES, CPU_SECONDS];
    let mut series = snapshot.metrics.iter().flatten().filter(|series| names.contains(&series.name())).peekable();
    let any = series.peek().is_some();
    let sampled = |source: &str| series.clone().any(|series| series.label(SOURCE) == Some(source));
    let (server, kubelet) = (sampled("metrics-server"), sampled("kubelet"));
    let prometheus = any && series.clone().any(|series| series.label(SOURCE).is_none());
    let found = [
        ("metrics-server", server || !snapshot.usage.is_empty()),
        ("kubelet", kubelet || !snapshot.cadvisor.is_empty()),
        ("Prometheus", prometheus),
    ];
    found.into_iter().filter(|(_, is)| *is).map(|(name, _)| name).collect()
}

/// Returns the newest pod that runs or is to run: what its containers have is what the workload has.
fn newest<'s>(scene: &'s Scene<'s>, workload: &'s Workload<'s>) -> Option<PodView<'s>> {
    let live = scene.pods_of(workload).filter(|pod| !pod.is_finished() && !pod.is_terminating());
    live.max_by_key(|pod| (pod.created(), pod.name()))
}

fn of_workload<'s>(
    scene: &'s Scene<'s>,
    book: &Book<'s>,
    incidents: &[Incident],
    workload: &'s Workload<'s>,
) -> Option<WorkloadLimits> {
    let newest = newest(scene, workload);
    // A Job that is done, or an owner without pods, asks for nothing and never will.
    let template = workload.template.filter(|_| newest.is_some() || !is_over(workload));
    let spec = newest.and_then(PodView::spec).or(template)?;
    let inits = spec.init_containers.iter().flatten().map(|container| {
        let sidecar = container.restart_policy.as_deref() == Some("Always");
        (if sidecar { Role::Sidecar } else { Role::Init }, container)
    });
    let all = inits.chain(spec.containers.iter().map(|container| (Role::App, container)));
    let pieces: Vec<Piece<'s>> = all
        .map(|(role, spec)| {
            let view = newest.and_then(|pod| pod.container(&spec.name));
            Piece { scene, workload, spec, role, view }
        })
        .filter(|piece| piece.role != Role::Init || piece.incident(incidents).is_some())
        .collect();
    let found: Vec<(Piece<'s>, ContainerLimits)> =
        pieces.into_iter().map(|piece| (piece, piece.review(book, incidents))).collect();
    let replicas = replicas(scene, workload);
    let edits: Vec<Edit<'_>> = found.iter().filter_map(|(piece, limits)| piece.edit(limits)).collect();
    let costs = found.iter().fold(Costs::default(), |sum, (piece, limits)| sum.plus(costs(piece, limits, book)));
    let changed = found.iter().filter(|(_, limits)| limits.is_changed());
    let mut elsewhere: Vec<String> = changed
        .filter_map(|(piece, limits)| {
            let name = &piece.spec.name;
            owner::elsewhere(scene, workload, piece.role, name, &fields(name, limits))
        })
        .collect();
    elsewhere.dedup();
    Some(WorkloadLimits {
        object: workload.object.clone(),
        replicas,
        patch: edit::patch(scene, workload, &edits),
        commands: edit::commands(scene, workload, &edits),
        costs: Costs {
            requested: costs.requested.times(replicas),
            recommended: costs.recommended.times(replicas),
            unused: costs.unused.times(replicas),
        },
        temporary: Some(elsewhere.join("; ")).filter(|text| !text.is_empty()),
        containers: found.into_iter().map(|(_, limits)| limits).collect(),
    })
}

/// Names what is to be changed of a container: its paths, and its name.
fn fields(name: &str, limits: &ContainerLimits) -> String {
    let changed = Field::ALL.into_iter().filter(|field| limits.current.get(field) != limits.recommended.get(field));
    let paths: Vec<String> = changed.map(|field| format!("resources.{}", field.path())).collect();
    format!("{} of `{name}`", paths.join(" and "))
}

fn is_over(workload: &Workload<'_>) -> bool {
    let makes_pods = [
        Kind::Deployment,
        Kind::StatefulSet,
        Kind::DaemonSet,
        Kind::CronJob,
        Kind::ReplicaSet,
        Kind::ReplicationController,
    ];
    !makes_pods.iter().any(|kind| workload.object.is(*kind))
}

/// Returns how many pods are asked for; of what has no such number, how many there are.
fn replicas(scene: &Scene<'_>, workload: &Workload<'_>) -> i64 {
    let live = || scene.pods_of(workload).filter(|pod| !pod.is_finished() && !pod.is_terminating()).count();
    workload.desired.map_or_else(|| i64::try_from(live()).unwrap_or(i64::MAX), |desired| i64::from(desired.max(0)))
}

/// Returns what one replica of a container asks for; an init container asks for nothing beside the others.
fn costs(piece: &Piece<'_>, limits: &ContainerLimits, book: &Book<'_>) -> Costs {
    if piece.role == Role::Init {
        return Costs::default();
    }
    let asked = |amounts: &crate::model::limits::Amounts, request: Field, limit: Field| {
        let literal = amounts.get(&request).or_else(|| amounts.get(&limit));
        literal.and_then(|literal| literal.parse::<Quantity>().ok()).unwrap_or_default().max(Quantity::ZERO)
    };
    let cost = |amounts| Cost {
        cpu: asked(amounts, Field::RequestsCpu, Field::LimitsCpu),
        memory: asked(amounts, Field::RequestsMemory, Field::LimitsMemory),
    };
    let requested = cost(&limits.current);
    let usage = book.of(&piece.workload.object, &limits.name);
    let left = |asked: Quantity, used: Option<usage::Measured>| {
        used.map_or(Quantity::ZERO, |used| asked.saturating_sub(used.amount).max(Quantity::ZERO))
    };
    let unused = Cost { cpu: left(requested.cpu, usage.cpu()), memory: left(requested.memory, usage.peak()) };
    Costs { requested, recommended: cost(&limits.recommended), unused }
}
