//! Repairs of nodes and of what runs on all of them.

use super::heal;
use super::patient::Patient;
use crate::accuracy::document::word;

pub(super) fn repair(patient: &mut Patient<'_>, category: &str) -> bool {
    match category {
        "node_not_ready" | "kubelet_down" | "container_runtime_down" | "node_network" | "node_pressure_eviction" => {
            recover(patient);
        }
        "kube_proxy_down" => {
            recover(patient);
            start(patient, "kube-proxy");
        }
        "ip_exhaustion" | "sandbox_failed" => recover(patient),
        _ => return false,
    }
    true
}

/// Lets the kubelet, the runtime and the network of a node work; the other objects are healed as they are hit.
fn recover(patient: &mut Patient<'_>) {
    let subject = patient.subject();
    if subject.0 == "Node" {
        patient.with(&subject, |node| {
            if let Some(taints) = node.pointer_mut("/spec/taints").and_then(serde_json::Value::as_array_mut) {
                taints.retain(|taint| !word(taint, "/key").starts_with("node.kubernetes.io/"));
            }
        });
        heal::node(patient, &subject);
    }
}

fn start(patient: &mut Patient<'_>, name: &str) {
    let pods = patient.document.objects().iter().filter(|object| object["kind"] == "Pod");
    let pods = pods.filter(|pod| word(pod, "/metadata/name").starts_with(name));
    let tops: Vec<_> = pods.map(|pod| patient.owner(&super::patient::key(pod))).collect();
    for top in &tops {
        heal::workload(patient, top);
    }
}
