//! kube-proxy does not run on a node.

use k8s_openapi::api::core::v1::Pod;

use crate::model::store::HasMeta as _;
use crate::model::{Finding, Kind, ObjectRef, Recommendation, Severity, Stored};
use crate::render::quote;
use crate::rules::{Rule, consequences};
use crate::scene::Scene;
use crate::scene::access::refusal;
use crate::scene::scheduling::node::{self, NodeView};

/// See [`Rule::docs`].
pub static RULE: Rule = Rule {
    id: "kube-proxy-down",
    category: "kube_proxy_down",
    summary: "detects nodes on which kube-proxy does not run",
    docs: "\
## What it means
kube-proxy writes the rules that lead a Service's address to its pods. Where it does not run, the rules are missing or grow \
stale: pods on that node reach some Services and not others, the cluster's DNS among them.

## How it is detected
The pod of kube-proxy (`k8s-app=kube-proxy` in kube-system) on a ready node that carries pods of the scope does not run. \
Clusters whose network plugin replaces kube-proxy have no such pod.

## What to do
Read the log of that pod; its ConfigMap `kube-proxy` and the kernel's modules are usual reasons.",
    severity: Severity::Error,
    needs: &[Kind::Node, Kind::Pod],
    uses: &[],
    explains: &[consequences::PODS_NOT_READY, &["app-exception", "cluster-dns-config", "external-dns", "init-container-failed", "liveness-probe-failing", "readiness-probe-failing", "webhook-blocking"]],
    check,
};

fn check(scene: &Scene<'_>) -> Vec<Finding> {
    let proxies = scene.snapshot.objects.pods.in_namespace("kube-system").filter(|pod| is_proxy(pod));
    let down: Vec<&Stored<Pod>> = proxies.filter(|pod| state(pod).is_some()).collect();
    if down.is_empty() {
        return Vec::new();
    }
    let on = |node: &NodeView<'_>| {
        down.iter().find(|pod| pod.spec.as_ref().and_then(|spec| spec.node_name.as_deref()) == Some(node.name()))
    };
    let nodes = node::all(scene);
    nodes.iter().filter(|node| node.not_ready().is_none()).filter_map(|node| finding(node, on(node)?)).collect()
}

fn is_proxy(pod: &Stored<Pod>) -> bool {
    let labels = pod.metadata.labels.as_ref();
    labels.and_then(|labels| labels.get("k8s-app")).is_some_and(|app| app == "kube-proxy")
}

/// Returns why a pod that should run does not; nothing if it runs or starts.
fn state(pod: &Stored<Pod>) -> Option<(String, String)> {
    let status = pod.status.as_ref().filter(|_| pod.metadata.deletion_timestamp.is_none())?;
    let container = status.container_statuses.as_ref()?.first()?;
    let state = container.state.as_ref()?;
    if let Some(waiting) = &state.waiting {
        let reason = waiting.reason.as_deref().filter(|reason| *reason != "ContainerCreating")?;
        return Some((format!("status.containerStatuses[{}].state.waiting.reason", container.name), reason.to_owned()));
    }
    let ended = state.terminated.as_ref()?;
    let reason = format!("{} (exit code {})", ended.reason.as_deref().unwrap_or("Error"), ended.exit_code);
    Some((format!("status.containerStatuses[{}].state.terminated", container.name), reason))
}

fn finding(node: &NodeView<'_>, pod: &Stored<Pod>) -> Option<Finding> {
    let (path, reason) = state(pod)?;
    let message = format!(
        "kube-proxy does not run on node/{} ({}), so that Services are not led to their pods there",
        node.name(),
        refusal::cut(&reason, 80)
    );
    let object = ObjectRef::new(Kind::Pod, "kube-system", pod.object.name());
    let log = quote::command(&["kubectl", "logs", "-n", "kube-system", pod.object.name(), "--previous"]);
    let finding = RULE.finding(node.object(), message).because(object, path, reason).confidence(0.85).recommend(
        Recommendation::new("repair-node", format!("repair kube-proxy on {}: read its log", node.name())).command(log),
    );
    Some(node.hit(finding))
}
