//! A Gateway or a route of the Gateway API is not accepted.

use serde_json::Value;

use crate::model::objects::Custom;
use crate::model::store::HasMeta as _;
use crate::model::{Finding, ObjectRef, Recommendation, Severity};
use crate::render::quote;
use crate::rules::Rule;
use crate::scene::Scene;

/// See [`Rule::docs`].
pub static RULE: Rule = Rule {
    id: "gateway-route-rejected",
    category: "gateway_route_rejected",
    summary: "detects Gateways and routes of the Gateway API that are not accepted or whose references do not resolve",
    docs: "\
## What it means
The gateway's controller refuses the route, or cannot resolve what it refers to, so requests for it are not served.

## How it is detected
The controller says so itself: a condition `Accepted`, `ResolvedRefs` or `Programmed` in the status is `False`. Its \
reason and message are quoted.

## What to do
Follow the reason: `NotAllowedByListeners` means that the Gateway does not admit routes of this namespace or kind, \
`NoMatchingListenerHostname` that no listener serves the host, `BackendNotFound` that the Service does not exist, \
`RefNotPermitted` that a ReferenceGrant is missing.",
    severity: Severity::Error,
    needs: &[],
    uses: &[],
    explains: &[],
    check,
};

const CONDITIONS: &[&str] = &["Accepted", "ResolvedRefs", "Programmed"];

fn check(scene: &Scene<'_>) -> Vec<Finding> {
    let gateway = |object: &&Custom| {
        object.api_version.starts_with("gateway.networking.k8s.io/")
            && (object.kind.ends_with("Route") || object.kind == "Gateway")
    };
    let objects = scene.snapshot.objects.custom.iter().map(|object| &object.object);
    objects
        .filter(gateway)
        .filter(|object| scene.snapshot.scope.includes(object.namespace()))
        .flat_map(rejected)
        .collect()
}

fn rejected(object: &Custom) -> Vec<Finding> {
    let list = |value: &Value, key: &str| value.get(key).and_then(Value::as_array).cloned().unwrap_or_default();
    let mut found = Vec::new();
    for (index, parent) in list(&object.status, "parents").iter().enumerate() {
        let name = parent.pointer("/parentRef/name").and_then(Value::as_str).unwrap_or_default();
        found.extend(list(parent, "conditions").iter().filter_map(|condition| {
            judge(object, &format!("gateway `{name}`"), &format!("status.parents[{index}]"), condition)
        }));
    }
    for listener in list(&object.status, "listeners") {
        let name = listener.get("name").and_then(Value::as_str).unwrap_or_default();
        found.extend(list(&listener, "conditions").iter().filter_map(|condition| {
            judge(object, &format!("listener `{name}`"), &format!("status.listeners[{name}]"), condition)
        }));
    }
    found.extend(
        list(&object.status, "conditions")
            .iter()
            .filter_map(|condition| judge(object, "its controller", "status", condition)),
    );
    found
}

fn judge(object: &Custom, by: &str, path: &str, condition: &Value) -> Option<Finding> {
    let text = |key: &str| condition.get(key).and_then(Value::as_str).unwrap_or_default();
    let (type_, reason) = (text("type"), text("reason"));
    if text("status") != "False" || !CONDITIONS.contains(&type_) || reason == "Pending" {
        return None;
    }
    let subject = ObjectRef::parse(&object.api_version, &object.kind, Some(object.namespace()), object.name());
    let what = if type_ == "ResolvedRefs" { "has references that do not resolve" } else { "is not accepted" };
    let words: String = text("message").trim_end_matches('.').chars().take(140).collect();
    let message = format!("{} {what}, says {by}: `{reason}` {words}", subject.short());
    let since = text("lastTransitionTime").parse().ok();
    let describe = quote::command(&["kubectl", "describe", &subject.short(), "-n", subject.namespace()]);
    Some(
        RULE.finding(subject.clone(), message.trim_end().to_owned())
            .key(format!("{by}/{type_}"))
            .confidence(0.96)
            .because_at(
                subject,
                format!("{path}.conditions[{type_}].reason"),
                format!("{reason}: {}", text("message")),
                since,
            )
            .seen(since, None)
            .recommend(Recommendation::new("edit-object", advice(reason)))
            .next(describe),
    )
}

fn advice(reason: &str) -> &'static str {
    match reason {
        "NotAllowedByListeners" => "let a listener of the Gateway allow routes from this namespace (`allowedRoutes`)",
        "NoMatchingListenerHostname" => "make the route's hostnames meet those of a listener",
        "NoMatchingParent" => "correct the `parentRefs` of the route: the Gateway has no such section or port",
        "BackendNotFound" => "create the Service that the route names, or correct its `backendRefs`",
        "RefNotPermitted" => "create a ReferenceGrant in the namespace of what is referred to",
        "InvalidCertificateRef" => "create the TLS secret that the listener names",
        _ => "mend what the controller's message says",
    }
}
