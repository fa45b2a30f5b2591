//! Repairs of what keeps a pod from a node or a volume.

use serde_json::{Value, json};

use super::heal;
use super::patient::{Patient, containers, list, list_mut, remove};
use crate::accuracy::document::word;

pub(super) fn repair(patient: &mut Patient<'_>, category: &str) -> bool {
    match category {
        "insufficient_resources" => ask_for_less(patient),
        "node_selector_mismatch" | "anti_affinity" => go_anywhere(patient),
        "untolerated_taint" => patient.each_spec(|spec| spec["tolerations"] = json!([{"operator": "Exists"}])),
        "node_cordoned" => uncordon(patient),
        "host_port_conflict" => patient.each_container(|container| {
            list_mut(container, "/ports").for_each(|port| remove(port, "hostPort"));
        }),
        "volume_node_affinity" => {
            patient.each("PersistentVolume", |volume| remove(&mut volume["spec"], "nodeAffinity"));
        }
        "scheduling_gated" => patient.each_spec(|spec| {
            remove(spec, "schedulingGates");
            remove(spec, "resourceClaims");
        }),
        "scheduler_down" => start_scheduler(patient),
        // `heal` gives the pod its node and its conditions, and the claim its volume.
        "readiness_gate" | "priority_preemption" | "pvc_no_matching_pv" => {}
        "storageclass_missing" => provide_class(patient),
        "pvc_missing" => provide_claims(patient),
        "volume_mount_failed" => {
            super::container::repair(patient, "missing_configmap");
            provide_claims(patient);
            patient.delete(|object| object["kind"] == "VolumeAttachment");
        }
        _ => return false,
    }
    true
}

fn ask_for_less(patient: &mut Patient<'_>) {
    patient.each_spec(|spec| {
        remove(spec, "overhead");
        containers(spec).into_iter().for_each(|container| container["resources"] = json!({}));
    });
}

fn go_anywhere(patient: &mut Patient<'_>) {
    patient.each_spec(|spec| {
        for field in ["nodeSelector", "affinity", "topologySpreadConstraints"] {
            remove(spec, field);
        }
    });
}

fn uncordon(patient: &mut Patient<'_>) {
    patient.each("Node", |node| {
        remove(&mut node["spec"], "unschedulable");
        if let Some(taints) = node.pointer_mut("/spec/taints").and_then(Value::as_array_mut) {
            taints.retain(|taint| taint["key"] != "node.kubernetes.io/unschedulable");
        }
    });
}

fn start_scheduler(patient: &mut Patient<'_>) {
    let now = patient.document.ago(2).replace('Z', ".000000Z");
    patient.each("Lease", |lease| {
        if word(lease, "/metadata/name").contains("scheduler") {
            lease["spec"]["renewTime"] = now.as_str().into();
        }
    });
    let pods = patient.document.objects().iter().filter(|pod| pod["kind"] == "Pod");
    let schedulers = pods.filter(|pod| word(pod, "/metadata/name").starts_with("kube-scheduler"));
    let keys: Vec<_> = schedulers.map(super::patient::key).collect();
    for scheduler in &keys {
        heal::workload(patient, scheduler);
    }
}

fn provide_class(patient: &mut Patient<'_>) {
    let claims = patient.document.objects().iter().filter(|object| object["kind"] == "PersistentVolumeClaim");
    let names: Vec<String> = claims.map(|claim| word(claim, "/spec/storageClassName").to_owned()).collect();
    for name in names {
        let name = if name.is_empty() { "standard".to_owned() } else { name };
        if !patient.has("StorageClass", "", &name) {
            let annotations = json!({"storageclass.kubernetes.io/is-default-class": "true"});
            patient.add("storage.k8s.io/v1", "StorageClass", "", &name, json!({"provisioner": "example.com/disk"}));
            patient.document.objects_mut().last_mut().unwrap()["metadata"]["annotations"] = annotations;
        }
    }
}

fn provide_claims(patient: &mut Patient<'_>) {
    let mut names = Vec::new();
    patient.each_spec(|spec| {
        let claims = list(spec, "/volumes").map(|volume| word(volume, "/persistentVolumeClaim/claimName").to_owned());
        names.extend(claims.filter(|name| !name.is_empty()));
    });
    let place = patient.place();
    for name in names {
        if !patient.has("PersistentVolumeClaim", &place, &name) {
            let spec = json!({"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}});
            patient.add("v1", "PersistentVolumeClaim", &place, &name, json!({"spec": spec}));
        }
        heal::claim(patient, &("PersistentVolumeClaim".to_owned(), place.clone(), name));
    }
}
