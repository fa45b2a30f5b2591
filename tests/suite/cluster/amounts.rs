//! What healthy workloads ask for and use, and whether the server takes what is advised.

use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::stage::{Stage, deployment, shell, with};

fn container<'l>(limits: &'l Value, name: &str) -> &'l Value {
    let workloads = limits["workloads"].as_array().unwrap();
    let workload = workloads.iter().find(|workload| workload["name"] == name);
    &workload.unwrap_or_else(|| panic!("no {name}: {limits:#}"))["containers"][0]
}

/// Reviews the namespace as soon as everything in it has been measured.
fn measured(stage: &Stage) -> Value {
    let started = Instant::now();
    loop {
        let run = stage.rca(&format!("limits -n {} --kubelet-metrics -o json", stage.namespace));
        let limits = run.json();
        let is_seen = |name: &str| !container(&limits, name)["usage"]["memory"].is_null();
        let throttled = !container(&limits, "slow")["usage"]["throttled"].is_null();
        if throttled && ["bare", "slow", "cache"].iter().all(|name| is_seen(name)) {
            return limits;
        }
        assert!(started.elapsed() < Duration::from_mins(3), "{limits:#}");
        std::thread::sleep(Duration::from_secs(5));
    }
}

fn of(script: &str, resources: Value) -> Value {
    with(shell(script), json!({"resources": resources}))
}

#[test]
#[ignore = "wants a cluster"]
fn healthy_workloads_are_reviewed_and_the_server_takes_the_advice() {
    let pod = json!({"restartPolicy": "Never", "containers": [of("true", json!({"requests": {"memory": "128m"}}))]});
    let nightly = json!({"apiVersion": "batch/v1", "kind": "CronJob", "metadata": {"name": "nightly"},
        "spec": {"schedule": "0 3 1 1 *", "jobTemplate": {"spec": {"template": {"spec": pod}}}}});
    let reads = "dd if=/dev/zero of=/tmp/file bs=1M count=128; while :; do cat /tmp/file >/dev/null; sleep 2; done";
    let turns = "while :; do i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done; sleep 0.1; done";
    let full = json!({"limits": {"memory": "64Mi"}, "requests": {"memory": "64Mi", "cpu": "10m"}});
    let stage = Stage::with(
        "amounts",
        &[
            deployment("bare", 1, of("exec sleep 10000", json!({}))),
            deployment("slow", 1, of(turns, json!({"limits": {"cpu": "50m", "memory": "64Mi"}}))),
            deployment("cache", 1, of(reads, full)),
            nightly,
        ],
    );
    let limits = measured(&stage);
    assert_eq!(container(&limits, "bare")["verdict"], "no-limit", "{limits:#}");
    assert_eq!(container(&limits, "nightly")["recommended"]["requests"]["memory"], "128Mi", "{limits:#}");
    assert_eq!(container(&limits, "slow")["verdict"], "throttled", "{limits:#}");
    let cache = container(&limits, "cache");
    assert_eq!(cache["current"], cache["recommended"], "page cache is no need: {limits:#}");
    for workload in limits["workloads"].as_array().unwrap() {
        for command in workload["commands"].as_array().unwrap().iter().filter_map(Value::as_str) {
            let taken = Command::new("sh").args(["-c", &format!("{command} --dry-run=server")]).status().unwrap();
            assert!(taken.success(), "{command}");
        }
        let Some(patch) = workload.get("patch").map(|patch| patch["body"].to_string()) else { continue };
        let target =
            format!("{}/{}", workload["kind"].as_str().unwrap().to_lowercase(), workload["name"].as_str().unwrap());
        stage.kubectl(&["patch", &target, "--dry-run=server", "-p", &patch]);
    }
}

#[test]
#[ignore = "wants a cluster"]
fn earlier_limits_of_a_stateful_set_are_known() {
    let eats = |limit: &str| {
        json!({"apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": {"name": "db"}, "spec": {
            "selector": {"matchLabels": {"app": "db"}},
            "template": {"metadata": {"labels": {"app": "db"}}, "spec": {"terminationGracePeriodSeconds": 0,
                "containers": [of("sleep 1; exec tail /dev/zero", json!({"limits": {"memory": limit}}))]}}}})
    };
    let stage = Stage::with("revisions", &[eats("40Mi")]);
    stage.until_restarted(1, 1);
    stage.apply(&[eats("48Mi")]);
    // The controller does not replace a pod that is not ready.
    stage.kubectl(&["delete", "pod", "db-0", "--wait=false"]);
    stage.until("pods", |pods| {
        let pod = pods.first();
        pod.is_some_and(|pod| {
            pod["spec"]["containers"][0]["resources"]["limits"]["memory"] == "48Mi"
                && pod["status"]["containerStatuses"][0]["restartCount"].as_i64() >= Some(1)
        })
    });
    let limits = stage.rca(&format!("limits sts/db -n {} -o json", stage.namespace)).json();
    let basis = &container(&limits, "db")["basis"]["limits.memory"];
    assert_eq!(basis["inputs"]["earlier"], "40Mi", "{limits:#}");
}
