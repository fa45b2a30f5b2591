//! Types that only this cluster knows.

use serde_json::json;

use super::stage::{Stage, deployment, shell, troubles, with};

#[test]
#[ignore = "wants a cluster"]
fn a_custom_owner_is_answered_from_what_it_owns() {
    let stage = Stage::new("custom");
    let group = format!("{}.example.com", stage.namespace);
    let open = json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true});
    let definition = json!({"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": format!("gizmos.{group}")},
        "spec": {"group": group, "scope": "Namespaced",
            "names": {"plural": "gizmos", "singular": "gizmo", "kind": "Gizmo", "shortNames": ["gzm"]},
            "versions": [{"name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema": open}}]}});
    stage.apply(&[definition]);
    stage.kubectl(&["wait", "--for=condition=Established", "crd", &format!("gizmos.{group}")]);
    let labels = json!({"app": "blue"});
    let gizmo =
        json!({"apiVersion": format!("{group}/v1"), "kind": "Gizmo", "metadata": {"name": "blue", "labels": labels}});
    stage.apply(&[gizmo]);
    let uid = stage.kubectl(&["get", "gizmos", "blue", "-o", "jsonpath={.metadata.uid}"]);
    let owned = deployment("web", 1, shell("echo 'fatal: license file is empty' >&2; exit 1"));
    let owners = json!([{"apiVersion": format!("{group}/v1"), "kind": "Gizmo", "name": "blue", "uid": uid}]);
    let metadata = with(owned["metadata"].clone(), json!({"ownerReferences": owners}));
    stage.apply(&[with(owned, json!({"metadata": metadata})), deployment("other", 1, shell("exit 1"))]);
    stage.until_restarted(2, 1);
    let full = format!("gizmos.{group}/blue");
    for words in ["gizmo blue", "gizmos/blue", "gzm/blue", "Gizmo blue", "gzm -l app=blue", &full] {
        let report = stage.rca(&format!("{words} -n {} -o json", stage.namespace)).json();
        let troubles = troubles(&report);
        assert_eq!(troubles.len(), 1, "{words}: {report:#}");
        assert_eq!(troubles[0]["cause"]["subject"]["name"], "web", "{words}: {report:#}");
    }
    stage.rca(&format!("gzm red -n {}", stage.namespace)).fails(4, "\"red\" not found");
    stage.kubectl(&["delete", "crd", &format!("gizmos.{group}")]);
}
