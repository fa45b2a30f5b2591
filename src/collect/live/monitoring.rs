//! Asks Prometheus and Alertmanager, found by the labels of their Services, in a bounded number of queries.

use std::collections::BTreeSet;
use std::time::Duration;

use bytes::Bytes;
use serde_json::Value;

use super::{fetch, usage};
use crate::collect::client::{ApiClient, JSON, RequestError, web};
use crate::collect::intake::Intake;
use crate::collect::plan::Plan;
use crate::collect::telemetry;
use crate::model::{Gap, GapReason, Series};

/// Finding the systems, and asking them, may each not take longer: an answer without them is better than a late one.
const PATIENCE: Duration = Duration::from_secs(4);

/// No answer of a monitoring system is larger.
const MAX_BYTES: usize = 32 << 20;

/// The range and step of what is asked over time.
const RANGE_SECONDS: i64 = 1800;
const STEP_SECONDS: i64 = 30;

/// The selectors that charts and operators give their Services.
const SELECTORS: &[&str] = &[
    "app.kubernetes.io/name in (prometheus,alertmanager)",
    "operated-prometheus=true",
    "operated-alertmanager=true",
    "app in (prometheus,alertmanager)",
];

/// How a system is reached.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Base {
    /// Through the API server's proxy: a path.
    Proxy(String),
    /// At the address that the user gave.
    Url(String),
}

/// Where to ask.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Systems {
    prometheus: Option<Base>,
    alertmanager: Option<Base>,
}

/// Finds the systems. Who may not list Services of other namespaces asks none: nothing is known to be there.
pub(super) async fn find(client: &ApiClient, plan: &Plan) -> Systems {
    if let Some(url) = &plan.prometheus_url {
        return Systems { prometheus: Some(Base::Url(url.trim_end_matches('/').to_owned())), alertmanager: None };
    }
    let lists = SELECTORS.iter().map(|selector| async move {
        client.get_bytes("/api/v1/services", &[("labelSelector", selector)], JSON).await.unwrap_or_default()
    });
    let lists = tokio::time::timeout(PATIENCE, futures::future::join_all(lists)).await.unwrap_or_default();
    let services: Vec<Value> = lists.iter().flat_map(|bytes| items(bytes)).collect();
    let first = |word| services.iter().filter_map(|service| proxy(service, word)).collect::<BTreeSet<_>>().pop_first();
    Systems { prometheus: first("prometheus"), alertmanager: first("alertmanager") }
}

fn items(bytes: &[u8]) -> Vec<Value> {
    let mut list: Value = serde_json::from_slice(bytes).unwrap_or_default();
    match list["items"].take() {
        Value::Array(items) => items,
        _ => Vec::new(),
    }
}

/// Returns the proxy's path of a Service, if its labels say that it leads to this system, and not to an exporter of it.
fn proxy(service: &Value, system: &str) -> Option<Base> {
    let (meta, spec) = (&service["metadata"], &service["spec"]);
    let label = |name: &str| meta["labels"][name].as_str();
    let operated = format!("operated-{system}");
    let named = ["app.kubernetes.io/name", "app"].iter().any(|name| label(name) == Some(system));
    if !(named || label(&operated) == Some("true")) || spec["type"] == "ExternalName" {
        return None;
    }
    let ports = spec["ports"].as_array()?;
    let usual = if system == "prometheus" { 9090 } else { 9093 };
    let is_web =
        |port: &&Value| port["port"] == usual || ["web", "http", "http-web"].iter().any(|name| port["name"] == *name);
    let port = ports.iter().find(is_web).or(ports.first())?;
    let (namespace, name) = (meta["namespace"].as_str()?, meta["name"].as_str()?);
    Some(Base::Proxy(format!("/api/v1/namespaces/{namespace}/services/{name}:{}/proxy", port["port"].as_i64()?)))
}

/// A question in `PromQL`, and the name that its answer gets.
struct Query {
    name: &'static str,
    text: String,
    over_time: bool,
}

/// Returns the questions: who calls whom, latency over time, and throttling.
fn queries(namespaces: &[String]) -> Vec<Query> {
    let within = |label: &str| match namespaces {
        [] => String::new(),
        // Names hold nothing that a regular expression would read otherwise.
        names => format!("{label}=~\"{}\"", names.join("|")),
    };
    let now = |name, text| Query { name, text, over_time: false };
    let mesh = "source_workload, source_workload_namespace, destination_workload, destination_workload_namespace";
    let to = within("destination_workload_namespace");
    let calls = |name: &'static str| now(name, format!("sum by ({mesh}) (rate({name}{{{to}}}[5m]))"));
    let periods = |name: &'static str| {
        now(name, format!("sum by (namespace, pod, container) (increase({name}{{{}}}[10m]))", within("namespace")))
    };
    let slow = "histogram_quantile(0.9, sum by (le, destination_workload, destination_workload_namespace) \
                (rate(istio_request_duration_milliseconds_bucket";
    vec![
        calls("istio_requests_total"),
        calls("istio_tcp_connections_opened_total"),
        now(
            "response_total",
            format!(
                "sum by (deployment, statefulset, namespace, dst_deployment, dst_statefulset, dst_service, dst_namespace) \
                 (rate(response_total{{direction=\"outbound\",{}}}[5m]))",
                within("namespace")
            ),
        ),
        now(
            "traces_service_graph_request_total",
            "sum by (client, server) (rate(traces_service_graph_request_total[5m]))".to_owned(),
        ),
        Query { name: "request_latency_p90", text: format!("{slow}{{{to}}}[5m])))"), over_time: true },
        periods("container_cpu_cfs_periods_total"),
        periods("container_cpu_cfs_throttled_periods_total"),
    ]
}

/// What a system answered, or why it did not.
pub(super) type Outcome<T> = Result<T, (GapReason, String)>;

/// What the systems said; `None` where there is none to ask.
#[derive(Debug, Default)]
pub(super) struct Answers {
    alerts: Option<Outcome<Vec<crate::model::Alert>>>,
    metrics: Option<Outcome<Vec<Series>>>,
    usage: Option<Outcome<Vec<Series>>>,
}

/// Asks what was found, all at once.
pub(super) async fn ask(client: &ApiClient, plan: &Plan, systems: &Systems, runs: &[usage::Run]) -> Answers {
    let alerts = async {
        let (base, path) = match (&systems.alertmanager, &systems.prometheus) {
            (Some(manager), _) => (manager, "/api/v2/alerts"),
            (None, Some(prometheus)) => (prometheus, "/api/v1/alerts"),
            (None, None) => return None,
        };
        let bytes = within_patience(get(client, base, path, &[])).await;
        Some(bytes.and_then(|bytes| telemetry::alerts(&bytes).map_err(|error| invalid(&error))))
    };
    let metrics = async {
        let base = systems.prometheus.as_ref()?;
        Some(within_patience(series(client, plan, base)).await)
    };
    let usage = async {
        let base = systems.prometheus.as_ref().filter(|_| plan.is_about_amounts() || !runs.is_empty())?;
        Some(usage::ask(client, plan, base, runs).await)
    };
    let (alerts, metrics, usage) = tokio::join!(alerts, metrics, usage);
    Answers { alerts, metrics, usage }
}

async fn series(client: &ApiClient, plan: &Plan, base: &Base) -> Outcome<Vec<Series>> {
    let end = jiff::Timestamp::now().as_second();
    let queries = queries(&plan.scope.namespaces);
    let asked = queries.iter().map(|query| async move {
        let text = query.text.as_str();
        if query.over_time {
            return ask_range(client, base, query.name, text, (end - RANGE_SECONDS, end, STEP_SECONDS)).await;
        }
        let moment = end.to_string();
        named(query.name, get(client, base, "/api/v1/query", &[("query", text), ("time", &moment)]).await)
    });
    let answers: Outcome<Vec<Vec<Series>>> = futures::future::join_all(asked).await.into_iter().collect();
    Ok(answers?.into_iter().flatten().collect())
}

/// Asks for series over time, from a start to an end in steps, all in seconds, and gives them a name.
pub(super) async fn ask_range(
    client: &ApiClient,
    base: &Base,
    name: &str,
    text: &str,
    (start, end, step): (i64, i64, i64),
) -> Outcome<Vec<Series>> {
    let [start, end, step] = [start, end, step].map(|seconds| seconds.to_string());
    let range = [("query", text), ("start", &start), ("end", &end), ("step", &step)];
    named(name, get(client, base, "/api/v1/query_range", &range).await)
}

fn named(name: &str, answer: Outcome<Bytes>) -> Outcome<Vec<Series>> {
    let mut series = telemetry::metrics(&answer?).map_err(|error| invalid(&error))?;
    for one in &mut series {
        one.labels.insert("__name__".to_owned(), name.to_owned());
    }
    Ok(series)
}

async fn within_patience<T>(work: impl Future<Output = Outcome<T>>) -> Outcome<T> {
    let late = || (GapReason::Timeout, format!("no answer within {} s", PATIENCE.as_secs()));
    tokio::time::timeout(PATIENCE, work).await.unwrap_or_else(|_| Err(late()))
}

async fn get(client: &ApiClient, base: &Base, path: &str, query: &[(&str, &str)]) -> Outcome<Bytes> {
    let result = match base {
        Base::Proxy(proxy) => {
            client.get_bytes(&format!("{proxy}{path}"), query, JSON).await.map_err(|error| told(&error))
        }
        Base::Url(url) => from_url(url, path, query).await,
    };
    result.and_then(|bytes| match bytes.len() {
        0..=MAX_BYTES => Ok(bytes),
        size => Err((GapReason::Truncated, format!("the answer has {size} bytes"))),
    })
}

/// Asks at the address that the user gave; no credentials of the cluster go there.
async fn from_url(url: &str, path: &str, query: &[(&str, &str)]) -> Outcome<Bytes> {
    // The error would tell the address, in which a password may stand.
    let broken = |error: reqwest::Error| (GapReason::Unreachable, error.without_url().to_string());
    let client = web(|client| client.timeout(PATIENCE)).map_err(broken)?;
    let mut address = reqwest::Url::parse(&format!("{url}{path}")).map_err(|error| invalid(&error))?;
    if !query.is_empty() {
        address.query_pairs_mut().extend_pairs(query);
    }
    let mut response =
        client.get(address).send().await.and_then(reqwest::Response::error_for_status).map_err(broken)?;
    let mut body = Vec::new();
    while let Some(piece) = response.chunk().await.map_err(broken)? {
        body.extend_from_slice(&piece);
        if body.len() > MAX_BYTES {
            break;
        }
    }
    Ok(body.into())
}

fn told(error: &RequestError) -> (GapReason, String) {
    (fetch::reason(error), error.to_string())
}

fn invalid(error: &impl ToString) -> (GapReason, String) {
    (GapReason::Invalid, error.to_string())
}

/// Adds what was answered, and a gap for what was not.
pub(super) fn take_in(intake: &mut Intake, answers: Answers) {
    match answers.alerts {
        Some(Ok(alerts)) => intake.alerts(alerts),
        Some(Err((reason, message))) => intake.gap(Gap::other("alerts", None, None, reason, &message)),
        None => {}
    }
    for metrics in [answers.metrics, answers.usage].into_iter().flatten() {
        match metrics {
            Ok(series) => intake.metrics(series),
            Err((reason, message)) => intake.gap(Gap::other("metrics", None, None, reason, &message)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prometheus_is_known_by_its_labels() {
        let service = |labels: Value| {
            serde_json::json!({"metadata": {"name": "p", "namespace": "mon", "labels": labels},
            "spec": {"ports": [{"name": "reloader", "port": 8080}, {"name": "http-web", "port": 9090}]}})
        };
        let path = |labels: Value| proxy(&service(labels), "prometheus");
        let found = Some(Base::Proxy("/api/v1/namespaces/mon/services/p:9090/proxy".to_owned()));
        assert_eq!(path(serde_json::json!({"app.kubernetes.io/name": "prometheus"})), found);
        assert_eq!(path(serde_json::json!({"operated-prometheus": "true"})), found);
        assert_eq!(path(serde_json::json!({"app": "prometheus-pushgateway"})), None);
    }
}
