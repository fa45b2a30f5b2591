//! No node has the labels that a pod asks for.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::NodeSelectorRequirement;

use crate::model::{Finding, Kind, Recommendation, Severity};
use crate::rules::{Rule, consequences};
use crate::scene::scheduling::describe;
use crate::scene::scheduling::fit::{Guest, holds};
use crate::scene::{NodeRoom, Obstacle, Placement, Scene, near};

/// See [`Rule::docs`].
pub static RULE: Rule = Rule {
    id: "node-selector-mismatch",
    category: "node_selector_mismatch",
    summary: "detects pods whose node selector or required node affinity no node meets",
    docs: "\
## What it means
The pod may only run on nodes with certain labels, and no node has them all. Often a label is misspelled, has another \
value, or was lost when a node was replaced.

## How it is detected
The scheduler says that nodes did not match the pod's node affinity or selector. Each requirement is then compared with the \
labels of the nodes: which one no node meets, which values exist, and whether each is met but never on one node.

## What to do
Correct `nodeSelector` or `affinity.nodeAffinity` in the workload, or label the node that is meant.",
    severity: Severity::Error,
    needs: &[Kind::Pod, Kind::Node],
    uses: &[Kind::Event],
    explains: &[consequences::PODS_NOT_READY],
    check,
};

fn check(scene: &Scene<'_>) -> Vec<Finding> {
    let lost = scene.placements().iter().filter(|placement| placement.obstacle == Obstacle::Selector);
    lost.filter_map(|placement| no_such_node(scene, placement)).collect()
}

fn no_such_node(scene: &Scene<'_>, placement: &Placement) -> Option<Finding> {
    let pod = scene.pod(placement.pod);
    let guest = Guest::new(scene.snapshot, &pod.pod.object)?;
    let workload = pod.workload().object.short();
    let (words, why, path, value) = explain(scene, &guest);
    let finding = RULE.finding(pod.workload().object.clone(), format!("{words} of {workload} asks for {why}"));
    let finding = placement.cite(scene, finding).because(pod.object(), path, value);
    let cure = format!("correct {words} of {workload}, or give the label to a node that is meant for it");
    let confidence = if scene.nodes().known { placement.confidence() } else { 0.8 };
    Some(
        finding
            .confidence(confidence)
            .recommend(Recommendation::new("edit-object", cure))
            .next("kubectl get nodes --show-labels"),
    )
}

/// Returns what asks, what for, and the field with its value.
fn explain(scene: &Scene<'_>, guest: &Guest<'_>) -> (&'static str, String, &'static str, String) {
    const AFFINITY: &str = "spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution";
    let pairs = guest.spec.node_selector.iter().flatten();
    let selector: Vec<_> = pairs
        .map(|(key, value)| NodeSelectorRequirement {
            key: key.clone(),
            operator: "In".to_owned(),
            values: Some(vec![value.clone()]),
        })
        .collect();
    let terms = guest.terms().unwrap_or_default();
    let printed = selector.iter().map(describe::requirement).collect::<Vec<_>>().join(",");
    let nodes = &scene.nodes().all;
    let unmet = |list: &[NodeSelectorRequirement]| {
        nodes.is_empty() || !nodes.iter().any(|node| list.iter().all(|one| meets(one, node)))
    };
    if !selector.is_empty() && (terms.is_empty() || unmet(&selector)) {
        return ("the node selector", describe_lack(nodes, &selector), "spec.nodeSelector", printed);
    }
    let alternatives: Vec<_> = terms.iter().map(describe::node_term).collect();
    let value = alternatives.join(" or ");
    if let [term] = terms {
        let mut all = term.match_expressions.clone().unwrap_or_default();
        all.extend(selector);
        let lack =
            if all.is_empty() { format!("`{value}`, which no available node is") } else { describe_lack(nodes, &all) };
        return ("the required node affinity", lack, AFFINITY, value);
    }
    ("the required node affinity", format!("`{value}`, and no available node is any of these"), AFFINITY, value)
}

fn describe_lack(nodes: &[NodeRoom<'_>], all: &[NodeSelectorRequirement]) -> String {
    let print = |one: &NodeSelectorRequirement| format!("`{}`", describe::requirement(one));
    if nodes.is_empty() {
        return format!("{}, which no available node has", all.iter().map(print).collect::<Vec<_>>().join(" and "));
    }
    if let Some(missing) = all.iter().find(|one| !nodes.iter().any(|node| meets(one, node))) {
        return format!("{}, which no node has{}", print(missing), hint(nodes, missing));
    }
    let place = |one: &NodeSelectorRequirement| {
        let on = nodes.iter().filter(|node| meets(one, node)).map(NodeRoom::name);
        format!("{} is on {}", print(one), describe::names(on))
    };
    match all {
        [one] => format!("{}: only {}, where it cannot run", print(one), place(one)),
        _ => format!(
            "{}, but no node has them all: {}",
            all.iter().map(print).collect::<Vec<_>>().join(" and "),
            all.iter().map(place).collect::<Vec<_>>().join(", ")
        ),
    }
}

/// Says what is there instead: other values of the label, or labels with a similar name.
fn hint(nodes: &[NodeRoom<'_>], missing: &NodeSelectorRequirement) -> String {
    let mut values: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for node in nodes {
        if let Some(value) = node.label(&missing.key) {
            values.entry(value).or_default().push(node.name());
        }
    }
    let listed = missing.values.as_deref().unwrap_or_default();
    if missing.key == "kubernetes.io/hostname"
        && let Some(node) = nodes.iter().find(|node| listed.iter().any(|one| one == node.name()))
    {
        return format!(" ({} has lost this label)", node.object().short());
    }
    if missing.key == "kubernetes.io/hostname" && !values.is_empty() {
        return format!(" (there are {})", describe::names(values.keys().copied()));
    }
    if !values.is_empty() {
        let there: Vec<_> = values
            .iter()
            .map(|(value, on)| format!("`{}={value}` on {}", missing.key, describe::names(on.iter().copied())))
            .collect();
        return format!(" (there is {})", describe::names(there.iter().map(String::as_str)));
    }
    let keys = nodes.iter().flat_map(|node| node.labels().into_iter().flatten()).map(|(key, _)| key.as_str());
    match near::nearest(&missing.key, keys).first() {
        Some(near) => format!(" (there is a label `{near}`)"),
        None => String::new(),
    }
}

fn meets(requirement: &NodeSelectorRequirement, node: &NodeRoom<'_>) -> bool {
    holds(requirement, node.label(&requirement.key))
}
