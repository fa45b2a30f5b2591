//! The calls that network policies do not let through.

use std::collections::{BTreeMap, BTreeSet};

use k8s_openapi::api::core::v1::ServicePort;
use k8s_openapi::api::networking::v1::NetworkPolicy;

use crate::model::store::HasMeta as _;
use crate::model::{Finding, Kind, ObjectRef, Recommendation, Severity, Stored};
use crate::render::quote;
use crate::rules::Rule;
use crate::scene::services::{selector, usage};
use crate::scene::traffic::failing_calls::{self, Line};
use crate::scene::traffic::netpol::{self, Direction, Peer, Port};
use crate::scene::{Call, PodView, Scene, ServiceView, Workload};

/// A call that a policy does not let through.
#[derive(Clone, Debug)]
pub struct Blocked<'s> {
    pub policy: &'s Stored<NetworkPolicy>,
    pub caller: &'s Workload<'s>,
    /// Who is called; `None` is cluster DNS.
    pub target: Option<&'s Workload<'s>>,
    pub service: Option<ObjectRef>,
    pub port: Option<u16>,
    /// Where the caller is told to call.
    pub call: Option<&'s Call<'s>>,
    /// The caller's log line that shows the failure.
    pub line: Option<Line<'s>>,
}

/// Returns all calls that are blocked in a direction, in a stable order.
pub fn calls<'s>(scene: &'s Scene<'s>, direction: Direction) -> Vec<Blocked<'s>> {
    if scene.snapshot.objects.network_policies.is_empty() {
        return Vec::new();
    }
    let services: BTreeMap<(&str, &str), ServiceView<'_>> =
        scene.services().map(|service| ((service.namespace(), service.name()), service)).collect();
    let mut seen = BTreeSet::new();
    let mut blocked = Vec::new();
    for call in scene.calls() {
        let Some(&service) = services.get(&(call.service.0.as_str(), call.service.1.as_str())) else { continue };
        for target in service.workloads() {
            if seen.insert((call.caller, service.object(), &target.object)) {
                blocked.extend(judge(scene, direction, call, service, target));
            }
        }
    }
    blocked
}

fn judge<'s>(
    scene: &'s Scene<'s>,
    direction: Direction,
    call: &'s Call<'s>,
    service: ServiceView<'s>,
    target: &'s Workload<'s>,
) -> Option<Blocked<'s>> {
    let caller = &scene.workloads()[call.caller];
    let (selected, other) = match direction {
        Direction::Ingress => (target, caller),
        Direction::Egress => (caller, target),
    };
    if selected.template.is_some_and(on_host) || other.template.is_some_and(on_host) || caller.object == target.object {
        return None;
    }
    let policies = netpol::isolating(scene, Peer::of(scene, selected), direction);
    let port = port(service, target, call.port);
    let peer = Peer::of(scene, other);
    if policies.iter().any(|policy| netpol::allows(policy, direction, peer, port)) {
        return None;
    }
    let policy = strictest(&policies, direction)?;
    let line = scene
        .pods_of(caller)
        .flat_map(PodView::containers)
        .find_map(|container| failing_calls::unanswered(container, service.name()));
    Some(Blocked {
        policy,
        caller,
        target: Some(target),
        service: Some(service.object()),
        port: port.map(|port| port.number),
        call: Some(call),
        line,
    })
}

fn on_host(template: &k8s_openapi::api::core::v1::PodSpec) -> bool {
    template.host_network == Some(true)
}

/// Returns the policy that lets the least through: one without rules, if there is one.
fn strictest<'s>(policies: &[&'s Stored<NetworkPolicy>], direction: Direction) -> Option<&'s Stored<NetworkPolicy>> {
    let denies = policies.iter().find(|policy| netpol::is_deny_all(policy, direction));
    denies.or(policies.first()).copied()
}

/// Returns the pod port to which a call of a Service's port leads; `None` if it is not clear.
fn port<'s>(service: ServiceView<'s>, target: &'s Workload<'s>, asked: Option<u16>) -> Option<Port<'s>> {
    let ports: Vec<&ServicePort> = service.service.spec.iter().flat_map(|spec| spec.ports.iter().flatten()).collect();
    let same = |port: &&&ServicePort| asked.is_some_and(|asked| port.port == i32::from(asked));
    let port = ports.iter().find(same).or(if ports.len() == 1 { ports.first() } else { None })?;
    let number = match port.target_port.as_ref() {
        Some(number) => usage::target_number(target.template, number)?,
        None => u16::try_from(port.port).ok()?,
    };
    let declared = target
        .template
        .and_then(|template| usage::ports(template).find(|declared| declared.container_port == i32::from(number)));
    Some(Port {
        number,
        protocol: port.protocol.as_deref().unwrap_or("TCP"),
        name: declared.and_then(|declared| declared.name.as_deref()),
    })
}

/// Returns the workloads that no policy lets ask DNS although they call names, or whose log says that names fail.
pub fn dns<'s>(scene: &'s Scene<'s>) -> Vec<Blocked<'s>> {
    if scene.snapshot.objects.network_policies.is_empty() {
        return Vec::new();
    }
    let mut named: BTreeMap<usize, &Call<'_>> = BTreeMap::new();
    for call in scene.calls() {
        named.entry(call.caller).or_insert(call);
    }
    let workloads = scene
        .workloads()
        .iter()
        .enumerate()
        .filter(|(_, workload)| !workload.template.is_some_and(on_host) && !workload.pods.is_empty());
    let blocked = workloads.filter_map(|(index, caller)| {
        let policies = netpol::isolating(scene, Peer::of(scene, caller), Direction::Egress);
        let policy = strictest(&policies, Direction::Egress)?;
        let mut containers = scene.pods_of(caller).flat_map(PodView::containers);
        let line = containers.find_map(|container| failing_calls::unresolved(container).pop());
        let call = named.get(&index).copied();
        let needs = call.is_some() || line.is_some();
        (needs && !netpol::allows_dns(&policies)).then_some(Blocked {
            policy,
            caller,
            target: None,
            service: None,
            port: Some(53),
            call,
            line,
        })
    });
    blocked.collect()
}

/// Groups blocked calls by the policy to change, those that are seen to fail first.
pub fn by_policy<'s>(blocked: Vec<Blocked<'s>>) -> Vec<Vec<Blocked<'s>>> {
    let mut groups: BTreeMap<(String, String), Vec<Blocked<'s>>> = BTreeMap::new();
    for call in blocked {
        groups
            .entry((call.policy.object.namespace().to_owned(), call.policy.object.name().to_owned()))
            .or_default()
            .push(call);
    }
    let mut groups: Vec<_> = groups.into_values().collect();
    groups.iter_mut().for_each(|group| group.sort_by_key(|call| call.line.is_none()));
    groups
}

/// Makes the finding about a policy that blocks calls, with what it blocks and the cure.
pub fn finding(
    scene: &Scene<'_>,
    rule: &'static Rule,
    calls: &[Blocked<'_>],
    direction: Direction,
    message: String,
    cure: String,
) -> Option<Finding> {
    let first = calls.first()?;
    let policy = ObjectRef::new(Kind::NetworkPolicy, first.policy.object.namespace(), first.policy.object.name());
    let seen = first.line.is_some();
    // Callers that are well do not feel it: the call is not made, or the cluster's network heeds no policies.
    let severity = match (seen, calls.iter().all(|call| scene.pods_of(call.caller).all(PodView::is_ready))) {
        (true, _) => Severity::Error,
        (false, true) => Severity::Info,
        (false, false) => Severity::Warning,
    };
    let spec = first.policy.spec.as_ref();
    let selected = spec
        .and_then(|spec| spec.pod_selector.as_ref())
        .and_then(|selector| selector.match_labels.as_ref())
        .map(selector::print);
    let (field, rules) = match direction {
        Direction::Egress => ("spec.egress", spec.and_then(|spec| spec.egress.as_ref()).map_or(0, Vec::len)),
        Direction::Ingress => ("spec.ingress", spec.and_then(|spec| spec.ingress.as_ref()).map_or(0, Vec::len)),
    };
    let rules = if rules == 0 { "no rules".to_owned() } else { format!("{rules} rules, none for this peer and port") };
    let command =
        |verb: &str| quote::command(&["kubectl", verb, "networkpolicy", &policy.name, "-n", policy.namespace()]);
    let finding = rule
        .finding(policy.clone(), message)
        .severity(severity)
        .confidence(if seen { 0.92 } else { 0.6 })
        .because(policy.clone(), "spec.podSelector", selected.unwrap_or_else(|| "all pods".to_owned()))
        .because(policy.clone(), field, rules)
        .recommend(Recommendation::new("edit-object", cure).command(command("edit")))
        .next(command("describe"));
    Some(calls.iter().take(3).fold(finding, evidence))
}

fn evidence(mut finding: Finding, call: &Blocked<'_>) -> Finding {
    if let Some(line) = &call.line {
        finding = finding.because(line.pod.clone(), line.path(), line.quote());
    }
    if let Some(configured) = call.call {
        finding = finding.because(
            configured.object.clone(),
            configured.path.clone(),
            configured.value.chars().take(300).collect::<String>(),
        );
    }
    if let Some(service) = &call.service {
        finding = finding.mentions(service.clone());
    }
    finding.affects(call.caller.object.clone())
}

/// Returns ` on port 80`, or nothing.
pub fn on_port(call: &Blocked<'_>) -> String {
    call.port.map(|port| format!(" on port {port}")).unwrap_or_default()
}

/// Returns `, and 3 more`, or nothing.
pub fn and_more(calls: &[Blocked<'_>]) -> String {
    if calls.len() > 1 { format!(", and {} more", calls.len() - 1) } else { String::new() }
}
