//! A peer that should answer does not.

use crate::model::{Finding, Kind, ObjectRef, Recommendation, Severity};
use crate::render::quote;
use crate::rules::{Rule, consequences};
use crate::scene::log::line;
use crate::scene::log::reach::Why;
use crate::scene::services::usage;
use crate::scene::traffic::outage;
use crate::scene::{Environment, Outage, Peer, PodView, Scene, ServiceView, Testimony, outages, testimonies};

/// See [`Rule::docs`].
pub static RULE: Rule = Rule {
    id: "dependency-unreachable",
    category: "dependency_unreachable",
    summary: "detects containers that cannot reach what they depend on: refused, timed out, no route, no such name",
    docs: "\
## What it means
The program tried to reach another program and got no answer. Refused: the address is right as far as the network goes, but \
nothing listens there. Timed out: packets are lost, often by a NetworkPolicy or a wrong address. No such name: DNS.

## How it is detected
The log of a crash ends with a failed connection, or the log of a running container repeats one and did so lately. Where \
the host is a Service of the cluster, its ports and ready pods are looked at, and a fault there explains this one.

## What to do
Look at the named host first: if it is a Service, at its pods. If it is outside the cluster, ask whether the node reaches \
it. If the host or port is wrong, correct the variable that holds it.",
    severity: Severity::Error,
    needs: &[Kind::Pod],
    uses: &[Kind::Service, Kind::ConfigMap],
    explains: &[consequences::PODS_NOT_READY, consequences::PROBES_FAIL, &["crash-no-logs", "init-container-failed"]],
    check,
};

/// A line names several peers in turn; more than these help nobody.
const MAX_PEERS: usize = 3;

fn check(scene: &Scene<'_>) -> Vec<Finding> {
    testimonies(scene).flat_map(|testimony| unreachable(&testimony)).collect()
}

fn unreachable(testimony: &Testimony<'_>) -> Vec<Finding> {
    let environment = Environment::of(testimony.container);
    let all = outages(testimony);
    // A name outside that does not resolve is the rule external-dns.
    let inside = all.iter().filter(|outage| !(outage.peer == Peer::Outside && outage.why == Why::Unresolved));
    // A program that runs and was given a new configuration just before is the rule log-error-running.
    if testimony.crash.is_none() && outage::began_with_a_change(testimony) {
        return Vec::new();
    }
    inside.take(MAX_PEERS).map(|outage| finding(testimony, &environment, outage)).collect()
}

fn finding(testimony: &Testimony<'_>, environment: &Environment<'_>, outage: &Outage<'_>) -> Finding {
    let container = testimony.container;
    let message = match outage.address() {
        Some(address) => format!(
            "{} cannot reach `{address}`: {}{}",
            container.phrase(),
            outage.why.phrase(),
            detail(testimony, outage)
        ),
        None => format!(
            "{} cannot reach what it depends on: `{}`",
            container.phrase(),
            line::clip(&line::shown(outage.template.line), 130)
        ),
    };
    let finding = RULE
        .finding(container.subject(), message)
        .key(outage.address().unwrap_or_default())
        .confidence(outage.confidence);
    let mut finding = testimony.attest(finding, outage.template);
    if outage.host.is_none() {
        finding = quote_others(finding, testimony, outage);
    }
    if let Some(host) = outage.host.as_deref()
        && let Some(variable) =
            environment.variables.iter().find(|variable| variable.value().is_some_and(|value| value.contains(host)))
    {
        finding = finding.because(container.pod_ref(), variable.path.clone(), variable.shown());
    }
    if let Peer::Service(object) | Peer::NoService(object) = &outage.peer {
        finding = finding.mentions(object.clone());
    }
    advise(finding, testimony, outage)
}

/// Quotes what else the log says about it, as the line itself names no host.
fn quote_others(mut finding: Finding, testimony: &Testimony<'_>, outage: &Outage<'_>) -> Finding {
    let others = testimony
        .log
        .templates
        .iter()
        .filter(|other| other.number != outage.template.number && other.weight >= outage.template.weight);
    for other in others.take(4) {
        finding = testimony.quote(finding, other.line, other.number);
    }
    finding
}

/// Says what the cluster knows about the peer.
fn detail(testimony: &Testimony<'_>, outage: &Outage<'_>) -> String {
    match &outage.peer {
        Peer::NoService(object) => format!("; there is no service/{} in namespace {}", object.name, object.namespace()),
        Peer::Service(object) => service_detail(testimony, object, outage),
        Peer::Local => "; that is the pod itself".to_owned(),
        Peer::Outside | Peer::Unknown => String::new(),
    }
}

fn service_detail(testimony: &Testimony<'_>, object: &ObjectRef, outage: &Outage<'_>) -> String {
    let Some(service) = outage::service(testimony, object) else { return String::new() };
    if let (Some(port), Some(ports)) = (outage.port, outage::served_ports(service))
        && !ports.contains(&port)
    {
        let ports: Vec<String> = ports.iter().map(u16::to_string).collect();
        return format!("; {} serves port {} only", object.short(), ports.join(", "));
    }
    if service.selector().is_some() && has_no_backend(service) {
        return format!("; {} has no ready pod", object.short());
    }
    if outage.why == Why::Unresolved {
        format!("; {} exists, so its DNS is at fault", object.short())
    } else {
        String::new()
    }
}

/// Returns whether nothing ready is behind a Service, as far as its pods or endpoints were read.
fn has_no_backend(service: ServiceView<'_>) -> bool {
    let idle = !service.pods().any(PodView::is_ready);
    if service.scene.knows(Kind::Pod, service.namespace()) {
        return idle;
    }
    idle && usage::ready_addresses(service) == Some(0)
}

fn advise(finding: Finding, testimony: &Testimony<'_>, outage: &Outage<'_>) -> Finding {
    let finding = match (&outage.peer, outage.address()) {
        (Peer::Service(object), _) => {
            let summary = format!("look at {} and the pods behind it", object.short());
            let command = quote::command(&[
                "kubectl",
                "get",
                "endpointslices",
                "-n",
                object.namespace(),
                "-l",
                &format!("kubernetes.io/service-name={}", object.name),
            ]);
            finding.recommend(Recommendation::new("inspect", summary).risk(crate::model::Risk::None).command(command))
        }
        (Peer::NoService(object), _) => finding.recommend(Recommendation::new(
            "edit-object",
            format!("create {} or correct the host where the program gets it from", object.short()),
        )),
        (Peer::Local, _) => finding.recommend(Recommendation::new(
            "edit-object",
            "give the program the address of a Service, or start what should listen in this pod",
        )),
        (_, Some(address)) => finding.recommend(
            Recommendation::new("inspect", format!("check that `{address}` is up and may be reached from the pod"))
                .risk(crate::model::Risk::None),
        ),
        (_, None) => finding.recommend(
            Recommendation::new("inspect", "find out which host the program means, in its log and configuration")
                .risk(crate::model::Risk::None),
        ),
    };
    finding.next(testimony.logs_command())
}
