//! A network policy shuts out a caller.

use crate::model::store::HasMeta as _;
use crate::model::{Finding, Kind, ObjectRef, Recommendation, Severity};
use crate::render::quote;
use crate::rules::{Rule, consequences};
use crate::scene::Scene;
use crate::scene::services::selector;
use crate::scene::traffic::blocked::{self, Blocked};
use crate::scene::traffic::netpol::Direction;

/// See [`Rule::docs`].
pub static RULE: Rule = Rule {
    id: "networkpolicy-ingress",
    category: "networkpolicy_ingress",
    summary: "detects network policies that shut out a peer which is configured to call the pods",
    docs: "\
## What it means
A NetworkPolicy isolates the pods and no policy lets this caller in, so its connections time out although both sides run.

## How it is detected
A workload is configured with the address of a Service (in its environment, arguments or ConfigMap), the pods behind it \
are selected by policies of type Ingress, and no rule of any of them admits the caller's namespace, labels and port. If \
the caller's log shows the failure it is an error; else a warning, as some networks do not heed policies: it would block.

## What to do
Add an ingress rule for the caller and port to a policy that selects the pods; policies add up, so the one that denies \
may stay.",
    severity: Severity::Error,
    needs: &[Kind::NetworkPolicy, Kind::Pod, Kind::Service],
    uses: &[Kind::Namespace],
    explains: &[consequences::CALLS_FAIL, consequences::PROBES_FAIL, &["external-dns", "init-container-failed", "service-backends-missing"]],
    check,
};

fn check(scene: &Scene<'_>) -> Vec<Finding> {
    blocked::by_policy(blocked::calls(scene, Direction::Ingress)).iter().filter_map(|calls| finding(calls)).collect()
}

fn finding(calls: &[Blocked<'_>]) -> Option<Finding> {
    let first = calls.first()?;
    let policy = ObjectRef::new(Kind::NetworkPolicy, first.policy.object.namespace(), first.policy.object.name());
    let seen = first.line.is_some();
    let spec = first.policy.spec.as_ref();
    let selected = spec
        .and_then(|spec| spec.pod_selector.as_ref())
        .and_then(|selector| selector.match_labels.as_ref())
        .map(selector::print);
    let rules = spec.map_or(0, |spec| spec.ingress.as_ref().map_or(0, Vec::len));
    let finding = RULE
        .finding(policy.clone(), message(first, calls.len() - 1))
        .severity(if seen { Severity::Error } else { Severity::Warning })
        .confidence(if seen { 0.92 } else { 0.6 })
        .because(policy.clone(), "spec.podSelector", selected.unwrap_or_else(|| "all pods".to_owned()))
        .because(
            policy.clone(),
            "spec.ingress",
            if rules == 0 { "no rules".to_owned() } else { format!("{rules} rules, none for this peer and port") },
        )
        .recommend(fix(first, &policy))
        .next(quote::command(&["kubectl", "describe", "networkpolicy", &policy.name, "-n", policy.namespace()]));
    Some(calls.iter().take(3).fold(finding, evidence))
}

/// Says what is blocked for sure, or would be where the cluster's network heeds policies.
fn message(first: &Blocked<'_>, more: usize) -> String {
    let policy = first.policy.object.name();
    let does = if first.line.is_some() { "shuts out" } else { "would shut out" };
    let more = if more > 0 { format!(", and {more} more") } else { String::new() };
    let target = first.target.map(|target| target.object.short()).unwrap_or_default();
    let port = first.port.map(|port| format!(" on port {port}")).unwrap_or_default();
    format!("networkpolicy/{policy} {does} {} from {target}{port}{more}", first.caller.object.short())
}

fn evidence(mut finding: Finding, call: &Blocked<'_>) -> Finding {
    if let Some(line) = &call.line {
        finding = finding.because(line.pod.clone(), line.path(), line.quote());
    }
    if let Some(configured) = call.call {
        finding = finding.because(
            configured.object.clone(),
            configured.path.clone(),
            configured.value.chars().take(300).collect::<String>(),
        );
    }
    if let Some(service) = &call.service {
        finding = finding.mentions(service.clone());
    }
    finding.affects(call.caller.object.clone())
}

fn fix(call: &Blocked<'_>, policy: &ObjectRef) -> Recommendation {
    let from = call.caller.labels.map(selector::print).unwrap_or_default();
    let port = call.port.map(|port| format!(" on port {port}")).unwrap_or_default();
    let summary =
        format!("add an ingress rule that admits pods labelled {from} of namespace {}{port}", call.caller.namespace());
    let command = quote::command(&["kubectl", "edit", "networkpolicy", &policy.name, "-n", policy.namespace()]);
    Recommendation::new("edit-object", summary).command(command)
}
