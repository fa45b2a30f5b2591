//! Users who may not see everything.

use serde_json::{Value, json};

use super::stage::{Stage, deployment, server, shell, troubles};
use crate::support::report::gap_reasons;

fn viewer(namespace: &str) -> [Value; 2] {
    let account = json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "ann"}});
    let binding = json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding", "metadata": {"name": "ann"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "view"},
        "subjects": [{"kind": "ServiceAccount", "name": "ann", "namespace": namespace}]});
    [account, binding]
}

#[test]
#[ignore = "wants a cluster"]
fn what_a_viewer_may_not_see_is_a_gap_and_not_health() {
    let stage = Stage::new("viewer");
    stage.apply(&viewer(&stage.namespace));
    stage.apply(&[deployment("web", 1, server())]);
    stage.until("deployments", |deployments| deployments[0]["status"]["readyReplicas"] == 1);
    let user = format!("--as system:serviceaccount:{0}:ann", stage.namespace);
    let line = format!("namespace {} {user}", stage.namespace);
    let run = stage.rca(&format!("{line} -o json"));
    let report = run.json();
    for what in ["secrets", "nodes"] {
        assert_eq!(gap_reasons(&report, what).first().map(String::as_str), Some("forbidden"), "{report:#}");
    }
    assert!(run.stderr.contains("secrets (forbidden)"), "{}", run.stderr);
    assert_eq!(troubles(&report).len(), 0, "{report:#}");
    assert!(!stage.rca(&line).ok().contains("nothing is wrong"));
    assert_eq!(stage.rca(&format!("{line} --require-complete")).code, Some(5));
}

#[test]
#[ignore = "wants a cluster"]
fn a_viewer_is_told_why_a_pod_crashes() {
    let stage = Stage::new("viewer-crash");
    stage.apply(&viewer(&stage.namespace));
    stage.apply(&[deployment("web", 1, shell("echo 'fatal: license file is empty' >&2; exit 1"))]);
    let pod = stage.until_restarted(1, 2).remove(0);
    let user = format!("--as system:serviceaccount:{0}:ann", stage.namespace);
    let report = stage.rca(&format!("pod {pod} -n {} {user} -o json", stage.namespace)).json();
    assert_eq!(report["incidents"][0]["cause"]["category"], "app_exception", "{report:#}");
}

#[test]
#[ignore = "wants a cluster"]
fn who_has_no_rights_is_told_so() {
    let stage = Stage::with("nobody", &[deployment("web", 1, server())]);
    let pods = stage.until("pods", |pods| !pods.is_empty());
    let pod = pods[0]["metadata"]["name"].as_str().unwrap();
    let namespace = &stage.namespace;
    for line in [
        format!("namespace {namespace}"),
        "namespace -A".to_owned(),
        format!("pod {pod} -n {namespace}"),
        format!("capture -n {namespace} -o x.rca"),
    ] {
        stage.rca(&format!("{line} --as nobody-at-all")).fails(3, "forbidden");
    }
}
