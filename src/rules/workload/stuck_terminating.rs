//! A pod was deleted and does not go.

use jiff::SignedDuration;

use crate::model::{Finding, Kind, Lookup, ObjectRef, Recommendation, Risk, Severity};
use crate::render::quote;
use crate::rules::Rule;
use crate::scene::access::refusal;
use crate::scene::{PodView, Scene};

/// See [`Rule::docs`].
pub static RULE: Rule = Rule {
    id: "stuck-terminating",
    category: "stuck_terminating",
    summary: "detects pods that are still there well after their grace period",
    docs: "\
## What it means
The pod was deleted, its grace period is over, and it is still there. Its node does not answer, or the runtime cannot end its \
containers, or a volume cannot be unmounted. A StatefulSet does not replace it until it is gone.

## How it is detected
`deletionTimestamp`, which includes the grace period, is more than a minute in the past and the pod has no finalizer.

## What to do
Repair the node or runtime. If the node is lost for good, delete its Node object. Deleting the pod by force only removes the \
record: its containers may still run and write to their volume.",
    severity: Severity::Warning,
    needs: &[Kind::Pod],
    uses: &[Kind::Node, Kind::Event],
    explains: &[&["finalizer-stuck", "owner-not-ready", "pdb-blocks-eviction", "rollout-stuck", "service-backends-missing"]],
    check,
};

const SLACK: SignedDuration = SignedDuration::from_secs(60);

fn check(scene: &Scene<'_>) -> Vec<Finding> {
    scene.suspects().filter_map(stuck).collect()
}

fn stuck(pod: PodView<'_>) -> Option<Finding> {
    let meta = &pod.pod.metadata;
    let due = meta.deletion_timestamp.as_ref()?.0;
    let held = meta.finalizers.as_ref().is_some_and(|finalizers| !finalizers.is_empty());
    if held || pod.scene.now().duration_since(due) <= SLACK {
        return None;
    }
    let owner = &pod.workload().object;
    let who = if owner.is(Kind::Pod) { owner.short() } else { format!("a pod of {}", owner.short()) };
    let (why, cure) = why(pod);
    let message = format!("{who} is stuck terminating past its grace period: {why}");
    let mut finding = RULE
        .finding(owner.clone(), message)
        .because_at(pod.object(), "metadata.deletionTimestamp", due.to_string(), Some(due))
        .seen(Some(due), Some(pod.scene.now()))
        .affects(pod.object())
        .confidence(0.8);
    if let Some(node) = pod.node() {
        finding = finding.because(pod.object(), "spec.nodeName", node).mentions(ObjectRef::new(Kind::Node, "", node));
    }
    if let Some(event) = pod.event("FailedKillPod").filter(|event| pod.scene.is_recent(event.last)) {
        finding = finding.because_at(
            pod.object(),
            "events[FailedKillPod].message",
            refusal::cut(event.message, 300),
            event.last,
        );
    }
    Some(finding.recommend(cure).next(quote::command(&[
        "kubectl",
        "describe",
        "pod",
        pod.name(),
        "-n",
        pod.namespace(),
    ])))
}

fn why(pod: PodView<'_>) -> (String, Recommendation) {
    let repair = |summary: String| Recommendation::new("repair-node", summary);
    let Some(name) = pod.node() else {
        return (
            "it has no node, and its deletion was not completed".to_owned(),
            repair("look at the log of kube-controller-manager".to_owned()),
        );
    };
    match pod.scene.snapshot.objects.nodes.look_up("", name) {
        Lookup::Absent => {
            let force = quote::command(&[
                "kubectl",
                "delete",
                "pod",
                pod.name(),
                "-n",
                pod.namespace(),
                "--force",
                "--grace-period=0",
            ]);
            let summary = "delete the pod by force, as its node is gone and nobody else can end it";
            (
                format!("its node {name} does not exist any more"),
                Recommendation::new("delete-object", summary).risk(Risk::Medium).command(force),
            )
        }
        Lookup::Found(node) if !is_ready(node) => (
            format!("its node {name} is not ready, and nobody there ends it"),
            repair(format!("bring node {name} back, or delete its Node object if it is lost")),
        ),
        _ if pod.event("FailedKillPod").is_some_and(|event| pod.scene.is_recent(event.last)) => (
            format!("the kubelet of {name} cannot end its containers"),
            repair(format!("look at the container runtime of {name}")),
        ),
        _ => {
            let running = pod.containers().find(|container| container.running().is_some());
            let what = running.map_or_else(
                || "its volumes or sandbox are not cleaned up".to_owned(),
                |one| format!("container `{}` still runs", one.name()),
            );
            (
                format!("{what} on {name}"),
                repair(format!(
                    "look why the kubelet of {name} does not finish: a hanging preStop hook, a process that cannot be killed, a volume that is busy"
                )),
            )
        }
    }
}

fn is_ready(node: &k8s_openapi::api::core::v1::Node) -> bool {
    let conditions = node.status.as_ref().and_then(|status| status.conditions.as_ref());
    conditions.into_iter().flatten().any(|condition| condition.type_ == "Ready" && condition.status == "True")
}
