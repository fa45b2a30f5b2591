//! Where patches can and cannot be written, and what is in them.

use std::fs;

use serde_json::Value;

use crate::support::Place;

const SHOP: &str = include_str!("../cmd/limits.in/shop.yaml");

fn shop() -> Place {
    let place = Place::new();
    place.write("shop.yaml", SHOP);
    place
}

#[test]
fn a_patch_is_written_for_each_workload_that_changes() {
    let place = shop();
    let run = place.rca("limits --from shop.yaml --patch-dir patches");
    run.ok();
    let names = place.names("patches");
    let changed = place.rca("limits --from shop.yaml -o name").ok().lines().count();
    assert_eq!(names.len(), changed);
    assert!(names.contains(&"shop.deployment.web.yaml".to_owned()), "{names:?}");
    let text = fs::read_to_string(place.path().join("patches/shop.deployment.web.yaml")).unwrap();
    assert!(text.contains("# main: limits.memory 1Gi -> 240Mi: 1.15 × peak"), "{text}");
    let patch: Value = serde_saphyr::from_str(&text).unwrap();
    assert_eq!((&patch["apiVersion"], &patch["kind"]), (&"apps/v1".into(), &"Deployment".into()));
    assert_eq!(patch["metadata"]["name"], "web");
    let container = &patch["spec"]["template"]["spec"]["containers"][0];
    assert_eq!(container["resources"]["limits"]["memory"], "240Mi");
    assert!(run.stderr.contains("wrote patches/shop.deployment.web.yaml"), "{}", run.stderr);
}

#[test]
fn a_patch_of_ours_is_replaced_and_that_is_said() {
    let place = shop();
    place.rca("limits deploy/web --from shop.yaml --patch-dir patches").ok();
    let again = place.rca("limits deploy/web --from shop.yaml --patch-dir patches");
    assert!(again.stderr.contains("left patches/shop.deployment.web.yaml as it was"), "{}", again.stderr);
    place.write("patches/shop.deployment.web.yaml", "# Written by kubectl rca limits.\nold: true\n");
    let replaced = place.rca("limits deploy/web --from shop.yaml --patch-dir patches");
    assert!(replaced.stderr.contains("replaced patches/shop.deployment.web.yaml"), "{}", replaced.stderr);
    assert_eq!(place.names("patches"), ["shop.deployment.web.yaml"]);
}

#[test]
fn a_file_of_somebody_else_is_not_replaced_and_nothing_else_is_written() {
    let place = shop();
    place.write("patches/shop.deployment.web.yaml", "mine: true\n");
    let run = place.rca("limits --from shop.yaml --patch-dir patches");
    assert_eq!(run.code, Some(2));
    assert!(run.stderr.contains("was not written by this command"), "{}", run.stderr);
    assert_eq!(place.names("patches"), ["shop.deployment.web.yaml"]);
    let kept = fs::read_to_string(place.path().join("patches/shop.deployment.web.yaml")).unwrap();
    assert_eq!(kept, "mine: true\n");
}

#[test]
fn a_folder_that_cannot_be_written_to_is_refused_at_once() {
    let place = shop();
    place.write("file", "");
    let folders = [
        ("file", "it is no folder"),
        ("file/patches", "the folder that it is in does not exist"),
        ("nowhere/patches", "the folder that it is in does not exist"),
        ("/proc/patches", "cannot write \"/proc/patches\""),
        ("/proc", "cannot write \"/proc\""),
    ];
    for (folder, message) in folders {
        place.run(["limits", "--from", "shop.yaml", "--patch-dir", folder]).fails(2, message);
    }
    assert_eq!(place.names("."), ["file", "shop.yaml"]);
}

#[test]
fn a_recording_cannot_lead_a_patch_elsewhere() {
    let place = Place::new();
    place.write("shop.yaml", SHOP.replace("name: nightly,", "name: ../../nightly,"));
    let run = place.rca("limits --from shop.yaml --patch-dir patches");
    run.ok();
    assert!(place.names("patches").iter().all(|name| !name.contains("nightly")));
    assert!(!place.path().parent().unwrap().join("nightly.yaml").exists());
}

#[test]
fn where_nothing_changes_nothing_is_written() {
    let place = shop();
    let run = place.rca("limits ds/agent --from shop.yaml --patch-dir patches");
    run.ok();
    assert!(run.stderr.contains("nothing is to be changed"), "{}", run.stderr);
    assert_eq!(place.names("."), ["shop.yaml"]);
}

#[test]
fn workloads_are_named_as_kubectl_names_them() {
    let place = shop();
    let names = |line: &str| -> Vec<String> {
        let json = place.rca(&format!("limits {line} --from shop.yaml -o json")).json();
        let workloads = json["workloads"].as_array().unwrap().iter();
        workloads.map(|workload| workload["name"].as_str().unwrap_or_default().to_owned()).collect()
    };
    for line in ["deployment/web", "deploy web", "deployments.apps web", "Deployment/web", "po/web-7d-x", "rs web-7d"] {
        assert_eq!(names(line), ["web"], "{line}");
    }
    assert_eq!(names("deploy --sort name"), ["api", "cart", "search", "web"]);
    assert_eq!(names("--sort waste").first().map(String::as_str), Some("web"));
    assert_eq!(names("--sort cpu").first().map(String::as_str), Some("web"));
    place.rca("limits deploy/web web --from shop.yaml").fails(2, "two names are given");
    place.rca("limits service/web --from shop.yaml").fails(2, "no type of workload");
    place.rca("limits deployments.batch/web --from shop.yaml").fails(2, "no type of workload");
}

#[test]
fn a_capture_tells_the_same_each_time() {
    let place = shop();
    for format in ["text", "wide", "json", "yaml", "name"] {
        let line = format!("limits --from shop.yaml -o {format}");
        assert_eq!(place.rca(&line).ok(), place.rca(&line).ok());
    }
}

#[test]
fn lines_fit_the_terminal() {
    for width in ["40", "80", "100", "160"] {
        let place = shop().var("COLUMNS", width);
        for format in ["text", "wide"] {
            let run = place.rca(&format!("limits --from shop.yaml -o {format}"));
            let columns: usize = width.parse().unwrap();
            // A table has numbers that cannot be cut; a command is to be pasted.
            let prose = run.ok().lines().filter(|line| columns >= 80 && !line.contains("kubectl -n"));
            for line in prose {
                assert!(line.chars().count() <= columns, "{width}: {line}");
            }
        }
    }
}
