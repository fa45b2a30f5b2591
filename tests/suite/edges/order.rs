//! The order in which things come leaves no trace, and a capture says what the cluster said.

use std::io::Read as _;
use std::time::Duration;

use serde_json::{Value, json};

use crate::support::report::{is_same, timeless};
use crate::support::world::{Dice, crash, object, unschedule};
use crate::support::{Api, World};

/// A namespace with several faults, and secrets in several places.
fn busy() -> World {
    let mut world = World::new();
    for (name, password) in [("api", "first-Secret-1"), ("cart", "second-Secret-2"), ("jobs", "third-Secret-3")] {
        world.deployment(name, 4, |pod| {
            pod["spec"]["containers"][0]["env"] = json!([{"name": "DB_PASSWORD", "value": password}]);
            crash(pod);
        });
        let mut config = object("v1", "ConfigMap", name);
        config["data"] = json!({"password": password, "url": format!("postgres://u:{password}@db:5432/x")});
        world.add(config);
    }
    world.deployment("late", 2, unschedule).deployment("web", 4, |_| ());
    for name in ["api", "cart", "jobs"] {
        for pod in world.pods_of(name) {
            world.event("Pod", &pod, "BackOff", "Back-off restarting failed container main");
            world.log(
                &pod,
                "main",
                format!("{pod}: connecting to postgres://u:{pod}-Pw1@db:5432\nfatal: no such host db\n"),
            );
            world.previous_log(&pod, "main", "panic: password=second-Secret-2 refused\n");
        }
    }
    let mut service = object("v1", "Service", "api");
    service["spec"] = json!({"selector": {"app": "api"}, "ports": [{"port": 80}], "type": "ClusterIP"});
    world.add(service);
    world
}

fn report(api: &Api, line: &str) -> String {
    timeless(api.place().rca(line).json())
}

#[test]
fn shuffled_lists_make_the_same_report() {
    let world = busy();
    for line in ["namespace shop -o json", "pod cart-7d9f8c6b5d-x0001 -n shop -o json", "namespace -A -o json"] {
        let expected = report(&Api::serving(&world), line);
        for seed in 1..5 {
            let api = Api::serving(world.clone().shuffle(seed));
            is_same(&report(&api, line), &expected, &format!("{line} with seed {seed}"));
        }
    }
}

#[test]
fn delayed_answers_make_the_same_report() {
    let world = busy();
    for line in ["namespace shop -o json", "pod cart-7d9f8c6b5d-x0001 -n shop -o json"] {
        let expected = report(&Api::serving(&world), line);
        for seed in 1..4 {
            let late = world.clone();
            let api = Api::but(&world, move |request, before| {
                let length = request.path.len() as u64;
                let delay = Dice(seed * 1000 + length + before as u64).roll(120);
                Some(late.answer(request).after(Duration::from_millis(delay as u64)))
            });
            is_same(&report(&api, line), &expected, &format!("{line} with seed {seed}"));
        }
    }
}

#[test]
fn a_capture_answers_as_the_cluster_did() {
    let api = Api::serving(&busy());
    let place = api.place();
    let run = place.rca("capture -n shop -o shop.rca");
    assert_eq!(run.ok(), "");
    let live = timeless(place.rca("namespace shop -o json").json());
    let asked = api.seen().len();
    is_same(&timeless(place.rca("namespace shop --from shop.rca -o json").json()), &live, "the capture");
    is_same(&timeless(place.rca("namespace --from shop.rca -o json").json()), &live, "the capture");
    assert_eq!(api.seen().len(), asked, "a file is answered from without the cluster");
}

#[test]
fn a_capture_is_the_same_whatever_the_order() {
    let world = busy();
    let read = |api: &Api| {
        let place = api.place();
        place.rca("capture -n shop -o x.rca").ok();
        let mut text = String::new();
        let packed = std::fs::File::open(place.path().join("x.rca")).unwrap();
        flate2::read::GzDecoder::new(packed).read_to_string(&mut text).unwrap();
        let mut capture: Value = serde_json::from_str(&text).unwrap();
        capture["takenAt"] = Value::Null;
        format!("{capture:#}")
    };
    let expected = read(&Api::serving(&world));
    assert!(expected.contains("<secret:5>"), "it holds several secrets");
    for seed in 1..4 {
        is_same(&read(&Api::serving(world.clone().shuffle(seed))), &expected, &format!("the capture with seed {seed}"));
    }
}

#[test]
fn a_pod_can_be_asked_about_in_a_capture() {
    let api = Api::serving(&busy());
    let place = api.place();
    place.rca("capture -n shop -o shop.rca").ok();
    let report = place.rca("pod cart-7d9f8c6b5d-x0001 -n shop --from shop.rca -o json").json();
    assert_eq!(report["meta"]["scope"]["target"], "pod/cart-7d9f8c6b5d-x0001");
    place.rca("pod cart-nonexistent-q -n shop --from shop.rca").fails(4, "cart-nonexistent-q");
}
