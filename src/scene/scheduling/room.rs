//! Pods for which no node has room, and what is missing where.

use crate::model::{Finding, Recommendation};
use crate::quantity::Quantity;
use crate::render::quote;
use crate::rules::Rule;
use crate::scene::scheduling::fit::Guest;
use crate::scene::scheduling::nodes;
use crate::scene::{NodeRoom, Obstacle, Placement, Scene};

/// Finds the pods that no node has room for, where the resource that is missing most is of a kind.
pub fn findings(scene: &Scene<'_>, rule: &'static Rule, concerns: fn(&str) -> bool) -> Vec<Finding> {
    let lacking = scene.placements().iter().filter(|placement| placement.obstacle == Obstacle::Resources);
    lacking.filter_map(|placement| no_room(scene, placement, rule, concerns)).collect()
}

fn no_room(
    scene: &Scene<'_>,
    placement: &Placement,
    rule: &'static Rule,
    concerns: fn(&str) -> bool,
) -> Option<Finding> {
    let pod = scene.pod(placement.pod);
    let guest = Guest::new(scene.snapshot, &pod.pod.object)?;
    let workload = &pod.workload().object;
    let Some(want) = Shortage::find(scene, placement, &guest) else {
        let resource = scarce(placement);
        return concerns(resource).then(|| by_words(scene, placement, &guest, rule, resource));
    };
    if !concerns(want.resource) {
        return None;
    }
    let node = want.node;
    let finding = rule.finding(workload.clone(), want.message(&workload.short(), scene.nodes().exact));
    let mut finding = placement
        .cite(scene, finding)
        .because(node.object(), format!("status.allocatable[{}]", want.resource), written(node, want.resource))
        .confidence(placement.confidence())
        .recommend(Recommendation::new("set-resources", want.cure(&workload.short(), scene.nodes().exact)))
        .next(quote::command(&["kubectl", "describe", "node", node.name()]));
    if let Some((name, request)) = largest(&guest, want.resource) {
        finding = finding.because(
            pod.object(),
            format!("spec.containers[{name}].resources.requests[{}]", want.resource),
            request,
        );
    }
    Some(finding)
}

/// Says what the scheduler says, where the nodes tell no more.
fn by_words(
    scene: &Scene<'_>,
    placement: &Placement,
    guest: &Guest<'_>,
    rule: &'static Rule,
    resource: &str,
) -> Finding {
    let workload = &scene.pod(placement.pod).workload().object;
    let request = guest
        .demand
        .get(resource)
        .map_or_else(String::new, |request| format!(": it requests {}", phrase(resource, *request)));
    let unread =
        if scene.nodes().known && !scene.nodes().exact { "; not all pods on the nodes could be read" } else { "" };
    let message = format!("{} finds no node with enough free `{resource}`{request}{unread}", workload.short());
    let cure = format!("lower the {resource} request of {}, free room on a node, or add a node", workload.short());
    placement
        .cite(scene, rule.finding(workload.clone(), message))
        .confidence(if placement.sure { 0.9 } else { 0.7 })
        .recommend(Recommendation::new("set-resources", cure))
        .next("kubectl describe nodes")
}

/// Returns the resource that the scheduler names.
fn scarce(placement: &Placement) -> &str {
    let named = placement.reasons.iter().find(|reason| reason.obstacle == Obstacle::Resources);
    named.map_or("", |reason| reason.detail.as_str())
}

/// What is missing on the node that comes nearest.
struct Shortage<'s, 'a> {
    node: &'s NodeRoom<'a>,
    resource: &'s str,
    request: Quantity,
    /// The resources that are missing beside the worst one.
    others: Vec<&'s str>,
    /// Whether no node is large enough even when empty; then `node` is the largest.
    outgrown: bool,
    /// Whether this is about all nodes, not only about those that selectors and volumes leave.
    anywhere: bool,
}

impl<'s, 'a> Shortage<'s, 'a> {
    fn find(scene: &'s Scene<'a>, placement: &Placement, guest: &'s Guest<'_>) -> Option<Self> {
        let nodes = placement.nodes(scene);
        let short = nodes.iter().filter(|node| !guest.missing(node).is_empty());
        let node = *short.min_by_key(|node| {
            (guest.outgrows(node), guest.missing(node).len(), worst(guest, node).map(|(share, _)| share))
        })?;
        let (_, resource) = worst(guest, node)?;
        let request = *guest.demand.get(resource)?;
        let outgrown = nodes.iter().all(|node| request > node.offers(resource));
        let node = if outgrown { nodes.iter().copied().rev().max_by_key(|node| node.offers(resource))? } else { node };
        let others = guest.missing(node).into_iter().filter(|other| *other != resource).collect();
        Some(Self { node, resource, request, others, outgrown, anywhere: nodes.len() == scene.nodes().all.len() })
    }

    fn message(&self, workload: &str, exact: bool) -> String {
        let Self { node, resource, request, .. } = self;
        let offers = node.offers(resource);
        if *resource == "pods" {
            return format!(
                "{workload} finds no free pod slot: the roomiest node {} already runs {} of {} pods",
                node.name(),
                offers.saturating_sub(node.free("pods")).value(),
                offers.value()
            );
        }
        if self.outgrown && offers.is_zero() {
            let which = if self.anywhere { "" } else { " that it may run on" };
            return format!("{workload} requests {}, and no node{which} offers any", phrase(resource, *request));
        }
        if self.outgrown {
            let which = if self.anywhere { "any node" } else { "any node it may run on" };
            return format!(
                "{workload} requests {}, more than {which} has: the largest, {}, has {} allocatable",
                phrase(resource, *request),
                node.name(),
                amount(resource, offers)
            );
        }
        let others = if self.others.is_empty() {
            String::new()
        } else {
            format!(" (and too little {})", self.others.join(", "))
        };
        let free = node.free(resource).max(Quantity::ZERO);
        format!(
            "{workload} requests {}; the roomiest node {} has {}{} free of {} allocatable, {} too little{others}",
            phrase(resource, *request),
            node.name(),
            if exact { "" } else { "at most " },
            amount(resource, free),
            amount(resource, offers),
            amount(resource, request.saturating_sub(free)),
        )
    }

    fn cure(&self, workload: &str, exact: bool) -> String {
        let Self { node, resource, request, .. } = self;
        let free = node.free(resource).max(Quantity::ZERO);
        let most = if exact { "" } else { "less than " };
        let lower = format!("lower the {resource} request of {workload} to {most}{}", amount(resource, free));
        let grow = format!("add a node with more than {} allocatable", phrase(resource, *request));
        match (*resource, self.outgrown) {
            ("pods", _) => format!("remove pods from {}, raise its limit of pods, or add a node", node.name()),
            (_, true) if free.is_zero() => grow,
            (_, true) => format!("{lower} (what {} has free), or {grow}", node.name()),
            (_, false) if free.is_zero() => {
                format!("free {} on {}, or add a node", phrase(resource, *request), node.name())
            }
            (_, false) => format!(
                "{lower}, free {} on {}, or add a node",
                amount(resource, request.saturating_sub(free)),
                node.name()
            ),
        }
    }
}

/// Returns the resource that is missing most on a node, with the missing share of the request in thousandths.
fn worst<'g>(guest: &'g Guest<'_>, node: &NodeRoom<'_>) -> Option<(i64, &'g str)> {
    let share = |resource: &str| {
        let request = guest.demand.get(resource).copied().unwrap_or(Quantity::ZERO);
        node.lacks(resource, request).saturating_mul(1000).value() / request.value().max(1)
    };
    guest.missing(node).into_iter().map(|resource| (share(resource), resource)).max()
}

/// Returns the container that requests most of a resource, and its request as written.
fn largest<'g>(guest: &'g Guest<'_>, resource: &str) -> Option<(&'g str, &'g str)> {
    let request = |container: &'g k8s_openapi::api::core::v1::Container| {
        let resources = container.resources.as_ref()?;
        let amount =
            resources.requests.iter().chain(resources.limits.as_ref()).find_map(|amounts| amounts.get(resource))?;
        Some((amount.0.parse::<Quantity>().ok()?, container.name.as_str(), amount.0.as_str()))
    };
    guest
        .spec
        .containers
        .iter()
        .filter_map(request)
        .max_by_key(|(amount, ..)| *amount)
        .map(|(_, name, written)| (name, written))
}

/// Returns what a node offers, as written in its status.
fn written(node: &NodeRoom<'_>, resource: &str) -> String {
    let status = node.node.object.status.as_ref();
    let offered = status.and_then(|status| status.allocatable.as_ref().or(status.capacity.as_ref())?.get(resource));
    offered.map_or_else(|| "0".to_owned(), |amount| amount.0.clone())
}

fn amount(resource: &str, amount: Quantity) -> String {
    nodes::print(resource, amount)
}

/// Prints an amount with its resource: `8 CPU`, `64Mi of memory`, `2 nvidia.com/gpu`.
fn phrase(resource: &str, quantity: Quantity) -> String {
    match resource {
        "cpu" => format!("{} CPU", amount(resource, quantity)),
        "memory" | "ephemeral-storage" => format!("{} of {}", amount(resource, quantity), resource.replace('-', " ")),
        _ => format!("{} `{resource}`", amount(resource, quantity)),
    }
}
