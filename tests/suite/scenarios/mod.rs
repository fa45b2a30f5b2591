//! Recorded states of several faults: a snapshot in, the story out.

mod phases;

use std::fs;
use std::path::{Path, PathBuf};

use kubectl_rca::analyse::analyse;
use kubectl_rca::collect::capture;
use kubectl_rca::collect::plan::Keep;
use kubectl_rca::model::Report;
use kubectl_rca::policy::Policy;
use kubectl_rca::render;
use serde_json::{Value, json};

use crate::support::world::{Dice, object, running_pod};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/suite/scenarios")
}

fn all() -> Vec<String> {
    let files = fs::read_dir(folder()).unwrap().flatten().map(|file| file.path());
    let fixtures = files.filter(|path| path.extension().is_some_and(|extension| extension == "yaml"));
    let mut names: Vec<_> = fixtures.map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned()).collect();
    names.sort();
    names
}

fn load(name: &str) -> Value {
    let text = fs::read_to_string(folder().join(format!("{name}.yaml"))).unwrap();
    serde_saphyr::from_str(&text).unwrap()
}

fn judge(name: &str, document: &Value) -> Report {
    let snapshot =
        capture::read(name, document.to_string().as_bytes(), Keep::default()).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(snapshot.gaps, [], "{name} has objects that do not parse");
    analyse(&snapshot, &Policy::default())
}

fn json_of(name: &str, document: &Value) -> Value {
    serde_json::from_slice(&render::json::render(&judge(name, document)).unwrap()).unwrap()
}

/// Tells a report in short: what is wrong, with what, how bad, and what follows from it.
fn story(report: &Value) -> Value {
    let subject = |finding: &Value| {
        let subject = &finding["subject"];
        let container = subject["container"].as_str().map(|name| format!("[{name}]")).unwrap_or_default();
        let word = |key: &str| subject[key].as_str().unwrap_or_default().to_owned();
        format!("{}/{}{container}", word("kind"), word("name"))
    };
    let effect = |finding: &Value| json!({"category": finding["category"], "subject": subject(finding)});
    let tell = |incident: &Value| {
        let cause = &incident["cause"];
        json!({"id": incident["id"], "category": cause["category"], "subject": subject(cause),
            "severity": incident["severity"], "message": cause["message"],
            "effects": incident["effects"].as_array().unwrap().iter().map(effect).collect::<Vec<_>>()})
    };
    incidents(report).iter().map(tell).collect()
}

fn incidents(report: &Value) -> &[Value] {
    report["incidents"].as_array().unwrap()
}

fn troubles(report: &Value) -> Vec<&Value> {
    incidents(report).iter().filter(|incident| incident["severity"] != "info").collect()
}

#[track_caller]
fn blames(incident: &Value, categories: &[&str], kind: &str, name: &str) {
    let cause = &incident["cause"];
    assert!(categories.contains(&cause["category"].as_str().unwrap()), "{incident:#}");
    assert_eq!((&cause["subject"]["kind"], &cause["subject"]["name"]), (&kind.into(), &name.into()), "{incident:#}");
}

#[test]
fn every_story_is_told_as_it_was() {
    for name in all() {
        let report = json_of(&name, &load(&name));
        insta::with_settings!({ snapshot_path => folder(), prepend_module_to_snapshot => false, omit_expression => true }, {
            insta::assert_json_snapshot!(name, story(&report));
        });
    }
}

#[test]
fn a_crash_explains_its_service_and_who_calls_it() {
    let report = json_of("crash-cascade", &load("crash-cascade"));
    let troubles = troubles(&report);
    assert_eq!(troubles.len(), 1, "{:#}", story(&report));
    blames(troubles[0], &["app_exception"], "Deployment", "db");
    let effects = troubles[0]["effects"].to_string();
    for victim in ["\"db\"", "\"api\""] {
        assert!(effects.contains(victim), "{victim} is no effect: {:#}", story(&report));
    }
    assert_eq!(troubles[0]["severity"], "critical");
}

#[test]
fn a_node_that_is_down_explains_its_pods() {
    let report = json_of("node-down", &load("node-down"));
    let troubles = troubles(&report);
    assert_eq!(troubles.len(), 1, "{:#}", story(&report));
    blames(troubles[0], &["node_not_ready", "kubelet_down"], "Node", "node-2");
    let affected = troubles[0]["affected"].to_string();
    assert!(affected.contains("web-7d9f8c6b5d-bbbbb") && !affected.contains("web-7d9f8c6b5d-aaaaa"), "{affected}");
}

#[test]
fn a_quota_explains_the_pods_that_are_missing() {
    let report = json_of("quota", &load("quota"));
    let troubles = troubles(&report);
    assert_eq!(troubles.len(), 1, "{:#}", story(&report));
    blames(troubles[0], &["quota_exceeded"], "Namespace", "shop");
    assert!(troubles[0].to_string().contains("compute"));
}

#[test]
fn two_faults_stay_apart_and_the_worse_comes_first() {
    let report = json_of("two-faults", &load("two-faults"));
    let troubles = troubles(&report);
    assert_eq!(troubles.len(), 2, "{:#}", story(&report));
    blames(troubles[0], &["oom_killed"], "Deployment", "cart");
    assert_eq!(troubles[0]["severity"], "critical");
    blames(troubles[1], &["missing_configmap"], "Deployment", "reports");
}

#[test]
fn a_namespace_in_which_all_is_well_has_no_incident() {
    let report = json_of("well", &load("well"));
    assert_eq!(troubles(&report).len(), 0, "{:#}", story(&report));
}

#[test]
fn the_order_of_objects_and_logs_leaves_no_trace() {
    for name in all() {
        let document = load(&name);
        let expected = render::json::render(&judge(&name, &document)).unwrap();
        for seed in 0..20 {
            let mut shuffled = document.clone();
            for list in ["objects", "logs"] {
                if let Some(items) = shuffled.get_mut(list).and_then(Value::as_array_mut) {
                    Dice(seed).shuffle(items);
                }
            }
            assert!(render::json::render(&judge(&name, &shuffled)).unwrap() == expected, "{name} with seed {seed}");
        }
    }
}

/// Objects that have nothing to do with anything, and are well.
fn noise(count: usize) -> Vec<Value> {
    let each = |index: usize| {
        let name = format!("unrelated-{index}");
        let mut pod = running_pod(&name);
        pod["metadata"]["labels"] = json!({"app": name});
        pod["spec"]["nodeName"] = "node-1".into();
        let mut config = object("v1", "ConfigMap", &name);
        config["data"] = json!({"colour": "blue"});
        let mut service = object("v1", "Service", &name);
        service["spec"] =
            json!({"selector": {"app": name}, "ports": [{"port": 80, "protocol": "TCP"}], "type": "ClusterIP"});
        [pod, config, service].map(|mut object| {
            backdate(&mut object);
            object
        })
    };
    (0..count).flat_map(each).collect()
}

/// Puts every time long before the fixtures'.
fn backdate(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(backdate),
        Value::Object(fields) => fields.values_mut().for_each(backdate),
        Value::String(text) if text.parse::<jiff::Timestamp>().is_ok() => "2026-11-01T00:00:00Z".clone_into(text),
        _ => {}
    }
}

#[test]
fn unrelated_objects_change_nothing() {
    for name in all() {
        let mut document = load(&name);
        let expected = story(&json_of(&name, &document));
        let about = |incident: &Value| !incident["subject"].as_str().unwrap_or_default().contains("unrelated-");
        for count in [1, 10] {
            document["objects"].as_array_mut().unwrap().extend(noise(count));
            let told: Vec<Value> =
                story(&json_of(&name, &document)).as_array().unwrap().iter().filter(|i| about(i)).cloned().collect();
            assert_eq!(Value::Array(told), expected, "{name} with {count} unrelated pods");
        }
    }
}

#[test]
fn objects_that_were_read_twice_count_once() {
    for name in all() {
        let mut document = load(&name);
        let expected = render::json::render(&judge(&name, &document)).unwrap();
        let again = document["objects"].as_array().unwrap().clone();
        document["objects"].as_array_mut().unwrap().extend(again);
        assert!(render::json::render(&judge(&name, &document)).unwrap() == expected, "{name}");
    }
}
