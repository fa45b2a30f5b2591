//! A quota of Services is used up.

use std::collections::{BTreeMap, BTreeSet};

use k8s_openapi::api::core::v1::ResourceQuota;

use crate::model::store::HasMeta as _;
use crate::model::{Finding, Kind, Lookup, ObjectRef, Recommendation, Severity, Stored};
use crate::quantity::Quantity;
use crate::render::quote;
use crate::rules::{Rule, consequences};
use crate::scene::access::{quota, refusal};
use crate::scene::{Call, Scene};

/// See [`Rule::docs`].
pub static RULE: Rule = Rule {
    id: "quota-exceeded-services",
    category: "quota_exceeded",
    summary: "detects Services that cannot be created because a ResourceQuota of Services is used up",
    docs: "\
## What it means
The namespace has a ResourceQuota on the number of Services, and it is used up: a Service that a workload is configured with \
cannot be created.

## How it is detected
Nobody writes an event about a Service that is refused. So a quota of Services that is used up to the last one counts when a \
workload is configured with a Service that does not exist, though a workload of that name does.

## What to do
Raise the quota or remove a Service that is not needed, then create the missing one.",
    severity: Severity::Error,
    needs: &[Kind::Event, Kind::Service, Kind::Deployment],
    uses: &[Kind::ResourceQuota, Kind::StatefulSet, Kind::DaemonSet],
    explains: &[consequences::PODS_NOT_READY, &["app-exception", "config-changed", "external-dns", "readiness-probe-failing", "scaled-to-zero", "service-missing"]],
    check,
};

fn check(scene: &Scene<'_>) -> Vec<Finding> {
    let mut findings = quota::exceeded(scene, &RULE, |resource| matches!(resource, "services" | "count/services"));
    findings.extend(missing_services(scene));
    findings
}

/// Finds Services that workloads call, that do not exist, and that a full quota keeps from being created.
fn missing_services(scene: &Scene<'_>) -> Vec<Finding> {
    let full: BTreeMap<&str, &Stored<ResourceQuota>> = scene
        .snapshot
        .objects
        .quotas
        .iter()
        .filter(|full| is_full(full))
        .map(|full| (full.object.namespace(), full))
        .collect();
    let mut seen = BTreeSet::new();
    let calls = scene.calls().iter().filter(|call| absent(scene, call) && seen.insert(call.service.clone()));
    calls.filter_map(|call| missing_service(scene, full.get(call.service.0.as_str())?, call)).collect()
}

fn is_full(full: &Stored<ResourceQuota>) -> bool {
    ["services", "count/services"].iter().filter_map(|resource| quota::numbers(full, resource)).any(|(used, hard)| {
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

fn missing_service(scene: &Scene<'_>, full: &Stored<ResourceQuota>, call: &Call<'_>) -> Option<Finding> {
    let (namespace, service) = (call.service.0.as_str(), call.service.1.as_str());
    let name = full.object.name();
    let resource = if quota::numbers(full, "services").is_some() { "services" } else { "count/services" };
    let (used, hard) = quota::numbers(full, resource)?;
    let caller = &scene.workloads()[call.caller];
    let message = format!(
        "quota `{name}` of namespace/{namespace} allows {hard} services and {used} exist, so that service `{service}`, which {} calls, cannot be created",
        caller.object.short()
    );
    let excess = quota::Excess { resource, requested: "1", used, hard };
    let needed = quota::needed(&excess, 1).unwrap_or_default();
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
        .next(quota::describe(namespace, name));
    Some(quota::with_status(scene, finding, namespace, name, &[resource]))
}
