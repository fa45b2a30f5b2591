//! What may not be seen is said not to have been seen, and never taken for absent or healthy.

use serde_json::Value;

use crate::support::http::Answer;
use crate::support::report::gap_reasons;
use crate::support::world::{SHOP, crash};
use crate::support::{Api, World};

/// Every kind that the first look at a namespace asks for, and that a role may leave out.
const KINDS: &[&str] = &[
    "pods",
    "events",
    "services",
    "configmaps",
    "secrets",
    "serviceaccounts",
    "persistentvolumeclaims",
    "resourcequotas",
    "limitranges",
    "replicationcontrollers",
    "deployments",
    "replicasets",
    "statefulsets",
    "daemonsets",
    "jobs",
    "cronjobs",
    "horizontalpodautoscalers",
    "poddisruptionbudgets",
    "ingresses",
    "networkpolicies",
    "endpointslices",
    "roles",
    "rolebindings",
    "nodes",
    "persistentvolumes",
    "storageclasses",
    "priorityclasses",
    "ingressclasses",
    "validatingwebhookconfigurations",
    "mutatingwebhookconfigurations",
];

fn well() -> World {
    let mut world = World::new();
    world.deployment("web", 2, |_| ());
    world
}

fn closed(kind: &'static str) -> Api {
    Api::but(&well(), move |request, _| {
        let last = request.path.rsplit('/').next();
        (last == Some(kind) && kind != "namespaces").then(|| Answer::forbidden(kind))
    })
}

#[track_caller]
fn is_not_called_healthy(text: &str, what: &str) {
    let lower = text.to_lowercase();
    for word in ["nothing is wrong", "healthy", "all is well", "no problems"] {
        assert!(!lower.contains(word), "without {what} it says:\n{text}");
    }
}

#[test]
fn a_refused_kind_is_a_gap_and_never_health() {
    for kind in KINDS {
        let place = closed(kind).place();
        let run = place.rca("namespace shop -o json");
        let report = run.json();
        assert_eq!(
            gap_reasons(&report, kind).first().map(String::as_str),
            Some("forbidden"),
            "{kind}: {}",
            report["gaps"]
        );
        assert!(run.stderr.contains(kind), "stderr does not name {kind}: {}", run.stderr);
        assert_eq!(run.stderr.lines().count(), 1, "{}", run.stderr);
        is_not_called_healthy(place.rca("namespace shop").ok(), kind);
    }
}

#[test]
fn a_refused_kind_hides_nothing_that_is_missing() {
    let mut world = World::new();
    world.deployment("web", 1, |pod| {
        pod["spec"]["containers"][0]["envFrom"] = serde_json::json!([{"configMapRef": {"name": "settings"}}]);
    });
    let api =
        Api::but(&world, |request, _| request.path.contains("configmaps").then(|| Answer::forbidden("configmaps")));
    let report = api.place().rca("namespace shop -o json").json();
    let missing = |incident: &&Value| incident["cause"]["category"] == "missing_configmap";
    assert!(report["incidents"].as_array().unwrap().iter().find(missing).is_none(), "{report:#}");
}

#[test]
fn incomplete_sight_can_be_made_a_failure() {
    assert_eq!(closed("nodes").place().rca("namespace shop --require-complete").code, Some(5));
    let api = Api::serving(&well());
    assert_eq!(api.place().rca("namespace shop --require-complete").code, Some(0));
    let api = closed("services");
    assert_eq!(api.place().rca("pod web-7d9f8c6b5d-x0000 -n shop --require-complete").code, Some(5));
}

#[test]
fn who_may_see_nothing_is_told_so() {
    let nothing =
        || Api::but(&well(), |request, _| (request.path != "/version").then(|| Answer::forbidden("everything")));
    for line in ["namespace shop", "namespace -A", "pod web-7d9f8c6b5d-x0000 -n shop", "capture -n shop -o x.rca"] {
        let place = nothing().place();
        place.rca(line).fails(3, "forbidden");
        assert_eq!(place.names("."), ["kubeconfig"]);
    }
    let less = Api::but(&well(), |_, _| Some(Answer::forbidden("everything")));
    less.place().rca("namespace shop").fails(3, "forbidden");
}

#[test]
fn a_closed_pod_is_not_called_missing() {
    let api = Api::but(&well(), |request, _| request.path.contains("/pods").then(|| Answer::forbidden("pods")));
    let run = api.place().rca("pod web-7d9f8c6b5d-x0000 -n shop");
    assert_ne!(run.code, Some(4), "{}", run.stderr);
    is_not_called_healthy(&run.stdout, "pods");
}

#[test]
fn who_may_list_but_not_get_is_answered_from_the_list() {
    let mut world = World::new();
    world.deployment("cart", 1, crash);
    let pod = world.pods_of("cart")[0].clone();
    let name = pod.clone();
    let api = Api::but(&world, move |request, _| request.path.ends_with(&name).then(|| Answer::forbidden("pods")));
    let report = api.place().rca(&format!("pod {pod} -n {SHOP} -o json")).json();
    assert_eq!(report["meta"]["scope"]["target"], format!("pod/{pod}"));
    assert!(gap_reasons(&report, "pods").is_empty(), "{}", report["gaps"]);
}

#[test]
fn a_closed_log_is_a_gap() {
    let mut world = World::new();
    world.deployment("cart", 1, crash);
    let api = Api::but(&world, |request, _| request.path.ends_with("/log").then(|| Answer::forbidden("pods/log")));
    let report = api.place().rca("namespace shop -o json").json();
    assert!(gap_reasons(&report, "pods/log").contains(&"forbidden".to_owned()), "{}", report["gaps"]);
}
