//! Reads whole namespaces: one LIST a kind, all at once.

use serde_json::Value;

use super::fetch::{self, List};
use super::{amounts, extras, logs, monitoring, owners, suspicion, usage, version};
use crate::collect::client::{ApiClient, JSON, RequestError};
use crate::collect::intake::Intake;
use crate::collect::plan::Plan;
use crate::failure::Failure;
use crate::model::{GapReason, Kind, Snapshot};

/// Where the kubelets renew their leases.
const NODE_LEASES: &str = "kube-node-lease";

/// Logs that are read at the same time; lists need connections too.
const LOGS_AT_ONCE: usize = 8;

/// Reads the plan's namespaces, or all.
pub(super) async fn collect(client: &ApiClient, plan: &Plan) -> Result<Snapshot, Failure> {
    let namespaces = &plan.scope.namespaces;
    let downloads = lists(namespaces).into_iter().map(|list| fetch::start(client, list)).collect();
    let names = namespaces.iter().map(|name| (Kind::Namespace, String::new(), name.clone()));
    let (version, named) = tokio::join!(version(client), fetch::named(client, names));
    let server = match version {
        // A server that does not even say its version in time would be waited for with every list.
        Err(error @ RequestError::Timeout) => return Err(error.into_failure("the server's version")),
        Err(error) if error.concerns_the_whole_run() => return Err(error.into_failure("the server's version")),
        version => version.ok().flatten(),
    };
    if let Some(((_, _, name), _)) =
        named.iter().find(|(_, answer)| matches!(answer, Err(RequestError::NotFound { .. })))
    {
        return Err(no_such_namespace(client, name).await);
    }
    let mut snapshot = Snapshot::new(jiff::Timestamp::now(), plan.scope.clone());
    snapshot.server = server;
    snapshot.context.clone_from(&plan.context);
    let mut intake = Intake::new(snapshot, plan.keep);
    fetch::take_in(&mut intake, named);
    let intake = fetch::decode(intake, downloads).await?;
    refused_everything(intake.snapshot())?;
    follow_up(client, plan, intake).await
}

/// The second phase: what the first one showed to be needed.
pub(super) async fn follow_up(client: &ApiClient, plan: &Plan, mut intake: Intake) -> Result<Snapshot, Failure> {
    let mut suspects = suspicion::containers(intake.snapshot());
    // What a healthy program writes says nothing of amounts.
    suspects.retain(|suspect| plan.samples_logs() || !suspect.sample);
    let lists = extras::lists(intake.snapshot());
    let downloads = lists.into_iter().map(|list| fetch::start(client, list)).collect();
    let (texts, usage, owners, cadvisor, systems, amounts) = tokio::join!(
        logs::fetch(client, &suspects, LOGS_AT_ONCE),
        extras::usage(client, plan, &suspects),
        owners::fetch(client, intake.snapshot()),
        extras::cadvisor(client, plan, intake.snapshot(), &suspects),
        monitoring::find(client, plan),
        amounts::fetch(client, plan, intake.snapshot()),
    );
    intake = fetch::decode(intake, downloads).await?;
    logs::take_in(&mut intake, texts);
    extras::take_in(&mut intake, usage, cadvisor);
    owners::take_in(&mut intake, owners);
    amounts::take_in(&mut intake, plan, amounts);
    let runs = usage::killed_runs(intake.snapshot());
    let names = extras::tls_secrets(plan, intake.snapshot());
    let certificates = extras::certificates(client, &mut intake, names);
    let ((), answers) = tokio::join!(certificates, monitoring::ask(client, plan, &systems, &runs));
    monitoring::take_in(&mut intake, answers);
    let late = extras::late_lists(intake.snapshot()).into_iter().map(|list| fetch::start(client, list)).collect();
    Ok(fetch::decode(intake, late).await?.finish())
}

/// Returns the lists of the first phase, in the order in which they are decoded.
pub(super) fn lists(namespaces: &[String]) -> Vec<List> {
    let mut lists = Vec::new();
    for kind in Kind::ALL.iter().copied().filter(|kind| in_first_phase(*kind)) {
        if kind.namespaced() && !namespaces.is_empty() {
            lists.extend(namespaces.iter().map(|namespace| List::of(kind, Some(namespace))));
        } else {
            lists.push(List::of(kind, None));
        }
    }
    lists.push(List::of(Kind::Lease, Some(NODE_LEASES)));
    if !namespaces.is_empty() {
        // Events about cluster-scoped objects such as nodes are kept in the namespace `default`.
        lists.push(List::of(Kind::Event, Some("default")).narrowed("fieldSelector", "involvedObject.kind=Node"));
        lists.retain(|list| list.kind != Kind::Namespace);
    }
    lists
}

/// Endpoints are told by slices; leases and cluster roles are asked for where they matter.
fn in_first_phase(kind: Kind) -> bool {
    !matches!(kind, Kind::Endpoints | Kind::Lease | Kind::ClusterRole | Kind::ClusterRoleBinding)
}

/// Tells that a namespace does not exist, with the nearest names.
async fn no_such_namespace(client: &ApiClient, name: &str) -> Failure {
    let failure = Failure::not_found(format!("namespaces \"{name}\" not found"));
    let Ok(bytes) = client.get_bytes(&Kind::Namespace.path(None), &[], JSON).await else {
        return failure.hint("kubectl get namespaces");
    };
    let list: Value = serde_json::from_slice(&bytes).unwrap_or_default();
    let existing = list["items"].as_array().into_iter().flatten().filter_map(|item| item["metadata"]["name"].as_str());
    let near = existing.filter(|other| strsim::damerau_levenshtein(name, other) <= 3 || other.contains(name));
    let near: Vec<&str> = near.take(3).collect();
    match near.as_slice() {
        [] => failure.hint("kubectl get namespaces"),
        near => failure.hint(format!("did you mean {}?", near.join(" or "))),
    }
}

/// Fails when the server refused every list of the scope: there is nothing to say then.
fn refused_everything(snapshot: &Snapshot) -> Result<(), Failure> {
    let kinds = || Kind::ALL.iter().copied().filter(|kind| kind.namespaced() && in_first_phase(*kind));
    if kinds().any(|kind| !snapshot.objects.coverage(kind).is_empty()) {
        return Ok(());
    }
    let Some(gap) = snapshot.gaps_of(Kind::Pod).next() else { return Ok(()) };
    Err(match gap.reason {
        GapReason::Forbidden => {
            Failure::unreachable(gap.message.clone()).hint("kubectl auth can-i --list").hint("kubectl auth whoami")
        }
        _ => Failure::unreachable(format!("cannot read pods: {}", gap.message)).hint("kubectl cluster-info"),
    })
}
