//! When an agent does not start or finish: our own rules say why, and what the ways out are.

use std::time::{Duration, Instant};

use tokio::time::sleep;

use super::frame::Reader;
use super::life::{End, Sign, Step, Tell};
use super::manifest::Settings;
use crate::analyse::analyse;
use crate::collect::client::{ApiClient, JSON, RequestError};
use crate::collect::live;
use crate::collect::plan::Plan;
use crate::failure::{Exit, Failure};
use crate::model::{Incident, Kind, Report, Scope, Severity, Target};
use crate::policy::Policy;

/// How long the cluster may take to tell more: events come late, and a pod is given some seconds before it is judged.
const PATIENCE: Duration = Duration::from_secs(9);
const AGAIN: Duration = Duration::from_millis(1200);

const FROM_HERE: &str = "without --in-cluster the same is read from here";

/// Words what the server refused when the objects were made.
pub(super) fn not_made(settings: &Settings, error: &RequestError) -> End {
    let Settings { namespace, .. } = settings;
    let failure =
        Failure::new(Exit::Agent, format!("the agent could not be made in namespace \"{namespace}\": {error}"));
    let text = error.to_string();
    let failure = if text.contains("being terminated") {
        failure.hint(format!("kubectl get namespace {namespace} -o yaml"))
    } else if text.contains("exceeded quota") {
        failure.hint(format!("kubectl describe resourcequota -n {namespace}"))
    } else {
        failure.hint("--in-cluster --dry-run=server shows which object is refused")
    };
    failure.hint(FROM_HERE).into()
}

/// Words an answer that is none.
pub(super) fn unreadable(why: &str) -> Failure {
    Failure::new(Exit::Agent, format!("the agent's answer cannot be read: {why}"))
        .hint("name an image of this version with --image or RCA_IMAGE")
        .hint(FROM_HERE)
}

/// Finds out why the agent does not start.
pub(super) async fn diagnose(client: &ApiClient, settings: &Settings, sign: &Sign, tell: Tell<'_>) -> End {
    tell(Step::Says("finding out why the agent does not start"));
    explain(client, settings, sign, "the agent could not start").await
}

/// Finds out why the agent ended without an answer; what it said itself comes first.
pub(super) async fn broken_off(
    client: &ApiClient,
    settings: &Settings,
    sign: &Sign,
    reader: &Reader,
    tell: Tell<'_>,
) -> End {
    tell(Step::Says("finding out why the agent did not finish"));
    let mut end = explain(client, settings, sign, "the agent could not finish").await;
    if let Some(line) = reader.others().iter().rfind(|line| !line.trim().is_empty()) {
        end.failure.hints.insert(0, format!("its last words: {line}"));
    }
    end
}

async fn explain(client: &ApiClient, settings: &Settings, sign: &Sign, what: &str) -> End {
    if let Some(failure) = namespace_goes(client, settings, what).await {
        return failure.into();
    }
    let report = examine(client, settings).await;
    let found = report.as_ref().and_then(|report| report.incidents.first().filter(|one| one.severity > Severity::Info));
    let failure = match found {
        Some(incident) => told(what, sign, incident),
        None => ways_out("", Failure::new(Exit::Agent, format!("{what}: {}", sign.0))),
    };
    End { failure, diagnosis: report.map(Box::new) }
}

/// Examines the Job as anybody's, until something is found or it has taken too long.
async fn examine(client: &ApiClient, settings: &Settings) -> Option<Report> {
    let targets = vec![Target::new(Kind::Job, &settings.name)];
    let scope = Scope { namespaces: vec![settings.namespace.clone()], targets };
    let plan = Plan { scope, ..Plan::default() };
    let started = Instant::now();
    loop {
        let snapshot = live::collect(client, &plan).await.ok();
        let report = snapshot.map(|snapshot| analyse(&snapshot, &Policy::default()));
        let is_told = |report: &Report| report.incidents.iter().any(|incident| incident.severity > Severity::Info);
        if report.as_ref().is_some_and(is_told) || started.elapsed() > PATIENCE {
            return report;
        }
        sleep(AGAIN).await;
    }
}

async fn namespace_goes(client: &ApiClient, settings: &Settings, what: &str) -> Option<Failure> {
    let namespace = &settings.namespace;
    let path = format!("{}/{namespace}", Kind::Namespace.path(None));
    let is_going = match client.get_bytes(&path, &[], JSON).await {
        Ok(bytes) => {
            let object: serde_json::Value = serde_json::from_slice(&bytes).unwrap_or_default();
            object["status"]["phase"] == "Terminating"
        }
        Err(error) => matches!(error, RequestError::NotFound { .. }),
    };
    let failure = || Failure::new(Exit::Agent, format!("{what}: namespace \"{namespace}\" is being deleted"));
    is_going.then(|| failure().hint(format!("kubectl get namespace {namespace} -o yaml")))
}

fn told(what: &str, sign: &Sign, incident: &Incident) -> Failure {
    let cause = &incident.cause;
    let failure = Failure::new(Exit::Agent, format!("{what}: {} ({})", cause.message, cause.rule.id));
    let failure = ways_out(cause.rule.id, failure.hint(format!("first sign: {}", sign.0)));
    cause.recommendations.iter().take(2).fold(failure, |failure, advice| {
        let command = advice.command.as_ref().map(|command| format!(": {command}")).unwrap_or_default();
        failure.hint(format!("{}{command}", advice.summary))
    })
}

/// Says what to do about an agent, which is not always what to do about a workload.
fn ways_out(rule: &str, failure: Failure) -> Failure {
    let failure = match rule {
        "image-unauthorized" => {
            failure.hint("name the pull secret with --image-pull-secret, or an image that needs none with --image")
        }
        rule if rule.starts_with("image-") || rule == "arch-mismatch" || rule == "bad-command" => {
            failure.hint("name an image that the nodes have or can pull with --image or RCA_IMAGE")
        }
        "service-account-missing" => failure.hint("name another account with --service-account"),
        "untolerated-taint" | "node-selector-mismatch" | "node-cordoned" => {
            failure.hint("--toleration and --node-selector say where the agent may run")
        }
        "job-deadline" => failure.hint("give it more time with --agent-timeout"),
        _ => failure,
    };
    failure.hint(FROM_HERE)
}
