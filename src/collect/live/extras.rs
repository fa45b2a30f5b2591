//! What only some troubles need: other namespaces' pods, usage, certificates, cluster roles.

use std::collections::BTreeSet;

use serde::Deserialize;
use serde_json::Value;

use super::amounts::ran_out_of_memory;
use super::cgroups::Containers;
use super::fetch::{self, List};
use super::suspicion::Suspect;
use crate::collect::client::{ApiClient, JSON, RequestError};
use crate::collect::intake::Intake;
use crate::collect::plan::Plan;
use crate::model::store::HasMeta as _;
use crate::model::{ContainerRef, Gap, Kind, Scope, Snapshot, Usage};

const METRICS: &str = "/apis/metrics.k8s.io/v1beta1";
/// At most so many nodes are asked for cAdvisor's lines.
const MAX_NODES: usize = 5;
/// So many where amounts are asked about.
pub(super) const MOST_NODES: usize = 30;
/// At most so many other namespaces are looked into.
const MAX_NAMESPACES: usize = 3;
const KUBE_SYSTEM: &str = "kube-system";

/// Returns the lists that the first phase showed to be needed.
pub(super) fn lists(snapshot: &Snapshot) -> Vec<List> {
    let mut lists = Vec::new();
    let one_namespace = !snapshot.scope.namespaces.is_empty();
    if one_namespace && snapshot.objects.pods.iter().any(|pod| waits_for_a_node(&pod.object)) {
        // The nodes' free room is what the pods of all namespaces leave.
        lists.push(List::of(Kind::Pod, None));
    }
    if one_namespace && snapshot.objects.pods.iter().any(|pod| ran_out_of_memory(&pod.object)) {
        let namespaces = outside_writers(snapshot).into_iter().take(MAX_NAMESPACES);
        lists.extend(namespaces.map(|namespace| List::of(Kind::CronJob, Some(namespace))));
    }
    lists
}

/// Returns the other namespaces whose ServiceAccounts were given rights in scope: a CronJob there may change limits here.
fn outside_writers(snapshot: &Snapshot) -> BTreeSet<&str> {
    let bindings = snapshot.objects.role_bindings.iter().filter(|binding| snapshot.scope.includes(binding.namespace()));
    let accounts = bindings.flat_map(|binding| binding.subjects.iter().flatten());
    let accounts = accounts.filter(|subject| subject.kind == "ServiceAccount");
    accounts.filter_map(|subject| subject.namespace.as_deref()).filter(|name| !snapshot.scope.includes(name)).collect()
}

/// Returns the lists that the logs showed to be needed.
pub(super) fn late_lists(snapshot: &Snapshot) -> Vec<List> {
    let logs = || snapshot.logs.values().flat_map(|logs| [&logs.current, &logs.previous]).flatten();
    let mut lists = Vec::new();
    if logs().any(|log| log.lines().any(is_refusal)) {
        lists.push(List::of(Kind::ClusterRole, None));
        lists.push(List::of(Kind::ClusterRoleBinding, None));
        // Those of a namespace were read with it, and not where one pod was asked for.
        for namespace in &snapshot.scope.namespaces {
            let unread = |kind: &Kind| !snapshot.objects.coverage(*kind).lists(namespace);
            let kinds = [Kind::Role, Kind::RoleBinding].into_iter().filter(unread);
            lists.extend(kinds.map(|kind| List::of(kind, Some(namespace))));
        }
    }
    if one_of(
        logs(),
        &[
            "no such host",
            "could not resolve",
            "Could not resolve",
            "Name or service not known",
            "bad address",
            "EAI_AGAIN",
            "name resolution",
            "server misbehaving",
            "SERVFAIL",
        ],
    ) && !snapshot.scope.includes(KUBE_SYSTEM)
    {
        lists.push(List::of(Kind::ConfigMap, Some(KUBE_SYSTEM)).narrowed("fieldSelector", "metadata.name=coredns"));
        lists.push(List::of(Kind::Pod, Some(KUBE_SYSTEM)).narrowed("labelSelector", "k8s-app=kube-dns"));
    }
    lists
}

/// Returns whether a line may tell that the API refused a program: in its own words, or with a 403 and one of its kinds.
fn is_refusal(line: &str) -> bool {
    let kinds = ["pods", "services", "secrets", "configmaps", "nodes", "deployments", "jobs", "events", "namespaces"];
    let refused = line.contains("403") || line.contains("orbidden");
    refused && (line.contains("cannot ") || kinds.iter().any(|kind| line.contains(kind)))
}

fn one_of<'l>(logs: impl Iterator<Item = &'l String>, words: &[&str]) -> bool {
    logs.into_iter().any(|log| words.iter().any(|word| log.contains(word)))
}

fn waits_for_a_node(pod: &k8s_openapi::api::core::v1::Pod) -> bool {
    let phase = pod.status.as_ref().and_then(|status| status.phase.as_deref());
    phase == Some("Pending") && pod.spec.as_ref().is_none_or(|spec| spec.node_name.as_deref().is_none_or(str::is_empty))
}

/// The answer of metrics.k8s.io.
#[derive(Deserialize)]
pub(super) struct PodMetricsList {
    #[serde(default)]
    pub(super) items: Vec<PodMetrics>,
}

#[derive(Deserialize)]
pub(super) struct PodMetrics {
    pub(super) metadata: Value,
    #[serde(default)]
    pub(super) timestamp: Option<jiff::Timestamp>,
    #[serde(default)]
    pub(super) containers: Vec<ContainerMetrics>,
}

#[derive(Deserialize)]
pub(super) struct ContainerMetrics {
    pub(super) name: String,
    pub(super) usage: Usage,
}

/// The samples of some namespaces, or why there are none.
pub(super) type UsageAnswers = Vec<(String, Result<bytes::Bytes, RequestError>)>;

/// Reads point samples of usage, if anything is suspicious or amounts are asked about.
pub(super) async fn usage(client: &ApiClient, plan: &Plan, suspects: &[Suspect]) -> UsageAnswers {
    if !plan.is_about_amounts() && suspects.iter().all(|suspect| suspect.sample) {
        return Vec::new();
    }
    point_samples(client, &plan.scope.namespaces).await
}

/// Asks metrics.k8s.io for the present usage of the containers of some namespaces, or of all.
pub(super) async fn point_samples(client: &ApiClient, namespaces: &[String]) -> UsageAnswers {
    let everywhere = namespaces.is_empty().then(|| (String::new(), format!("{METRICS}/pods")));
    let each = namespaces.iter().map(|name| (name.clone(), format!("{METRICS}/namespaces/{name}/pods")));
    let requests = everywhere.into_iter().chain(each).map(|(name, path)| async move {
        let answer = client.get_bytes(&path, &[], JSON).await;
        (name, answer)
    });
    futures::future::join_all(requests).await
}

/// Lines of cAdvisor by node, or why there are none.
pub(super) type CadvisorAnswers = Vec<(String, Result<String, RequestError>)>;

/// Reads cAdvisor's lines about the suspicious pods, if that was asked for.
pub(super) async fn cadvisor(
    client: &ApiClient,
    plan: &Plan,
    snapshot: &Snapshot,
    suspects: &[Suspect],
) -> CadvisorAnswers {
    if !plan.kubelet_metrics {
        return Vec::new();
    }
    let sick = suspects.iter().filter(|suspect| !suspect.sample).map(|suspect| suspect.node.as_str());
    let sick: BTreeSet<&str> = sick.filter(|node| !node.is_empty()).collect();
    // Also of those that look healthy: who is throttled is only slow.
    let pods = snapshot.objects.pods.iter().filter(|pod| snapshot.scope.includes(pod.object.namespace()));
    let nodes = pods.filter_map(|pod| pod.spec.as_ref()?.node_name.as_deref()).filter(|node| !node.is_empty());
    let others: BTreeSet<&str> = nodes.filter(|node| !sick.contains(node)).collect();
    let nodes = sick.into_iter().chain(others);
    let most = if plan.is_about_amounts() { MOST_NODES } else { MAX_NODES };
    let nodes: Vec<&str> = nodes.take(most).collect();
    cadvisor_of(client, snapshot, &nodes).await
}

/// Asks the kubelets of some nodes for cAdvisor's lines about a scope.
pub(super) async fn cadvisor_of(client: &ApiClient, snapshot: &Snapshot, nodes: &[&str]) -> CadvisorAnswers {
    let containers = &Containers::new(snapshot);
    let requests = nodes.iter().map(|node| async move {
        let path = format!("/api/v1/nodes/{node}/proxy/metrics/cadvisor");
        let answer = client.get_bytes(&path, &[], "text/plain").await;
        (
            (*node).to_owned(),
            answer.map(|bytes| lines_of(&snapshot.scope, containers, &String::from_utf8_lossy(&bytes))),
        )
    });
    futures::future::join_all(requests).await
}

/// Keeps the lines about pods in scope.
fn lines_of(scope: &Scope, containers: &Containers<'_>, text: &str) -> String {
    let in_scope = |line: &&str| {
        let namespace = line.split_once("namespace=\"").and_then(|(_, rest)| rest.split_once('"'));
        namespace.is_some_and(|(namespace, _)| !namespace.is_empty() && scope.includes(namespace))
    };
    let lines = text.lines().map(|line| containers.named(line));
    let mut kept = String::new();
    for line in lines.filter(|line| in_scope(&line.as_ref())) {
        kept.push_str(&line);
        kept.push('\n');
    }
    kept
}

/// Adds usage and cAdvisor's lines to the snapshot.
pub(super) fn take_in(intake: &mut Intake, usage: UsageAnswers, cadvisor: CadvisorAnswers) {
    for (namespace, answer) in usage {
        let namespace = Some(namespace.as_str()).filter(|name| !name.is_empty());
        match answer {
            Ok(bytes) => add_usage(intake.snapshot_mut(), &bytes),
            Err(error) => intake.gap(Gap::other(
                "pods.metrics.k8s.io",
                namespace,
                None,
                fetch::reason(&error),
                &error.to_string(),
            )),
        }
    }
    for (node, answer) in cadvisor {
        match answer {
            Ok(lines) => _ = intake.snapshot_mut().cadvisor.insert(node, lines),
            Err(error) => {
                intake.gap(Gap::other("nodes/proxy", None, Some(&node), fetch::reason(&error), &error.to_string()));
            }
        }
    }
}

fn add_usage(snapshot: &mut Snapshot, bytes: &[u8]) {
    let list: PodMetricsList = serde_json::from_slice(bytes).unwrap_or(PodMetricsList { items: Vec::new() });
    for pod in list.items {
        let word = |key: &str| pod.metadata[key].as_str().unwrap_or_default().to_owned();
        for container in pod.containers {
            let address = ContainerRef { namespace: word("namespace"), pod: word("name"), container: container.name };
            snapshot.usage.insert(address, Usage { time: pod.timestamp, ..container.usage });
        }
    }
}

/// Returns the TLS Secrets that Ingresses and Gateways in scope name, if they may be read.
pub(super) fn tls_secrets(plan: &Plan, snapshot: &Snapshot) -> BTreeSet<(String, String)> {
    if !plan.read_tls_secrets {
        return BTreeSet::new();
    }
    let ingresses = snapshot.objects.ingresses.iter().flat_map(|ingress| {
        let entries = ingress.spec.iter().flat_map(|spec| spec.tls.iter().flatten());
        entries.filter_map(|tls| Some((ingress.object.namespace().to_owned(), tls.secret_name.clone()?)))
    });
    let gateways = snapshot.objects.custom.iter().filter(|item| item.kind == "Gateway").flat_map(|gateway| {
        let listeners = gateway.spec["listeners"].as_array().into_iter().flatten();
        let refs = listeners.flat_map(|listener| listener["tls"]["certificateRefs"].as_array().into_iter().flatten());
        refs.filter_map(|to| {
            let namespace = to["namespace"].as_str().unwrap_or(gateway.object.namespace());
            Some((namespace.to_owned(), to["name"].as_str()?.to_owned()))
        })
    });
    ingresses.chain(gateways).collect()
}

/// Reads TLS Secrets and keeps the certificate alone; the key never leaves this function.
pub(super) async fn certificates(client: &ApiClient, intake: &mut Intake, names: BTreeSet<(String, String)>) {
    for (namespace, name) in names {
        let path = format!("{}/{name}", Kind::Secret.path(Some(&namespace)));
        match client.get_bytes(&path, &[], JSON).await {
            Ok(bytes) => {
                let secret: Value = serde_json::from_slice(&bytes).unwrap_or_default();
                intake.certificate(&namespace, &name, secret["data"]["tls.crt"].as_str());
            }
            Err(RequestError::NotFound { .. }) => {}
            Err(error) => {
                let gap = Gap {
                    name: Some(name),
                    ..Gap::kind(Kind::Secret, Some(&namespace), fetch::reason(&error), error.to_string())
                };
                intake.gap(gap);
            }
        }
    }
}
