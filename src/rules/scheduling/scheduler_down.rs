//! Nobody looks at the pods that wait for a node.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::model::{Finding, Kind, Recommendation, Risk, Severity};
use crate::render::quote;
use crate::rules::{Rule, consequences};
use crate::scene::scheduling::describe;
use crate::scene::scheduling::scheduler::{self, DEFAULT, Traces};
use crate::scene::{PodView, Scene};

/// See [`Rule::docs`].
pub static RULE: Rule = Rule {
    id: "scheduler-down",
    category: "scheduler_down",
    summary: "detects pods that no scheduler looks at: the scheduler is down, or nobody serves their schedulerName",
    docs: "\
## What it means
A scheduler notes on every pod whether it found a node. These pods have no node and no such note: kube-scheduler is not \
running, or they name a scheduler that does not exist.

## How it is detected
A pod is pending for more than 45 seconds, has no node, no scheduling gate, no condition `PodScheduled` and no event of a \
scheduler, and no younger pod of the same scheduler was placed. The lease of kube-scheduler and its pod tell more, if they \
can be read.

## What to do
On the control plane, look at kube-scheduler: its static pod or its system service, and its log. For a schedulerName of your \
own, start that scheduler or remove the field.",
    severity: Severity::Error,
    needs: &[Kind::Pod],
    uses: &[Kind::Event, Kind::Lease, Kind::Node],
    explains: &[consequences::PODS_NOT_READY],
    check,
};

fn check(scene: &Scene<'_>) -> Vec<Finding> {
    let mut ignored: BTreeMap<&str, Vec<PodView<'_>>> = BTreeMap::new();
    for pod in scene.suspects().filter(|pod| scheduler::ignores(*pod)) {
        ignored.entry(scheduler::name(pod)).or_default().push(pod);
    }
    if ignored.is_empty() {
        return Vec::new();
    }
    let alive = last_placed(scene);
    let mut findings = Vec::new();
    for (name, pods) in ignored {
        let since = pods.iter().filter_map(|pod| pod.created()).min();
        if alive.get(name).is_some_and(|last| since.is_some_and(|since| *last > since)) {
            continue;
        }
        if name == DEFAULT {
            findings.push(scheduler_down(scene, &pods, since));
        } else {
            findings.extend(pods.iter().map(|pod| nobody_serves(*pod, name)));
        }
    }
    findings
}

/// Returns when each scheduler last placed a pod, of all namespaces that were read.
fn last_placed<'a>(scene: &Scene<'a>) -> BTreeMap<&'a str, Timestamp> {
    let mut last: BTreeMap<&str, Timestamp> = BTreeMap::new();
    for pod in &scene.snapshot.objects.pods {
        let conditions = pod.object.status.as_ref().and_then(|status| status.conditions.as_deref()).unwrap_or_default();
        let placed =
            conditions.iter().find(|condition| condition.type_ == "PodScheduled" && condition.status == "True");
        let when = placed.and_then(|condition| condition.last_transition_time.as_ref()).map(|time| time.0);
        let name = pod
            .object
            .spec
            .as_ref()
            .and_then(|spec| spec.scheduler_name.as_deref())
            .filter(|name| !name.is_empty())
            .unwrap_or(DEFAULT);
        if let Some(when) = when {
            let entry = last.entry(name).or_insert(when);
            *entry = when.max(*entry);
        }
    }
    last
}

fn nobody_serves(pod: PodView<'_>, name: &str) -> Finding {
    let workload = &pod.workload().object;
    let message = format!(
        "{} asks for the scheduler `{name}`, which does not look at its pods: no such scheduler seems to run",
        workload.short()
    );
    let cure = format!("start the scheduler `{name}`, or remove schedulerName from {}", workload.short());
    RULE.finding(workload.clone(), message)
        .key(name)
        .because_at(pod.object(), "spec.schedulerName", name, pod.created())
        .because(pod.object(), "status.conditions[PodScheduled]", "missing")
        .seen(pod.created(), Some(pod.scene.now()))
        .affects(pod.object())
        .confidence(0.85)
        .recommend(Recommendation::new("edit-object", cure))
        .next("kubectl get pods -A")
}

fn scheduler_down(scene: &Scene<'_>, pods: &[PodView<'_>], since: Option<Timestamp>) -> Finding {
    let traces = Traces::of(scene);
    let mut workloads: Vec<_> = pods.iter().map(|pod| pod.workload().object.short()).collect();
    workloads.dedup();
    let workloads = describe::names(workloads.iter().map(String::as_str));
    let subject = traces.subject(scene);
    let place = if subject.is(Kind::Node) { format!("on {} ", subject.short()) } else { String::new() };
    let named = if subject.is(Kind::Node) { String::new() } else { format!(" ({})", subject.short()) };
    let why = if traces.is_renewed(scene) { "does nothing, though it renews its lease" } else { "is down" };
    let message = format!("kube-scheduler{named} {place}{why}: it has not looked at the pods of {workloads}");
    let mut finding = RULE.finding(subject, message).severity(Severity::Critical).confidence(traces.confidence(scene));
    for pod in pods {
        finding = finding.affects(pod.object());
    }
    if let Some(pod) = pods.first() {
        finding = finding.because_at(pod.object(), "status.conditions[PodScheduled]", "missing", pod.created());
    }
    finding.evidence.extend(traces.evidence);
    finding
        .seen(since, Some(scene.now()))
        .recommend(
            Recommendation::new(
                "start-scheduler",
                "start kube-scheduler on the control plane: its static pod manifest or its system service",
            )
            .risk(Risk::Medium),
        )
        .next(quote::command(&[
            "kubectl",
            "get",
            "pods",
            "-n",
            "kube-system",
            "-l",
            "component=kube-scheduler",
            "-o",
            "wide",
        ]))
        .next("kubectl get lease -n kube-system kube-scheduler -o yaml")
}
