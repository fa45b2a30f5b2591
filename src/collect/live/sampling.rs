//! `--sample`: watches the usage of containers for a while, as one sample says little.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;

use super::extras::{self, CadvisorAnswers, PodMetricsList, UsageAnswers};
use crate::collect::client::{ApiClient, RequestError};
use crate::collect::plan::Plan;
use crate::model::store::HasMeta as _;
use crate::model::telemetry::{CPU_CORES, CPU_SECONDS, Labels, SOURCE, WORKING_SET};
use crate::model::{Series, Snapshot};
use crate::quantity::Quantity;
use crate::scene::signals::cadvisor;

/// Neither metrics-server nor the kubelets measure more often.
const PAUSE: Duration = Duration::from_secs(10);
/// How often the progress is told.
const TICK: Duration = Duration::from_millis(500);

/// How far the watching has come.
#[derive(Clone, Copy, Debug)]
pub struct Progress {
    pub passed: Duration,
    pub whole: Duration,
    pub pods: usize,
    pub rounds: usize,
}

/// What was seen, and whether it was ended early.
#[derive(Debug, Default)]
pub struct Sampled {
    samples: BTreeMap<Labels, BTreeMap<i64, f64>>,
    rounds: usize,
    /// It was interrupted: what was seen is used.
    pub early: bool,
    /// Why there was nothing to watch.
    pub refused: Option<String>,
}

/// Where the samples come from.
enum Source {
    MetricsServer,
    Kubelets(Vec<String>),
}

/// One round of answers.
enum Round {
    MetricsServer(UsageAnswers),
    Kubelets(CadvisorAnswers),
}

/// Watches the containers of the plan's scope; the snapshot tells on which nodes they run.
///
/// metrics-server is asked; where it does not answer, and only with `kubelet_metrics`, the kubelets are. An interrupt ends it
/// early.
pub async fn watch(
    client: &ApiClient,
    plan: &Plan,
    snapshot: &Snapshot,
    whole: Duration,
    progress: &mut dyn FnMut(Progress),
) -> Sampled {
    let mut sampled = Sampled::default();
    let start = Instant::now();
    let Some(source) = first_round(client, plan, snapshot, &mut sampled).await else { return sampled };
    let end = start + whole;
    let mut next = start + PAUSE;
    loop {
        let now = Instant::now();
        if now >= end {
            break;
        }
        progress(sampled.progress(now - start, whole));
        if sleep_or_interrupt(TICK.min(end - now)).await {
            sampled.early = true;
            break;
        }
        if Instant::now() < next {
            continue;
        }
        next += PAUSE;
        tokio::select! {
            round = ask(client, plan, snapshot, &source) => sampled.add(&round),
            _ = tokio::signal::ctrl_c() => {
                sampled.early = true;
                break;
            }
        }
    }
    progress(sampled.progress(start.elapsed().min(whole), whole));
    sampled
}

/// Returns whether it was interrupted.
async fn sleep_or_interrupt(pause: Duration) -> bool {
    tokio::select! {
        () = tokio::time::sleep(pause) => false,
        _ = tokio::signal::ctrl_c() => true,
    }
}

/// Finds out who answers.
async fn first_round(client: &ApiClient, plan: &Plan, snapshot: &Snapshot, sampled: &mut Sampled) -> Option<Source> {
    let mut source = Source::MetricsServer;
    let mut round = ask(client, plan, snapshot, &source).await;
    let refused = round.refused();
    if refused.is_some() && plan.kubelet_metrics {
        source = Source::Kubelets(nodes(snapshot));
        round = ask(client, plan, snapshot, &source).await;
        sampled.refused = round.refused();
    } else {
        sampled.refused = refused;
    }
    sampled.add(&round);
    sampled.refused.is_none().then_some(source)
}

fn nodes(snapshot: &Snapshot) -> Vec<String> {
    let pods = snapshot.objects.pods.iter().filter(|pod| snapshot.scope.includes(pod.object.namespace()));
    let nodes: BTreeSet<&String> = pods.filter_map(|pod| pod.spec.as_ref()?.node_name.as_ref()).collect();
    nodes.into_iter().filter(|node| !node.is_empty()).take(extras::MOST_NODES).cloned().collect()
}

async fn ask(client: &ApiClient, plan: &Plan, snapshot: &Snapshot, source: &Source) -> Round {
    match source {
        Source::MetricsServer => Round::MetricsServer(extras::point_samples(client, &plan.scope.namespaces).await),
        Source::Kubelets(nodes) => {
            let nodes: Vec<&str> = nodes.iter().map(String::as_str).collect();
            Round::Kubelets(extras::cadvisor_of(client, snapshot, &nodes).await)
        }
    }
}

impl Round {
    /// Returns why nobody answered, if nobody did.
    fn refused(&self) -> Option<String> {
        let told = |error: &RequestError| error.to_string();
        match self {
            Self::MetricsServer(answers) => {
                let all = answers.iter().all(|(_, answer)| answer.is_err());
                answers.iter().find_map(|(_, answer)| answer.as_ref().err().map(told)).filter(|_| all)
            }
            Self::Kubelets(answers) if answers.is_empty() => Some("no container runs on a node".to_owned()),
            Self::Kubelets(answers) => {
                let all = answers.iter().all(|(_, answer)| answer.is_err());
                answers.iter().find_map(|(_, answer)| answer.as_ref().err().map(told)).filter(|_| all)
            }
        }
    }
}

impl Sampled {
    fn progress(&self, passed: Duration, whole: Duration) -> Progress {
        let memory =
            self.samples.keys().filter(|labels| labels.get("__name__").is_some_and(|name| name == WORKING_SET));
        let places: BTreeSet<_> = memory.map(|labels| (labels.get("namespace"), labels.get("pod"))).collect();
        Progress { passed, whole, pods: places.len(), rounds: self.rounds }
    }

    fn add(&mut self, round: &Round) {
        self.rounds += 1;
        match round {
            Round::MetricsServer(answers) => {
                answers.iter().filter_map(|(_, answer)| answer.as_ref().ok()).for_each(|bytes| self.usage(bytes));
            }
            Round::Kubelets(answers) => {
                answers.iter().filter_map(|(_, answer)| answer.as_ref().ok()).for_each(|text| self.lines(text));
            }
        }
    }

    fn usage(&mut self, bytes: &[u8]) {
        let list: PodMetricsList = serde_json::from_slice(bytes).unwrap_or(PodMetricsList { items: Vec::new() });
        for pod in list.items {
            let millis = pod.timestamp.unwrap_or_else(Timestamp::now).as_millisecond();
            let word = |key: &str| pod.metadata[key].as_str().unwrap_or_default();
            for container in &pod.containers {
                let labels =
                    |name: &str| labels(name, word("namespace"), word("name"), &container.name, "metrics-server");
                if let Ok(memory) = container.usage.memory.parse::<Quantity>() {
                    self.put(labels(WORKING_SET), millis, float(memory.value()));
                }
                if let Ok(cpu) = container.usage.cpu.parse::<Quantity>() {
                    self.put(labels(CPU_CORES), millis, float(cpu.milli()) / 1000.0);
                }
            }
        }
    }

    fn lines(&mut self, text: &str) {
        for line in cadvisor::lines_in(text, &[WORKING_SET, CPU_SECONDS]) {
            let millis = line.millis.unwrap_or_else(|| Timestamp::now().as_millisecond());
            let (namespace, pod, container) = (line.label("namespace"), line.label("pod"), line.label("container"));
            // A kubelet may tell of whole pods only.
            if container != "POD" {
                self.put(labels(line.name, namespace, pod, container, "kubelet"), millis, line.value);
            }
        }
    }

    fn put(&mut self, labels: Labels, millis: i64, value: f64) {
        self.samples.entry(labels).or_default().insert(millis, value);
    }

    /// Adds what was seen to a snapshot.
    pub fn into_snapshot(self, snapshot: &mut Snapshot) {
        let series = self.samples.into_iter().map(|(labels, samples)| Series {
            labels,
            samples: samples.into_iter().map(|(millis, value)| (float(millis) / 1000.0, value)).collect(),
        });
        let series: Vec<Series> = series.collect();
        if !series.is_empty() {
            snapshot.metrics.get_or_insert_default().extend(series);
            snapshot.normalise();
        }
    }
}

fn labels(name: &str, namespace: &str, pod: &str, container: &str, source: &str) -> Labels {
    let pairs =
        [("__name__", name), ("namespace", namespace), ("pod", pod), ("container", container), (SOURCE, source)];
    pairs.into_iter().map(|(key, value)| (key.to_owned(), value.to_owned())).collect()
}

#[expect(clippy::cast_precision_loss, reason = "a measurement")]
fn float(number: i64) -> f64 {
    number as f64
}
