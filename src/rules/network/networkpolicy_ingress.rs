//! A network policy shuts out a caller.

use crate::model::store::HasMeta as _;
use crate::model::{Finding, Kind, Severity};
use crate::rules::{Rule, consequences};
use crate::scene::Scene;
use crate::scene::services::selector;
use crate::scene::traffic::blocked::{self, Blocked, and_more, on_port};
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
    blocked::by_policy(blocked::calls(scene, Direction::Ingress))
        .iter()
        .filter_map(|calls| finding(scene, calls))
        .collect()
}

fn finding(scene: &Scene<'_>, calls: &[Blocked<'_>]) -> Option<Finding> {
    let first = calls.first()?;
    blocked::finding(scene, &RULE, calls, Direction::Ingress, message(first, &and_more(calls)), cure(first))
}

/// Says what is blocked for sure, or would be where the cluster's network heeds policies.
fn message(first: &Blocked<'_>, more: &str) -> String {
    let policy = first.policy.object.name();
    let does = if first.line.is_some() { "shuts out" } else { "would shut out" };
    let target = first.target.map(|target| target.object.short()).unwrap_or_default();
    format!("networkpolicy/{policy} {does} {} from {target}{}{more}", first.caller.object.short(), on_port(first))
}

fn cure(call: &Blocked<'_>) -> String {
    let from = call.caller.labels.map(selector::print).unwrap_or_default();
    let (namespace, port) = (call.caller.namespace(), on_port(call));
    format!("add an ingress rule that admits pods labelled {from} of namespace {namespace}{port}")
}
