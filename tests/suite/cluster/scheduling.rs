//! Pods that find no node, no room and no volume.

use serde_json::{Value, json};

use super::stage::{Stage, deployment, deployment_of, shell, with};

fn best_node(stage: &Stage) -> String {
    stage.list("nodes")[0]["metadata"]["name"].as_str().unwrap().to_owned()
}

fn until_unschedulable(stage: &Stage) {
    stage.until("pods", |pods| {
        pods.iter().any(|pod| {
            let conditions = pod["status"]["conditions"].as_array();
            conditions.into_iter().flatten().any(|condition| condition["reason"] == "Unschedulable")
        })
    });
}

#[test]
#[ignore = "wants a cluster"]
fn the_node_with_the_most_room_is_reckoned_for_a_pod_that_fits_nowhere() {
    let container = with(shell("sleep 3600"), json!({"resources": {"requests": {"cpu": "64"}}}));
    let stage = Stage::with("cpu", &[deployment("huge", 1, container)]);
    until_unschedulable(&stage);
    let node = best_node(&stage);
    stage.says(&["insufficient_resources"], "Deployment/huge", &["64", "cpu", &node]);
}

#[test]
#[ignore = "wants a cluster"]
fn a_label_that_no_node_has_is_named() {
    let pod = json!({"nodeSelector": {"disktype": "ssd"}, "containers": [shell("sleep 3600")]});
    let stage = Stage::with("node-selector", &[deployment_of("web", 1, pod)]);
    until_unschedulable(&stage);
    stage.says(&["node_selector_mismatch"], "Deployment/web", &["disktype"]);
}

#[test]
#[ignore = "wants a cluster"]
fn a_quota_that_is_used_up_is_named() {
    let stage = Stage::new("quota");
    let quota = json!({"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "compute"},
        "spec": {"hard": {"requests.cpu": "100m"}}});
    stage.apply(&[quota]);
    stage.until("resourcequotas", |quotas| quotas.iter().any(|quota| !quota["status"]["hard"].is_null()));
    let container = with(shell("sleep 3600"), json!({"resources": {"requests": {"cpu": "80m"}}}));
    stage.apply(&[deployment("web", 2, container)]);
    stage.until_event("FailedCreate", "exceeded quota");
    let namespace = format!("Namespace/{}", stage.namespace);
    stage.says(&["quota_exceeded"], &namespace, &["compute", "requests.cpu", "100m"]);
}

#[test]
#[ignore = "wants a cluster"]
fn a_storage_class_that_is_not_there_is_named() {
    let claim = json!({"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "data"},
        "spec": {"storageClassName": "fast-ssd", "accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}});
    let pod = json!({"containers": [shell("sleep 3600")],
        "volumes": [{"name": "data", "persistentVolumeClaim": {"claimName": "data"}}]});
    let stage = Stage::with("claim", &[claim, deployment_of("db", 1, pod)]);
    stage.until_event("ProvisioningFailed", "fast-ssd");
    until_unschedulable(&stage);
    let report = stage.says(&["storageclass_missing"], "PersistentVolumeClaim/data", &["fast-ssd"]);
    assert!(!report["incidents"][0]["effects"].as_array().unwrap().is_empty() || only_one(&report), "{report:#}");
}

fn only_one(report: &Value) -> bool {
    super::stage::troubles(report).len() == 1
}
