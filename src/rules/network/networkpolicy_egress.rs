//! A network policy keeps pods from what they call.

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
    blocked::by_policy(blocked).iter().filter_map(|calls| finding(calls)).collect()
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
    let rules = spec.map_or(0, |spec| spec.egress.as_ref().map_or(0, Vec::len));
    let finding = RULE
        .finding(policy.clone(), message(first, calls.len() - 1))
        .severity(if seen { Severity::Error } else { Severity::Warning })
        .confidence(if seen { 0.92 } else { 0.6 })
        .because(policy.clone(), "spec.podSelector", selected.unwrap_or_else(|| "all pods".to_owned()))
        .because(
            policy.clone(),
            "spec.egress",
            if rules == 0 { "no rules".to_owned() } else { format!("{rules} rules, none for this peer and port") },
        )
        .recommend(fix(first, &policy))
        .next(quote::command(&["kubectl", "describe", "networkpolicy", &policy.name, "-n", policy.namespace()]));
    Some(calls.iter().take(3).fold(finding, evidence))
}

/// Says what is blocked for sure, or would be where the cluster's network heeds policies.
fn message(first: &Blocked<'_>, more: usize) -> String {
    let policy = first.policy.object.name();
    let does = if first.line.is_some() { "keeps" } else { "would keep" };
    let more = if more > 0 { format!(", and {more} more") } else { String::new() };
    let caller = first.caller.object.short();
    let port = first.port.map(|port| format!(" on port {port}")).unwrap_or_default();
    match first.target {
        Some(target) => {
            format!("networkpolicy/{policy} {does} {caller} from reaching {}{port}{more}", target.object.short())
        }
        None => {
            format!("networkpolicy/{policy} {does} {caller} from asking cluster DNS{port}, so no name resolves{more}")
        }
    }
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
    let port = call.port.map(|port| format!(" on port {port}")).unwrap_or_default();
    let summary = match call.target {
        Some(target) => {
            let labels = target.labels.map(selector::print).unwrap_or_default();
            format!("add an egress rule to pods labelled {labels} of namespace {}{port}", target.namespace())
        }
        None => {
            "add an egress rule to port 53, UDP and TCP, of the pods labelled k8s-app=kube-dns in namespace kube-system"
                .to_owned()
        }
    };
    let command = quote::command(&["kubectl", "edit", "networkpolicy", &policy.name, "-n", policy.namespace()]);
    Recommendation::new("edit-object", summary).command(command)
}
