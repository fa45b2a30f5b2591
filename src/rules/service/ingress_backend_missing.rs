//! An Ingress routes to a Service, or to a port of it, that does not exist.

use std::collections::BTreeSet;

use k8s_openapi::api::core::v1::Service;
use k8s_openapi::api::networking::v1::{Ingress, IngressServiceBackend};

use crate::model::store::HasMeta as _;
use crate::model::{Finding, Kind, Lookup, ObjectRef, Recommendation, Severity, Stored};
use crate::render::quote;
use crate::rules::Rule;
use crate::scene::Scene;
use crate::scene::near::nearest;

/// See [`Rule::docs`].
pub static RULE: Rule = Rule {
    id: "ingress-backend-missing",
    category: "ingress_backend_missing",
    summary: "detects Ingresses that route to a Service or Service port that does not exist",
    docs: "\
## What it means
Requests for the path end in an error of the ingress controller (mostly 503), as the Service it names does not exist or \
has no such port.

## How it is detected
Each backend of the Ingress is looked up among the Services of its namespace, and its port, by number or name, among the \
Service's ports (not the containers' ports).

## What to do
Correct the name or port in the Ingress, or create the Service.",
    severity: Severity::Error,
    needs: &[Kind::Ingress, Kind::Service],
    uses: &[],
    explains: &[],
    check,
};

fn check(scene: &Scene<'_>) -> Vec<Finding> {
    let ingresses = scene
        .snapshot
        .objects
        .ingresses
        .iter()
        .filter(|ingress| scene.snapshot.scope.includes(ingress.object.namespace()));
    ingresses.flat_map(|ingress| broken(scene, ingress)).collect()
}

fn broken(scene: &Scene<'_>, ingress: &Stored<Ingress>) -> Vec<Finding> {
    let mut seen = BTreeSet::new();
    let backends = backends(ingress).into_iter().filter_map(|(path, backend)| judge(scene, ingress, &path, backend));
    backends.filter(|finding| seen.insert(finding.key.clone())).collect()
}

/// Returns all Service backends with what routes to them.
fn backends(ingress: &Ingress) -> Vec<(String, &IngressServiceBackend)> {
    let Some(spec) = ingress.spec.as_ref() else { return Vec::new() };
    let default = spec.default_backend.as_ref().and_then(|backend| backend.service.as_ref());
    let mut found: Vec<_> = default.map(|service| ("default backend".to_owned(), service)).into_iter().collect();
    for rule in spec.rules.iter().flatten() {
        let host = rule.host.as_deref().unwrap_or("*");
        for path in rule.http.iter().flat_map(|http| &http.paths) {
            let route = format!("{host}{}", path.path.as_deref().unwrap_or("/"));
            found.extend(path.backend.service.as_ref().map(|service| (route, service)));
        }
    }
    found
}

fn judge(
    scene: &Scene<'_>,
    ingress: &Stored<Ingress>,
    route: &str,
    backend: &IngressServiceBackend,
) -> Option<Finding> {
    let (namespace, name) = (ingress.object.namespace(), backend.name.as_str());
    let services = &scene.snapshot.objects.services;
    let object = ObjectRef::new(Kind::Ingress, namespace, ingress.object.name());
    let target = format!("{name}:{}", port_word(backend));
    let (message, near, summary) = match services.look_up(namespace, name) {
        Lookup::Unknown => return None,
        Lookup::Absent => {
            let message =
                format!("ingress/{} routes `{route}` to service `{name}`, which does not exist", ingress.object.name());
            (
                message,
                nearest(name, services.in_namespace(namespace).map(|service| service.object.name())).join(" or "),
                format!("create service {name}, or correct the backend of `{route}`"),
            )
        }
        Lookup::Found(service) => {
            let known = missing_port(service, backend)?;
            let message = format!(
                "ingress/{} routes `{route}` to port {} of service `{name}`, which has only {known}",
                ingress.object.name(),
                port_word(backend)
            );
            (message, String::new(), format!("set the backend port of `{route}` to a port of service {name}: {known}"))
        }
    };
    let meant = if near.is_empty() { String::new() } else { format!(": did you mean {near}?") };
    let command = quote::command(&["kubectl", "edit", "ingress", ingress.object.name(), "-n", namespace]);
    Some(
        RULE.finding(object.clone(), message)
            .key(&target)
            .confidence(0.96)
            .because(object, format!("spec.rules[{route}].backend.service"), target)
            .mentions(ObjectRef::new(Kind::Service, namespace, name))
            .recommend(Recommendation::new("edit-object", format!("{summary}{meant}")).command(command))
            .next(quote::command(&["kubectl", "get", "services", "-n", namespace])),
    )
}

fn port_word(backend: &IngressServiceBackend) -> String {
    let port = backend.port.as_ref();
    let number = port.and_then(|port| port.number).map(|number| number.to_string());
    number.or_else(|| port.and_then(|port| port.name.clone())).unwrap_or_else(|| "?".to_owned())
}

/// Returns the ports that a Service has if the one that is named is not among them.
fn missing_port(service: &Service, backend: &IngressServiceBackend) -> Option<String> {
    let spec = service.spec.as_ref().filter(|spec| spec.type_.as_deref() != Some("ExternalName"))?;
    let port = backend.port.as_ref()?;
    let ports: Vec<_> = spec.ports.iter().flatten().collect();
    let met =
        ports.iter().any(|known| port.number == Some(known.port) || (port.name.is_some() && port.name == known.name));
    if met || (port.number.is_none() && port.name.is_none()) {
        return None;
    }
    let words = ports.iter().map(|known| {
        known.name.as_ref().map_or_else(|| known.port.to_string(), |name| format!("{} ({name})", known.port))
    });
    Some(words.collect::<Vec<_>>().join(", "))
}
