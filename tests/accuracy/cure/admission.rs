//! Repairs of what refuses or changes objects when they are made.

use serde_json::{Value, json};

use super::patient::{Key, Patient, key, key_of, remove};
use crate::accuracy::document::word;

pub(super) fn repair(patient: &mut Patient<'_>, category: &str) -> bool {
    match category {
        "quota_exceeded" => raise_quotas(patient),
        "quota_missing_requests" | "limitrange_violation" => {
            let place = patient.place();
            patient.delete(|object| {
                matches!(object["kind"].as_str(), Some("ResourceQuota" | "LimitRange"))
                    && word(object, "/metadata/namespace") == place
            });
        }
        "psa_violation" => allow_all_pods(patient),
        "webhook_blocking" => remove_webhook(patient),
        "webhook_mutation" => {
            remove_webhook(patient);
            remake_pods(patient);
        }
        "service_account_missing" => provide_account(patient),
        "rbac_forbidden" => grant(patient),
        _ => return false,
    }
    true
}

fn raise_quotas(patient: &mut Patient<'_>) {
    patient.each_here("ResourceQuota", |quota| {
        for part in ["/spec/hard", "/status/hard"] {
            for (name, value) in quota.pointer_mut(part).and_then(Value::as_object_mut).into_iter().flatten() {
                let is_bytes = name.contains("memory") || name.contains("storage");
                *value = if is_bytes { "100Ti" } else { "100k" }.into();
            }
        }
    });
    let hit: Vec<Key> = patient.incident.affected.iter().map(key_of).collect();
    for object in hit {
        patient.with(&object, |service| {
            if service["kind"] == "Service" && service["spec"]["type"] == "LoadBalancer" {
                service["status"] = json!({"loadBalancer": {"ingress": [{"ip": "192.0.2.7"}]}});
            }
        });
    }
}

fn allow_all_pods(patient: &mut Patient<'_>) {
    let place = patient.place();
    patient.with(&("Namespace".to_owned(), String::new(), place), |namespace| {
        if let Some(labels) = namespace.pointer_mut("/metadata/labels").and_then(Value::as_object_mut) {
            labels.retain(|name, _| !name.starts_with("pod-security.kubernetes.io/"));
        }
    });
}

fn remove_webhook(patient: &mut Patient<'_>) {
    let subject = patient.subject();
    patient.delete(|object| key(object) == subject);
}

/// Gives pods back what their template says.
fn remake_pods(patient: &mut Patient<'_>) {
    let hit: Vec<Key> = patient.incident.affected.iter().map(|object| patient.owner(&key_of(object))).collect();
    for top in hit {
        let Some(template) = patient.find(&top).and_then(|owner| owner.pointer("/spec/template/spec")).cloned() else {
            continue;
        };
        for member in patient.family(&top).iter().filter(|member| member.0 == "Pod") {
            patient.with(member, |pod| pod["spec"] = template.clone());
        }
    }
}

fn provide_account(patient: &mut Patient<'_>) {
    let mut names = Vec::new();
    patient.each_spec(|spec| {
        let old = word(spec, "/serviceAccount").to_owned();
        let name = word(spec, "/serviceAccountName").to_owned();
        names.push([name, old].into_iter().find(|name| !name.is_empty()).unwrap_or_else(|| "default".to_owned()));
    });
    let place = patient.place();
    for name in names {
        if !patient.has("ServiceAccount", &place, &name) {
            patient.add("v1", "ServiceAccount", &place, &name, json!({}));
        }
    }
}

/// Allows all service accounts everything.
fn grant(patient: &mut Patient<'_>) {
    let rules =
        json!([{"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}, {"nonResourceURLs": ["*"], "verbs": ["*"]}]);
    patient.add("rbac.authorization.k8s.io/v1", "ClusterRole", "", "cured", json!({"rules": rules}));
    let group = json!([{"kind": "Group", "apiGroup": "rbac.authorization.k8s.io", "name": "system:serviceaccounts"}]);
    let role = json!({"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cured"});
    let fields = json!({"subjects": group, "roleRef": role});
    patient.add("rbac.authorization.k8s.io/v1", "ClusterRoleBinding", "", "cured", fields);
    patient.each_spec(|spec| remove(spec, "automountServiceAccountToken"));
}
