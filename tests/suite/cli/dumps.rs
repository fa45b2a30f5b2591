//! Folders for `--from`.

use serde_json::json;

use crate::support::Place;
use crate::support::report::gap_reasons;
use crate::support::world::{SHOP, World, crash};

fn dump() -> Place {
    let place = Place::new();
    let mut world = World::new();
    world.deployment("cart", 2, crash).deployment("web", 1, |_| ());
    for (path, objects) in &world.collections {
        let kind = path.rsplit('/').next().unwrap();
        let folder = if matches!(kind, "nodes" | "namespaces") { String::new() } else { format!("{SHOP}/") };
        place.write(&format!("dump/{folder}{kind}.json"), json!({"kind": "List", "items": objects}).to_string());
    }
    place
}

#[test]
fn a_dump_is_read_and_what_it_lacks_is_a_gap() {
    let report = dump().rca("namespace shop --from dump -o json").json();
    assert_eq!(report["meta"]["scope"]["namespaces"], json!([SHOP]));
    assert_eq!(gap_reasons(&report, "services"), ["not-recorded"]);
    assert!(gap_reasons(&report, "pods").is_empty());
}

#[test]
fn folders_that_hold_no_dump_are_refused() {
    let place = Place::new();
    place.write("empty/keep", "");
    place.write("other/inner/readme.txt", "hello");
    place.rca("namespace --from empty").fails(3, "holds no dump");
    place.rca("namespace --from other").fails(3, "holds no dump");
    place.rca("namespace --from .").fails(3, "holds no dump");
}

#[test]
fn a_broken_list_is_a_gap_and_no_crash() {
    let long = "[".repeat(100_000);
    let broken = ["", "{", "null", "7", "[]", "{\"items\":7}", "{\"items\":[7,null,{}]}", "\u{0}", "not json", &long];
    for content in broken {
        let place = dump();
        place.write("dump/shop/pods.json", content);
        let report = place.rca("namespace shop --from dump -o json").json();
        if !matches!(content, "null" | "[]") {
            assert!(gap_reasons(&report, "pods").contains(&"invalid".to_owned()), "{content:.20}: {}", report["gaps"]);
        }
        let text = place.rca("namespace shop --from dump");
        assert!(!text.ok().contains("nothing is wrong"), "{content:.20}: {}", text.stdout);
    }
}

#[test]
fn a_list_that_is_not_text_is_a_gap_and_no_crash() {
    let place = dump();
    place.write("dump/shop/pods.json", b"\xff\xfe\x00{");
    let report = place.rca("namespace shop --from dump -o json").json();
    assert_eq!(gap_reasons(&report, "pods"), ["invalid"]);
}

#[test]
fn broken_extras_do_not_hide_the_rest() {
    let place = dump();
    for name in
        ["snapshot.json", "version.json", "alerts.json", "metrics.json", "cadvisor/node-1.txt", "shop/x/logs.txt"]
    {
        place.write(&format!("dump/{name}"), b"\xff{\0");
    }
    place.rca("namespace shop --from dump -o json").json();
}

#[test]
fn a_namespace_that_a_dump_does_not_hold_is_said_so() {
    let place = dump();
    place.rca("namespace shpo --from dump").fails(4, "\"shpo\"");
    place.rca("pod x -n nowhere --from dump").fails(4, "\"nowhere\"");
}

#[test]
fn a_pod_of_a_dump_is_found_without_its_namespace() {
    let place = dump();
    let report = place.rca("pod cart-7d9f8c6b5d-x0000 --from dump -o json").json();
    assert_eq!(report["meta"]["scope"]["namespaces"], json!([SHOP]));
    place.rca("pod no-such-pod --from dump").fails(4, "no-such-pod");
}

#[test]
fn the_name_and_place_of_a_dump_mean_nothing() {
    let place = dump();
    let expected = place.rca("namespace shop --from dump -o json").ok().to_owned();
    std::fs::rename(place.path().join("dump"), place.path().join("healthy-control")).unwrap();
    assert_eq!(place.rca("namespace shop --from healthy-control -o json").ok(), expected);
}
