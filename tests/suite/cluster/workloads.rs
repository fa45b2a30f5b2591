//! Workloads that were told to do nothing, or gave up.

use serde_json::json;

use super::stage::{Stage, deployment, server, service, shell};

#[test]
#[ignore = "wants a cluster"]
fn a_workload_that_was_scaled_to_zero_is_said_so() {
    let stage = Stage::with("zero", &[deployment("web", 1, server()), service("web", "web", "http".into())]);
    stage.until("pods", |pods| pods.len() == 1);
    stage.kubectl(&["scale", "deployment/web", "--replicas=0"]);
    stage.until("pods", <[_]>::is_empty);
    stage.says(&["scaled_to_zero"], "Deployment/web", &[]);
}

#[test]
#[ignore = "wants a cluster"]
fn a_job_that_gave_up_is_said_so() {
    let pod =
        json!({"restartPolicy": "Never", "containers": [shell("echo 'fatal: table orders is missing' >&2; exit 3")]});
    let job = json!({"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "report"},
        "spec": {"backoffLimit": 1, "template": {"spec": pod}}});
    let stage = Stage::with("job", &[job]);
    stage.until("jobs", |jobs| {
        let conditions = jobs[0]["status"]["conditions"].as_array();
        conditions.into_iter().flatten().any(|condition| condition["type"] == "Failed" && condition["status"] == "True")
    });
    let report = stage.says(&["job_backoff_limit", "app_exception"], "Job/report", &[]);
    assert!(report["incidents"][0].to_string().contains("table orders is missing"), "{report:#}");
}
