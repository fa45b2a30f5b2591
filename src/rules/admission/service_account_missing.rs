//! The ServiceAccount of the pods does not exist.

use crate::model::store::HasMeta as _;
use crate::model::{Finding, Kind, Lookup, ObjectRef, Recommendation, Severity};
use crate::render::quote;
use crate::rules::{Rule, consequences};
use crate::scene::Scene;
use crate::scene::access::refusal::{self, Refusal, Refuser};

/// See [`Rule::docs`].
pub static RULE: Rule = Rule {
    id: "service-account-missing",
    category: "service_account_missing",
    summary: "detects workloads whose pods cannot be created because their ServiceAccount does not exist",
    docs: "\
## What it means
The pod template names a ServiceAccount that does not exist in the namespace. The API server refuses every pod.

## How it is detected
A controller that still lacks pods was refused with `error looking up service account`, and the account still is not there. \
The same words in the first second of an installation, before the account was made, mean nothing.

## What to do
Create the ServiceAccount, or correct `serviceAccountName` in the pod template.",
    severity: Severity::Error,
    needs: &[Kind::Event],
    uses: &[Kind::ServiceAccount, Kind::ReplicaSet],
    explains: &[consequences::PODS_NOT_READY, &["app-exception", "config-changed", "readiness-probe-failing"]],
    check,
};

fn check(scene: &Scene<'_>) -> Vec<Finding> {
    let refusals = refusal::all(scene).into_iter().filter(|refusal| refusal.refuser == Refuser::ServiceAccount);
    refusals.filter_map(|refusal| refused(scene, &refusal)).collect()
}

fn refused(scene: &Scene<'_>, refusal: &Refusal<'_>) -> Option<Finding> {
    let named = refusal::between(refusal.message, "error looking up service account ", ":")?;
    let (namespace, account) = named.split_once('/')?;
    let confidence = match scene.snapshot.objects.service_accounts.look_up(namespace, account) {
        Lookup::Found(_) => return None,
        Lookup::Absent => 0.98,
        Lookup::Unknown => 0.93,
    };
    let workload = refusal.workload.short();
    let message = format!(
        "pods of {workload} cannot be created: serviceaccount `{account}` does not exist in namespace {namespace}"
    );
    let mut finding =
        refusal.support(RULE.finding(refusal.workload.clone(), message)).key(account).confidence(confidence);
    let stated =
        scene.workload(&refusal.workload).and_then(|workload| workload.template?.service_account_name.as_deref());
    if let Some(stated) = stated {
        finding = finding.because(refusal.workload.clone(), "spec.template.spec.serviceAccountName", stated);
    }
    finding = finding.mentions(ObjectRef::new(Kind::ServiceAccount, namespace, account));
    let create = quote::command(&["kubectl", "create", "serviceaccount", account, "-n", namespace]);
    let mut finding = finding.recommend(
        Recommendation::new(
            "create-object",
            format!("create serviceaccount `{account}`, with the roles that {workload} needs"),
        )
        .command(create),
    );
    if let Some(near) = nearest(scene, namespace, account) {
        let command = quote::command(&["kubectl", "set", "serviceaccount", &workload, near, "-n", namespace]);
        let summary = format!("or, if `{account}` is a slip, let {workload} use serviceaccount `{near}`, which exists");
        finding = finding.recommend(Recommendation::new("edit-object", summary).command(command));
    }
    Some(finding)
}

/// Returns an account whose name is almost the same.
fn nearest<'s>(scene: &'s Scene<'_>, namespace: &str, account: &str) -> Option<&'s str> {
    let accounts = scene.snapshot.objects.service_accounts.in_namespace(namespace);
    let others = accounts.map(|found| found.object.name()).filter(|name| *name != "default");
    let ranked = others.map(|name| (strsim::damerau_levenshtein(name, account), name));
    ranked.filter(|(distance, _)| *distance <= account.len() / 3).min().map(|(_, name)| name)
}
