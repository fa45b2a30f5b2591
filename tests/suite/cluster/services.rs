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
    // A busy kubelet sends its events later than the status.
    stage.until_event("Unhealthy", "/tmp/healthy");
    stage.until_event("Killing", "failed liveness probe");
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

#[test]
#[ignore = "wants a cluster"]
fn the_pod_of_a_caller_leads_to_what_it_calls() {
    let call = shell(
        "while sleep 1; do wget -O /dev/null http://shop/ || echo \"ERROR cannot reach http://shop/: connection refused\"; done",
    );
    let stage = Stage::with(
        "callee",
        &[deployment("shop", 1, server()), service("shop", "shop", 9090.into()), deployment("web", 1, call)],
    );
    until_ready(&stage);
    std::thread::sleep(std::time::Duration::from_secs(20));
    let pods = stage.list("pods");
    let caller = pods.iter().find_map(|pod| pod["metadata"]["name"].as_str().filter(|name| name.starts_with("web-")));
    let report = stage.rca(&format!("pod {} -n {} -o json", caller.unwrap(), stage.namespace)).json();
    let cause = &report["incidents"][0]["cause"];
    assert_eq!((&cause["category"], &cause["subject"]["name"]), (&json!("service_target_port"), &json!("shop")));
}

#[test]
#[ignore = "wants a cluster"]
fn a_probe_whose_command_is_not_in_the_image_is_told() {
    let probe = json!({"exec": {"command": ["/bin/grpc_health_probe"]}, "periodSeconds": 2, "failureThreshold": 3});
    let container = with(server(), json!({"startupProbe": probe}));
    let stage = Stage::with("probe", &[deployment("web", 1, container), service("web", "web", "http".into())]);
    stage.until_event("Unhealthy", "no such file");
    let report = stage.says(&["startup_probe"], "Deployment/web", &["/bin/grpc_health_probe"]);
    assert_eq!(troubles(&report).len(), 1, "{report:#}");
}
