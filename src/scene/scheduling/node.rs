//! A node, joined with the pods in scope that are on it.

use foldhash::{HashMap, HashMapExt as _};
use jiff::Timestamp;
use k8s_openapi::api::core::v1::{Node, NodeCondition};

use crate::model::store::HasMeta as _;
use crate::model::{Finding, Kind, ObjectRef, Severity, Stored};
use crate::scene::{EventView, PodView, Scene};

/// A node that matters to the scope.
#[derive(Clone, Debug)]
pub struct NodeView<'s> {
    pub scene: &'s Scene<'s>,
    pub node: &'s Stored<Node>,
    /// The pods in scope that are on it and have not ended.
    pub pods: Vec<PodView<'s>>,
    /// The pods in scope that no node took because of a taint of the kind that failing nodes get.
    pub waiting: Vec<PodView<'s>>,
}

impl<'s> NodeView<'s> {
    /// Returns the node's name.
    pub fn name(&self) -> &'s str {
        self.node.object.name()
    }

    /// Returns the node's address.
    pub fn object(&self) -> ObjectRef {
        ObjectRef::new(Kind::Node, "", self.name())
    }

    /// Returns a condition by its type.
    pub fn condition(&self, type_: &str) -> Option<&'s NodeCondition> {
        self.node.object.status.as_ref()?.conditions.as_ref()?.iter().find(|condition| condition.type_ == type_)
    }

    /// Returns the `Ready` condition if it is not `True`.
    pub fn not_ready(&self) -> Option<&'s NodeCondition> {
        self.condition("Ready").filter(|condition| condition.status != "True")
    }

    /// Returns the node's own events, oldest first.
    pub fn events(&self) -> impl Iterator<Item = &'s EventView<'s>> {
        let events =
            ["", "default"].into_iter().flat_map(|namespace| self.scene.events_about("Node", namespace, self.name()));
        events.collect::<Vec<_>>().into_iter()
    }

    /// Adds whom the node's fault hits, and lowers the severity if that is nobody.
    #[must_use]
    pub fn hit(&self, mut finding: Finding) -> Finding {
        if self.pods.is_empty() {
            finding = finding.severity(Severity::Warning);
        }
        for pod in &self.pods {
            finding = finding.affects(pod.object());
        }
        for pod in &self.waiting {
            finding = finding.affects(pod.object()).affects(pod.workload().object.clone());
        }
        finding.next(format!("kubectl describe node {}", crate::render::quote::sh(self.name())))
    }

    /// Returns when the kubelet renewed its lease last, if leases were read.
    pub fn renewed(&self) -> Option<Timestamp> {
        let lease = self.scene.snapshot.objects.leases.get(LEASES, self.name())?;
        lease.spec.as_ref()?.renew_time.as_ref().map(|time| time.0)
    }
}

const LEASES: &str = "kube-node-lease";

/// Returns when any kubelet renewed its lease last.
pub fn newest_lease(scene: &Scene<'_>) -> Option<Timestamp> {
    let leases = scene.snapshot.objects.leases.in_namespace(LEASES);
    leases.filter_map(|lease| lease.spec.as_ref()?.renew_time.as_ref().map(|time| time.0)).max()
}

/// Returns when a condition became what it is.
pub fn since(condition: &NodeCondition) -> Option<Timestamp> {
    condition.last_transition_time.as_ref().map(|time| time.0)
}

/// Finds the pods in scope on each node that are not finished, as indices.
pub(in crate::scene) fn pods_on<'a>(scene: &Scene<'a>) -> HashMap<&'a str, Vec<usize>> {
    let mut pods: HashMap<&str, Vec<usize>> = HashMap::new();
    for (index, pod) in scene.pods.iter().enumerate().filter(|(index, _)| !scene.pod(*index).is_finished()) {
        let node = pod.object.spec.as_ref().and_then(|spec| spec.node_name.as_deref());
        if let Some(node) = node.filter(|node| !node.is_empty()) {
            pods.entry(node).or_default().push(index);
        }
    }
    pods
}

/// Returns the nodes that carry pods in scope, or that pods in scope cannot go to; of a whole cluster all nodes.
pub fn all<'s>(scene: &'s Scene<'s>) -> Vec<NodeView<'s>> {
    let waiting: Vec<PodView<'s>> =
        scene.suspects().filter(|pod| pod.is_unscheduled() && meets_failing_nodes(*pod)).collect();
    let everything = scene.snapshot.scope.namespaces.is_empty();
    let view = |node: &'s Stored<Node>| NodeView {
        scene,
        node,
        pods: scene.pods_on(node.object.name()).collect(),
        waiting: if is_ready(node) { Vec::new() } else { waiting.clone() },
    };
    let nodes = scene.snapshot.objects.nodes.iter().map(view);
    nodes.filter(|node| everything || !node.pods.is_empty() || !node.waiting.is_empty()).collect()
}

fn is_ready(node: &Node) -> bool {
    let conditions = node.status.as_ref().and_then(|status| status.conditions.as_ref());
    conditions.into_iter().flatten().any(|condition| condition.type_ == "Ready" && condition.status == "True")
}

fn meets_failing_nodes(pod: PodView<'_>) -> bool {
    let scheduled = pod.condition("PodScheduled").and_then(|condition| condition.message.as_deref());
    scheduled.is_some_and(|message| {
        ["not-ready", "unreachable", "network-unavailable"]
            .iter()
            .any(|taint| message.contains(&format!("node.kubernetes.io/{taint}")))
    })
}
