//! Whether a pod could run on a node, rule by rule, as the scheduler looks at it.

use std::collections::BTreeSet;

use k8s_openapi::api::core::v1::{
    ContainerPort, Node, NodeSelectorRequirement, NodeSelectorTerm, PersistentVolume, Pod, PodAffinityTerm, PodSpec,
    Taint, Toleration,
};

use crate::model::store::HasMeta as _;
use crate::model::{Snapshot, Stored};
use crate::scene::scheduling::nodes::{Amounts, NodeRoom, Nodes, demand};
use crate::scene::scheduling::words::{self, Obstacle};
use crate::scene::services::selector::{self, Labels};
use crate::scene::topology::claim_of;

/// A pod that looks for a node.
#[derive(Debug)]
pub struct Guest<'s> {
    pub pod: &'s Pod,
    pub spec: &'s PodSpec,
    pub demand: Amounts<'s>,
    /// The volumes that its claims are bound to.
    pub volumes: Vec<&'s Stored<PersistentVolume>>,
    /// For each required anti-affinity term, the values of the topology key that are taken.
    taken: Vec<(&'s str, BTreeSet<&'s str>)>,
    /// For each required affinity term, the values of the topology key that have what it wants.
    wanted: Vec<(&'s str, BTreeSet<&'s str>)>,
}

impl<'s> Guest<'s> {
    /// Gathers what the pod asks for, but for its neighbours.
    pub fn new(snapshot: &'s Snapshot, pod: &'s Pod) -> Option<Self> {
        let spec = pod.spec.as_ref()?;
        Some(Self {
            pod,
            spec,
            demand: demand(spec),
            volumes: volumes(snapshot, pod, spec),
            taken: Vec::new(),
            wanted: Vec::new(),
        })
    }

    /// Gathers where the neighbours are that it must avoid or be with; linear in pods if it has such terms.
    #[must_use]
    pub fn among(mut self, snapshot: &'s Snapshot, nodes: &'s Nodes<'_>) -> Self {
        let (pod, affinity) = (self.pod, self.spec.affinity.as_ref());
        let anti = affinity.and_then(|affinity| affinity.pod_anti_affinity.as_ref());
        let with = affinity.and_then(|affinity| affinity.pod_affinity.as_ref());
        let anti = anti.and_then(|anti| anti.required_during_scheduling_ignored_during_execution.as_deref());
        let with = with.and_then(|with| with.required_during_scheduling_ignored_during_execution.as_deref());
        let places = |term: &'s PodAffinityTerm| (term.topology_key.as_str(), domains(snapshot, nodes, pod, term));
        // The first of a group that wants to be together may go anywhere.
        let is_first =
            |term: &PodAffinityTerm, found: &BTreeSet<&str>| found.is_empty() && matches(snapshot, term, pod, pod);
        let wanted = |term: &'s PodAffinityTerm| Some(places(term)).filter(|(_, found)| !is_first(term, found));
        self.taken = anti.unwrap_or_default().iter().map(places).collect();
        self.wanted = with.unwrap_or_default().iter().filter_map(wanted).collect();
        self
    }

    /// Returns what keeps it from a node.
    pub fn obstacles(&self, node: &NodeRoom<'_>) -> BTreeSet<Obstacle> {
        let mut found = BTreeSet::new();
        let mut add = |is: bool, obstacle| _ = is.then(|| found.insert(obstacle));
        add(node.is_cordoned() && !self.tolerates_cordon(), Obstacle::Cordon);
        for taint in self.untolerated(node) {
            add(true, words::taint(&taint.key));
        }
        add(!self.selects(node), Obstacle::Selector);
        add(!self.volumes.iter().all(|volume| reaches(volume, node)), Obstacle::VolumeAffinity);
        add(self.ports().any(|port| holder(port, node).is_some()), Obstacle::HostPort);
        add(!self.missing(node).is_empty(), Obstacle::Resources);
        let lies_in =
            |(key, domains): &(&str, BTreeSet<&str>)| node.label(key).is_some_and(|value| domains.contains(value));
        add(self.taken.iter().any(lies_in) || !self.wanted.iter().all(lies_in), Obstacle::PodAffinity);
        found
    }

    /// Returns the taints that it does not tolerate.
    pub fn untolerated<'n>(&self, node: &NodeRoom<'n>) -> impl Iterator<Item = &'n Taint> + use<'n, 's> {
        let tolerations = self.spec.tolerations.as_deref().unwrap_or_default();
        let binding = |taint: &&Taint| matches!(taint.effect.as_str(), "NoSchedule" | "NoExecute");
        node.taints().iter().filter(binding).filter(move |taint| !tolerations.iter().any(|one| tolerates(one, taint)))
    }

    fn tolerates_cordon(&self) -> bool {
        let taint = Taint {
            key: "node.kubernetes.io/unschedulable".to_owned(),
            effect: "NoSchedule".to_owned(),
            ..Taint::default()
        };
        self.spec.tolerations.iter().flatten().any(|one| tolerates(one, &taint))
    }

    /// Returns whether node selector and required node affinity allow a node.
    pub fn selects(&self, node: &NodeRoom<'_>) -> bool {
        let pairs = self.spec.node_selector.as_ref().is_none_or(|pairs| selector::matches_pairs(pairs, node.labels()));
        pairs && self.terms().is_none_or(|terms| terms.iter().any(|term| term_matches(term, &node.node.object)))
    }

    /// Returns the terms of the required node affinity, of which one must match.
    pub fn terms(&self) -> Option<&'s [NodeSelectorTerm]> {
        let affinity = self.spec.affinity.as_ref()?.node_affinity.as_ref()?;
        Some(&affinity.required_during_scheduling_ignored_during_execution.as_ref()?.node_selector_terms)
    }

    /// Returns the resources of which a node has too little.
    pub fn missing<'r>(&'r self, node: &NodeRoom<'_>) -> Vec<&'r str> {
        if node.allocatable.is_empty() {
            return Vec::new();
        }
        let lacking = self.demand.iter().filter(|(name, amount)| !amount.is_zero() && **amount > node.free(name));
        lacking.map(|(name, _)| *name).collect()
    }

    /// Returns whether the node is too small even when empty.
    pub fn outgrows(&self, node: &NodeRoom<'_>) -> bool {
        self.demand.iter().any(|(name, amount)| !amount.is_zero() && *amount > node.offers(name))
    }

    /// Iterates over its host ports.
    pub fn ports(&self) -> impl Iterator<Item = &'s ContainerPort> + use<'s> {
        host_ports(self.spec)
    }
}

fn host_ports(spec: &PodSpec) -> impl Iterator<Item = &ContainerPort> {
    let containers = spec.containers.iter().chain(spec.init_containers.iter().flatten());
    containers
        .flat_map(|container| container.ports.iter().flatten())
        .filter(|port| port.host_port.is_some_and(|port| port > 0))
}

/// Returns the pod that holds a host port on a node.
pub fn holder<'n>(port: &ContainerPort, node: &NodeRoom<'n>) -> Option<&'n Stored<Pod>> {
    let every = |ip: Option<&str>| matches!(ip, None | Some("" | "0.0.0.0" | "::"));
    let same = |other: &ContainerPort| {
        let (one, two) = (port.host_ip.as_deref(), other.host_ip.as_deref());
        other.host_port == port.host_port
            && other.protocol.as_deref().unwrap_or("TCP") == port.protocol.as_deref().unwrap_or("TCP")
            && (one == two || every(one) || every(two))
    };
    node.pods.iter().copied().find(|pod| pod.object.spec.as_ref().is_some_and(|spec| host_ports(spec).any(same)))
}

fn tolerates(toleration: &Toleration, taint: &Taint) -> bool {
    let exists = toleration.operator.as_deref() == Some("Exists");
    let key = toleration.key.as_deref().unwrap_or_default();
    let same_key = key == taint.key || (key.is_empty() && exists);
    let same_effect = toleration.effect.as_deref().is_none_or(|effect| effect.is_empty() || effect == taint.effect);
    let value = |value: &Option<String>| value.clone().unwrap_or_default();
    same_key && same_effect && (exists || value(&toleration.value) == value(&taint.value))
}

/// Returns whether a term's requirements all hold on a node; an empty term matches nothing.
pub fn term_matches(term: &NodeSelectorTerm, node: &Node) -> bool {
    let labels = term.match_expressions.as_deref().unwrap_or_default();
    let fields = term.match_fields.as_deref().unwrap_or_default();
    let name = |requirement: &NodeSelectorRequirement| {
        holds(requirement, (requirement.key == "metadata.name").then(|| node.name()))
    };
    let value = |key: &str| node.metadata.labels.as_ref().and_then(|labels| labels.get(key)).map(String::as_str);
    (!labels.is_empty() || !fields.is_empty())
        && labels.iter().all(|requirement| holds(requirement, value(&requirement.key)))
        && fields.iter().all(name)
}

/// Returns whether one requirement holds for a label's value.
pub fn holds(requirement: &NodeSelectorRequirement, value: Option<&str>) -> bool {
    let listed = requirement.values.as_deref().unwrap_or_default();
    let number = || Some((value?.parse::<i64>().ok()?, listed.first()?.parse::<i64>().ok()?));
    let is_listed = || value.is_some_and(|value| listed.iter().any(|one| one == value));
    match requirement.operator.as_str() {
        "In" => is_listed(),
        "NotIn" => !is_listed(),
        "Exists" => value.is_some(),
        "DoesNotExist" => value.is_none(),
        "Gt" => number().is_some_and(|(value, bound)| value > bound),
        "Lt" => number().is_some_and(|(value, bound)| value < bound),
        _ => false,
    }
}

fn volumes<'s>(snapshot: &'s Snapshot, pod: &Pod, spec: &PodSpec) -> Vec<&'s Stored<PersistentVolume>> {
    let claims = spec.volumes.iter().flatten().filter_map(claim_of);
    let bound = claims
        .filter_map(|claim| snapshot.objects.claims.get(pod.namespace(), claim)?.spec.as_ref()?.volume_name.as_deref());
    bound.filter_map(|volume| snapshot.objects.volumes.get("", volume)).collect()
}

/// Returns whether a volume can be used on a node.
pub fn reaches(volume: &PersistentVolume, node: &NodeRoom<'_>) -> bool {
    let affinity = volume.spec.as_ref().and_then(|spec| spec.node_affinity.as_ref()?.required.as_ref());
    let terms = affinity
        .is_none_or(|required| required.node_selector_terms.iter().any(|term| term_matches(term, &node.node.object)));
    terms && ZONES.iter().all(|key| same_zone(volume.metadata.labels.as_ref(), node, key))
}

/// Labels that tie a volume to a place.
pub const ZONES: [&str; 4] = [
    "topology.kubernetes.io/zone",
    "topology.kubernetes.io/region",
    "failure-domain.beta.kubernetes.io/zone",
    "failure-domain.beta.kubernetes.io/region",
];

fn same_zone(labels: Option<&Labels>, node: &NodeRoom<'_>, key: &str) -> bool {
    let Some(zone) = labels.and_then(|labels| labels.get(key)) else { return true };
    node.label(key).is_none_or(|value| zone.split("__").any(|one| one == value))
}

/// Returns the values of a term's topology key on the nodes where a pod runs that the term means.
fn domains<'s>(snapshot: &'s Snapshot, nodes: &'s Nodes<'_>, own: &Pod, term: &PodAffinityTerm) -> BTreeSet<&'s str> {
    let with_match =
        nodes.all.iter().filter(|node| node.pods.iter().any(|pod| matches(snapshot, term, own, &pod.object)));
    with_match.filter_map(|node| node.label(&term.topology_key)).collect()
}

/// Returns whether a term of a pod means another pod.
pub fn matches(snapshot: &Snapshot, term: &PodAffinityTerm, own: &Pod, other: &Pod) -> bool {
    let namespace = other.namespace();
    let listed = term.namespaces.as_deref().unwrap_or_default();
    let labels =
        || snapshot.objects.namespaces.get("", namespace).and_then(|namespace| namespace.metadata.labels.as_ref());
    let in_namespace = match &term.namespace_selector {
        Some(wanted) => selector::matches(wanted, labels()) || listed.iter().any(|name| name == namespace),
        None if listed.is_empty() => namespace == own.namespace(),
        None => listed.iter().any(|name| name == namespace),
    };
    in_namespace
        && term.label_selector.as_ref().is_some_and(|wanted| selector::matches(wanted, other.metadata.labels.as_ref()))
}
