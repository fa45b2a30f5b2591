//! A Service's selector also meets pods of another app.

use k8s_openapi::api::core::v1::{PodSpec, ServicePort};

use crate::model::{Finding, Kind, Recommendation, Severity};
use crate::render::quote;
use crate::rules::Rule;
use crate::scene::log::reach::Why;
use crate::scene::services::selector;
use crate::scene::services::usage::{self, Usage};
use crate::scene::{Outage, Peer, PodView, Scene, ServiceView, Workload, outages, testimonies};

/// See [`Rule::docs`].
pub static RULE: Rule = Rule {
    id: "service-wrong-pods",
    category: "service_wrong_pods",
    summary: "detects Services whose selector also meets pods of another app that do not serve their port",
    docs: "\
## What it means
The selector is too wide: beside the right pods it meets those of another app, so a share of the calls goes to pods that \
cannot answer them. Callers see errors that come and go.

## How it is detected
The selector meets several workloads, one of them declares the Service's target port, and another declares other ports \
only; or none at all, while a caller's log tells of refused connections. Canaries and blue-green pairs, which serve the same port, are left out.

## What to do
Add the label that tells the apart to the selector, such as `app` or `app.kubernetes.io/name`.",
    severity: Severity::Error,
    needs: &[Kind::Service, Kind::Pod],
    uses: &[Kind::Deployment, Kind::StatefulSet, Kind::DaemonSet],
    explains: &[&["app-exception", "dependency-unreachable", "log-error-running", "log-trend", "readiness-probe-failing"]],
    check,
};

fn check(scene: &Scene<'_>) -> Vec<Finding> {
    let usage = Usage::new(scene);
    scene.services().filter_map(|service| too_wide(&usage, service)).collect()
}

fn too_wide(usage: &Usage<'_>, service: ServiceView<'_>) -> Option<Finding> {
    let workloads: Vec<_> = service
        .workloads()
        .filter(|workload| workload.template.is_some() && workload.desired != Some(0) && !usage::is_batch(workload))
        .collect();
    let right = workloads.iter().find(|workload| serves(service, workload) == Some(true))?;
    let mut others = workloads.iter().filter(|workload| workload.labels != right.labels);
    let wrong = others.clone().find(|workload| serves(service, workload) == Some(false));
    // What declares no port may serve any; that callers are refused now and then tells that it does not.
    let silent = || others.find(|workload| is_silent(service, workload)).filter(|_| is_refused(service));
    let wrong = wrong.or_else(silent)?;
    Some(finding(usage, service, right, wrong))
}

/// Returns whether a workload's ready pods declare no port, and speak of none that the Service leads to.
fn is_silent(service: ServiceView<'_>, workload: &Workload<'_>) -> bool {
    let speaks =
        |template: &PodSpec| targets(service, template).iter().any(|number| usage::speaks_of(template, *number));
    let silent = |template: &PodSpec| usage::ports(template).next().is_none() && !speaks(template);
    workload.template.is_some_and(silent) && service.scene.pods_of(workload).any(PodView::is_ready)
}

/// Returns whether a caller's log tells that the Service refuses connections, though it has ready pods.
fn is_refused(service: ServiceView<'_>) -> bool {
    let object = service.object();
    let refused = |outage: &Outage<'_>| outage.why == Why::Refused && outage.peer == Peer::Service(object.clone());
    testimonies(service.scene).any(|testimony| outages(&testimony).iter().any(refused))
}

/// Returns the numbers of the ports that the Service leads to in pods of a template.
fn targets(service: ServiceView<'_>, template: &PodSpec) -> Vec<u16> {
    let ports = service.service.spec.iter().flat_map(|spec| spec.ports.iter().flatten());
    let target = |port: &ServicePort| match port.target_port.as_ref() {
        Some(target) => usage::target_number(Some(template), target),
        None => u16::try_from(port.port).ok(),
    };
    ports.filter_map(target).collect()
}

/// Returns whether a workload declares all target ports; `None` if it declares nothing, or some.
fn serves(service: ServiceView<'_>, workload: &Workload<'_>) -> Option<bool> {
    let template = workload.template?;
    let declared: Vec<i32> = usage::ports(template).map(|port| port.container_port).collect();
    if declared.is_empty() {
        return None;
    }
    let count = service.service.spec.iter().flat_map(|spec| spec.ports.iter().flatten()).count();
    let targets = targets(service, template);
    let met = targets.iter().filter(|number| declared.contains(&i32::from(**number))).count();
    let hinted = targets.iter().any(|number| usage::speaks_of(template, *number));
    match met {
        0 if !hinted => Some(false),
        all if all == count => Some(true),
        _ => None,
    }
}

fn finding(usage: &Usage<'_>, service: ServiceView<'_>, right: &Workload<'_>, wrong: &Workload<'_>) -> Finding {
    let pairs = service.selector().map(selector::print).unwrap_or_default();
    let (good, bad) = (right.object.short(), wrong.object.short());
    let message = format!(
        "{} selects `{pairs}`, which beside {good} also meets {bad}, whose pods do not serve its port",
        service.object().short()
    );
    let tell = right
        .labels
        .iter()
        .flat_map(|labels| labels.iter())
        .find(|(key, value)| wrong.labels.and_then(|labels| labels.get(*key)) != Some(*value));
    let label = tell.map_or_else(
        || "a label that only its own pods carry".to_owned(),
        |(key, value)| format!("the label {key}={value}"),
    );
    let command = quote::command(&["kubectl", "edit", "service", service.name(), "-n", service.namespace()]);
    let print = |workload: &Workload<'_>| workload.labels.map(selector::print).unwrap_or_default();
    RULE.finding(service.object(), message)
        .severity(if usage.is_used(service) { Severity::Critical } else { Severity::Error })
        .key(wrong.object.name.as_str())
        .confidence(0.85)
        .because(service.object(), "spec.selector", pairs)
        .because(right.object.clone(), "spec.template.metadata.labels", print(right))
        .because(wrong.object.clone(), "spec.template.metadata.labels", print(wrong))
        .mentions(wrong.object.clone())
        .recommend(
            Recommendation::new("edit-object", format!("add {label} to the selector of service/{}", service.name()))
                .command(command),
        )
}
