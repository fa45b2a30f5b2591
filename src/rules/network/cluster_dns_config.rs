//! CoreDNS is configured so that names of Services do not resolve.

use std::sync::LazyLock;

use regex::Regex;

use crate::model::store::HasMeta as _;
use crate::model::{Finding, Kind, ObjectRef, Recommendation, Severity};
use crate::render::quote;
use crate::rules::{Rule, consequences};
use crate::scene::Scene;
use crate::scene::pods::owners;
use crate::scene::traffic::calls;
use crate::scene::traffic::failing_calls::{self, Line};

/// See [`Rule::docs`].
pub static RULE: Rule = Rule {
    id: "cluster-dns-config",
    category: "cluster_dns_config",
    summary: "detects a CoreDNS configuration under which names of Services do not resolve",
    docs: "\
## What it means
The cluster's DNS server answers wrongly for the names of Services, so programs in all namespaces fail to find each other.

## How it is detected
The `Corefile` in configmap/coredns of kube-system has no `kubernetes` plugin, or a `template` in the block of the \
cluster's domain answers names of Services with an error code before that plugin is asked. Names of existing Services that \
do not resolve, as logs say, make it surer. Or no pod of CoreDNS is ready while names do not resolve.

## What to do
Correct the `Corefile`; CoreDNS reloads it within a minute where the plugin `reload` is on, else restart its pods.",
    severity: Severity::Critical,
    needs: &[Kind::ConfigMap, Kind::Pod, Kind::Service],
    uses: &[],
    explains: &[consequences::CALLS_FAIL, consequences::PROBES_FAIL, &["external-dns", "init-container-failed"]],
    check,
};

/// A name that every cluster knows.
const PROBE: &str = "kubernetes.default.svc.cluster.local.";

fn check(scene: &Scene<'_>) -> Vec<Finding> {
    let config = misconfigured(scene);
    if config.is_empty() { none_ready(scene).into_iter().collect() } else { config }
}

/// Reports that no pod of cluster DNS is ready, if names fail to resolve meanwhile.
fn none_ready(scene: &Scene<'_>) -> Option<Finding> {
    let pods = scene.snapshot.objects.pods.in_namespace("kube-system");
    let dns = pods.filter(|pod| {
        pod.metadata.labels.as_ref().and_then(|labels| labels.get("k8s-app")).is_some_and(|app| app == "kube-dns")
    });
    // Pods of other namespaces may have been read without their conditions.
    let conditions = dns.filter_map(|pod| {
        Some((pod, pod.status.as_ref()?.conditions.as_ref()?.iter().find(|condition| condition.type_ == "Ready")?))
    });
    let conditions: Vec<_> = conditions.collect();
    let (pod, ready) = conditions.first().copied()?;
    if conditions.iter().any(|(_, ready)| ready.status == "True") {
        return None;
    }
    let line = failing(scene)?;
    let workload = owners::workload_of(scene.snapshot, pod);
    let since = ready.last_transition_time.as_ref().map(|time| time.0);
    let message =
        format!("no pod of {} in kube-system is ready, so names of Services do not resolve", workload.short());
    let describe = quote::command(&["kubectl", "describe", &workload.short(), "-n", "kube-system"]);
    let finding = RULE.finding(workload.clone(), message).confidence(0.95).seen(since, Some(scene.now()));
    let finding = finding.because_at(
        ObjectRef::new(Kind::Pod, "kube-system", pod.object.name()),
        "status.conditions[Ready].status",
        ready.status.clone(),
        since,
    );
    let finding = finding.because(line.pod.clone(), line.path(), line.quote()).affects(line.pod.clone());
    Some(
        finding
            .recommend(Recommendation::new(
                "mend-cause",
                format!("mend what keeps the pods of {} from being ready", workload.short()),
            ))
            .next(describe)
            .next(DNS_LOGS.as_str()),
    )
}

fn misconfigured(scene: &Scene<'_>) -> Vec<Finding> {
    let Some(map) = scene.snapshot.objects.config_maps.get("kube-system", "coredns") else { return Vec::new() };
    let Some(file) = map.data.as_ref().and_then(|data| data.get("Corefile")) else { return Vec::new() };
    let lines: Vec<(usize, &str)> = file
        .lines()
        .enumerate()
        .map(|(index, line)| (index + 1, line.trim()))
        .filter(|(_, line)| !line.starts_with('#'))
        .collect();
    let fault = refusing_template(&lines).or_else(|| no_plugin(&lines));
    fault.map(|fault| finding(scene, &fault)).into_iter().collect()
}

/// What is wrong, with the lines that say so.
struct Fault {
    what: String,
    at: usize,
    quote: String,
    fix: &'static str,
}

fn no_plugin(lines: &[(usize, &str)]) -> Option<Fault> {
    let has = lines
        .iter()
        .any(|(_, line)| line.split_whitespace().next() == Some("kubernetes") || line.starts_with("import "));
    let quote = lines.iter().map(|(_, line)| *line).collect::<Vec<_>>().join("\n").chars().take(200).collect();
    let what = "has no `kubernetes` plugin, so no name of a Service resolves".to_owned();
    (!has && !lines.is_empty()).then_some(Fault {
        what,
        at: 1,
        quote,
        fix: "add `kubernetes cluster.local in-addr.arpa ip6.arpa` to the Corefile",
    })
}

/// Finds a template that answers names of Services with an error; CoreDNS asks it before the `kubernetes` plugin.
fn refusing_template(lines: &[(usize, &str)]) -> Option<Fault> {
    for (index, (at, line)) in lines.iter().enumerate() {
        let mut words = line.split_whitespace();
        if words.next() != Some("template") || !serves_cluster(lines, index) {
            continue;
        }
        let zones: Vec<&str> = words.skip(2).filter(|word| *word != "{").collect();
        let body: Vec<&str> =
            lines[index + 1..].iter().map(|(_, line)| *line).take_while(|line| *line != "}").collect();
        let Some(code) = body.iter().find_map(|line| line.strip_prefix("rcode ")).map(str::trim) else { continue };
        let falls = body.iter().any(|line| line.starts_with("fallthrough"));
        if code != "NOERROR" && !falls && in_zones(&zones) && matches(&body) {
            let zone = if zones.is_empty() { "cluster.local".to_owned() } else { zones.join(" ") };
            let what =
                format!("has a `template` that answers `{zone}` with `{code}` before the `kubernetes` plugin is asked");
            let quote = std::iter::once(*line).chain(body).collect::<Vec<_>>().join("; ").chars().take(300).collect();
            return Some(Fault { what, at: *at, quote, fix: "remove that `template` block from the Corefile" });
        }
    }
    None
}

/// Returns whether the server block around a line also holds the `kubernetes` plugin.
fn serves_cluster(lines: &[(usize, &str)], index: usize) -> bool {
    let depth_after = |line: &str| i32::from(line.ends_with('{')) - i32::from(line == "}");
    let mut depth = 0;
    let before = lines[..index].iter().rev().take_while(|(_, line)| {
        depth += depth_after(line);
        depth <= 0
    });
    let before: Vec<&str> = before.map(|(_, line)| *line).collect();
    let mut depth = 1;
    let after = lines[index..].iter().take_while(|(_, line)| {
        depth += depth_after(line);
        depth > 0
    });
    after.map(|(_, line)| *line).chain(before).any(|line| line.split_whitespace().next() == Some("kubernetes"))
}

fn in_zones(zones: &[&str]) -> bool {
    let name = PROBE.trim_end_matches('.');
    zones.is_empty()
        || zones.iter().map(|zone| zone.trim_matches('.')).any(|zone| zone.is_empty() || name.ends_with(zone))
}

/// Returns whether one of the template's patterns meets names of Services; without a pattern all names are met.
fn matches(body: &[&str]) -> bool {
    let patterns: Vec<&str> =
        body.iter().filter_map(|line| line.strip_prefix("match ")).map(|text| text.trim().trim_matches('"')).collect();
    let meets = |pattern: &&str| Regex::new(&pattern.replace(r"\\", r"\")).is_ok_and(|pattern| pattern.is_match(PROBE));
    patterns.is_empty() || patterns.iter().any(meets)
}

/// Finds a log line that says that the name of an existing Service does not resolve.
fn failing<'s>(scene: &'s Scene<'s>) -> Option<Line<'s>> {
    let lines = scene
        .suspect_containers()
        .flat_map(|container| failing_calls::unresolved(container).into_iter().map(move |line| (container, line)));
    let mut of_services = lines.filter(|(container, line)| {
        let service = line.host.and_then(|host| calls::service_of(host, container.pod.namespace()));
        service.is_some_and(|(namespace, name)| scene.snapshot.objects.services.get(&namespace, &name).is_some())
    });
    of_services.next().map(|(_, line)| line)
}

fn finding(scene: &Scene<'_>, fault: &Fault) -> Finding {
    let map = ObjectRef::new(Kind::ConfigMap, "kube-system", "coredns");
    let line = failing(scene);
    let command = quote::command(&["kubectl", "edit", "configmap", "coredns", "-n", "kube-system"]);
    let example =
        line.as_ref().and_then(|line| line.host).map(|host| format!(": `{host}` does not resolve")).unwrap_or_default();
    let finding = RULE
        .finding(map.clone(), format!("the Corefile in configmap/coredns of kube-system {}{example}", fault.what))
        .severity(if line.is_some() { Severity::Critical } else { Severity::Error })
        .confidence(if line.is_some() { 0.97 } else { 0.85 })
        .because(map, format!("data[Corefile]:{}", fault.at), fault.quote.clone())
        .recommend(Recommendation::new("edit-object", fault.fix).command(command))
        .next(DNS_LOGS.as_str());
    match line {
        Some(line) => finding.because(line.pod.clone(), line.path(), line.quote()).affects(line.pod.clone()),
        None => finding,
    }
}

static DNS_LOGS: LazyLock<String> =
    LazyLock::new(|| quote::command(&["kubectl", "logs", "-l", "k8s-app=kube-dns", "-n", "kube-system"]));
