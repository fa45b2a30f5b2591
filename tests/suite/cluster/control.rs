//! Nothing is broken, and a file says what the cluster said.

use std::time::Duration;

use serde_json::{Value, json};

use super::stage::{Stage, deployment, server, service, shell, troubles, with};

#[test]
#[ignore = "wants a cluster"]
fn nothing_is_wrong_with_a_namespace_in_which_all_is_well_not_even_while_it_starts() {
    let probe = json!({"httpGet": {"path": "/", "port": 8080}, "periodSeconds": 1});
    let container = with(server(), json!({"readinessProbe": probe, "livenessProbe": probe, "startupProbe": probe}));
    let stage = Stage::with("well", &[deployment("web", 2, container), service("web", "web", "http".into())]);
    for _ in 0..4 {
        let report = stage.report();
        assert_eq!(troubles(&report).len(), 0, "while it starts: {report:#}");
        std::thread::sleep(Duration::from_millis(700));
    }
    stage.until("deployments", |deployments| deployments[0]["status"]["readyReplicas"] == 2);
    let report = stage.report();
    assert_eq!(troubles(&report).len(), 0, "{report:#}");
    let pod = super::stage::names(&stage.list("pods")).remove(0);
    let report = stage.rca(&format!("pod {pod} -n {} -o json", stage.namespace)).json();
    assert_eq!(troubles(&report).len(), 0, "{report:#}");
    assert_eq!(stage.rca(&format!("namespace {} --exit-code --fail-on warning", stage.namespace)).code, Some(0));
}

fn verdicts(report: &Value) -> Vec<(Value, Value, Value, Value)> {
    let incidents = report["incidents"].as_array().unwrap().iter();
    let verdict = |incident: &Value| {
        let cause = &incident["cause"];
        (incident["id"].clone(), incident["severity"].clone(), cause["category"].clone(), cause["subject"].clone())
    };
    incidents.map(verdict).collect()
}

#[test]
#[ignore = "wants a cluster"]
fn a_capture_says_what_the_cluster_said() {
    let settings = with(shell("sleep 3600"), json!({"envFrom": [{"configMapRef": {"name": "settings"}}]}));
    let image = with(shell("true"), json!({"image": "shop/none:1.2.3"}));
    let objects = [deployment("cart", 1, settings), deployment("web", 1, image), service("web", "web", "http".into())];
    let stage = Stage::with("capture", &objects);
    // The events come before the status that both runs have to see.
    stage.until_waiting(&["CreateContainerConfigError", "ErrImagePull", "ImagePullBackOff"]);
    stage.until_event("Failed", "shop/none:1.2.3");
    let namespace = &stage.namespace;
    let live = stage.report();
    let run = stage.rca(&format!("capture -n {namespace} -o stage.rca"));
    assert_eq!(run.ok(), "");
    let kept = stage.rca(&format!("namespace {namespace} --from stage.rca -o json")).json();
    assert_eq!(verdicts(&kept), verdicts(&live), "{kept:#}\n{live:#}");
    assert_eq!(kept["gaps"], live["gaps"]);
    assert_eq!(stage.rca(&format!("namespace {namespace} --exit-code")).code, Some(1));
}

#[test]
#[ignore = "wants a cluster"]
fn the_whole_cluster_can_be_asked_about() {
    let stage = Stage::new("everywhere");
    let report = stage.rca("namespace -A -o json").json();
    assert_eq!(report["meta"]["scope"]["namespaces"], json!([]));
    let forbidden = report["gaps"].as_array().unwrap().iter().find(|gap| gap["reason"] != "not-served");
    assert_eq!(forbidden, None);
}
