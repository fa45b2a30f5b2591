//! Gathers the facts about a workload's container over all its replicas and revisions.

use jiff::Timestamp;
use k8s_openapi::api::core::v1::Volume;

use crate::model::Subject;
use crate::quantity::Quantity;
use crate::recommend::facts::{Facts, Kill, Workers};
use crate::recommend::process::Words;
use crate::recommend::samples::{self, Table};
use crate::recommend::{autoscalers, lives};
use crate::scene::pods::limit_history;
use crate::scene::pods::memory::{self, How};
use crate::scene::{ContainerView, Scene};

/// The facts, and the container that tells them most clearly.
#[derive(Debug)]
pub struct Observations<'s> {
    pub container: ContainerView<'s>,
    pub facts: Facts,
}

/// A container that ran out of memory.
struct Victim<'s> {
    container: ContainerView<'s>,
    limit: Option<Quantity>,
    how: How,
    time: Option<Timestamp>,
}

/// Gathers what is known; `None` where no replica is known to have run out of memory under a limit.
pub fn gather<'s>(scene: &'s Scene<'_>, table: &Table<'_>, subject: &Subject) -> Option<Observations<'s>> {
    let workload = scene.workload(&subject.object)?;
    let name = subject.container.as_deref()?;
    let replicas: Vec<ContainerView<'s>> = scene.pods_of(workload).filter_map(|pod| pod.container(name)).collect();
    let mut victims: Vec<Victim<'s>> = replicas.iter().filter_map(|container| victim(*container)).collect();
    // During a rollout, replicas of several limits are killed: the largest limit says most.
    victims.sort_by_key(|victim| std::cmp::Reverse((victim.limit, victim.time, victim.container.restarts())));
    let clearest = victims.first()?;
    let (container, how) = (clearest.container, clearest.how);
    let literal = container.limit("memory")?.to_owned();
    let words = Words::of(container);
    let measured: Vec<_> = replicas.iter().map(|replica| (*replica, table.of(*replica))).collect();
    let shared = measured.iter().filter_map(|(_, readings)| readings.shared());
    // The one with the most memory a process.
    let shared = shared.max_by_key(|(bytes, processes)| bytes.saturating_ratio(1, *processes));
    let facts = Facts {
        // None is what `0` means.
        limit: literal.parse().ok().filter(|limit| *limit > Quantity::ZERO)?,
        literal,
        how,
        kills: victims.iter().filter_map(kill).collect(),
        earlier: limit_history::earlier(container).iter().filter_map(|limit| limit.value.parse().ok()).collect(),
        points: measured.iter().flat_map(|(replica, readings)| samples::by_age(*replica, &readings.samples)).collect(),
        peak: samples::peak(measured.iter().flat_map(|(_, readings)| readings.all())),
        heap: words.heap(),
        workers: words.workers().map(|workers| Workers { measured: shared, ..workers }),
        files: files(container),
        advised: autoscalers::advised(scene, &subject.object, name),
        counted: table.counts(),
        lives: lives::earlier(container),
        node_ran_out: memory::node_event(container.pod, clearest.time).is_some(),
    };
    Some(Observations { container, facts })
}

fn victim(container: ContainerView<'_>) -> Option<Victim<'_>> {
    let limit = container.limit("memory").and_then(|limit| limit.parse().ok());
    if let Some(found) = memory::of(container) {
        return Some(Victim { container, limit, how: found.how, time: found.time });
    }
    let event = memory::sandbox(container.pod)?;
    Some(Victim { container, limit, how: How::Sandbox, time: event.last })
}

fn kill(victim: &Victim<'_>) -> Option<Kill> {
    let container = victim.container;
    let limit = victim.limit?;
    let crash = container.crash().filter(|_| matches!(victim.how, How::Container | How::Child));
    Some(Kill { limit, lasted: crash.and_then(|crash| crash.lasted()), restarts: container.restarts() })
}

/// Adds up the memory-backed volumes that a container mounts and that have a size.
fn files(container: ContainerView<'_>) -> Option<Quantity> {
    let mounted =
        |volume: &&Volume| container.spec.volume_mounts.iter().flatten().any(|mount| mount.name == volume.name);
    let volumes = container.pod.spec()?.volumes.iter().flatten().filter(mounted);
    let in_memory = volumes.filter_map(|volume| volume.empty_dir.as_ref());
    let in_memory = in_memory.filter(|volume| volume.medium.as_deref() == Some("Memory"));
    let sizes = in_memory.filter_map(|volume| volume.size_limit.as_ref()?.0.parse::<Quantity>().ok());
    sizes.reduce(Quantity::saturating_add)
}
