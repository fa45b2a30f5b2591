//! A name outside the cluster does not resolve.

use crate::model::{Finding, Kind, Recommendation, Severity};
use crate::rules::{Rule, consequences};
use crate::scene::log::reach::Why;
use crate::scene::{Environment, Outage, Peer, Scene, Testimony, outages, testimonies};

/// See [`Rule::docs`].
pub static RULE: Rule = Rule {
    id: "external-dns",
    category: "external_dns",
    summary: "detects containers that need a name outside the cluster which does not resolve",
    docs: "\
## What it means
The program asks for a host outside the cluster, and DNS does not know it: the name is misspelt, the domain is gone, or the \
cluster's DNS cannot ask the world.

## How it is detected
The log of a crash ends with a name that did not resolve, or a running container repeats one, and the name is neither a \
Service nor in a namespace of the cluster.

## What to do
Correct the name where the program gets it from. If it is right, ask for it from another pod: when no outside name \
resolves, the upstream servers of CoreDNS or the egress rules are at fault.",
    severity: Severity::Error,
    needs: &[Kind::Pod],
    uses: &[Kind::Service, Kind::Namespace],
    explains: &[consequences::PROBES_FAIL, &["app-exception", "crash-no-logs", "init-container-failed", "init-container-waiting", "job-backoff-limit", "log-error-running", "log-trend", "owner-not-ready", "rollout-stuck", "service-backends-missing"]],
    check,
};

fn check(scene: &Scene<'_>) -> Vec<Finding> {
    testimonies(scene).filter_map(|testimony| external_dns(&testimony)).collect()
}

fn external_dns(testimony: &Testimony<'_>) -> Option<Finding> {
    let all = outages(testimony);
    let outage = all.iter().find(|outage| outage.why == Why::Unresolved && outage.peer == Peer::Outside)?;
    Some(finding(testimony, outage, outage.host.as_deref()?))
}

fn finding(testimony: &Testimony<'_>, outage: &Outage<'_>, host: &str) -> Finding {
    let container = testimony.container;
    let message = format!("{} needs `{host}`, a name outside the cluster that does not resolve", container.phrase());
    let finding = RULE.finding(container.subject(), message).key(host).confidence(outage.confidence);
    let mut finding = testimony.attest(finding, outage.template);
    let environment = Environment::of(container);
    let variable =
        environment.variables.iter().find(|variable| variable.value().is_some_and(|value| value.contains(host)));
    if let Some(variable) = variable {
        finding = finding.because(container.pod_ref(), variable.path.clone(), variable.shown());
    } else if let Some(word) = container.command_line().into_iter().find(|word| word.contains(host)) {
        finding =
            finding.because(container.pod_ref(), container.spec_path("args"), crate::scene::log::line::shown(word));
    }
    finding
        .recommend(Recommendation::new(
            "edit-object",
            format!("correct the name `{host}`, or check that the cluster's DNS can resolve outside names"),
        ))
        .next(testimony.logs_command())
}
