//! A quota bounds what the pods do not state.

use crate::model::{Finding, Kind, ObjectRef, Recommendation, Severity};
use crate::render::quote;
use crate::rules::{Rule, consequences};
use crate::scene::access::refusal::{self, Refusal, Refuser};
use crate::scene::{Scene, Workload};

/// See [`Rule::docs`].
pub static RULE: Rule = Rule {
    id: "quota-missing-requests",
    category: "quota_missing_requests",
    summary: "detects workloads that cannot get pods because a ResourceQuota demands requests or limits that they do not set",
    docs: "\
## What it means
A ResourceQuota that bounds, say, memory makes every container of the namespace state how much memory it requests. A pod with a \
container that does not is refused, however much of the quota is left.

## How it is detected
A controller that still lacks pods was refused with `failed quota: ...: must specify ...`.

## What to do
Set the requests or limits that the message names on each container, or give the namespace a LimitRange with defaults.",
    severity: Severity::Error,
    needs: &[Kind::Event],
    uses: &[Kind::ResourceQuota, Kind::ReplicaSet],
    explains: &[consequences::PODS_NOT_READY, &["app-exception", "config-changed", "readiness-probe-failing"]],
    check,
};

fn check(scene: &Scene<'_>) -> Vec<Finding> {
    let refusals = refusal::all(scene).into_iter().filter(|refusal| refusal.refuser == Refuser::QuotaUnstated);
    refusals.filter_map(|refusal| refused(scene, &refusal)).collect()
}

fn refused(scene: &Scene<'_>, refusal: &Refusal<'_>) -> Option<Finding> {
    let (quota, demanded) = refusal::between(refusal.message, "failed quota: ", "\n")?.split_once(": must specify ")?;
    let namespace = refusal.workload.namespace();
    let (resources, containers) = split(demanded);
    let who = if containers.is_empty() { "a container".to_owned() } else { format!("`{}`", containers.join("`, `")) };
    let list = resources.join(", ");
    let message = format!(
        "quota `{quota}` of namespace/{namespace} demands {list} of every container, but {who} of {} sets none, so that its pods are refused",
        refusal.workload.short()
    );
    let mut finding = RULE
        .finding(ObjectRef::new(Kind::Namespace, "", namespace), message)
        .key(format!("{quota}/{}/{list}", refusal.workload.short()))
        .confidence(0.97);
    finding = refusal.support(finding);
    finding = hard(scene, finding, namespace, quota, &resources);
    if let Some(workload) = scene.workload(&refusal.workload) {
        finding = stated(finding, workload, &containers);
    }
    Some(finding.recommend(set(refusal, &resources, &containers)).recommend(defaults(namespace, &list)))
}

/// Splits `limits.cpu for: a; memory for: a,b`, or without names `limits.cpu,memory`.
fn split(demanded: &str) -> (Vec<&str>, Vec<&str>) {
    let mut resources = Vec::new();
    let mut containers: Vec<&str> = Vec::new();
    for part in demanded.split("; ") {
        let (names, holders) = part.split_once(" for: ").unwrap_or((part, ""));
        resources.extend(names.split(',').map(str::trim).filter(|name| !name.is_empty()));
        containers.extend(holders.split(',').map(str::trim).filter(|name| !name.is_empty()));
    }
    containers.sort_unstable();
    containers.dedup();
    (resources, containers)
}

fn hard(scene: &Scene<'_>, mut finding: Finding, namespace: &str, quota: &str, resources: &[&str]) -> Finding {
    let found = scene.snapshot.objects.quotas.get(namespace, quota);
    let Some(bounds) = found.and_then(|found| found.spec.as_ref()?.hard.as_ref()) else { return finding };
    for (resource, bound) in resources.iter().filter_map(|resource| Some((resource, bounds.get(*resource)?))) {
        let object = ObjectRef::new(Kind::ResourceQuota, namespace, quota);
        finding = finding.because(object, format!("spec.hard[{resource}]"), bound.0.as_str());
    }
    finding
}

/// Quotes what the first container that is meant does state.
fn stated(finding: Finding, workload: &Workload<'_>, names: &[&str]) -> Finding {
    let containers = workload.template.map(|template| template.containers.as_slice()).unwrap_or_default();
    let Some(container) =
        containers.iter().find(|container| names.is_empty() || names.contains(&container.name.as_str()))
    else {
        return finding;
    };
    let print =
        |list: Option<&std::collections::BTreeMap<String, k8s_openapi::apimachinery::pkg::api::resource::Quantity>>| {
            let pairs: Vec<String> =
                list.into_iter().flatten().map(|(name, value)| format!("{name}={}", value.0)).collect();
            if pairs.is_empty() { "none".to_owned() } else { pairs.join(",") }
        };
    let resources = container.resources.as_ref();
    let requests = print(resources.and_then(|resources| resources.requests.as_ref()));
    let limits = print(resources.and_then(|resources| resources.limits.as_ref()));
    let path = format!("spec.template.spec.containers[{}].resources", container.name);
    finding.because(workload.object.clone(), path, format!("requests: {requests}; limits: {limits}"))
}

fn set(refusal: &Refusal<'_>, resources: &[&str], containers: &[&str]) -> Recommendation {
    let workload = refusal.workload.short();
    let pick = |limits: bool| -> Vec<String> {
        let wanted = resources.iter().filter(|name| name.starts_with("limits.") == limits);
        wanted
            .map(|name| format!("{}=<amount>", name.trim_start_matches("limits.").trim_start_matches("requests.")))
            .collect()
    };
    let mut words = vec!["kubectl".to_owned(), "set".to_owned(), "resources".to_owned(), workload.clone()];
    words.extend(["-n".to_owned(), refusal.workload.namespace().to_owned()]);
    if !containers.is_empty() {
        words.extend(["-c".to_owned(), containers.join(",")]);
    }
    for (flag, amounts) in [("--requests", pick(false)), ("--limits", pick(true))] {
        if !amounts.is_empty() {
            words.push(format!("{flag}={}", amounts.join(",")));
        }
    }
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let summary = format!("set {} on every container of {workload}", resources.join(", "));
    Recommendation::new("set-resources", summary).command(quote::command(&words))
}

fn defaults(namespace: &str, list: &str) -> Recommendation {
    Recommendation::new(
        "create-object",
        format!("or give namespace `{namespace}` a LimitRange with a default for {list}"),
    )
}
