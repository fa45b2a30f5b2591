//! A network policy keeps pods from what they call.

use crate::model::store::HasMeta as _;
use crate::model::{Finding, Kind, Severity};
use crate::rules::{Rule, consequences};
use crate::scene::Scene;
use crate::scene::services::selector;
use crate::scene::traffic::blocked::{self, Blocked, and_more, on_port};
use crate::scene::traffic::netpol::Direction;

/// See [`Rule::docs`].
pub static RULE: Rule = Rule {
    id: "networkpolicy-egress",
    category: "networkpolicy_egress",
    summary: "detects network policies that keep pods from DNS or from what they are configured to call",
    docs: "\
## What it means
A NetworkPolicy isolates the pods for egress, and no policy lets out what they need: their questions to cluster DNS, or \
their calls. Names then do not resolve, or connections time out, although everything runs.

## How it is detected
The pods are selected by policies of type Egress and no rule of any of them lets out port 53 to cluster DNS, or the call \
that their environment, arguments or ConfigMaps configure. If the log shows the failure it is an error; else a warning, \
as some networks do not heed policies: it would block.

## What to do
Add egress rules: port 53 (UDP and TCP) to the namespace kube-system, and the ports of what the pods call.",
    severity: Severity::Error,
    needs: &[Kind::NetworkPolicy, Kind::Pod, Kind::Service],
    uses: &[Kind::Namespace],
    explains: &[consequences::CALLS_FAIL, consequences::PROBES_FAIL, &["external-dns", "init-container-failed", "service-backends-missing"]],
    check,
};

fn check(scene: &Scene<'_>) -> Vec<Finding> {
    let mut blocked = blocked::dns(scene);
    blocked.extend(blocked::calls(scene, Direction::Egress));
    blocked::by_policy(blocked).iter().filter_map(|calls| finding(scene, calls)).collect()
}

fn finding(scene: &Scene<'_>, calls: &[Blocked<'_>]) -> Option<Finding> {
    let first = calls.first()?;
    blocked::finding(scene, &RULE, calls, Direction::Egress, message(first, &and_more(calls)), cure(first))
}

/// Says what is blocked for sure, or would be where the cluster's network heeds policies.
fn message(first: &Blocked<'_>, more: &str) -> String {
    let policy = first.policy.object.name();
    let does = if first.line.is_some() { "keeps" } else { "would keep" };
    let (caller, port) = (first.caller.object.short(), on_port(first));
    match first.target {
        Some(target) => {
            format!("networkpolicy/{policy} {does} {caller} from reaching {}{port}{more}", target.object.short())
        }
        None => {
            format!("networkpolicy/{policy} {does} {caller} from asking cluster DNS{port}, so no name resolves{more}")
        }
    }
}

fn cure(call: &Blocked<'_>) -> String {
    let Some(target) = call.target else {
        return "add an egress rule to port 53, UDP and TCP, of the pods labelled k8s-app=kube-dns in namespace kube-system"
            .to_owned();
    };
    let labels = target.labels.map(selector::print).unwrap_or_default();
    format!("add an egress rule to pods labelled {labels} of namespace {}{}", target.namespace(), on_port(call))
}
