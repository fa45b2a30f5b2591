//! A quota of the namespace is used up.

use std::collections::{BTreeMap, BTreeSet};

use k8s_openapi::api::core::v1::ResourceQuota;

use crate::model::store::HasMeta as _;
use crate::model::{Finding, Kind, Lookup, ObjectRef, Recommendation, Severity, Stored};
use crate::quantity::Quantity;
use crate::render::quote;
use crate::rules::{Rule, consequences};
use crate::scene::access::refusal::{self, Refusal, Refuser};
use crate::scene::{Call, Scene};

/// See [`Rule::docs`].
pub static RULE: Rule = Rule {
    id: "quota-exceeded",
    category: "quota_exceeded",
    summary: "detects workloads that cannot get pods, claims or Services because a ResourceQuota is used up",
    docs: "\
## What it means
The namespace has a ResourceQuota, and what is asked for does not fit into what is left of it. The API server refuses the \
object; nothing is even scheduled, so there is no pod to look at.

## How it is detected
A controller that still lacks pods was refused with `exceeded quota`. Services leave no such event: a quota of Services that is \
used up to the last one counts when a workload is configured with a Service that does not exist.

## What to do
Raise the quota, lower the requests or limits of what runs in the namespace, or remove what is not needed.",
    severity: Severity::Error,
    needs: &[Kind::Event, Kind::Service, Kind::ResourceQuota, Kind::Deployment, Kind::ReplicaSet],
    uses: &[],
    explains: &[consequences::PODS_NOT_READY, &["app-exception", "config-changed", "external-dns", "readiness-probe-failing", "scaled-to-zero", "service-missing"]],
    check,
};

fn check(scene: &Scene<'_>) -> Vec<Finding> {
    let refusals = refusal::all(scene).into_iter().filter(|refusal| refusal.refuser == Refuser::Quota);
    let mut findings: Vec<Finding> = refusals.filter_map(|refusal| refused(scene, &refusal)).collect();
    findings.extend(missing_services(scene));
    findings
}

/// One resource of a refusal.
struct Excess<'t> {
    resource: &'t str,
    requested: &'t str,
    used: &'t str,
    hard: &'t str,
}

fn refused(scene: &Scene<'_>, refusal: &Refusal<'_>) -> Option<Finding> {
    let quota = refusal::between(refusal.message, "exceeded quota: ", ",")?;
    let excess = parse(refusal.message);
    let first = excess.first()?;
    let namespace = refusal.workload.namespace();
    let object = ObjectRef::new(Kind::Namespace, "", namespace);
    let message = format!(
        "quota `{quota}` of namespace/{namespace} is exceeded: {} of {} {} in use, and {} asks for {} more",
        first.used,
        first.hard,
        first.resource,
        refusal.workload.short(),
        first.requested
    );
    let resources: Vec<&str> = excess.iter().map(|one| one.resource).collect();
    let finding = RULE.finding(object, message).key(format!("{quota}/{}", resources.join(","))).confidence(0.97);
    let finding = with_status(scene, refusal.support(finding), namespace, quota, &resources);
    Some(finding.recommend(raise(namespace, quota, first, refusal)).next(describe(namespace, quota)))
}

/// Reads `requested: cpu=1,pods=1, used: cpu=2,pods=9, limited: cpu=2,pods=9`.
fn parse(message: &str) -> Vec<Excess<'_>> {
    let pairs = |title: &str, end: &str| -> BTreeMap<&str, &str> {
        let list = refusal::between(message, title, end).unwrap_or_default();
        list.split(',').filter_map(|pair| pair.trim().split_once('=')).collect()
    };
    let (requested, used, hard) =
        (pairs("requested: ", ", used: "), pairs("used: ", ", limited: "), pairs("limited: ", ", exceeded"));
    let excess = requested.into_iter().filter_map(|(resource, requested)| {
        Some(Excess { resource, requested, used: used.get(resource)?, hard: hard.get(resource)? })
    });
    excess.collect()
}

fn with_status(scene: &Scene<'_>, mut finding: Finding, namespace: &str, quota: &str, resources: &[&str]) -> Finding {
    let Some(found) = scene.snapshot.objects.quotas.get(namespace, quota) else { return finding };
    let object = ObjectRef::new(Kind::ResourceQuota, namespace, quota);
    for resource in resources {
        let Some((used, hard)) = numbers(found, resource) else { continue };
        finding = finding.because(object.clone(), format!("status.used[{resource}]"), used).because(
            object.clone(),
            format!("status.hard[{resource}]"),
            hard,
        );
    }
    finding
}

fn numbers<'q>(quota: &'q Stored<ResourceQuota>, resource: &str) -> Option<(&'q str, &'q str)> {
    let status = quota.status.as_ref()?;
    Some((&status.used.as_ref()?.get(resource)?.0, &status.hard.as_ref()?.get(resource)?.0))
}

fn raise(namespace: &str, quota: &str, excess: &Excess<'_>, refusal: &Refusal<'_>) -> Recommendation {
    let workload = refusal.workload.short();
    let Some(needed) = needed(excess, refusal.missing) else {
        return Recommendation::new(
            "edit-object",
            format!("raise `{}` of quota `{quota}`, or lower what {workload} asks for", excess.resource),
        );
    };
    let patch = format!(r#"{{"spec":{{"hard":{{"{}":"{needed}"}}}}}}"#, excess.resource);
    let command = ["kubectl", "patch", "resourcequota", quota, "-n", namespace, "--type", "merge", "-p", &patch];
    let summary = format!(
        "raise `{}` of quota `{quota}` from {} to at least {needed}, or lower what {workload} or its neighbours ask for",
        excess.resource, excess.hard
    );
    Recommendation::new("edit-object", summary).command(quote::command(&command))
}

/// Returns what would have to be allowed for all missing pods.
fn needed(excess: &Excess<'_>, missing: i32) -> Option<String> {
    let requested: Quantity = excess.requested.parse().ok()?;
    let used: Quantity = excess.used.parse().ok()?;
    let total = used.saturating_add(requested.saturating_mul(i64::from(missing.max(1))));
    let memory = ["memory", "storage"].iter().any(|word| excess.resource.contains(word));
    Some(if memory { total.mem() } else { total.cpu() })
}

fn describe(namespace: &str, quota: &str) -> String {
    quote::command(&["kubectl", "describe", "resourcequota", quota, "-n", namespace])
}

/// Finds Services that workloads call, that do not exist, and that a full quota keeps from being created.
fn missing_services(scene: &Scene<'_>) -> Vec<Finding> {
    let full: BTreeMap<&str, &Stored<ResourceQuota>> = scene
        .snapshot
        .objects
        .quotas
        .iter()
        .filter(|quota| is_full(quota))
        .map(|quota| (quota.object.namespace(), quota))
        .collect();
    let mut seen = BTreeSet::new();
    let calls = scene.calls().iter().filter(|call| absent(scene, call) && seen.insert(call.service.clone()));
    calls.filter_map(|call| missing_service(scene, full.get(call.service.0.as_str())?, call)).collect()
}

fn is_full(quota: &Stored<ResourceQuota>) -> bool {
    ["services", "count/services"].iter().filter_map(|resource| numbers(quota, resource)).any(|(used, hard)| {
        let parse = |text: &str| text.parse::<Quantity>().ok();
        parse(used).zip(parse(hard)).is_some_and(|(used, hard)| used >= hard)
    })
}

/// A name without a Service counts if a workload of that name is there: else it may be anything.
fn absent(scene: &Scene<'_>, call: &Call<'_>) -> bool {
    let (namespace, name) = (&call.service.0, &call.service.1);
    let workload = |kind| scene.workload(&ObjectRef::new(kind, namespace, name)).is_some();
    matches!(scene.snapshot.objects.services.look_up(namespace, name), Lookup::Absent)
        && (workload(Kind::Deployment) || workload(Kind::StatefulSet) || workload(Kind::DaemonSet))
}

fn missing_service(scene: &Scene<'_>, quota: &Stored<ResourceQuota>, call: &Call<'_>) -> Option<Finding> {
    let (namespace, service) = (call.service.0.as_str(), call.service.1.as_str());
    let name = quota.object.name();
    let resource = if numbers(quota, "services").is_some() { "services" } else { "count/services" };
    let (used, hard) = numbers(quota, resource)?;
    let caller = &scene.workloads()[call.caller];
    let message = format!(
        "quota `{name}` of namespace/{namespace} allows {hard} services and {used} exist, so that service `{service}`, which {} calls, cannot be created",
        caller.object.short()
    );
    let excess = Excess { resource, requested: "1", used, hard };
    let needed = needed(&excess, 1).unwrap_or_default();
    let patch = format!(r#"{{"spec":{{"hard":{{"{resource}":"{needed}"}}}}}}"#);
    let command =
        quote::command(&["kubectl", "patch", "resourcequota", name, "-n", namespace, "--type", "merge", "-p", &patch]);
    let summary = format!(
        "raise `{resource}` of quota `{name}` from {hard} to at least {needed}, then create service `{service}`"
    );
    let finding = RULE
        .finding(ObjectRef::new(Kind::Namespace, "", namespace), message)
        .key(format!("{name}/services/{service}"))
        .because(call.object.clone(), call.path.clone(), refusal::cut(call.value, 300))
        .affects(caller.object.clone())
        .confidence(0.85)
        .recommend(Recommendation::new("edit-object", summary).command(command))
        .next(describe(namespace, name));
    Some(with_status(scene, finding, namespace, name, &[resource]))
}
