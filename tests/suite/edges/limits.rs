//! What `limits` asks of a cluster, and what becomes of samples, interruptions and refusals.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::support::http::{Answer, Request};
use crate::support::world::{crash, five};
use crate::support::{Api, World};

const METRICS: &str = "/apis/metrics.k8s.io/v1beta1/namespaces/shop/pods";

fn quiet() -> World {
    let mut world = World::new();
    world.deployment("web", 2, |_| ());
    world
}

fn usage(memory: &str) -> Value {
    let item = |pod: String| {
        json!({"metadata": {"name": pod, "namespace": "shop"}, "timestamp": Timestamp::now().to_string(), "window": "10s",
            "containers": [{"name": "main", "usage": {"cpu": "20m", "memory": memory}}]})
    };
    let pods = (0..2).map(|index| item(format!("web-7d9f8c6b5d-{}", five(index))));
    json!({"kind": "PodMetricsList", "items": pods.collect::<Vec<_>>()})
}

/// A cluster with metrics-server, a Prometheus with a day of samples, and an autoscaler that advises.
fn measured(request: &Request) -> Option<Answer> {
    let prometheus = json!({"metadata": {"name": "prometheus", "namespace": "monitoring", "labels": {"app": "prometheus"}},
        "spec": {"ports": [{"port": 9090}]}});
    let proxied = request.path.strip_prefix("/api/v1/namespaces/monitoring/services/prometheus:9090/proxy");
    match (request.path.as_str(), proxied) {
        (METRICS, _) => Some(Answer::ok(usage("100Mi").to_string())),
        (_, Some("/api/v1/query_range")) => {
            Some(Answer::ok(week(request.param("query").unwrap_or_default()).to_string()))
        }
        (_, Some(_)) => {
            Some(Answer::ok(json!({"status": "success", "data": {"resultType": "vector", "result": []}}).to_string()))
        }
        ("/api/v1/services", None) => request
            .param("labelSelector")
            .map(|_| Answer::ok(json!({"kind": "ServiceList", "items": [prometheus]}).to_string())),
        _ => None,
    }
}

/// Thirty hours of a working set of 400 MiB and a fifth of a core.
fn week(query: &str) -> Value {
    let value = if query.contains("working_set") { "419430400" } else { "0.2" };
    let now = Timestamp::now().as_second();
    let values: Vec<Value> = (0..30).rev().map(|hour| json!([now - hour * 3600, value])).collect();
    let metric = json!({"namespace": "shop", "pod": "web-7d9f8c6b5d-x0000", "container": "main"});
    json!({"status": "success", "data": {"resultType": "matrix", "result": [{"metric": metric, "values": values}]}})
}

fn container(limits: &Value) -> &Value {
    &limits["workloads"][0]["containers"][0]
}

#[test]
fn a_week_of_prometheus_makes_limits_for_healthy_workloads() {
    let api = Api::but(&quiet(), |request, _| measured(request));
    let limits = api.place().rca("limits -n shop -o json").json();
    let main = container(&limits);
    assert_eq!(main["recommended"]["requests"], json!({"cpu": "200m", "memory": "464Mi"}), "{main:#}");
    assert_eq!(main["basis"]["requests.memory"]["confidence"], "from-days");
    assert_eq!(limits["meta"]["sources"], json!(["metrics-server", "Prometheus"]));
    let paths: Vec<String> = api.seen().into_iter().map(|seen| seen.request.path).collect();
    let autoscalers = "/apis/autoscaling.k8s.io/v1/namespaces/shop/verticalpodautoscalers";
    assert!(paths.iter().any(|path| path == autoscalers), "{paths:?}");
    assert!(!paths.iter().any(|path| path.ends_with("/log")), "no log tells of amounts");
}

#[test]
fn a_capture_keeps_what_limits_are_made_from() {
    let place = Api::but(&quiet(), |request, _| measured(request)).place();
    let live = place.rca("limits -n shop -o json").json();
    place.rca("capture -n shop -o shop.rca").ok();
    let recorded = place.rca("limits --from shop.rca -o json").json();
    assert_eq!(container(&live)["recommended"], container(&recorded)["recommended"]);
}

#[test]
fn a_healthy_namespace_is_asked_nothing_more_for_a_diagnosis() {
    let api = Api::but(&quiet(), |request, _| measured(request));
    api.place().rca("namespace shop").ok();
    api.place().rca("pod web-7d9f8c6b5d-x0000 -n shop").ok();
    let amounts = api.seen().into_iter().filter(|seen| {
        let query = seen.request.param("query").unwrap_or_default();
        seen.request.path.contains("verticalpodautoscalers")
            || seen.request.path == METRICS
            || query.contains("working_set")
    });
    assert_eq!(amounts.map(|seen| seen.request.path).collect::<Vec<_>>(), Vec::<String>::new());
}

#[test]
fn of_a_run_that_was_killed_the_working_set_is_asked_for_until_its_end() {
    let mut world = World::new();
    world.deployment("cart", 1, |pod| {
        crash(pod);
        pod["spec"]["containers"][0]["resources"] = json!({"limits": {"memory": "64Mi"}});
        let end = json!({"exitCode": 137, "reason": "OOMKilled", "startedAt": "2026-01-01T10:00:00Z", "finishedAt": "2026-01-01T11:00:01Z"});
        pod["status"]["containerStatuses"][0]["lastState"] = json!({"terminated": end});
    });
    let api = Api::but(&world, |request, _| measured(request));
    api.place().rca("namespace shop").ok();
    let seen = api.seen();
    let asked: Vec<&Request> = seen
        .iter()
        .map(|seen| &seen.request)
        .filter(|request| request.param("query").unwrap_or_default().contains("working_set"))
        .collect();
    assert_eq!(asked.len(), 1);
    let end: Timestamp = "2026-01-01T11:00:01Z".parse().unwrap();
    assert_eq!(asked[0].param("end").map(str::to_owned), Some(end.as_second().to_string()));
    let start: i64 = asked[0].param("start").unwrap_or_default().parse().unwrap();
    let step: i64 = asked[0].param("step").unwrap_or_default().parse().unwrap();
    assert_eq!((end.as_second() - start) % step, 0, "the last question is about the kill");
}

#[test]
fn what_is_sampled_is_added_to_what_is_read() {
    let api = Api::but(&quiet(), |request, count| {
        let memory = if count == 1 { "300Mi" } else { "100Mi" };
        (request.path == METRICS).then(|| Answer::ok(usage(memory).to_string()))
    });
    let run = api.place().rca("limits -n shop -o json --sample 1s");
    let main = container(&run.json()).clone();
    // A first look finds what there is, and one afterwards how it fares; the samples are taken between them.
    assert_eq!(main["usage"]["memory"]["value"], "300Mi", "{main:#}");
    assert_eq!(run.stderr, "", "no progress where nobody looks");
}

#[test]
fn where_nothing_answers_nothing_is_waited_for() {
    let api = Api::serving(&quiet());
    let run = api.place().rca("limits -n shop --sample 60s");
    run.ok();
    assert!(run.took < Duration::from_secs(20), "{:?}", run.took);
    assert!(run.stderr.contains("there is nothing to sample"), "{}", run.stderr);
    assert!(run.stderr.contains("--kubelet-metrics"), "{}", run.stderr);
}

#[test]
fn the_kubelets_are_sampled_where_metrics_server_does_not_answer() {
    let api = Api::but(&quiet(), |request, count| {
        let proxied = request.path.ends_with("/proxy/metrics/cadvisor");
        let line = |name: &str, value: String| {
            format!(
                "{name}{{container=\"main\",namespace=\"shop\",pod=\"web-7d9f8c6b5d-x0000\"}} {value} {}\n",
                Timestamp::now().as_millisecond()
            )
        };
        proxied.then(|| {
            let memory = line("container_memory_working_set_bytes", format!("{}", (50 + count) << 20));
            Answer::ok(memory + &line("container_memory_max_usage_bytes", format!("{}", 90 << 20)))
        })
    });
    let main = container(&api.place().rca("limits -n shop -o json --sample 1s --kubelet-metrics").json()).clone();
    assert_eq!(main["usage"]["kernelPeak"]["value"], "90Mi", "{main:#}");
    assert!(main["usage"]["memory"]["inputs"]["samples"] != "0", "{main:#}");
}

#[test]
fn an_interrupt_ends_the_sampling_and_not_the_answer() {
    let api =
        Api::but(&quiet(), |request, _| (request.path == METRICS).then(|| Answer::ok(usage("100Mi").to_string())));
    let place = api.place();
    let mut command = place.command(["limits", "-n", "shop", "-o", "json", "--sample", "60s"]);
    let started = Instant::now();
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    while !api.seen().iter().any(|seen| seen.request.path == METRICS && seen.to.is_some()) {
        assert!(started.elapsed() < Duration::from_secs(30), "it never sampled");
        std::thread::sleep(Duration::from_millis(50));
    }
    // The first look asks for the same; the sampling begins after it.
    std::thread::sleep(Duration::from_secs(2));
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    let output = child.wait_with_output().unwrap();
    assert!(started.elapsed() < Duration::from_secs(50));
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    let limits: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(container(&limits)["usage"]["memory"]["value"], "100Mi");
    assert!(String::from_utf8_lossy(&output.stderr).contains("ended early"));
}

#[test]
fn who_may_not_read_the_usage_is_told() {
    let api = Api::but(&quiet(), |request, _| {
        (request.path == METRICS).then(|| Answer::status(403, "Forbidden", "pods.metrics.k8s.io is forbidden", None))
    });
    let run = api.place().rca("limits -n shop");
    assert!(run.ok().contains("nothing was measured"), "{}", run.stdout);
    assert!(run.stderr.contains("pods.metrics.k8s.io (forbidden)"), "{}", run.stderr);
    let run = api.place().rca("limits -n shop --require-complete");
    assert_eq!(run.code, Some(5));
}
