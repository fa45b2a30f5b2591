//! Nodes and the room on them.

use std::collections::BTreeMap;

use foldhash::HashMap;
use k8s_openapi::api::core::v1::{Container, Node, Pod, PodSpec, Taint};
use k8s_openapi::apimachinery::pkg::api::resource;

use crate::model::store::HasMeta as _;
use crate::model::{Kind, ObjectRef, Snapshot, Stored};
use crate::quantity::Quantity;
use crate::scene::services::selector::Labels;

/// Amounts by resource: `cpu`, `memory`, `pods`, `nvidia.com/gpu`.
pub type Amounts<'a> = BTreeMap<&'a str, Quantity>;

/// A node with what it offers and what is asked of it.
#[derive(Debug)]
pub struct NodeRoom<'a> {
    pub node: &'a Stored<Node>,
    pub allocatable: Amounts<'a>,
    /// The requests of the pods that are bound to it and not finished.
    pub requested: Amounts<'a>,
    /// The pods that are bound to it and not finished, of all namespaces that were read.
    pub pods: Vec<&'a Stored<Pod>>,
}

impl<'a> NodeRoom<'a> {
    /// Returns the node's name.
    pub fn name(&self) -> &'a str {
        self.node.object.name()
    }

    /// Returns the node's address.
    pub fn object(&self) -> ObjectRef {
        ObjectRef::new(Kind::Node, "", self.name())
    }

    /// Returns the labels.
    pub fn labels(&self) -> Option<&'a Labels> {
        self.node.object.metadata.labels.as_ref()
    }

    /// Returns a label's value.
    pub fn label(&self, key: &str) -> Option<&'a str> {
        self.labels()?.get(key).map(String::as_str)
    }

    /// Returns the taints.
    pub fn taints(&self) -> &'a [Taint] {
        self.node.object.spec.as_ref().and_then(|spec| spec.taints.as_deref()).unwrap_or_default()
    }

    /// Returns whether it is cordoned.
    pub fn is_cordoned(&self) -> bool {
        self.node.object.spec.as_ref().and_then(|spec| spec.unschedulable).unwrap_or(false)
    }

    /// Returns whether it runs the control plane.
    pub fn is_control_plane(&self) -> bool {
        let role =
            |key: &str| matches!(key, "node-role.kubernetes.io/control-plane" | "node-role.kubernetes.io/master");
        self.labels().is_some_and(|labels| labels.keys().any(|key| role(key)))
            || matches!(self.label("kubernetes.io/role"), Some("master" | "control-plane"))
            || self.taints().iter().any(|taint| role(&taint.key))
    }

    /// Returns how much of a resource it offers.
    pub fn offers(&self, resource: &str) -> Quantity {
        self.allocatable.get(resource).copied().unwrap_or(Quantity::ZERO)
    }

    /// Returns how much of a resource is not asked for yet; an upper bound where not all pods were read.
    pub fn free(&self, resource: &str) -> Quantity {
        self.offers(resource).saturating_sub(self.requested.get(resource).copied().unwrap_or(Quantity::ZERO))
    }

    /// Returns how much of a resource is lacking for a demand; nothing or less if it fits.
    pub fn lacks(&self, resource: &str, demand: Quantity) -> Quantity {
        demand.saturating_sub(self.free(resource))
    }
}

/// All nodes that were read, by name.
#[derive(Debug, Default)]
pub struct Nodes<'a> {
    /// In order of their names.
    pub all: Vec<NodeRoom<'a>>,
    index: HashMap<&'a str, usize>,
    /// Whether the pods of all namespaces were read, so that free room is exact.
    pub exact: bool,
    /// Whether all nodes were read.
    pub known: bool,
}

impl<'a> Nodes<'a> {
    /// Adds up what is asked of each node; linear in nodes and pods.
    pub(in crate::scene) fn new(snapshot: &'a Snapshot) -> Self {
        let objects = &snapshot.objects;
        let all: Vec<_> = objects.nodes.iter().map(room).collect();
        let index = all.iter().enumerate().map(|(index, node)| (node.name(), index)).collect();
        let exact = objects.pods.coverage.everywhere;
        let mut nodes = Self { all, index, exact, known: objects.nodes.coverage.everywhere };
        for pod in &objects.pods {
            nodes.bind(pod);
        }
        nodes
    }

    /// Finds a node by its name.
    pub fn get(&self, name: &str) -> Option<&NodeRoom<'a>> {
        self.index.get(name).map(|&index| &self.all[index])
    }

    fn bind(&mut self, pod: &'a Stored<Pod>) {
        let Some(spec) = pod.object.spec.as_ref() else { return };
        let phase = pod.object.status.as_ref().and_then(|status| status.phase.as_deref());
        let node = spec.node_name.as_deref().and_then(|name| self.index.get(name));
        let Some(&node) = node.filter(|_| !matches!(phase, Some("Succeeded" | "Failed"))) else { return };
        let node = &mut self.all[node];
        add_demand(&mut node.requested, spec);
        node.pods.push(pod);
    }
}

fn room(node: &Stored<Node>) -> NodeRoom<'_> {
    let status = node.object.status.as_ref();
    let offered = status.and_then(|status| status.allocatable.as_ref().or(status.capacity.as_ref()));
    let allocatable = offered.into_iter().flatten().filter_map(parsed).collect();
    NodeRoom { node, allocatable, requested: Amounts::new(), pods: Vec::new() }
}

fn parsed<'a>((name, amount): (&'a String, &'a resource::Quantity)) -> Option<(&'a str, Quantity)> {
    Some((name.as_str(), amount.0.parse().ok()?))
}

/// Returns what a pod asks of its node, as the scheduler computes it: the sum of its containers and side-cars, or what an
/// init container needs beside the side-cars started before it, whichever is more; and the overhead.
pub fn demand(spec: &PodSpec) -> Amounts<'_> {
    let mut running = Amounts::new();
    let mut peak = Amounts::new();
    for container in spec.init_containers.iter().flatten() {
        let mut step: Amounts<'_> = requests(container).collect();
        if container.restart_policy.as_deref() == Some("Always") {
            add(&mut running, &step);
            step = Amounts::new();
        }
        add(&mut step, &running);
        raise(&mut peak, &step);
    }
    for container in &spec.containers {
        add_each(&mut running, requests(container));
    }
    raise(&mut running, &peak);
    for (name, amount) in spec.resources.iter().flat_map(|pod| pod.requests.iter().flatten()).filter_map(parsed) {
        running.insert(name, amount);
    }
    add(&mut running, &spec.overhead.iter().flatten().filter_map(parsed).collect());
    running.insert("pods", Quantity::from_milli(1000));
    running
}

/// Adds what a pod asks of its node. Most pods have only containers, whose requests need no sum of their own.
fn add_demand<'a>(sum: &mut Amounts<'a>, spec: &'a PodSpec) {
    let is_plain = spec.init_containers.is_none() && spec.overhead.is_none() && spec.resources.is_none();
    if !is_plain {
        return add(sum, &demand(spec));
    }
    add_each(sum, spec.containers.iter().flat_map(requests));
    add_each(sum, [("pods", Quantity::from_milli(1000))]);
}

/// Returns a container's requests; without one, the limit, as the API server defaults it.
fn requests(container: &Container) -> impl Iterator<Item = (&str, Quantity)> {
    let resources = container.resources.as_ref();
    let requests = resources.and_then(|resources| resources.requests.as_ref());
    let limits = resources.and_then(|resources| resources.limits.as_ref());
    let unasked = move |(name, _): &(&String, _)| requests.is_none_or(|requests| !requests.contains_key(*name));
    requests.into_iter().flatten().chain(limits.into_iter().flatten().filter(unasked)).filter_map(parsed)
}

fn add<'a>(sum: &mut Amounts<'a>, more: &Amounts<'a>) {
    add_each(sum, more.iter().map(|(&name, &amount)| (name, amount)));
}

fn add_each<'a>(sum: &mut Amounts<'a>, more: impl IntoIterator<Item = (&'a str, Quantity)>) {
    for (name, amount) in more {
        let entry = sum.entry(name).or_default();
        *entry = entry.saturating_add(amount);
    }
}

fn raise<'a>(most: &mut Amounts<'a>, other: &Amounts<'a>) {
    for (&name, &amount) in other {
        let entry = most.entry(name).or_default();
        *entry = amount.max(*entry);
    }
}

/// Prints an amount for people: `1500m CPU` is `1500m`, `24684084Ki` of memory is `24105Mi`. What is free is rounded
/// down by that, so that nobody asks for more than there is.
pub fn print(resource: &str, amount: Quantity) -> String {
    const MEBI: i64 = 1 << 20;
    match resource {
        "cpu" => amount.cpu(),
        _ if is_bytes(resource) => {
            let exact = amount.mem();
            let bytes = amount.value();
            if exact.len() <= 6 || bytes < 16 * MEBI { exact } else { Quantity::from_bytes(bytes / MEBI * MEBI).mem() }
        }
        _ => amount.value().to_string(),
    }
}

fn is_bytes(resource: &str) -> bool {
    matches!(resource, "memory" | "ephemeral-storage") || resource.starts_with("hugepages-")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(spec: &str) -> (String, String) {
        let spec: PodSpec = serde_json::from_str(spec).expect("a pod spec");
        let sum = demand(&spec);
        (
            sum.get("cpu").map_or_else(String::new, |cpu| cpu.cpu()),
            sum.get("memory").map_or_else(String::new, |memory| memory.mem()),
        )
    }

    #[test]
    fn an_init_container_counts_only_if_it_needs_more_than_all_others() {
        let spec = r#"{"initContainers": [{"name": "i", "resources": {"requests": {"cpu": "2", "memory": "64Mi"}}}],
            "containers": [{"name": "a", "resources": {"requests": {"cpu": "500m", "memory": "64Mi"}}}, {"name": "b", "resources": {"limits": {"cpu": "1", "memory": "64Mi"}}}]}"#;
        assert_eq!(asked(spec), ("2".to_owned(), "128Mi".to_owned()));
    }

    #[test]
    fn a_side_car_runs_beside_the_containers_and_beside_later_init_containers() {
        let spec = r#"{"initContainers": [{"name": "s", "restartPolicy": "Always", "resources": {"requests": {"cpu": "1"}}}, {"name": "i", "resources": {"requests": {"cpu": "3"}}}],
            "containers": [{"name": "a", "resources": {"requests": {"cpu": "1"}}}], "overhead": {"cpu": "100m"}}"#;
        assert_eq!(asked(spec).0, "4100m");
    }

    #[test]
    fn amounts_are_rounded_for_people() {
        let memory = |literal: &str| print("memory", literal.parse().expect("a quantity"));
        assert_eq!(memory("24684084Ki"), "24105Mi");
        assert_eq!(memory("48211Mi"), "48211Mi");
        assert_eq!(memory("100Ki"), "100Ki");
        assert_eq!(print("nvidia.com/gpu", Quantity::from_milli(2000)), "2");
    }
}
