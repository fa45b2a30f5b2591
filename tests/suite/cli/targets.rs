//! What is asked about: several names, selectors, types that only the server knows.

use serde_json::{Value, json};

use crate::support::http::Answer;
use crate::support::world::{SHOP, crash, node, object, owner};
use crate::support::{Api, World};

const WIDGETS: &str = "/apis/example.com/v1/widgets";

/// A shop in which `cart` and `web` crash, and `ok` does not.
fn shop() -> World {
    let mut world = World::new();
    world.deployment("cart", 1, crash).deployment("web", 1, crash).deployment("ok", 1, |_| ());
    let mut service = object("v1", "Service", "web");
    service["spec"] = json!({"selector": {"app": "web"}, "ports": [{"port": 80}]});
    world.add(service);
    for name in ["cart", "web", "ok"] {
        for pod in world.pods_of(name) {
            let text = "panic: no such table\n";
            world.log(&pod, "main", text).previous_log(&pod, "main", text);
        }
    }
    world
}

/// The types of a server as it tells all of them at once.
fn discovery(path: &str) -> Option<Answer> {
    let group = |name: &str, resources: Value| json!({"metadata": {"name": name}, "versions": [{"version": "v1", "resources": resources}]});
    let resource = |plural: &str, kind: &str, short: &str| {
        json!({"resource": plural, "singularResource": kind.to_lowercase(), "shortNames": [short], "scope": "Namespaced",
            "responseKind": {"kind": kind}, "verbs": ["get", "list"]})
    };
    let items = match path {
        "/api" => json!([group("", json!([resource("configmaps", "ConfigMap", "cm")]))]),
        "/apis" => json!([group("example.com", json!([resource("widgets", "Widget", "wd")]))]),
        _ => return None,
    };
    Some(Answer::ok(json!({"kind": "APIGroupDiscoveryList", "items": items}).to_string()))
}

/// A server that knows widgets; one of them owns the Deployment `cart`.
fn with_widgets() -> Api {
    let mut world = shop();
    let mut widget = object("example.com/v1", "Widget", "blue");
    widget["metadata"]["labels"] = json!({"app": "blue"});
    widget["status"] = json!({"conditions": []});
    world.add_at(WIDGETS, widget);
    let carts = world.collections.get_mut("/apis/apps/v1/deployments").unwrap();
    let cart = carts.iter_mut().find(|deployment| deployment["metadata"]["name"] == "cart").unwrap();
    cart["metadata"]["ownerReferences"] = owner("example.com/v1", "Widget", "blue");
    Api::but(&world, |request, _| discovery(&request.path))
}

fn subjects(report: &Value) -> Vec<&str> {
    let incidents = report["incidents"].as_array().unwrap().iter();
    let mut names: Vec<&str> = incidents.filter_map(|incident| incident["cause"]["subject"]["name"].as_str()).collect();
    names.sort_unstable();
    names
}

#[test]
fn several_names_are_answered_at_once() {
    let place = Api::serving(&shop()).place();
    let report = place.rca("deploy/cart deploy/web -n shop -o json").json();
    assert_eq!(subjects(&report), ["cart", "web"]);
    assert_eq!(report["meta"]["scope"]["targets"], json!(["deployment/cart", "deployment/web"]));
    assert_eq!(report["meta"]["scope"]["target"], Value::Null);
    assert_eq!(subjects(&place.rca("deploy cart -n shop ok -o json").json()), ["cart"]);
    assert_eq!(subjects(&place.rca("deploy,svc web -n shop -o json").json()), ["web"]);
}

#[test]
fn of_several_names_one_that_is_missing_is_an_error_beside_the_answer() {
    let run = Api::serving(&shop()).place().rca("deploy cart nothing -n shop -o name");
    assert_eq!((run.code, run.stdout.as_str()), (Some(4), "deployment.apps/cart\n"), "{}", run.stderr);
    assert!(run.stderr.contains("deployments \"nothing\" not found in namespace \"shop\""), "{}", run.stderr);
}

#[test]
fn a_selector_chooses_as_the_server_says() {
    let place = Api::serving(&shop()).place();
    assert_eq!(subjects(&place.rca("pods -l app=cart -n shop -o json").json()), ["cart"]);
    assert_eq!(subjects(&place.rca("pods --selector app=web -A -o json").json()), ["web"]);
    assert_eq!(subjects(&place.rca("pods -l app=ok -n shop -o json").json()), Vec::<&str>::new());
    let run = place.rca("pods -l app=none -n shop");
    assert_eq!((run.ok(), run.stderr.as_str()), ("", "No resources found in shop namespace\n"));
    place.rca("pods x -l app=cart").fails(2, "name cannot be provided when a selector is specified");
}

#[test]
fn types_that_only_the_server_knows_are_found_by_all_their_words() {
    let place = with_widgets().place();
    for words in
        ["widget blue", "widgets/blue", "wd/blue", "Widget blue", "widgets.example.com blue", "widgets -l app=blue"]
    {
        let report = place.rca(&format!("{words} -n {SHOP} -o json")).json();
        assert_eq!(subjects(&report), ["cart"], "{words}");
        assert_eq!(report["meta"]["scope"]["target"], "widget/blue", "{words}");
    }
}

#[test]
fn a_custom_object_that_is_not_there_is_named_as_the_server_names_it() {
    let place = with_widgets().place();
    place.rca("widget red -n shop").fails(4, "widgets.example.com \"red\" not found in namespace \"shop\"");
}

#[test]
fn an_unknown_type_is_refused_as_kubectl_refuses_it() {
    let place = with_widgets().place();
    let run = place.rca("widgits/blue -n shop");
    run.fails(2, "the server doesn't have a resource type \"widgits\"");
    assert!(run.stderr.contains("did you mean 'widgets'"), "{}", run.stderr);
    place.rca("gizmo -l a=b").fails(2, "the server doesn't have a resource type \"gizmo\"");
}

#[test]
fn words_that_kubectl_refuses_are_refused_alike() {
    let place = with_widgets().place();
    place.rca("deploy/cart web").fails(2, "there is no need to specify a resource type as a separate argument");
    place.rca("deploy/cart/web").fails(2, "may not have more than one slash");
    place.rca("deploy/").fails(2, "must have a single resource and name");
    place.rca("deploy,svc/cart").fails(2, "must have a single resource and name");
    place.rca("widget blue -A").fails(2, "across all namespaces");
}

#[test]
fn a_node_is_answered_from_all_namespaces() {
    let mut world = shop();
    let mut sick = node("node-2");
    sick["status"]["conditions"][0]["status"] = "False".into();
    sick["status"]["conditions"][0]["reason"] = "KubeletNotReady".into();
    world.add(sick);
    let place = Api::serving(&world).place();
    let report = place.rca("node node-2 -o json").json();
    assert_eq!(subjects(&report), ["node-2"]);
    assert_eq!(report["meta"]["scope"]["namespaces"], json!([]));
    assert_eq!(subjects(&place.rca("no/node-1 -o json").json()), Vec::<&str>::new());
    place.rca("node node-9").fails(4, "nodes \"node-9\" not found");
}

#[test]
fn a_container_and_a_severity_narrow_the_answer_with_a_note() {
    let mut world = World::new();
    world.deployment("cart", 1, |pod| {
        crash(pod);
        let mut other = pod["spec"]["containers"][0].clone();
        other["name"] = "side".into();
        pod["spec"]["containers"].as_array_mut().unwrap().push(other);
    });
    let pod = world.pods_of("cart").remove(0);
    world.log(&pod, "main", "panic: x\n").previous_log(&pod, "main", "panic: x\n");
    let place = Api::serving(&world).place();
    assert_eq!(subjects(&place.rca("deploy cart -n shop -c main -o json").json()), ["cart"]);
    let report = place.rca("deploy cart -n shop -c side -o json").json();
    assert_eq!(subjects(&report), Vec::<&str>::new());
    assert!(report["meta"]["notes"].to_string().contains("other containers than `side`"), "{report:#}");
    let mild = place.rca("namespace shop --min-severity critical -o json").json();
    assert_eq!(subjects(&mild).len() + usize::from(mild["meta"]["notes"].to_string().contains("below critical")), 1);
}
