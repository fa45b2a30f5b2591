//! A Service's selector meets no pod, though the pods are there.

use std::collections::HashSet;

use crate::model::{Finding, Kind, ObjectRef, Recommendation, Severity};
use crate::render::quote;
use crate::rules::{Rule, consequences};
use crate::scene::near::is_near;
use crate::scene::services::selector::{self, Labels};
use crate::scene::services::usage::{self, Usage};
use crate::scene::{Scene, ServiceView, Workload};

/// See [`Rule::docs`].
pub static RULE: Rule = Rule {
    id: "service-selector-mismatch",
    category: "service_selector_mismatch",
    summary: "detects Services whose selector meets no pod although a workload with similar labels exists",
    docs: "\
## What it means
The Service selects labels that no pod carries, so it has no endpoints, while the pods that it was made for run under \
other labels.

## How it is detected
No pod and no pod template in the namespace carries the selector's labels, and one workload is near by name, by labels \
or by the port that it declares. Services without a selector and those for workloads that do not exist are left out.

## What to do
Make the selector and the pod labels equal. Change the Service rather than the workload: a Deployment's own selector \
cannot be changed, and other objects may select its labels.",
    severity: Severity::Error,
    needs: &[Kind::Service, Kind::Pod, Kind::Deployment, Kind::StatefulSet],
    uses: &[Kind::DaemonSet],
    explains: &[
        consequences::CALLS_FAIL,
        consequences::PROBES_FAIL,
        &["init-container-failed", "service-backends-missing", "webhook-blocking"],
    ],
    check,
};

/// From this score on a workload is taken for the one that was meant.
const NEAR: u32 = 25;

fn check(scene: &Scene<'_>) -> Vec<Finding> {
    let empty: Vec<_> = scene.services().filter(|service| leads_nowhere(*service)).collect();
    if empty.is_empty() {
        return Vec::new();
    }
    let usage = Usage::new(scene);
    let selected: HashSet<&ObjectRef> =
        scene.services().flat_map(ServiceView::workloads).map(|workload| &workload.object).collect();
    empty
        .into_iter()
        .filter(|service| usage.ready(*service) == 0)
        .filter_map(|service| mismatch(scene, &usage, &selected, service))
        .collect()
}

fn leads_nowhere(service: ServiceView<'_>) -> bool {
    // A workload that is scaled to zero would be missed if workloads had not been read.
    let known = [Kind::Pod, Kind::Deployment, Kind::StatefulSet]
        .into_iter()
        .all(|kind| service.scene.knows(kind, service.namespace()));
    known && service.selector().is_some() && service.pods().next().is_none() && service.workloads().next().is_none()
}

fn mismatch(
    scene: &Scene<'_>,
    usage: &Usage<'_>,
    selected: &HashSet<&ObjectRef>,
    service: ServiceView<'_>,
) -> Option<Finding> {
    let selector = service.selector()?;
    let same = scene
        .workloads()
        .iter()
        .filter(|workload| workload.namespace() == service.namespace() && !usage::is_batch(workload));
    let candidates: Vec<&Workload<'_>> = same.filter(|workload| workload.labels.is_some()).collect();
    let orphans = candidates.iter().filter(|workload| !selected.contains(&workload.object)).count();
    let scored = candidates.iter().map(|workload| {
        let orphan = !selected.contains(&workload.object);
        (score(service, selector, workload) + bonus(orphan, orphans), std::cmp::Reverse(&workload.object), *workload)
    });
    let (score, _, workload) =
        scored.max_by(|a, b| (a.0, &a.1).cmp(&(b.0, &b.1))).filter(|(score, ..)| *score >= NEAR)?;
    let confidence = match (selected.contains(&workload.object), score) {
        (true, _) if workload.object.name != service.name() => 0.7,
        (_, 40..) => 0.95,
        _ => 0.85,
    };
    Some(finding(usage, service, workload, confidence))
}

fn score(service: ServiceView<'_>, selector: &Labels, workload: &Workload<'_>) -> u32 {
    let name = if workload.object.name == service.name() {
        40
    } else if is_near(&workload.object.name, service.name()) {
        25
    } else {
        0
    };
    let labels: u32 = selector.iter().map(|(key, value)| likeness(workload, key, value)).sum();
    name + labels + if serves_a_port(service, workload) { 8 } else { 0 }
}

/// A workload that no Service leads to waits for one, all the more if it is the only one.
fn bonus(orphan: bool, orphans: usize) -> u32 {
    match (orphan, orphans) {
        (true, 1) => 16,
        (true, _) => 8,
        (false, _) => 0,
    }
}

fn likeness(workload: &Workload<'_>, key: &str, value: &str) -> u32 {
    let Some(labels) = workload.labels else { return 0 };
    match labels.get(key) {
        Some(has) if has == value => 15,
        Some(has) if is_near(has, value) => 25,
        Some(_) => 3,
        None if labels.values().any(|has| has == value) => 25,
        None => 0,
    }
}

fn serves_a_port(service: ServiceView<'_>, workload: &Workload<'_>) -> bool {
    let Some(template) = workload.template else { return false };
    let wanted = service.service.spec.iter().flat_map(|spec| spec.ports.iter().flatten());
    let mut numbers = wanted.filter_map(|port| usage::target_number(Some(template), port.target_port.as_ref()?));
    numbers.any(|number| usage::ports(template).any(|port| port.container_port == i32::from(number)))
}

fn finding(usage: &Usage<'_>, service: ServiceView<'_>, workload: &Workload<'_>, confidence: f64) -> Finding {
    let none = Labels::new();
    let (selector, labels) = (service.selector().unwrap_or(&none), workload.labels.unwrap_or(&none));
    let differs = |(key, value): &(&String, &String)| labels.get(*key) != Some(*value);
    let wanted: Vec<String> = selector.iter().filter(differs).map(|(key, value)| format!("`{key}={value}`")).collect();
    let carried: Vec<String> =
        selector.iter().filter(differs).map(|(key, value)| carried(labels, key, value)).collect();
    let short = workload.object.short();
    let message = format!(
        "{} selects {}, which no pod carries: the pods of {short} carry {}",
        service.object().short(),
        wanted.join(" and "),
        carried.join(" and ")
    );
    let kind = if workload.object.is(Kind::Pod) { "metadata.labels" } else { "spec.template.metadata.labels" };
    RULE.finding(service.object(), message)
        .severity(usage.severity(service))
        .confidence(confidence)
        .because(service.object(), "spec.selector", selector::print(selector))
        .because(workload.object.clone(), kind, selector::print(labels))
        .mentions(workload.object.clone())
        .recommend(fix(service, selector, labels, &short))
        .next(quote::command(&["kubectl", "get", "pods", "-n", service.namespace(), "--show-labels"]))
}

fn carried(labels: &Labels, key: &str, value: &str) -> String {
    if let Some(has) = labels.get(key) {
        return format!("`{key}={has}`");
    }
    match labels.iter().find(|(_, has)| *has == value) {
        Some((other, has)) => format!("`{other}={has}`"),
        None => format!("no label `{key}`"),
    }
}

fn fix(service: ServiceView<'_>, selector: &Labels, labels: &Labels, workload: &str) -> Recommendation {
    let known: Labels = selector.keys().filter_map(|key| Some((key.clone(), labels.get(key)?.clone()))).collect();
    if known.len() < selector.len() {
        let command = quote::command(&["kubectl", "edit", "service", service.name(), "-n", service.namespace()]);
        return Recommendation::new(
            "edit-object",
            format!("select labels that {workload} carries: {}", selector::print(labels)),
        )
        .command(command);
    }
    let command = quote::command(&[
        "kubectl",
        "set",
        "selector",
        "service",
        service.name(),
        &selector::print(&known),
        "-n",
        service.namespace(),
    ]);
    let summary = format!(
        "set the selector of service/{} to {}, which the pods of {workload} carry",
        service.name(),
        selector::print(&known)
    );
    Recommendation::new("edit-object", summary).command(command)
}
