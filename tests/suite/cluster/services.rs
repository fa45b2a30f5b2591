//! Probes that fail, and Services that lead nowhere.

use serde_json::{Value, json};

use super::stage::{Stage, deployment, server, service, shell, troubles, with};

fn until_ready(stage: &Stage) {
    stage.until("pods", |pods| {
        let ready = |pod: &Value| pod["status"]["containerStatuses"][0]["ready"] == true;
        !pods.is_empty() && pods.iter().all(ready)
    });
}

#[test]
#[ignore = "wants a cluster"]
fn a_failing_readiness_probe_behind_a_service_is_one_incident() {
    let probe = json!({"httpGet": {"path": "/ready", "port": 8080}, "periodSeconds": 2, "failureThreshold": 1});
    let container = with(server(), json!({"readinessProbe": probe}));
    let stage = Stage::with("readiness", &[deployment("web", 2, container), service("web", "web", "http".into())]);
    stage.until_event("Unhealthy", "404");
    let report = stage.says(&["readiness_probe"], "Deployment/web", &["/ready"]);
    assert_eq!(troubles(&report).len(), 1, "{report:#}");
}

#[test]
#[ignore = "wants a cluster"]
fn the_command_of_a_failing_liveness_probe_is_named() {
    let probe = json!({"exec": {"command": ["cat", "/tmp/healthy"]}, "periodSeconds": 2, "failureThreshold": 1});
    let container = with(shell("sleep 3600"), json!({"livenessProbe": probe}));
    let stage = Stage::with("liveness", &[deployment("web", 1, container)]);
    stage.until_restarted(1, 1);
    stage.says(&["liveness_probe"], "Deployment/web", &["/tmp/healthy"]);
}

#[test]
#[ignore = "wants a cluster"]
fn a_selector_that_meets_no_pod_is_told_with_the_label_that_differs() {
    let stage = Stage::with("selector", &[deployment("web", 1, server()), service("web", "wbe", "http".into())]);
    until_ready(&stage);
    stage.says(&["service_selector_mismatch"], "Service/web", &["app=wbe", "app=web"]);
}

#[test]
#[ignore = "wants a cluster"]
fn a_target_port_that_nobody_serves_is_named() {
    let stage = Stage::with("port", &[deployment("web", 1, server()), service("web", "web", 9090.into())]);
    until_ready(&stage);
    stage.says(&["service_target_port"], "Service/web", &["9090", "8080"]);
}
