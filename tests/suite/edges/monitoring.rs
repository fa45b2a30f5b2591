//! Prometheus and Alertmanager behind the API server's proxy, or at an address, and what becomes of their failures.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::support::http::{Answer, Request};
use crate::support::report::gap_reasons;
use crate::support::{Api, World};

fn quiet() -> World {
    let mut world = World::new();
    world.deployment("web", 1, |_| ()).deployment("cart", 1, |_| ());
    world
}

fn services() -> Value {
    let service = |name: &str, port: u16| {
        json!({"metadata": {"name": name, "namespace": "monitoring", "labels": {"app.kubernetes.io/name": name}},
            "spec": {"ports": [{"name": "web", "port": port}]}})
    };
    json!({"kind": "ServiceList", "items": [service("prometheus", 9090), service("alertmanager", 9093)]})
}

fn alerts() -> Value {
    let start = Timestamp::now() - SignedDuration::from_mins(10);
    let alert = |name: &str, from: &str, to: &str| {
        json!({"labels": {"alertname": "HighRequestLatency", "namespace": "shop", "service": name, "severity": "critical"},
            "annotations": {"description": format!("p90 latency of {name}: from {from} to {to}"),
                "runbook": "https://wiki:kanarienvogel@wiki/slow"},
            "startsAt": start.to_string(), "status": {"state": "active"}})
    };
    json!([alert("web", "40ms", "900ms"), alert("cart", "10ms", "850ms")])
}

fn graph() -> Value {
    let metric = json!({"source_workload": "web", "source_workload_namespace": "shop",
        "destination_workload": "cart", "destination_workload_namespace": "shop"});
    json!({"status": "success", "data": {"resultType": "vector", "result": [{"metric": metric, "value": [1, "2"]}]}})
}

/// Answers for the two systems behind the proxy.
fn monitored(request: &Request) -> Option<Answer> {
    let proxied = request.path.strip_prefix("/api/v1/namespaces/monitoring/services/");
    match proxied {
        None => (request.path == "/api/v1/services" && request.param("labelSelector").is_some())
            .then(|| Answer::ok(services().to_string())),
        Some("alertmanager:9093/proxy/api/v2/alerts") => Some(Answer::ok(alerts().to_string())),
        Some(path) => path.starts_with("prometheus:9090/proxy/api/v1/query").then(|| Answer::ok(graph().to_string())),
    }
}

fn cause(report: &Value) -> (&str, &str) {
    let cause = &report["incidents"][0]["cause"];
    (cause["rule"].as_str().unwrap_or_default(), cause["subject"]["name"].as_str().unwrap_or_default())
}

#[test]
fn systems_are_found_by_their_labels_and_asked_through_the_proxy() {
    let api = Api::but(&quiet(), |request, _| monitored(request));
    let report = api.place().rca("namespace shop -o json").json();
    assert_eq!(cause(&report), ("network-latency", "cart"), "{report:#}");
    let queries = api.seen().iter().filter(|seen| seen.request.path.contains("/proxy/")).count();
    assert!(queries <= 10, "{queries} queries");
}

#[test]
fn a_capture_keeps_what_monitoring_said() {
    let place = Api::but(&quiet(), |request, _| monitored(request)).place();
    place.rca("capture -n shop -o shop.rca").ok();
    let file = std::fs::File::open(place.path().join("shop.rca")).unwrap();
    let text = std::io::read_to_string(flate2::read::GzDecoder::new(file)).unwrap();
    assert!(text.contains("wiki/slow") && !text.contains("kanarienvogel"), "it is redacted");
    let report = place.rca("namespace shop --from shop.rca -o json").json();
    assert_eq!(cause(&report), ("network-latency", "cart"), "{report:#}");
}

#[test]
fn a_cluster_without_monitoring_has_no_gap_for_it() {
    let report = Api::serving(&quiet()).place().rca("namespace shop -o json").json();
    assert!(gap_reasons(&report, "metrics").is_empty() && gap_reasons(&report, "alerts").is_empty(), "{report:#}");
}

#[test]
fn what_fails_is_a_gap_and_what_hangs_is_not_waited_for() {
    let broken = Api::but(&quiet(), |request, _| match request.path.contains("/proxy/") {
        true if request.path.contains("alertmanager") => Some(Answer::ok("<html>")),
        true => Some(Answer::never()),
        false => monitored(request),
    });
    let run = broken.place().rca("namespace shop -o json");
    let report = run.json();
    assert_eq!(gap_reasons(&report, "alerts"), ["invalid"]);
    assert_eq!(gap_reasons(&report, "metrics"), ["timeout"]);
    assert!(run.took < Duration::from_secs(15), "{:?}", run.took);
}

#[test]
fn the_address_that_was_given_is_asked_without_the_credentials_of_the_cluster() {
    let prometheus = Api::but(&World::new(), |request, _| {
        let alerts = json!({"status": "success", "data": {"alerts": alerts()}});
        let answer = if request.path == "/api/v1/alerts" { alerts } else { graph() };
        Some(Answer::ok(answer.to_string()))
    });
    let api = Api::serving(&quiet());
    let report = api.place().rca(&format!("namespace shop -o json --prometheus-url {}", prometheus.url())).json();
    assert_eq!(cause(&report), ("network-latency", "cart"), "{report:#}");
    assert!(prometheus.seen().iter().all(|seen| seen.request.authorization.is_empty()));
    assert!(api.seen().iter().all(|seen| seen.request.param("labelSelector").is_none()), "nothing is searched for");
    api.place().rca("namespace shop --prometheus-url prometheus:9090").code.filter(|code| *code == 2).expect("usage");
}
