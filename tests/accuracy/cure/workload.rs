//! Repairs of workloads and of what looks after them.

use serde_json::{Value, json};

use super::patient::{Patient, key, list, remove};

pub(super) fn repair(patient: &mut Patient<'_>, category: &str) -> bool {
    let subject = patient.subject();
    match category {
        "scaled_to_zero" => patient.with(&subject, |workload| {
            workload["spec"]["replicas"] = 1.into();
            remove(&mut workload["metadata"], "managedFields");
        }),
        "rollout_stuck" => patient.with(&subject, |workload| {
            remove(&mut workload["spec"], "paused");
            workload["spec"]["strategy"] = json!({"type": "RollingUpdate"});
        }),
        "hpa_no_metrics" => provide_metrics(patient),
        "pdb_blocks_eviction" => {
            patient.with(&subject, |budget| {
                budget["spec"]["maxUnavailable"] = 1.into();
                remove(&mut budget["spec"], "minAvailable");
                budget["status"] =
                    json!({"currentHealthy": 2, "desiredHealthy": 1, "disruptionsAllowed": 1, "expectedPods": 2});
            });
            patient.delete(|object| {
                object["kind"] == "Event"
                    && object["message"].as_str().unwrap_or_default().contains("disruption budget")
            });
        }
        "cronjob_suspended" => patient.with(&subject, |job| job["spec"]["suspend"] = false.into()),
        "job_sidecar" => patient.each_spec(keep_first_container),
        "stuck_terminating" | "finalizer_stuck" => let_go(patient),
        // `heal` lets the controllers and the pods do their work.
        "owner_not_ready" | "job_deadline" | "job_backoff_limit" | "config_changed" | "dependency_crash" | "advice" => {
        }
        _ => return false,
    }
    true
}

fn provide_metrics(patient: &mut Patient<'_>) {
    let subject = patient.subject();
    let target = patient.find(&subject).map(|hpa| hpa["spec"]["scaleTargetRef"].clone()).unwrap_or_default();
    let (kind, name) = (target["kind"].as_str().unwrap_or_default(), target["name"].as_str().unwrap_or_default());
    if !kind.is_empty() && !patient.has(kind, &subject.1, name) {
        let labels = json!({"cured": name});
        let template = json!({"metadata": {"labels": labels},
            "spec": {"containers": [{"name": "main", "image": "registry.example.com/cured/program:1.0.0"}]}});
        let spec = json!({"replicas": 1, "selector": {"matchLabels": labels}, "template": template});
        patient.add("apps/v1", kind, &subject.1, name, json!({"spec": spec}));
    }
    let top = (kind.to_owned(), subject.1.clone(), name.to_owned());
    let family = patient.family(&top);
    patient.specs_of(&family, |spec| {
        for container in super::patient::containers(spec) {
            container["resources"]["requests"] = json!({"cpu": "100m", "memory": "128Mi"});
        }
    });
    super::heal::workload(patient, &top);
}

/// A side-car that never ends becomes one that the kubelet ends.
fn keep_first_container(spec: &mut Value) {
    let Some(containers) = spec["containers"].as_array_mut() else { return };
    let rest: Vec<Value> = containers.drain(1.min(containers.len())..).collect();
    let inits: Vec<Value> = list(spec, "/initContainers").cloned().collect();
    let sidecars = rest.into_iter().map(|mut container| {
        container["restartPolicy"] = "Always".into();
        container
    });
    spec["initContainers"] = sidecars.chain(inits).collect();
}

/// Lets what is being deleted go.
fn let_go(patient: &mut Patient<'_>) {
    let subject = patient.subject();
    let mut family = patient.family(&subject);
    family.insert(subject);
    let deleted = |object: &Value| !object["metadata"]["deletionTimestamp"].is_null();
    patient.delete(|object| deleted(object) && family.contains(&key(object)));
}
