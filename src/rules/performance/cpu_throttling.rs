//! A container is held back by its CPU limit.

use crate::model::{Finding, Kind, Recommendation, Risk, Severity};
use crate::quantity::Quantity;
use crate::render::quote;
use crate::rules::{Rule, consequences};
use crate::scene::signals::throttling::{self, Throttled};
use crate::scene::signals::{Trouble, report};
use crate::scene::{ContainerView, Scene};

/// See [`Rule::docs`].
pub static RULE: Rule = Rule {
    id: "cpu-throttling",
    category: "cpu_throttling",
    summary: "detects containers that are held back by their CPU limit",
    docs: "\
## What it means
The kernel gives a container its CPU limit in slices of a tenth of a second; when the slice is used up, it stands still until the \
next. Requests take longer, though the node may have free CPU.

## How it is detected
The kernel's own counters say that it was held back in more than half of the slices in which it ran: from Prometheus, or from the \
kubelet with `--kubelet-metrics`. Or it is where latency begins, and an alert about throttling is about it.

## What to do
Raise or remove the CPU limit; a CPU request is what protects the neighbours.",
    severity: Severity::Warning,
    needs: &[Kind::Pod],
    uses: &[],
    explains: &[consequences::SIGNALS, consequences::PROBES_FAIL, &["log-error-running"]],
    check,
};

/// Being held back in more than this share of the slices is no burst.
const HELD_BACK: f64 = 0.5;

/// From this share on, the container does little but wait.
const STANDS_STILL: f64 = 0.9;

/// Ten seconds: fewer slices are a start-up.
const ENOUGH: f64 = 100.0;

fn check(scene: &Scene<'_>) -> Vec<Finding> {
    let counted = throttling::all(scene);
    let counted = counted.iter().filter_map(held_back);
    let told = report::of_workloads(scene, &RULE, Trouble::CpuThrottling, "is held back by its CPU limit");
    counted.chain(told).collect()
}

fn held_back(throttled: &Throttled<'_>) -> Option<Finding> {
    let periods = throttled.periods;
    if periods.all < ENOUGH || periods.share() < HELD_BACK {
        return None;
    }
    let pod = throttled.pod;
    let limit = throttled.container.and_then(|container| container.limit("cpu"));
    let whose = throttled.container.map_or_else(|| pod.workload().object.short(), ContainerView::phrase);
    let by = limit.map_or_else(|| "its CPU limit".to_owned(), |limit| format!("its CPU limit of {limit}"));
    let share = periods.share() * 100.0;
    let message = format!("{whose} is throttled by {by} in {share:.0} % of the time in which it runs");
    let counts = format!("{:.0} of {:.0}", periods.throttled, periods.all);
    let mut finding = RULE
        .finding(pod.workload().object.clone(), message)
        .because(pod.object(), "container_cpu_cfs_throttled_periods_total", counts)
        .affects(pod.object())
        .seen(None, Some(pod.scene.now()))
        .next(quote::command(&["kubectl", "top", "pod", pod.name(), "-n", pod.namespace(), "--containers"]));
    if periods.share() >= STANDS_STILL {
        finding = finding.severity(Severity::Error);
    }
    if let (Some(container), Some(limit)) = (throttled.container, limit) {
        finding = finding
            .container(container.name())
            .because(container.pod_ref(), container.spec_path("resources.limits.cpu"), limit)
            .recommend(raise(container.name(), limit));
    }
    Some(finding)
}

fn raise(container: &str, limit: &str) -> Recommendation {
    let doubled = limit.parse::<Quantity>().map(|limit| limit.saturating_mul(2).cpu()).unwrap_or_default();
    let words =
        format!("raise the CPU limit of `{container}` from {limit}, to {doubled} as a first step, or remove it");
    Recommendation::new("set-resources", words).risk(Risk::Low)
}
