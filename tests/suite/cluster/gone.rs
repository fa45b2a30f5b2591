//! Pods that are gone, and pods that never were.

use super::stage::{Stage, deployment, shell};

const FATAL: &str = "echo 'fatal: license file is empty' >&2; exit 1";

#[test]
#[ignore = "wants a cluster"]
fn a_pod_that_was_replaced_is_answered_from_its_successors() {
    let stage = Stage::with("gone", &[deployment("web", 1, shell(FATAL))]);
    let old = stage.until_restarted(1, 1).remove(0);
    stage.kubectl(&["delete", "pod", &old, "--grace-period=0", "--force"]);
    stage.until_restarted(1, 1);
    let run = stage.rca(&format!("pod {old} -n {} -o json", stage.namespace));
    let report = run.json();
    let notes = report["meta"]["notes"].to_string();
    assert!(notes.contains(&old) && notes.contains("gone"), "{report:#}");
    let cause = &report["incidents"][0]["cause"];
    assert_eq!((&cause["category"], &cause["subject"]["name"]), (&"app_exception".into(), &"web".into()), "{report:#}");
    assert!(stage.rca(&format!("pod {old} -n {}", stage.namespace)).ok().contains("gone"));
}

#[test]
#[ignore = "wants a cluster"]
fn a_pod_whose_workload_is_gone_too_is_answered_from_its_events() {
    let stage = Stage::with("deleted", &[deployment("web", 1, shell(FATAL))]);
    let old = stage.until_restarted(1, 2).remove(0);
    stage.kubectl(&["delete", "deployment", "web"]);
    stage.until("pods", <[_]>::is_empty);
    let report = stage.rca(&format!("pod {old} -n {} -o json", stage.namespace)).json();
    assert!(report["meta"]["notes"].to_string().contains("gone"), "{report:#}");
}

#[test]
#[ignore = "wants a cluster"]
fn a_pod_that_never_was_is_met_with_the_nearest_names() {
    let stage = Stage::with("never", &[deployment("web", 1, shell("sleep 3600"))]);
    let pods = stage.until("pods", |pods| !pods.is_empty());
    let name = pods[0]["metadata"]["name"].as_str().unwrap();
    let run = stage.rca(&format!("pod {}x -n {}", &name[..name.len() - 2], stage.namespace));
    run.fails(4, "not found");
    assert!(run.stderr.contains(name), "{}", run.stderr);
    stage.rca(&format!("pod zzz -n {}", stage.namespace)).fails(4, "\"zzz\"");
    stage.rca("namespace t-there-is-none-such").fails(4, "not found");
}
