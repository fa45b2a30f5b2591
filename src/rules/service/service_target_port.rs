//! A Service sends traffic to a port that no container serves.

use std::collections::BTreeSet;

use k8s_openapi::api::core::v1::ServicePort;
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

use crate::model::{Finding, Kind, Recommendation, Severity};
use crate::render::quote;
use crate::rules::{Rule, consequences};
use crate::scene::probes::listen;
use crate::scene::services::usage::{self, Usage};
use crate::scene::{PodView, ProbeKind, ProbeView, Role, Scene, ServiceView, Workload};

/// See [`Rule::docs`].
pub static RULE: Rule = Rule {
    id: "service-target-port",
    category: "service_target_port",
    summary: "detects Services whose target port no container behind them serves",
    docs: "\
## What it means
The Service has endpoints, but sends its traffic to a port on which nothing listens: callers are refused.

## How it is detected
The target port is a name that no container gives to a port; or it is a number that none declares although they declare \
others, and neither probes, environment, command nor the log speak of it. What the log says that the program listens on \
makes it surer. Declaring ports is not required by Kubernetes, so a number is only doubted where the pods declare others.

## What to do
Set `targetPort` to the port that the container serves, best by its name.",
    severity: Severity::Error,
    needs: &[Kind::Service, Kind::Pod],
    uses: &[Kind::Deployment, Kind::StatefulSet, Kind::DaemonSet],
    explains: &[consequences::CALLS_FAIL, consequences::PROBES_FAIL, &["init-container-failed", "webhook-blocking"]],
    check,
};

fn check(scene: &Scene<'_>) -> Vec<Finding> {
    let usage = Usage::new(scene);
    scene.services().flat_map(|service| service_ports(&usage, service)).collect()
}

fn service_ports(usage: &Usage<'_>, service: ServiceView<'_>) -> Vec<Finding> {
    let workloads: Vec<_> = service.workloads().filter(|workload| workload.template.is_some()).collect();
    let ports = service.service.spec.iter().flat_map(|spec| spec.ports.iter().flatten());
    if workloads.is_empty() {
        return Vec::new();
    }
    ports
        .filter_map(|port| {
            judge(service, &workloads, port).map(|fault| finding(usage, service, workloads[0], port, fault))
        })
        .collect()
}

/// A port that nobody serves.
struct Fault {
    target: String,
    /// What is declared, or what the log speaks of.
    served: BTreeSet<u16>,
    declared: BTreeSet<u16>,
    /// The log line that says what is served.
    said: Option<(listen::Said, crate::model::ObjectRef, String)>,
    confidence: f64,
}

fn judge(service: ServiceView<'_>, workloads: &[&Workload<'_>], port: &ServicePort) -> Option<Fault> {
    let declared = declared(workloads);
    match port.target_port.as_ref() {
        Some(IntOrString::String(name)) if name.parse::<u16>().is_err() => {
            let named = workloads
                .iter()
                .filter_map(|workload| workload.template)
                .flat_map(usage::ports)
                .any(|port| port.name.as_deref() == Some(name));
            (!named).then(|| Fault {
                target: name.clone(),
                served: declared.clone(),
                declared,
                said: None,
                confidence: 0.97,
            })
        }
        target => number(service, workloads, target.map_or(port.port, |target| int(target, port.port)), declared),
    }
}

fn int(target: &IntOrString, default: i32) -> i32 {
    match target {
        IntOrString::Int(number) => *number,
        IntOrString::String(text) => text.parse().unwrap_or(default),
    }
}

fn number(
    service: ServiceView<'_>,
    workloads: &[&Workload<'_>],
    target: i32,
    declared: BTreeSet<u16>,
) -> Option<Fault> {
    let target = u16::try_from(target).ok()?;
    let hinted =
        || workloads.iter().filter_map(|workload| workload.template).any(|template| usage::speaks_of(template, target));
    if declared.contains(&target) || probed(service, target) {
        return None;
    }
    let said = said(service);
    if said.iter().any(|(said, ..)| said.ports.contains(&target)) || (said.is_empty() && hinted()) {
        return None;
    }
    let others = others_declared(service, workloads, &declared);
    let confidence = match (declared.is_empty(), said.is_empty(), others) {
        // One of several ports may be served without a word, as metrics often are.
        (_, _, true) | (true, true, _) => return None,
        (true, false, _) => 0.75,
        (false, true, _) => 0.88,
        (false, false, _) => 0.95,
    };
    let said = said.into_iter().next();
    let served =
        said.iter().flat_map(|(said, ..)| said.ports.iter().copied()).chain(declared.iter().copied()).collect();
    Some(Fault { target: target.to_string(), served, declared, said, confidence })
}

/// Returns whether another port of the Service is right, so that this one may be an extra.
fn others_declared(service: ServiceView<'_>, workloads: &[&Workload<'_>], declared: &BTreeSet<u16>) -> bool {
    let ports = service.service.spec.iter().flat_map(|spec| spec.ports.iter().flatten());
    let target = |port: &ServicePort| {
        let template = workloads.iter().find_map(|workload| workload.template);
        port.target_port
            .as_ref()
            .map_or_else(|| u16::try_from(port.port).ok(), |target| usage::target_number(template, target))
    };
    ports.filter_map(target).any(|number| declared.contains(&number))
}

fn declared(workloads: &[&Workload<'_>]) -> BTreeSet<u16> {
    let ports = workloads.iter().filter_map(|workload| workload.template).flat_map(usage::ports);
    ports.filter_map(|port| u16::try_from(port.container_port).ok()).collect()
}

/// Returns whether a probe that passes asks this port.
fn probed(service: ServiceView<'_>, target: u16) -> bool {
    let ready = service.pods().flat_map(PodView::containers).filter(|container| container.is_ready());
    let mut probes = ready.flat_map(|container| {
        [ProbeKind::Readiness, ProbeKind::Liveness].into_iter().filter_map(move |kind| ProbeView::of(container, kind))
    });
    probes.any(|probe| probe.port == Some(target))
}

fn said(service: ServiceView<'_>) -> Vec<(listen::Said, crate::model::ObjectRef, String)> {
    let containers =
        service.pods().take(3).flat_map(PodView::containers).filter(|container| container.role != Role::Init);
    containers
        .filter_map(|container| Some((listen::said(container)?, container.pod_ref(), container.name().to_owned())))
        .collect()
}

fn finding(
    usage: &Usage<'_>,
    service: ServiceView<'_>,
    workload: &Workload<'_>,
    port: &ServicePort,
    fault: Fault,
) -> Finding {
    let print = |ports: &BTreeSet<u16>| ports.iter().map(u16::to_string).collect::<Vec<_>>().join(", ");
    let (served, declared) = (print(&fault.served), print(&fault.declared));
    let short = workload.object.short();
    let what = if served.is_empty() { "it declares no port".to_owned() } else { format!("it serves {served}") };
    let message = format!(
        "{} sends port {} to `{}`, which no container of {short} serves: {what}",
        service.object().short(),
        port.port,
        fault.target
    );
    let used = usage.is_used(service);
    let mut finding = RULE
        .finding(service.object(), message)
        .key(port.port.to_string())
        .severity(if used { Severity::Critical } else { Severity::Error })
        .confidence(fault.confidence)
        .because(service.object(), format!("spec.ports[{}].targetPort", port.port), fault.target.clone())
        .because(
            workload.object.clone(),
            "spec.template.spec.containers[*].ports",
            if declared.is_empty() { "none" } else { &declared },
        )
        .mentions(workload.object.clone());
    if let Some((said, pod, container)) = fault.said {
        let log = if said.previous { "log.previous" } else { "log" };
        finding = finding.because(
            pod,
            format!("{log}[{container}]:{}", said.number),
            said.line.chars().take(300).collect::<String>(),
        );
    }
    let right = if fault.served.len() == 1 { served } else { format!("the one that serves it ({served})") };
    let command = quote::command(&["kubectl", "edit", "service", service.name(), "-n", service.namespace()]);
    let summary = format!("set `targetPort` of port {} of service/{} to {right}", port.port, service.name());
    finding.recommend(Recommendation::new("edit-object", summary).command(command))
}
