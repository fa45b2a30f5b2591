//! A Service of type `LoadBalancer` got no address.

use jiff::SignedDuration;

use crate::model::{Finding, Kind, Recommendation, Severity};
use crate::render::quote;
use crate::rules::Rule;
use crate::scene::{EventView, Scene, ServiceView};

/// See [`Rule::docs`].
pub static RULE: Rule = Rule {
    id: "loadbalancer-pending",
    category: "loadbalancer_pending",
    summary: "detects Services of type LoadBalancer that no controller gives an address",
    docs: "\
## What it means
Nobody has given the Service an outside address: the cluster has no load balancer controller, it is broken, or the cloud \
refuses. Inside the cluster the Service works.

## How it is detected
The type is `LoadBalancer`, the status holds no ingress address, and the Service is older than two minutes. Events of the \
controller are quoted.

## What to do
On a cloud, read the controller's events and log: quota, subnet and permission are the usual reasons. Elsewhere install a \
controller such as MetalLB, or use `NodePort` or an Ingress.",
    severity: Severity::Warning,
    needs: &[Kind::Service],
    uses: &[Kind::Event],
    explains: &[],
    check,
};

/// Clouds take about a minute.
const PATIENCE: SignedDuration = SignedDuration::from_mins(2);

fn check(scene: &Scene<'_>) -> Vec<Finding> {
    scene.services().filter_map(|service| pending(scene, service)).collect()
}

fn pending(scene: &Scene<'_>, service: ServiceView<'_>) -> Option<Finding> {
    let spec = service.service.spec.as_ref().filter(|spec| spec.type_.as_deref() == Some("LoadBalancer"))?;
    let status = service.service.status.as_ref().and_then(|status| status.load_balancer.as_ref());
    let given = status.is_some_and(|status| status.ingress.as_ref().is_some_and(|ingress| !ingress.is_empty()));
    let outside = spec.external_ips.as_ref().is_some_and(|addresses| !addresses.is_empty());
    let created = service.service.metadata.creation_timestamp.as_ref()?.0;
    if given || outside || scene.now().duration_since(created) < PATIENCE {
        return None;
    }
    let event =
        scene.events_about("Service", service.namespace(), service.name()).filter(|event| event.is_warning()).last();
    Some(finding(service, created, event))
}

fn finding(service: ServiceView<'_>, created: jiff::Timestamp, event: Option<&EventView<'_>>) -> Finding {
    let why = event.map_or_else(
        || "no controller has given it an address".to_owned(),
        |event| format!("`{}`: {}", event.reason, short(event.message)),
    );
    let message = format!("{} of type LoadBalancer waits for an address: {why}", service.object().short());
    let describe = quote::command(&["kubectl", "describe", "service", service.name(), "-n", service.namespace()]);
    let finding = RULE
        .finding(service.object(), message)
        .severity(if event.is_some() { Severity::Error } else { Severity::Warning })
        .confidence(if event.is_some() { 0.95 } else { 0.85 })
        .because_at(service.object(), "status.loadBalancer.ingress", "none", Some(created))
        .seen(Some(created), Some(service.scene.now()))
        .recommend(Recommendation::new(
            "install",
            "install or mend the cluster's load balancer controller, or use an Ingress or `type: NodePort`",
        ))
        .next(describe);
    match event {
        Some(event) => {
            finding.because_at(service.object(), format!("events[{}].message", event.reason), event.message, event.last)
        }
        None => finding,
    }
}

fn short(text: &str) -> String {
    text.trim().trim_end_matches('.').chars().take(120).collect()
}
