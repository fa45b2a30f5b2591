//! Limits that would not fit: what does, and why; and whether the server takes what is printed.

use serde_json::{Value, json};

use super::stage::{Stage, deployment, deployment_of, service, shell, with};

/// Makes a container that eats until it is killed.
fn eater(limit: &str, request: Option<&str>) -> Value {
    let mut resources = json!({"limits": {"memory": limit}});
    if let Some(request) = request {
        resources["requests"] = json!({"memory": request});
    }
    with(shell("sleep 1; exec tail /dev/zero"), json!({"resources": resources}))
}

fn bounds(item: Value) -> Value {
    json!({"apiVersion": "v1", "kind": "LimitRange", "metadata": {"name": "bounds"}, "spec": {"limits": [item]}})
}

fn quota(hard: Value) -> Value {
    json!({"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "team"}, "spec": {"hard": hard}})
}

fn until_killed(stage: &Stage) {
    stage.until("pods", |pods| {
        let ended = |pod: &Value| {
            let status = &pod["status"]["containerStatuses"][0];
            [&status["state"], &status["lastState"]].iter().any(|state| state["terminated"]["reason"] == "OOMKilled")
        };
        !pods.is_empty() && pods.iter().all(ended)
    });
}

/// Returns the advice about amounts for what was killed.
#[track_caller]
fn advice(stage: &Stage, subject: &str) -> Value {
    let report = stage.says(&["oom_killed"], subject, &[]);
    let advice = report["incidents"][0]["recommendations"].as_array().unwrap();
    let advice = advice.iter().find(|advice| !advice["basis"].is_null()).cloned();
    advice.unwrap_or_else(|| panic!("no amount: {report:#}"))
}

/// Makes the objects and then what eats, waits for its end, and returns the advice.
#[track_caller]
fn killed(name: &str, objects: &[Value], eats: Value) -> (Stage, Value) {
    let stage = Stage::new(name);
    if !objects.is_empty() {
        stage.apply(objects);
    }
    if objects.iter().any(|object| object["kind"] == "ResourceQuota") {
        stage.until("resourcequotas", |quotas| quotas.iter().all(|quota| !quota["status"]["hard"].is_null()));
    }
    let subject = format!("{}/{}", eats["kind"].as_str().unwrap(), eats["metadata"]["name"].as_str().unwrap());
    stage.apply(&[eats]);
    until_killed(&stage);
    let advice = advice(&stage, &subject);
    (stage, advice)
}

/// Checks that it is told why it does not fit and what does, without a patch; and that the server sees it the same way.
#[track_caller]
fn refused(stage: &Stage, advice: &Value, check: &str, words: &[&str]) {
    let told = advice["summary"].as_str().unwrap();
    for word in words {
        assert!(told.contains(word), "{word:?} is not told: {advice:#}");
    }
    assert_eq!(advice["feasible"]["ok"], false, "{advice:#}");
    let checks = advice["feasible"]["checks"].as_array().unwrap();
    assert!(checks.iter().any(|each| each["check"] == check && each["ok"] == false), "{advice:#}");
    assert!(advice["patch"].is_null() && advice["command"].is_null(), "{advice:#}");
    _ = stage;
}

/// Checks that the server takes the patch and the command, and would let the new pod in.
#[track_caller]
fn taken(stage: &Stage, advice: &Value, target: &str) {
    assert_eq!(advice["feasible"]["ok"], true, "{advice:#}");
    let body = advice["patch"]["body"].to_string();
    let patched = if target.starts_with("pod/") {
        let args = ["patch", target, "--subresource", "resize", "--dry-run=server", "-o", "json", "-p", &body];
        stage.kubectl(&args)
    } else {
        stage.kubectl(&["patch", target, "--dry-run=server", "-o", "json", "-p", &body])
    };
    let command = advice["command"].as_str().unwrap();
    let ran = std::process::Command::new("sh").args(["-c", &format!("{command} --dry-run=server")]).output().unwrap();
    assert!(ran.status.success(), "{command}: {}", String::from_utf8_lossy(&ran.stderr));
    let patched: Value = serde_json::from_str(&patched).unwrap();
    let template = match patched["kind"].as_str() {
        Some("Pod") => return,
        Some("CronJob") => &patched["spec"]["jobTemplate"]["spec"]["template"],
        _ => &patched["spec"]["template"],
    };
    assert!(stage.admits(template.clone()), "{template:#}");
}

/// Returns whether the server would let in a pod of the template with another limit.
fn admits(stage: &Stage, limit: &str, request: &str) -> bool {
    stage.admits(json!({"spec": {"containers": [eater(limit, Some(request))]}}))
}

#[test]
#[ignore = "wants a cluster"]
fn the_maximum_of_a_limit_range_is_what_fits() {
    let range = bounds(json!({"type": "Container", "max": {"memory": "80Mi"}}));
    let (stage, advice) = killed("range-max", &[range], deployment("eater", 1, eater("60Mi", None)));
    let words = ["about 120Mi", "at most 80Mi does", "raise the maximum of limitrange/bounds"];
    refused(&stage, &advice, "limitrange/bounds", &words);
    assert!(admits(&stage, "80Mi", "80Mi") && !admits(&stage, "128Mi", "128Mi"));
}

#[test]
#[ignore = "wants a cluster"]
fn the_minimum_of_a_limit_range_is_met() {
    let stage = Stage::new("range-min");
    stage.apply(&[deployment("eater", 1, eater("40Mi", Some("20Mi")))]);
    until_killed(&stage);
    // It came later than the pod, as else there would be none.
    stage.apply(&[bounds(json!({"type": "Container", "min": {"memory": "200Mi"}}))]);
    let advice = advice(&stage, "Deployment/eater");
    assert_eq!(advice["basis"]["result"], "200Mi", "{advice:#}");
    assert!(advice["basis"]["formula"].as_str().unwrap().contains("minimum"), "{advice:#}");
    taken(&stage, &advice, "deployment/eater");
    assert!(!admits(&stage, "80Mi", "20Mi"));
}

#[test]
#[ignore = "wants a cluster"]
fn a_ratio_asks_for_the_request_too() {
    let range = bounds(json!({"type": "Container", "maxLimitRequestRatio": {"memory": "2"}}));
    let (stage, advice) = killed("range-ratio", &[range], deployment("eater", 1, eater("60Mi", Some("30Mi"))));
    refused(&stage, &advice, "limitrange/bounds", &["nothing above 60Mi does", "raise the request with the limit"]);
    assert!(admits(&stage, "128Mi", "64Mi") && !admits(&stage, "128Mi", "30Mi"));
}

#[test]
#[ignore = "wants a cluster"]
fn the_maximum_of_a_pod_counts_the_side_car() {
    let range = bounds(json!({"type": "Pod", "max": {"memory": "160Mi"}}));
    let side_car = with(shell("sleep 3600"), json!({"name": "proxy", "resources": {"limits": {"memory": "64Mi"}}}));
    let pod = json!({"containers": [eater("60Mi", None), side_car], "terminationGracePeriodSeconds": 0});
    let (stage, advice) = killed("range-pod", &[range], deployment_of("eater", 1, pod));
    refused(&stage, &advice, "limitrange/bounds", &["at most 96Mi does", "limitrange/bounds"]);
}

#[test]
#[ignore = "wants a cluster"]
fn a_quota_of_limits_must_hold_all_replicas_and_the_surge() {
    let quota = quota(json!({"limits.memory": "290Mi"}));
    let (stage, advice) = killed("quota-limits", &[quota], deployment("eater", 2, eater("60Mi", None)));
    // 290Mi less one old pod of 60Mi beside the new ones, shared by two.
    refused(
        &stage,
        &advice,
        "resourcequota/team",
        &["at most 112Mi does", "raise limits.memory of resourcequota/team by 10Mi"],
    );
}

#[test]
#[ignore = "wants a cluster"]
fn a_quota_that_is_large_enough_is_no_hindrance() {
    let quota = quota(json!({"limits.memory": "400Mi"}));
    let (stage, advice) = killed("quota-room", &[quota], deployment("eater", 2, eater("60Mi", None)));
    taken(&stage, &advice, "deployment/eater");
}

#[test]
#[ignore = "wants a cluster"]
fn a_quota_of_requests_stands_in_the_way_of_a_request() {
    let quota = quota(json!({"requests.memory": "70Mi"}));
    let mut eats = deployment("eater", 1, eater("60Mi", Some("60Mi")));
    eats["spec"]["strategy"] = json!({"type": "Recreate"});
    let (stage, advice) = killed("quota-requests", &[quota], eats);
    refused(
        &stage,
        &advice,
        "resourcequota/team",
        &["at most 68Mi does", "requests.memory of resourcequota/team by 50Mi"],
    );
}

#[test]
#[ignore = "wants a cluster"]
fn no_node_is_that_large() {
    let stage = Stage::new("node-room");
    let nodes = stage.list("nodes");
    // Others may have made up nodes.
    let node = nodes.iter().find(|node| node["spec"]["taints"].is_null()).unwrap();
    let offers = node["status"]["allocatable"]["memory"].as_str().unwrap().trim_end_matches("Ki");
    let request = format!("{}Mi", offers.parse::<u64>().unwrap() / 1024 * 55 / 100);
    // It is not that large, but it asks for as much, and says that it was killed.
    let line = "echo '[ERROR] Worker (pid:7) was sent SIGKILL! Perhaps out of memory?'; sleep 3600";
    let resources = json!({"resources": {"limits": {"memory": request}, "requests": {"memory": request}}});
    stage.apply(&[deployment("eater", 1, with(shell(line), resources))]);
    stage.until("deployments", |deployments| deployments[0]["status"]["readyReplicas"] == 1);
    let advice = advice(&stage, "Deployment/eater");
    refused(&stage, &advice, "nodes", &["add a node with more memory, or move other pods away"]);
}

#[test]
#[ignore = "wants a cluster"]
fn an_autoscaler_by_memory_is_named() {
    let target = json!({"type": "Utilization", "averageUtilization": 80});
    let scaler = json!({"apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler", "metadata": {"name": "eater"},
        "spec": {"minReplicas": 1, "maxReplicas": 2, "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "eater"},
            "metrics": [{"type": "Resource", "resource": {"name": "memory", "target": target}}]}});
    let (stage, advice) = killed("scaler", &[scaler], deployment("eater", 1, eater("60Mi", Some("60Mi"))));
    assert!(advice["feasible"].to_string().contains("scales at 80 % of the requested memory"), "{advice:#}");
    taken(&stage, &advice, "deployment/eater");
}

/// Makes the kind of autoscaler that clusters have only where somebody installed it. It stays: others may be using it.
fn vertical_autoscalers(stage: &Stage) {
    let schema = json!({"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": true}});
    let names = json!({"plural": "verticalpodautoscalers", "singular": "verticalpodautoscaler", "kind": "VerticalPodAutoscaler"});
    let definition = json!({"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": "verticalpodautoscalers.autoscaling.k8s.io",
            "annotations": {"api-approved.kubernetes.io": "https://github.com/kubernetes/kubernetes/pull/63797"}},
        "spec": {"group": "autoscaling.k8s.io", "scope": "Namespaced", "names": names,
            "versions": [{"name": "v1", "served": true, "storage": true, "schema": schema}]}});
    stage.apply(&[definition]);
    stage.kubectl(&[
        "wait",
        "--for=condition=Established",
        "crd/verticalpodautoscalers.autoscaling.k8s.io",
        "--timeout=60s",
    ]);
}

#[test]
#[ignore = "wants a cluster"]
fn an_autoscaler_that_writes_memory_itself_is_told_instead() {
    let stage = Stage::new("vertical");
    vertical_autoscalers(&stage);
    let scaler = json!({"apiVersion": "autoscaling.k8s.io/v1", "kind": "VerticalPodAutoscaler", "metadata": {"name": "eater"},
        "spec": {"targetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "eater"}}});
    stage.apply(&[scaler, deployment("eater", 1, eater("60Mi", None))]);
    until_killed(&stage);
    let advice = advice(&stage, "Deployment/eater");
    let words = ["set minAllowed.memory of verticalpodautoscaler/eater to 120Mi"];
    refused(&stage, &advice, "verticalpodautoscaler/eater", &words);
}

#[test]
#[ignore = "wants a cluster"]
fn a_request_above_the_limit_is_never_made() {
    let range =
        bounds(json!({"type": "Container", "default": {"memory": "64Mi"}, "defaultRequest": {"memory": "64Mi"}}));
    let mut eats = eater("60Mi", None);
    eats["resources"] = json!({});
    let (stage, advice) = killed("defaults", &[range], deployment("eater", 1, eats));
    // Both come from the LimitRange: a limit alone would leave a request that is above what the pod was given.
    taken(&stage, &advice, "deployment/eater");
}

#[test]
#[ignore = "wants a cluster"]
fn the_server_takes_the_patches_of_all_kinds() {
    let pod = |name: &str| {
        let labels = json!({"app": name});
        let spec = json!({"containers": [eater("60Mi", Some("60Mi"))], "terminationGracePeriodSeconds": 0});
        (json!({"matchLabels": labels}), json!({"metadata": {"labels": labels}, "spec": spec}))
    };
    let make = |version: &str, kind: &str, spec: Value| json!({"apiVersion": version, "kind": kind, "metadata": {"name": "eater"}, "spec": spec});
    let (selector, template) = pod("eater");
    let set =
        make("apps/v1", "StatefulSet", json!({"serviceName": "eater", "selector": selector, "template": template}));
    let mut job = template.clone();
    job["spec"]["restartPolicy"] = "OnFailure".into();
    let jobs = json!({"schedule": "* * * * *", "jobTemplate": {"spec": {"template": job}}});
    let jobs = make("batch/v1", "CronJob", jobs);
    let daemons = make("apps/v1", "DaemonSet", json!({"selector": selector, "template": template}));
    for (name, object, target, objects) in [
        ("set", set, "statefulset/eater", vec![service("eater", "eater", 80.into())]),
        ("daemons", daemons, "daemonset/eater", vec![]),
        ("jobs", jobs, "cronjob/eater", vec![]),
        ("pod", make("v1", "Pod", template["spec"].clone()), "pod/eater", vec![]),
    ] {
        let (stage, advice) = killed(&format!("kinds-{name}"), &objects, object);
        taken(&stage, &advice, target);
    }
}

#[test]
#[ignore = "wants a cluster"]
fn a_heap_flag_is_changed_by_a_patch_that_the_server_takes() {
    let flags = json!([{"name": "JAVA_TOOL_OPTIONS", "value": "-Xms16m -XX:MaxRAMPercentage=90 -Dname='a b'"}]);
    let eats = with(eater("60Mi", None), json!({"env": flags}));
    let (stage, advice) = killed("flag", &[], deployment("eater", 1, eats));
    assert_eq!(advice["basis"]["verdict"], "heap-flag", "{advice:#}");
    assert!(advice["patch"].to_string().contains("-Xms16m -XX:MaxRAMPercentage=75 -Dname='a b'"), "{advice:#}");
    taken(&stage, &advice, "deployment/eater");
}
