//! Quotas that refuse what a controller wants to create.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::ResourceQuota;

use crate::model::{Finding, Kind, ObjectRef, Recommendation, Stored};
use crate::quantity::Quantity;
use crate::render::quote;
use crate::rules::Rule;
use crate::scene::Scene;
use crate::scene::access::refusal::{self, Refusal, Refuser};

/// Finds the workloads that a used-up quota refuses, where the first resource that it lacks is of a kind.
pub fn exceeded(scene: &Scene<'_>, rule: &'static Rule, concerns: fn(&str) -> bool) -> Vec<Finding> {
    let refusals = refusal::all(scene).into_iter().filter(|refusal| refusal.refuser == Refuser::Quota);
    refusals.filter_map(|refusal| refused(scene, &refusal, rule, concerns)).collect()
}

/// One resource of a refusal.
#[derive(Debug)]
pub struct Excess<'t> {
    pub resource: &'t str,
    pub requested: &'t str,
    pub used: &'t str,
    pub hard: &'t str,
}

fn refused(
    scene: &Scene<'_>,
    refusal: &Refusal<'_>,
    rule: &'static Rule,
    concerns: fn(&str) -> bool,
) -> Option<Finding> {
    let quota = refusal::between(refusal.message, "exceeded quota: ", ",")?;
    let excess = parse(refusal.message);
    let first = excess.first().filter(|first| concerns(first.resource))?;
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
    let finding = rule.finding(object, message).key(format!("{quota}/{}", resources.join(","))).confidence(0.97);
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

/// Adds what the quota's status says of some resources.
pub fn with_status(
    scene: &Scene<'_>,
    mut finding: Finding,
    namespace: &str,
    quota: &str,
    resources: &[&str],
) -> Finding {
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

/// Returns how much of a resource is used, and how much may be.
pub fn numbers<'q>(quota: &'q Stored<ResourceQuota>, resource: &str) -> Option<(&'q str, &'q str)> {
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
pub fn needed(excess: &Excess<'_>, missing: i32) -> Option<String> {
    let requested: Quantity = excess.requested.parse().ok()?;
    let used: Quantity = excess.used.parse().ok()?;
    let total = used.saturating_add(requested.saturating_mul(i64::from(missing.max(1))));
    let memory = ["memory", "storage"].iter().any(|word| excess.resource.contains(word));
    Some(if memory { total.mem() } else { total.cpu() })
}

/// Returns the command that shows a quota.
pub fn describe(namespace: &str, quota: &str) -> String {
    quote::command(&["kubectl", "describe", "resourcequota", quota, "-n", namespace])
}
