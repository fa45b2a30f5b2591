//! A pod does not ask cluster DNS, yet calls Services by name.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::PodSpec;

use crate::model::{Finding, Kind, Recommendation, Severity};
use crate::render::quote;
use crate::rules::{Rule, consequences};
use crate::scene::traffic::calls;
use crate::scene::traffic::failing_calls::{self, Line};
use crate::scene::{Call, PodView, Scene, Workload};

/// See [`Rule::docs`].
pub static RULE: Rule = Rule {
    id: "dns-policy",
    category: "dns_policy",
    summary: "detects pods whose `dnsPolicy` keeps them from cluster DNS although they call Services by name",
    docs: "\
## What it means
With `dnsPolicy: Default` a pod asks the node's DNS server, with `None` those of its `dnsConfig`, and on the host's \
network `ClusterFirst` falls back to `Default`. Those servers do not know the cluster's Services, so their names do not \
resolve.

## How it is detected
The pod template's policy is one of these, its name servers are not the address of the cluster's DNS Service, and the \
program is configured with names of Services or its log says that such names do not resolve.

## What to do
Remove `dnsPolicy` (the default `ClusterFirst` asks cluster DNS, which forwards other names), or use \
`ClusterFirstWithHostNet` on the host's network.",
    severity: Severity::Error,
    needs: &[Kind::Pod, Kind::Service, Kind::Deployment],
    uses: &[],
    explains: &[consequences::CALLS_FAIL, consequences::PROBES_FAIL, &["external-dns", "init-container-failed"]],
    check,
};

fn check(scene: &Scene<'_>) -> Vec<Finding> {
    let mut called: BTreeMap<usize, &Call<'_>> = BTreeMap::new();
    for call in scene
        .calls()
        .iter()
        .filter(|call| scene.snapshot.objects.services.get(&call.service.0, &call.service.1).is_some())
    {
        called.entry(call.caller).or_insert(call);
    }
    let workloads = scene.workloads().iter().enumerate().filter(|(_, workload)| !workload.pods.is_empty());
    workloads.filter_map(|(index, workload)| judge(scene, workload, called.get(&index).copied())).collect()
}

fn judge(scene: &Scene<'_>, workload: &Workload<'_>, call: Option<&Call<'_>>) -> Option<Finding> {
    let template = workload.template?;
    let (policy, servers) = (bypass(scene, template)?, servers(template));
    let line = scene
        .pods_of(workload)
        .flat_map(PodView::containers)
        .flat_map(failing_calls::unresolved)
        .find(|line| is_service(scene, workload, line) || names_one(&servers, line));
    let unclear = policy == "None" && asks_cluster(scene, template).is_none();
    if unclear && line.is_none() {
        return None;
    }
    let name = line.as_ref().and_then(|line| line.host).or(call.map(|call| call.host))?;
    let short = workload.object.short();
    let asks =
        if servers.is_empty() { "the node's name servers".to_owned() } else { format!("`{}`", servers.join(", ")) };
    let does = if line.is_some() { "does not resolve" } else { "will hardly resolve" };
    let message = format!(
        "{short} has `dnsPolicy: {policy}` and asks {asks} instead of cluster DNS, so the Service name `{name}` {does}"
    );
    let mut finding = RULE
        .finding(workload.object.clone(), message)
        .severity(if line.is_some() { Severity::Error } else { Severity::Warning })
        .confidence(if line.is_some() { 0.95 } else { 0.6 })
        .because(workload.object.clone(), "spec.template.spec.dnsPolicy", policy)
        .recommend(fix(template, workload));
    if !servers.is_empty() {
        finding =
            finding.because(workload.object.clone(), "spec.template.spec.dnsConfig.nameservers", servers.join(", "));
    }
    if let Some(line) = &line {
        finding = finding.because(line.pod.clone(), line.path(), line.quote()).affects(line.pod.clone());
    } else if let Some(call) = call {
        finding =
            finding.because(call.object.clone(), call.path.clone(), call.value.chars().take(300).collect::<String>());
    }
    Some(finding)
}

fn fix(template: &PodSpec, workload: &Workload<'_>) -> Recommendation {
    let policy = if template.host_network == Some(true) { "ClusterFirstWithHostNet" } else { "ClusterFirst" };
    let command = quote::command(&["kubectl", "edit", &workload.object.short(), "-n", workload.namespace()]);
    Recommendation::new(
        "edit-object",
        format!("set `dnsPolicy: {policy}` in the pod template of {}", workload.object.short()),
    )
    .command(command)
}

/// Returns the policy's word if it leads past cluster DNS.
fn bypass<'t>(scene: &Scene<'_>, template: &'t PodSpec) -> Option<&'t str> {
    let policy = template.dns_policy.as_deref().unwrap_or("ClusterFirst");
    let past = match policy {
        "Default" => true,
        "None" => asks_cluster(scene, template) != Some(true),
        "ClusterFirst" => template.host_network == Some(true),
        _ => false,
    };
    past.then_some(policy)
}

fn servers(template: &PodSpec) -> Vec<&str> {
    template.dns_config.iter().flat_map(|config| config.nameservers.iter().flatten()).map(String::as_str).collect()
}

/// Returns whether one of the pod's own name servers is cluster DNS; `None` if that cannot be told, as the address of the
/// DNS Service is not known and the server's is a private one.
fn asks_cluster(scene: &Scene<'_>, template: &PodSpec) -> Option<bool> {
    let services = scene.snapshot.objects.services.in_namespace("kube-system");
    let addresses = services.filter_map(|service| service.spec.as_ref()?.cluster_ip.as_deref());
    let known: Vec<&str> = addresses.filter(|address| *address != "None").collect();
    let servers = servers(template);
    // Node-local caches listen on a link-local address.
    if servers.iter().any(|server| known.contains(server) || server.starts_with("169.254.")) {
        return Some(true);
    }
    let unclear = known.is_empty() && servers.iter().any(|server| is_private(server));
    (!unclear).then_some(false)
}

fn is_private(address: &str) -> bool {
    address.parse::<std::net::IpAddr>().is_ok_and(|address| match address {
        std::net::IpAddr::V4(address) => address.is_private() || address.octets()[0] == 100,
        std::net::IpAddr::V6(address) => address.is_unique_local(),
    })
}

/// Returns whether a line says which server did not answer, and that is one of the pod's own.
fn names_one(servers: &[&str], line: &Line<'_>) -> bool {
    servers.iter().any(|server| failing_calls::has_word(line.text, &format!("{server}:53")))
}

fn is_service(scene: &Scene<'_>, workload: &Workload<'_>, line: &Line<'_>) -> bool {
    let service = line.host.and_then(|host| calls::service_of(host, workload.namespace()));
    service.is_some_and(|(namespace, name)| scene.snapshot.objects.services.get(&namespace, &name).is_some())
}
