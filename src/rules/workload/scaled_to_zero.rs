//! A workload is scaled to zero replicas.

use std::collections::HashMap;

use jiff::Timestamp;

use crate::model::store::HasMeta as _;
use crate::model::{Finding, Kind, ObjectRef, Recommendation, Severity};
use crate::render::quote;
use crate::rules::{Rule, consequences};
use crate::scene::{EventView, PodView, Scene, ServiceView, Workload, changes};

/// See [`Rule::docs`].
pub static RULE: Rule = Rule {
    id: "scaled-to-zero",
    category: "scaled_to_zero",
    summary: "detects workloads with zero replicas that others depend on",
    docs: "\
## What it means
`spec.replicas` is 0, so that no pod runs, on purpose or by mistake. Where a Service leads to the workload, its callers get no \
answer.

## How it is detected
A Deployment, StatefulSet or ReplicaSet asks for zero replicas. It is an error where a Service leads to it that another workload \
or an Ingress uses, or that served until a short while ago; otherwise, as where it was made with no replicas, it is only \
mentioned.

## What to do
Scale it up again. If somebody (an autoscaler, a cost saver, a pipeline) scales it down once more, look who it is: the evidence \
names the last writer.",
    severity: Severity::Info,
    needs: &[Kind::Deployment, Kind::Event, Kind::Service],
    uses: &[],
    explains: &[consequences::PODS_NOT_READY, consequences::CALLS_FAIL, consequences::PROBES_FAIL, &["ingress-backend-missing", "init-container-failed", "service-selector-mismatch", "webhook-blocking"]],
    check,
};

fn check(scene: &Scene<'_>) -> Vec<Finding> {
    let asleep = scene.workloads().iter().filter(|workload| is_at_zero(scene, workload));
    let mut asleep = asleep.peekable();
    if asleep.peek().is_none() {
        return Vec::new();
    }
    let uses = Uses::new(scene);
    asleep.map(|workload| at_zero(scene, &uses, workload)).collect()
}

fn is_at_zero(scene: &Scene<'_>, workload: &Workload<'_>) -> bool {
    let object = &workload.object;
    let scales = [Kind::Deployment, Kind::StatefulSet, Kind::ReplicaSet, Kind::ReplicationController]
        .iter()
        .any(|kind| object.is(*kind));
    let waits = scene.pods_of(workload).any(|pod| pod.is_ready() && !pod.is_terminating());
    scales && workload.desired == Some(0) && !waits
}

/// Who depends on a workload.
struct Need {
    severity: Severity,
    /// `service/cart leads to it and deployment/web calls it`.
    words: String,
    service: ObjectRef,
    confidence: f64,
}

fn at_zero(scene: &Scene<'_>, uses: &Uses<'_>, workload: &Workload<'_>) -> Finding {
    let object = workload.object.clone();
    let down = scaled_down(scene, &object);
    let writer = changes::newest(workload.changes, "spec.replicas");
    let when = down.and_then(|event| event.last).or_else(|| writer.and_then(|change| change.time));
    let served = down.is_some() || !was_born_asleep(workload, when);
    let need = need(scene, uses, workload, when.filter(|_| served));
    let by = writer.filter(|change| !change.manager.is_empty());
    let by = by.map(|change| format!(", by `{}`", change.manager)).unwrap_or_default();
    let words = need.as_ref().map(|need| format!(", though {}", need.words)).unwrap_or_default();
    let message = format!("{} is scaled to 0 replicas{by}{words}", object.short());
    let mut finding = RULE
        .finding(object.clone(), message)
        .severity(need.as_ref().map_or(Severity::Info, |need| need.severity))
        .confidence(need.as_ref().map_or(0.9, |need| need.confidence))
        .because_at(object.clone(), "spec.replicas", "0", writer.and_then(|change| change.time))
        .seen(when, Some(scene.now()));
    if let Some(event) = down {
        finding = finding.because_at(object.clone(), "events[ScalingReplicaSet].message", event.message, event.last);
    }
    if let Some(change) = writer {
        finding = finding.because_at(
            object.clone(),
            "metadata.managedFields[spec.replicas].manager",
            change.manager.as_str(),
            change.time,
        );
    }
    if let Some(need) = need {
        finding = finding.affects(need.service);
    }
    let replicas = down.and_then(|event| before(event.message)).unwrap_or(1);
    let scale = quote::command(&[
        "kubectl",
        "scale",
        &object.short(),
        "-n",
        object.namespace(),
        &format!("--replicas={replicas}"),
    ]);
    let summary = format!("scale {} up to {replicas}, unless it is meant to rest", object.short());
    finding.recommend(Recommendation::new("scale", summary).command(scale))
}

/// Returns the newest event that tells of the way to zero.
fn scaled_down<'s>(scene: &'s Scene<'_>, object: &'s ObjectRef) -> Option<&'s EventView<'s>> {
    let to_zero = |message: &str| message.contains(" to 0 from ") || message.ends_with(" to 0");
    scene.events_of(object).filter(|event| event.reason == "ScalingReplicaSet" && to_zero(event.message)).last()
}

/// Returns whether it was made with no replicas, as far as its last writer tells: then nothing was served before.
fn was_born_asleep(workload: &Workload<'_>, written: Option<Timestamp>) -> bool {
    matches!((workload.created, written), (Some(created), Some(written)) if written <= created)
}

/// Returns how many replicas there were: `Scaled down replica set cart-7d9f8 to 0 from 3`.
fn before(message: &str) -> Option<u32> {
    message.rsplit_once(" from ")?.1.parse().ok().filter(|replicas| *replicas > 0)
}

/// Who uses what, looked up once.
struct Uses<'s> {
    /// The Services that lead to a workload.
    services: HashMap<&'s ObjectRef, Vec<ServiceView<'s>>>,
    /// The workloads that run and are configured with a Service: (namespace, name).
    callers: HashMap<(&'s str, &'s str), Vec<&'s ObjectRef>>,
    /// The Ingresses that lead to a Service.
    routes: HashMap<ObjectRef, ObjectRef>,
}

impl<'s> Uses<'s> {
    fn new(scene: &'s Scene<'s>) -> Self {
        let mut uses = Self { services: HashMap::new(), callers: HashMap::new(), routes: HashMap::new() };
        for service in scene.services() {
            for workload in service.workloads() {
                uses.services.entry(&workload.object).or_default().push(service);
            }
        }
        for call in scene.calls() {
            let caller = &scene.workloads()[call.caller];
            if caller.desired != Some(0) {
                uses.callers.entry((&call.service.0, &call.service.1)).or_default().push(&caller.object);
            }
        }
        for ingress in &scene.snapshot.objects.ingresses {
            let object = ObjectRef::new(Kind::Ingress, ingress.object.namespace(), ingress.object.name());
            for (to, _) in scene.topology().depends_on(&object) {
                uses.routes.entry(to.clone()).or_insert_with(|| object.clone());
            }
        }
        uses
    }

    /// Returns a workload or Ingress that uses a Service, other than the workload behind it.
    fn user(&self, service: ServiceView<'_>, behind: &ObjectRef) -> Option<String> {
        let callers = self.callers.get(&(service.namespace(), service.name()));
        let caller = callers.into_iter().flatten().find(|caller| **caller != behind).map(|caller| caller.short());
        caller.or_else(|| self.routes.get(&service.object()).map(ObjectRef::short))
    }
}

/// `until` is when it last served, if that is known.
fn need(scene: &Scene<'_>, uses: &Uses<'_>, workload: &Workload<'_>, until: Option<Timestamp>) -> Option<Need> {
    // A Service with other pods that answer does not miss this workload.
    let services = uses.services.get(&workload.object)?.iter();
    let unserved: Vec<_> = services.filter(|service| !service.pods().any(PodView::is_ready)).collect();
    let used = unserved.iter().find_map(|service| Some((**service, uses.user(**service, &workload.object)?)));
    let service =
        used.as_ref().map_or_else(|| unserved.first().map(|service| **service), |(service, _)| Some(*service))?;
    let name = service.object().short();
    let (severity, words, confidence) = match used {
        Some((_, user)) => (Severity::Error, format!("{name} leads to it and {user} uses that"), 0.93),
        None if scene.is_recent(until) => (Severity::Error, format!("{name} leads to it and served until then"), 0.88),
        None => (Severity::Info, format!("{name} leads to it"), 0.8),
    };
    Some(Need { severity, words, service: service.object(), confidence })
}
