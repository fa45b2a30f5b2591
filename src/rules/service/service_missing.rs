//! A workload talks to a Service that does not exist.

use std::collections::{BTreeMap, BTreeSet};

use k8s_openapi::api::core::v1::Service;

use crate::model::store::HasMeta as _;
use crate::model::{Finding, Kind, Lookup, ObjectRef, Recommendation, Severity, State, Stored};
use crate::render::quote;
use crate::rules::{Rule, consequences};
use crate::scene::near::{is_near, nearest};
use crate::scene::services::usage;
use crate::scene::traffic::calls;
use crate::scene::traffic::failing_calls::{self, Line};
use crate::scene::{Call, ContainerView, Scene, Workload};

/// See [`Rule::docs`].
pub static RULE: Rule = Rule {
    id: "service-missing",
    category: "service_missing",
    summary: "detects workloads that talk to a Service that does not exist",
    docs: "\
## What it means
The program is configured with the name of a Service that is not there, so the name does not resolve. The Service was \
never made, was deleted, has another name, or lies in another namespace.

## How it is detected
The program's log says that a name of the form of a Service (`db`, `db.shop.svc`) does not resolve, or an environment \
variable, argument or ConfigMap holds such an address; and no Service of that name exists in that namespace. Without the \
log's word it is an error only if the program crashes or a Service of a similar name serves the port, else advice. Host aliases, containers of the same pod and \
pods of a StatefulSet are known names.

## What to do
Create the Service, or correct the address. Services with similar names, and a workload of that name which nobody exposed, \
are offered.",
    severity: Severity::Error,
    needs: &[Kind::Service, Kind::Pod],
    uses: &[Kind::ConfigMap],
    explains: &[consequences::CALLS_FAIL, consequences::PROBES_FAIL, &["external-dns", "init-container-failed"]],
    check,
};

/// One missing Service as one container needs it.
type Key<'s> = (&'s ObjectRef, &'s str, String, String);

/// What is known of one need.
#[derive(Default)]
struct Need<'s> {
    call: Option<&'s Call<'s>>,
    line: Option<Line<'s>>,
    container: Option<ContainerView<'s>>,
}

fn check(scene: &Scene<'_>) -> Vec<Finding> {
    let mut needs: BTreeMap<Key<'_>, Need<'_>> = BTreeMap::new();
    for container in scene.suspect_containers().filter(|container| !container.pod.is_finished()) {
        for line in failing_calls::unresolved(container) {
            let Some(service) = line.host.and_then(|host| named(container, host)) else { continue };
            let key = (&container.pod.workload().object, container.name(), service.0, service.1);
            let need = needs.entry(key).or_default();
            need.line.get_or_insert(line);
            need.container = Some(container);
        }
    }
    for call in scene.calls().iter().filter(|call| is_address(call)) {
        let workload = &scene.workloads()[call.caller].object;
        let need = needs.entry((workload, call.container, call.service.0.clone(), call.service.1.clone())).or_default();
        need.call.get_or_insert(call);
    }
    let configured: BTreeSet<(String, String)> =
        needs.iter().filter(|(_, need)| need.call.is_some()).map(|(key, _)| (key.2.clone(), key.3.clone())).collect();
    let absent = |key: &Key<'_>| scene.snapshot.objects.services.look_up(&key.2, &key.3).is_absent();
    // A log may repeat what another program, which is configured so, answered.
    let own =
        |key: &Key<'_>, need: &Need<'_>| need.call.is_some() || !configured.contains(&(key.2.clone(), key.3.clone()));
    needs
        .into_iter()
        .filter(|(key, need)| absent(key) && own(key, need))
        .filter_map(|(key, need)| judge(scene, &key, &need))
        .collect()
}

/// Returns the Service that a name in a log means; one with a dot must say `svc`, or it is a name of the world outside.
fn named(container: ContainerView<'_>, host: &str) -> Option<(String, String)> {
    let host = host.to_ascii_lowercase();
    if host.contains('.') && !host.contains(".svc") {
        return None;
    }
    calls::service_of(&host, container.pod.namespace())
}

/// Returns whether a value says clearly that the host is an address: after `://` or with a port, and no user or scheme.
fn is_address(call: &Call<'_>) -> bool {
    let Some(start) = call.value.find(call.host) else { return false };
    let (before, after) = (&call.value[..start], &call.value[start + call.host.len()..]);
    let user = after.split(['/', ' ', ',']).next().is_some_and(|rest| rest.contains('@'));
    let whole = before.is_empty() && (after.is_empty() || after.starts_with([':', '/']));
    let url = before.ends_with("://") || before.ends_with('@');
    !after.starts_with("://")
        && !user
        && (url || whole && (call.port.is_some_and(|port| port >= 80) || is_host_variable(&call.path)))
}

/// A value without a port is only an address if its variable can hold nothing else.
fn is_host_variable(path: &str) -> bool {
    let name = path.rsplit_once('[').map_or(path, |(_, rest)| rest.trim_end_matches(".value").trim_end_matches(']'));
    let name = name.to_ascii_uppercase();
    ["HOST", "HOSTNAME", "ADDR", "ADDRESS"].iter().any(|word| name == *word || name.ends_with(&format!("_{word}")))
}

fn judge(scene: &Scene<'_>, key: &Key<'_>, need: &Need<'_>) -> Option<Finding> {
    let (object, container, namespace, name) = key;
    let workload = scene.workload(object)?;
    if is_known_otherwise(scene, workload, namespace, name) {
        return None;
    }
    let near = near_with_port(scene, key, need);
    let (severity, confidence) = match (&need.line, need.call) {
        (Some(_), _) if near => (Severity::Error, 0.85),
        (Some(_), Some(_)) => (Severity::Error, 0.96),
        (Some(_), None) => (Severity::Error, 0.93),
        (None, _) if near => (Severity::Error, 0.75),
        (None, _) if crashes(scene, workload, container) => (Severity::Error, 0.6),
        (None, _) => (Severity::Info, 0.5),
    };
    let address = match need.call.and_then(|call| call.port) {
        Some(port) => format!("{name}:{port}"),
        None => name.clone(),
    };
    let message = format!(
        "container `{container}` of {} calls `{address}`, but there is no service `{name}` in namespace {namespace}{}",
        object.short(),
        if need.line.is_some() { ", so the name does not resolve" } else { "" },
    );
    let finding = RULE
        .finding((*object).clone(), message)
        .container(container)
        .key(format!("{namespace}/{name}"))
        .severity(severity)
        .confidence(confidence);
    Some(evidence(scene, finding, key, need))
}

/// Returns whether the program ends by itself, which a missing Service may be the reason for.
fn crashes(scene: &Scene<'_>, workload: &Workload<'_>, container: &str) -> bool {
    let mut crashes = scene.pods_of(workload).filter_map(|pod| pod.container(container)?.crash());
    crashes.any(|crash| crash.state == State::Present && crash.reason == "Error" && crash.exit_code != 137)
}

/// Returns whether a Service of a similar name serves the port: then the name is a slip.
fn near_with_port(scene: &Scene<'_>, key: &Key<'_>, need: &Need<'_>) -> bool {
    let Some(port) = need.call.and_then(|call| call.port) else { return false };
    let serves = |service: &&Stored<Service>| {
        service.spec.iter().flat_map(|spec| spec.ports.iter().flatten()).any(|served| served.port == i32::from(port))
    };
    scene
        .snapshot
        .objects
        .services
        .in_namespace(&key.2)
        .filter(serves)
        .any(|service| is_near(service.object.name(), &key.3))
}

/// Returns whether something else gives the name: a host alias, the pod itself, a set's pods.
fn is_known_otherwise(scene: &Scene<'_>, workload: &Workload<'_>, namespace: &str, name: &str) -> bool {
    const WORDS: &[&str] =
        &["localhost", "none", "null", "true", "false", "disabled", "http", "https", "kubernetes", "host", "example"];
    let Some(template) = workload.template else { return false };
    let alias = template
        .host_aliases
        .iter()
        .flatten()
        .flat_map(|alias| alias.hostnames.iter().flatten())
        .any(|host| host == name);
    let own = template.containers.iter().any(|container| container.name == name)
        || template.hostname.as_deref() == Some(name);
    let pod = workload.pods.iter().any(|&index| scene.pod(index).name() == name)
        || scene.snapshot.objects.services.get(workload.namespace(), namespace).is_some();
    let terminating = matches!(scene.snapshot.objects.services.look_up(namespace, name), Lookup::Found(_));
    alias || own || pod || terminating || WORDS.contains(&name)
}

fn evidence(scene: &Scene<'_>, mut finding: Finding, key: &Key<'_>, need: &Need<'_>) -> Finding {
    let (_, _, namespace, name) = key;
    if let Some(call) = need.call {
        finding =
            finding.because(call.object.clone(), call.path.clone(), call.value.chars().take(300).collect::<String>());
    }
    if let Some(line) = &need.line {
        finding = finding.because(line.pod.clone(), line.path(), line.quote());
    }
    let services = || scene.snapshot.objects.services.in_namespace(namespace).map(|service| service.object.name());
    let near = nearest(name, services());
    let listed = services().take(8).collect::<Vec<_>>().join(", ");
    let namespace_ref = ObjectRef::new(Kind::Namespace, "", namespace);
    finding = finding
        .because(namespace_ref, "services", if listed.is_empty() { "none" } else { &listed })
        .mentions(ObjectRef::new(Kind::Service, namespace, name))
        .next(quote::command(&["kubectl", "get", "services", "-n", namespace]));
    if let Some(container) = need.container {
        finding = finding.affects(container.pod_ref());
    }
    recommend(scene, finding, key, need, &near)
}

fn recommend(scene: &Scene<'_>, finding: Finding, key: &Key<'_>, need: &Need<'_>, near: &[&str]) -> Finding {
    let (_, _, namespace, name) = key;
    let unexposed = scene.workloads().iter().find(|workload| {
        workload.namespace() == namespace && workload.object.name == *name && !usage::is_batch(workload)
    });
    if let Some(workload) = unexposed {
        let declared = workload
            .template
            .and_then(|template| usage::ports(template).next())
            .map(|port| port.container_port.to_string());
        let port = need
            .call
            .and_then(|call| call.port)
            .map(|port| port.to_string())
            .or(declared)
            .unwrap_or_else(|| "PORT".to_owned());
        let short = workload.object.short();
        let command = quote::command(&["kubectl", "expose", &short, &format!("--port={port}"), "-n", namespace]);
        return finding.recommend(
            Recommendation::new("create-object", format!("create service {name} for {short}, which runs without one"))
                .command(command),
        );
    }
    match near {
        [] => finding.recommend(Recommendation::new(
            "create-object",
            format!("create service {name} in namespace {namespace}, or correct the address that the program is given"),
        )),
        near => finding.recommend(Recommendation::new(
            "edit-object",
            format!("correct the address: did you mean {}?", near.join(" or ")),
        )),
    }
}
