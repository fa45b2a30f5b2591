//! Servers that stumble.

use std::time::Duration;

use crate::support::http::Answer;
use crate::support::report::{gap_reasons, is_same, timeless};
use crate::support::world::crash;
use crate::support::{Api, World};

fn sick() -> World {
    let mut world = World::new();
    world.deployment("cart", 2, crash).deployment("web", 600, |_| ());
    for pod in world.pods_of("cart") {
        world.event("Pod", &pod, "BackOff", "Back-off restarting failed container main");
        world.log(&pod, "main", "fatal: no such table\n");
    }
    world
}

#[test]
fn throttling_and_passing_failures_leave_no_trace() {
    let world = sick();
    let calm = timeless(Api::serving(&world).place().rca("namespace shop -o json").json());
    let busy = Api::but(&world, |request, before| {
        let stumble = match request.path.rsplit('/').next() {
            Some("pods") => Answer::status(429, "TooManyRequests", "too many requests", None).header("Retry-After: 1"),
            Some("events") => Answer::status(503, "ServiceUnavailable", "the server is starting", None),
            Some("services") => Answer::ok("{\"metadata\":{}}").cut_after(5),
            _ => return None,
        };
        (before == 0).then_some(stumble)
    });
    is_same(&timeless(busy.place().rca("namespace shop -o json").json()), &calm, "the report");
}

#[test]
fn a_kind_that_keeps_failing_is_a_gap() {
    let broken = Api::but(&sick(), |request, _| {
        request.path.ends_with("/services").then(|| Answer::status(500, "InternalError", "panic in storage", None))
    });
    let report = broken.place().rca("namespace shop -o json").json();
    assert_eq!(gap_reasons(&report, "services"), ["server-error"]);
}

#[test]
fn a_server_that_only_fails_is_a_failure() {
    let broken = Api::but(&sick(), |_, _| Some(Answer::status(500, "InternalError", "etcd is gone", None)));
    for line in ["namespace shop", "pod x -n shop", "capture -n shop -o x.rca"] {
        let place = broken.place();
        place.rca(line).fails(3, "etcd is gone");
        assert_eq!(place.names("."), ["kubeconfig"]);
    }
}

#[test]
fn what_is_no_api_server_is_told_apart() {
    let page = Api::but(&World::new(), |_, _| Some(Answer::ok("<html>Welcome to nginx</html>")));
    page.place().rca("namespace shop").fails(3, "");
    let page = Api::but(&World::new(), |_, _| Some(Answer::new(404, "<html>not here</html>")));
    page.place().rca("namespace shop").fails(3, "");
}

#[test]
fn a_truncated_page_keeps_what_came_before_it() {
    let cut = Api::but(&sick(), |request, _| {
        let second = request.path.ends_with("/pods") && request.param("continue").is_some();
        second.then(|| Answer::ok(r#"{"metadata":{},"items":[{"metadata":{"name":"#).cut_after(30))
    });
    let report = cut.place().rca("namespace shop -o json").json();
    assert_eq!(gap_reasons(&report, "pods"), ["truncated"]);
}

#[test]
fn half_a_page_is_a_gap() {
    let cut = Api::but(&sick(), |request, _| {
        request.path.ends_with("/services").then(|| Answer::ok(r#"{"metadata":{},"items":[{"metadata":{"na"#))
    });
    let report = cut.place().rca("namespace shop -o json").json();
    assert_eq!(gap_reasons(&report, "services"), ["invalid"]);
}

#[test]
fn an_expired_continue_token_goes_on_with_the_fresh_one() {
    let world = sick();
    let calm = timeless(Api::serving(&world).place().rca("namespace shop -o json").json());
    let expired = Api::but(&world, |request, before| {
        let second = request.path.ends_with("/pods") && request.param("continue").is_some() && before == 1;
        let status =
            r#"{"kind":"Status","metadata":{"continue":"500"},"message":"too old","reason":"Expired","code":410}"#;
        second.then(|| Answer::new(410, status))
    });
    is_same(&timeless(expired.place().rca("namespace shop -o json").json()), &calm, "the report");
}

#[test]
fn an_object_that_cannot_be_read_is_a_gap_with_its_name() {
    let mut world = sick();
    let pods = world.collections.get_mut("/api/v1/pods").unwrap();
    pods[0]["spec"]["containers"] = "none".into();
    let name = pods[0]["metadata"]["name"].clone();
    let report = Api::serving(&world).place().rca("namespace shop -o json").json();
    let gap = report["gaps"].as_array().unwrap().iter().find(|gap| gap["reason"] == "invalid").expect("a gap");
    assert_eq!((&gap["what"], &gap["name"]), (&"pods".into(), &name));
}

#[test]
fn items_of_strange_shapes_are_gaps_and_no_crash() {
    let strange = r#"{"metadata":{},"items":[null,7,"x",[],{},{"metadata":null},{"metadata":{"name":7}},{"metadata":{"name":"\u0000\u001b[31m"},"spec":7}]}"#;
    for kind in ["pods", "events", "services", "secrets", "configmaps", "nodes", "replicasets", "endpointslices"] {
        let api = Api::but(&sick(), move |request, _| {
            request.path.ends_with(&format!("/{kind}")).then(|| Answer::ok(strange))
        });
        let place = api.place();
        let report = place.rca("namespace shop -o json").json();
        assert!(gap_reasons(&report, kind).contains(&"invalid".to_owned()), "{kind}: {}", report["gaps"]);
        let text = place.rca("namespace shop -o wide");
        assert!(!text.ok().contains('\u{1b}') && !text.stderr.contains('\u{1b}'));
    }
}

#[test]
fn a_server_that_hangs_is_given_up_in_time() {
    let silent = Api::but(&sick(), |_, _| Some(Answer::never()));
    for line in ["namespace shop --request-timeout 1s", "pod x -n shop --request-timeout 1s"] {
        let run = silent.place().rca(line);
        run.fails(3, "");
        assert!(run.took < Duration::from_secs(8), "{line} took {:?}", run.took);
    }
}

#[test]
fn a_kind_that_hangs_is_a_gap() {
    let silent = Api::but(&sick(), |request, _| request.path.ends_with("/jobs").then(Answer::never));
    let run = silent.place().rca("namespace shop -o json --request-timeout 1s");
    assert_eq!(gap_reasons(&run.json(), "jobs"), ["timeout"]);
    assert!(run.took < Duration::from_secs(15), "{:?}", run.took);
}

#[test]
fn a_kind_that_is_not_served_hides_nothing() {
    let api = Api::but(&sick(), |request, _| {
        request.path.contains("autoscaling").then(|| Answer::new(404, "404 page not found"))
    });
    let run = api.place().rca("namespace shop -o json --require-complete");
    assert_eq!(gap_reasons(&run.json(), "horizontalpodautoscalers"), ["not-served"]);
    assert_eq!(run.stderr, "");
}
