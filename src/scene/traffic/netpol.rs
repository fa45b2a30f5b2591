//! What network policies let through, as the API defines it.

use k8s_openapi::api::networking::v1::{NetworkPolicy, NetworkPolicyPeer, NetworkPolicyPort, NetworkPolicySpec};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

use crate::model::Stored;
use crate::model::store::HasMeta as _;
use crate::scene::services::selector::{self, Labels};
use crate::scene::{Scene, Workload};

/// The way of traffic, as seen from the pods that a policy selects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    Ingress,
    Egress,
}

/// One end of a connection.
#[derive(Clone, Copy, Debug)]
pub struct Peer<'s> {
    pub namespace: &'s str,
    pub labels: Option<&'s Labels>,
    /// The labels of the namespace; `None` if it was not read.
    pub namespace_labels: Option<&'s Labels>,
}

/// A port of a connection, with the names that the target's containers give it.
#[derive(Clone, Copy, Debug)]
pub struct Port<'s> {
    pub number: u16,
    pub protocol: &'s str,
    pub name: Option<&'s str>,
}

impl<'s> Peer<'s> {
    /// Makes the end that a workload's pods are.
    pub fn of(scene: &'s Scene<'_>, workload: &'s Workload<'_>) -> Self {
        let namespace = workload.namespace();
        let labels = scene
            .snapshot
            .objects
            .namespaces
            .get("", namespace)
            .and_then(|namespace| namespace.metadata.labels.as_ref());
        Self { namespace, labels: workload.labels, namespace_labels: labels }
    }
}

/// Returns the policies that isolate these pods in a direction.
pub fn isolating<'s>(scene: &'s Scene<'_>, peer: Peer<'s>, direction: Direction) -> Vec<&'s Stored<NetworkPolicy>> {
    let policies = scene.snapshot.objects.network_policies.in_namespace(peer.namespace);
    policies.filter(|policy| policy.spec.as_ref().is_some_and(|spec| isolates(spec, peer.labels, direction))).collect()
}

fn isolates(spec: &NetworkPolicySpec, labels: Option<&Labels>, direction: Direction) -> bool {
    let selects = spec.pod_selector.as_ref().is_none_or(|selector| selector::matches(selector, labels));
    let typed = match spec.policy_types.as_deref() {
        Some(types) if !types.is_empty() => types.iter().any(|type_| type_ == word(direction)),
        _ => direction == Direction::Ingress || spec.egress.as_ref().is_some_and(|rules| !rules.is_empty()),
    };
    selects && typed
}

/// Returns the direction's word in `policyTypes`.
pub fn word(direction: Direction) -> &'static str {
    match direction {
        Direction::Ingress => "Ingress",
        Direction::Egress => "Egress",
    }
}

/// A rule, of either direction: its peers and its ports, where `None` and empty mean all.
type Rule<'p> = (Option<&'p [NetworkPolicyPeer]>, Option<&'p [NetworkPolicyPort]>);

fn rules(policy: &NetworkPolicy, direction: Direction) -> Vec<Rule<'_>> {
    let Some(spec) = policy.spec.as_ref() else { return Vec::new() };
    match direction {
        Direction::Ingress => {
            spec.ingress.iter().flatten().map(|rule| (rule.from.as_deref(), rule.ports.as_deref())).collect()
        }
        Direction::Egress => {
            spec.egress.iter().flatten().map(|rule| (rule.to.as_deref(), rule.ports.as_deref())).collect()
        }
    }
}

/// Returns whether a policy has no rule for a direction, so that it lets nothing through.
pub fn is_deny_all(policy: &NetworkPolicy, direction: Direction) -> bool {
    rules(policy, direction).is_empty()
}

/// Returns whether a policy lets a connection to or from a peer through; in doubt it does.
pub fn allows(policy: &NetworkPolicy, direction: Direction, peer: Peer<'_>, port: Option<Port<'_>>) -> bool {
    let home = policy.namespace();
    rules(policy, direction).into_iter().any(|(peers, ports)| {
        let to_peer =
            peers.is_none_or(|peers| peers.is_empty() || peers.iter().any(|allowed| meets_peer(allowed, home, peer)));
        to_peer && ports.is_none_or(|ports| ports.is_empty() || ports.iter().any(|allowed| meets_port(allowed, port)))
    })
}

fn meets_peer(allowed: &NetworkPolicyPeer, home: &str, peer: Peer<'_>) -> bool {
    if allowed.ip_block.is_some() {
        // Pods' addresses may lie in the block: nobody promises that they do not.
        return true;
    }
    let namespace = match &allowed.namespace_selector {
        None => peer.namespace == home,
        Some(selector) => match peer.namespace_labels {
            Some(labels) => selector::matches(selector, Some(labels)),
            None => by_name(selector, peer.namespace),
        },
    };
    namespace && allowed.pod_selector.as_ref().is_none_or(|selector| selector::matches(selector, peer.labels))
}

/// Every namespace carries its name as a label; of others nothing is known, so that they count as met.
fn by_name(selector: &k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector, namespace: &str) -> bool {
    let name = selector.match_labels.as_ref().and_then(|labels| labels.get("kubernetes.io/metadata.name"));
    name.is_none_or(|name| name == namespace)
}

fn meets_port(allowed: &NetworkPolicyPort, port: Option<Port<'_>>) -> bool {
    let Some(port) = port else { return true };
    if allowed.protocol.as_deref().unwrap_or("TCP") != port.protocol {
        return false;
    }
    match &allowed.port {
        None => true,
        Some(IntOrString::String(name)) => port.name.is_none_or(|known| known == name),
        Some(IntOrString::Int(first)) => {
            (*first..=allowed.end_port.unwrap_or(*first)).contains(&i32::from(port.number))
        }
    }
}

/// Returns whether some policy of those that isolate these pods lets DNS out; in doubt one does.
pub fn allows_dns(policies: &[&Stored<NetworkPolicy>]) -> bool {
    let dns = |port: u16, protocol| Some(Port { number: port, protocol, name: None });
    policies.iter().flat_map(|policy| rules(policy, Direction::Egress).into_iter().map(move |rule| (policy, rule))).any(
        |(policy, (peers, ports))| {
            let open = |port: Option<Port<'_>>| {
                ports.is_none_or(|ports| ports.is_empty() || ports.iter().any(|allowed| meets_port(allowed, port)))
            };
            let outside = |peer: &NetworkPolicyPeer| {
                peer.ip_block.is_some() || peer.namespace_selector.is_some() || policy.namespace() == "kube-system"
            };
            let leaves = peers.is_none_or(|peers| peers.is_empty() || peers.iter().any(outside));
            leaves && (open(dns(53, "UDP")) || open(dns(53, "TCP")))
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy(yaml: &str) -> NetworkPolicy {
        serde_saphyr::from_str(yaml).expect("a policy")
    }

    fn labels(pairs: &[(&str, &str)]) -> Labels {
        pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn a_rule_lets_its_peers_and_ports_through() {
        let policy = policy(
            "{metadata: {name: p, namespace: shop}, spec: {podSelector: {}, ingress: [{from: [{podSelector: {matchLabels: {app: web}}}], ports: [{port: 80}]}]}}",
        );
        let (web, mail) = (labels(&[("app", "web")]), labels(&[("app", "mail")]));
        let peer = |labels, namespace| Peer { namespace, labels: Some(labels), namespace_labels: None };
        let port = |number| Some(Port { number, protocol: "TCP", name: None });
        assert!(allows(&policy, Direction::Ingress, peer(&web, "shop"), port(80)));
        assert!(!allows(&policy, Direction::Ingress, peer(&web, "shop"), port(81)));
        assert!(!allows(&policy, Direction::Ingress, peer(&mail, "shop"), port(80)));
        assert!(!allows(&policy, Direction::Ingress, peer(&web, "other"), port(80)));
    }

    #[test]
    fn policy_types_default_to_ingress_and_to_egress_if_it_has_rules() {
        let ingress = policy("{metadata: {name: p, namespace: shop}, spec: {podSelector: {}}}");
        let spec = ingress.spec.as_ref().expect("a spec");
        assert!(isolates(spec, None, Direction::Ingress) && !isolates(spec, None, Direction::Egress));
        let both = policy("{metadata: {name: p, namespace: shop}, spec: {podSelector: {}, egress: [{to: []}]}}");
        assert!(isolates(both.spec.as_ref().expect("a spec"), None, Direction::Egress));
    }
}
