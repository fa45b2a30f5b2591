//! What Prometheus knows of the usage of containers: over a week for `limits`, and of the last run of who was killed.

use std::time::Duration;

use jiff::Timestamp;

use super::amounts::kills;
use super::monitoring::{Base, Outcome, ask_range};
use crate::collect::client::ApiClient;
use crate::collect::plan::Plan;
use crate::model::store::HasMeta as _;
use crate::model::telemetry::{CPU_CORES, CPU_SECONDS, WORKING_SET, WORKING_SET_MAX};
use crate::model::{GapReason, Series, Snapshot};

/// A week has all days in it.
const WINDOW_SECONDS: i64 = 7 * 86_400;
const HOUR_SECONDS: i64 = 3600;
/// A question about a week takes longer than one about now.
const PATIENCE: Duration = Duration::from_secs(25);
/// The patience with questions about who was killed, which a diagnosis waits for.
const SHORT_PATIENCE: Duration = Duration::from_secs(4);
/// So many runs that were killed are looked at, each with at most so many points.
const MAX_RUNS: usize = 8;
const MAX_POINTS: i64 = 250;
/// Nobody scrapes more often.
const MIN_STEP: i64 = 15;

/// A run that was killed for want of memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Run {
    selector: String,
    start: i64,
    end: i64,
}

/// Returns the runs in scope that were killed for want of memory.
pub(super) fn killed_runs(snapshot: &Snapshot) -> Vec<Run> {
    let pods = snapshot.objects.pods.iter().filter(|pod| snapshot.scope.includes(pod.object.namespace()));
    let runs = pods.flat_map(|pod| kills(&pod.object).map(move |kill| (pod, kill)));
    let runs = runs.filter_map(|(pod, (container, end))| {
        let (start, end) = (end.started_at.as_ref()?.0.as_second(), end.finished_at.as_ref()?.0.as_second());
        let selector =
            format!("namespace=\"{}\",pod=\"{}\",container=\"{container}\"", pod.object.namespace(), pod.object.name());
        (start > 0 && end > start).then_some(Run { selector, start, end })
    });
    runs.take(MAX_RUNS).collect()
}

/// Asks for what the plan and the runs call for; an empty answer where nothing does.
pub(super) async fn ask(client: &ApiClient, plan: &Plan, base: &Base, runs: &[Run]) -> Outcome<Vec<Series>> {
    let patience = if plan.is_about_amounts() { PATIENCE } else { SHORT_PATIENCE };
    let week = async {
        if plan.is_about_amounts() { a_week(client, &plan.scope.namespaces, base).await } else { Ok(Vec::new()) }
    };
    let last = futures::future::join_all(runs.iter().map(|run| until_the_end(client, base, run)));
    let late = || (GapReason::Timeout, format!("no answer within {} s", patience.as_secs()));
    let (week, last) = tokio::time::timeout(patience, async { tokio::join!(week, last) }).await.map_err(|_| late())?;
    let last: Outcome<Vec<Vec<Series>>> = last.into_iter().collect();
    Ok(week?.into_iter().chain(last?.into_iter().flatten()).collect())
}

/// The largest working set and the 95th percentile of CPU of each hour of the last week.
async fn a_week(client: &ApiClient, namespaces: &[String], base: &Base) -> Outcome<Vec<Series>> {
    let end = Timestamp::now().as_second();
    let within = match namespaces {
        [] => String::new(),
        // Names hold nothing that a regular expression would read otherwise.
        names => format!("namespace=~\"{}\",", names.join("|")),
    };
    let of = format!("{{{within}container!=\"\",container!=\"POD\"}}");
    let memory = format!("max by (namespace, pod, container) (max_over_time({WORKING_SET}{of}[1h]))");
    let cpu =
        format!("max by (namespace, pod, container) (quantile_over_time(0.95, rate({CPU_SECONDS}{of}[5m])[1h:1m]))");
    let range = (end - WINDOW_SECONDS, end, HOUR_SECONDS);
    let (memory, cpu) = tokio::join!(
        ask_range(client, base, WORKING_SET_MAX, &memory, range),
        ask_range(client, base, CPU_CORES, &cpu, range)
    );
    Ok(memory?.into_iter().chain(cpu?).collect())
}

/// The working set of a run from its start to the moment in which it was killed.
async fn until_the_end(client: &ApiClient, base: &Base, run: &Run) -> Outcome<Vec<Series>> {
    let length = run.end - run.start;
    let step = (length / MAX_POINTS).max(MIN_STEP);
    // Counted from the end, so that the last question is about the kill itself.
    let start = run.end - length / step * step;
    let text = format!("max by (namespace, pod, container) ({WORKING_SET}{{{}}})", run.selector);
    ask_range(client, base, WORKING_SET, &text, (start, run.end, step)).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_runs_that_were_killed_are_asked_about() {
        let yaml = "apiVersion: rca/v1alpha1
kind: Snapshot
takenAt: 2026-01-01T12:00:00Z
objects:
- apiVersion: v1
  kind: Pod
  metadata: {name: cart-x, namespace: shop}
  spec: {containers: [{name: main, image: cart:1}]}
  status:
    containerStatuses:
    - {name: main, ready: false, restartCount: 4, image: '', imageID: '', state: {}, lastState: {terminated: {exitCode: 137, reason: OOMKilled, startedAt: 2026-01-01T11:00:00Z, finishedAt: 2026-01-01T11:58:00Z}}}
";
        let snapshot =
            crate::collect::capture::read("x.yaml", yaml.as_bytes(), crate::collect::plan::Keep::default()).unwrap();
        let runs = killed_runs(&snapshot);
        assert_eq!(runs.len(), 1, "{:?}", snapshot.gaps);
        assert_eq!(runs[0].selector, "namespace=\"shop\",pod=\"cart-x\",container=\"main\"");
        assert_eq!(runs[0].end - runs[0].start, 58 * 60);
    }
}
