//! Containers that do not start, or do not stay.

use std::time::Duration;

use serde_json::{Value, json};

use super::stage::{Stage, config_map, deployment, deployment_of, service, shell, troubles, with};

#[test]
#[ignore = "wants a cluster"]
fn three_replicas_that_outgrow_their_memory_behind_a_service_are_one_incident() {
    let mut eater = shell("");
    eater["command"] = json!(["tail", "/dev/zero"]);
    eater["resources"] = json!({"limits": {"memory": "10Mi"}});
    let stage = Stage::with("oom", &[deployment("eater", 3, eater), service("eater", "eater", 8080.into())]);
    stage.until_restarted(3, 2);
    let report = stage.says(&["oom_killed"], "Deployment/eater", &["10Mi"]);
    assert_eq!(troubles(&report).len(), 1, "{report:#}");
    let incident = &report["incidents"][0];
    let effects = incident["effects"].as_array().unwrap();
    assert!(effects.iter().any(|effect| effect["category"] == "service_backends_missing"), "{report:#}");
    let hit = incident["affected"].as_array().unwrap();
    assert!(hit.iter().any(|object| object["kind"] == "Service" && object["name"] == "eater"), "{report:#}");
}

#[test]
#[ignore = "wants a cluster"]
fn an_image_that_is_not_there_is_named() {
    let container = with(shell("true"), json!({"image": "shop/none:1.2.3"}));
    let stage = Stage::with("image", &[deployment("web", 2, container)]);
    stage.until_waiting(&["ImagePullBackOff", "ErrImagePull"]);
    let report = stage.says(&["image_pull"], "Deployment/web", &["shop/none:1.2.3"]);
    assert_eq!(troubles(&report).len(), 1, "{report:#}");
}

#[test]
#[ignore = "wants a cluster"]
fn a_missing_config_map_is_named() {
    let container = with(shell("sleep 3600"), json!({"envFrom": [{"configMapRef": {"name": "settings"}}]}));
    let stage = Stage::with("configmap", &[deployment("web", 1, container)]);
    stage.until_waiting(&["CreateContainerConfigError"]);
    stage.says(&["missing_configmap"], "Deployment/web", &["settings"]);
}

#[test]
#[ignore = "wants a cluster"]
fn a_missing_key_is_named() {
    let env =
        json!({"env": [{"name": "LEVEL", "valueFrom": {"configMapKeyRef": {"name": "settings", "key": "LOG_LEVEL"}}}]});
    let objects =
        [config_map("settings", json!({"LOGLEVEL": "info"})), deployment("web", 1, with(shell("sleep 3600"), env))];
    let stage = Stage::with("key", &objects);
    stage.until_waiting(&["CreateContainerConfigError"]);
    stage.says(&["missing_configmap_key"], "Deployment/web", &["settings", "LOG_LEVEL"]);
}

#[test]
#[ignore = "wants a cluster"]
fn a_missing_secret_is_named() {
    let container = with(shell("sleep 3600"), json!({"envFrom": [{"secretRef": {"name": "db-login"}}]}));
    let stage = Stage::with("secret", &[deployment("web", 1, container)]);
    stage.until_waiting(&["CreateContainerConfigError"]);
    stage.says(&["missing_secret"], "Deployment/web", &["db-login"]);
}

const TRACEBACK: &str = r#"echo "starting up" >&2
echo "Traceback (most recent call last):" >&2
echo '  File "/app/main.py", line 7, in <module>' >&2
echo '    price = total / count' >&2
echo "ZeroDivisionError: division by zero" >&2
exit 1"#;

#[test]
#[ignore = "wants a cluster"]
fn the_decisive_line_of_a_traceback_is_quoted() {
    let stage = Stage::with("traceback", &[deployment("prices", 1, shell(TRACEBACK))]);
    stage.until_restarted(1, 2);
    stage.says(&["app_exception"], "Deployment/prices", &["ZeroDivisionError: division by zero"]);
}

#[test]
#[ignore = "wants a cluster"]
fn a_crash_loop_has_one_verdict_whenever_one_looks() {
    let stage =
        Stage::with("again", &[deployment("prices", 1, shell(TRACEBACK)), service("prices", "prices", 80.into())]);
    stage.until_restarted(1, 1);
    let verdict = |report: &Value| {
        let cause = &report["incidents"][0]["cause"];
        (
            report["incidents"][0]["id"].clone(),
            cause["category"].clone(),
            cause["subject"].clone(),
            troubles(report).len(),
        )
    };
    let first = verdict(&stage.says(&["app_exception"], "Deployment/prices", &["ZeroDivisionError"]));
    for _ in 0..3 {
        std::thread::sleep(Duration::from_secs(20));
        let report = stage.report();
        assert_eq!(verdict(&report), first, "{report:#}");
    }
}

#[test]
#[ignore = "wants a cluster"]
fn a_missing_variable_is_named() {
    let line =
        "[ -n \"$DATABASE_URL\" ] || { echo 'fatal: environment variable DATABASE_URL is not set' >&2; exit 1; }";
    let stage = Stage::with("env", &[deployment("web", 1, shell(line))]);
    stage.until_restarted(1, 2);
    stage.says(&["missing_env"], "Deployment/web", &["DATABASE_URL"]);
}

#[test]
#[ignore = "wants a cluster"]
fn a_failing_init_container_is_named() {
    let init = with(shell("echo 'fatal: schema version 7 is newer than 5' >&2; exit 3"), json!({"name": "migrate"}));
    let pod =
        json!({"initContainers": [init], "containers": [shell("sleep 3600")], "terminationGracePeriodSeconds": 0});
    let stage = Stage::with("init", &[deployment_of("web", 1, pod)]);
    stage.until("pods", |pods| {
        pods.iter().any(|pod| pod["status"]["initContainerStatuses"][0]["restartCount"].as_i64() >= Some(2))
    });
    stage.says(&["init_container_failed"], "Deployment/web", &["migrate", "schema version 7 is newer than 5"]);
}

#[test]
#[ignore = "wants a cluster"]
fn a_command_that_is_not_there_is_named() {
    let container = with(shell(""), json!({"command": ["/usr/bin/no-such-program"]}));
    let stage = Stage::with("command", &[deployment("web", 1, container)]);
    stage.until_restarted(1, 1);
    stage.says(&["bad_command"], "Deployment/web", &["no-such-program"]);
}

#[test]
#[ignore = "wants a cluster"]
fn a_hook_that_fails_is_told_from_a_kill() {
    let hook = json!({"lifecycle": {"postStart": {"exec": {"command": ["sh", "-c", "exit 22"]}}}});
    let stage = Stage::with("hook", &[deployment("web", 1, with(shell("sleep 3600"), hook))]);
    stage.until_event("FailedPostStartHook", "");
    stage.says(&["lifecycle_hook"], "Deployment/web", &["exit 22"]);
}

#[test]
#[ignore = "wants a cluster"]
fn a_database_that_crashes_stands_before_the_callers_own_probe() {
    let database = shell("sleep 1; echo 'FATAL: data directory is of another version'; exit 1");
    let caller = shell("while sleep 1; do echo 'ERROR store db:5432 not reachable: Connection refused'; done");
    let probe = json!({"exec": {"command": ["false"]}, "periodSeconds": 2});
    let caller = with(caller, json!({"env": [{"name": "STORE", "value": "db:5432"}], "readinessProbe": probe}));
    let port = json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "db"},
        "spec": {"clusterIP": "None", "selector": {"app": "db"}, "ports": [{"port": 5432}]}});
    let objects = [deployment("db", 1, database), port, deployment("api", 1, caller), service("api", "api", 80.into())];
    let stage = Stage::with("circle", &objects);
    stage.until_event("BackOff", "db-");
    std::thread::sleep(Duration::from_secs(20));
    let report = stage.says(&["app_exception"], "Deployment/db", &["another version"]);
    assert_eq!(troubles(&report).len(), 1, "{report:#}");
}
