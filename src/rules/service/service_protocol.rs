//! A Service forwards another transport protocol than the container serves.

use k8s_openapi::api::core::v1::{ContainerPort, ServicePort};

use crate::model::{Finding, Kind, Recommendation, Severity};
use crate::render::quote;
use crate::rules::{Rule, consequences};
use crate::scene::services::usage::{self, Usage};
use crate::scene::{Scene, ServiceView, Workload};

/// See [`Rule::docs`].
pub static RULE: Rule = Rule {
    id: "service-protocol",
    category: "service_protocol",
    summary: "detects Services that forward UDP to a TCP port or the other way round",
    docs: "\
## What it means
The Service forwards one transport protocol, the container declares the port for the other one. Callers get no answer.

## How it is detected
All containers that declare the target port declare it with another protocol, and the Service has no second port of the \
same number with the right one.

## What to do
Set `protocol` of the Service's port to that of the container port; TCP is the default of both.",
    severity: Severity::Error,
    needs: &[Kind::Service, Kind::Pod],
    uses: &[Kind::Deployment, Kind::StatefulSet, Kind::DaemonSet],
    explains: &[consequences::CALLS_FAIL],
    check,
};

fn check(scene: &Scene<'_>) -> Vec<Finding> {
    let usage = Usage::new(scene);
    scene.services().flat_map(|service| mismatches(&usage, service)).collect()
}

fn mismatches(usage: &Usage<'_>, service: ServiceView<'_>) -> Vec<Finding> {
    let Some(workload) = service.workloads().find(|workload| workload.template.is_some()) else { return Vec::new() };
    let ports: Vec<&ServicePort> = service.service.spec.iter().flat_map(|spec| spec.ports.iter().flatten()).collect();
    let wrong = ports.iter().filter_map(|port| {
        let declared = mismatch(workload, port)?;
        let right = |other: &&ServicePort| {
            other.port == port.port && protocol(other.protocol.as_ref()) == protocol(declared.protocol.as_ref())
        };
        (!ports.iter().any(right)).then(|| finding(usage, service, workload, port, declared))
    });
    wrong.collect()
}

fn protocol(written: Option<&String>) -> &str {
    written.map_or("TCP", String::as_str)
}

/// Returns the declared port that the Service reaches with the wrong protocol.
fn mismatch<'s>(workload: &Workload<'s>, port: &ServicePort) -> Option<&'s ContainerPort> {
    let template = workload.template?;
    let number = match port.target_port.as_ref() {
        Some(target) => usage::target_number(Some(template), target)?,
        None => u16::try_from(port.port).ok()?,
    };
    let declared: Vec<_> =
        usage::ports(template).filter(|declared| declared.container_port == i32::from(number)).collect();
    let same = |declared: &&ContainerPort| protocol(declared.protocol.as_ref()) == protocol(port.protocol.as_ref());
    if declared.iter().any(same) { None } else { declared.first().copied() }
}

fn finding(
    usage: &Usage<'_>,
    service: ServiceView<'_>,
    workload: &Workload<'_>,
    port: &ServicePort,
    declared: &ContainerPort,
) -> Finding {
    let (forwarded, served) = (protocol(port.protocol.as_ref()), protocol(declared.protocol.as_ref()));
    let short = workload.object.short();
    let message = format!(
        "{} forwards port {} as {forwarded}, but {short} serves port {} with {served}",
        service.object().short(),
        port.port,
        declared.container_port
    );
    let command = quote::command(&["kubectl", "edit", "service", service.name(), "-n", service.namespace()]);
    let summary = format!("set `protocol: {served}` at port {} of service/{}", port.port, service.name());
    RULE.finding(service.object(), message)
        .key(port.port.to_string())
        .severity(if usage.is_used(service) { Severity::Critical } else { Severity::Error })
        .confidence(0.93)
        .because(service.object(), format!("spec.ports[{}].protocol", port.port), forwarded)
        .because(workload.object.clone(), "spec.template.spec.containers[*].ports[*].protocol", served)
        .mentions(workload.object.clone())
        .recommend(Recommendation::new("edit-object", summary).command(command))
}
