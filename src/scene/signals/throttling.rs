//! CPU throttling, as the kernel counts it: from cAdvisor's lines, or from the same counters in Prometheus.

use std::collections::BTreeMap;

use crate::model::Series;
use crate::scene::signals::cadvisor;
use crate::scene::{ContainerView, PodView, Scene};

const PERIODS: &str = "container_cpu_cfs_periods_total";
const THROTTLED: &str = "container_cpu_cfs_throttled_periods_total";

/// How often the kernel held back a container, or a whole pod.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Periods {
    pub all: f64,
    pub throttled: f64,
}

impl Periods {
    /// Returns the share of periods in which it was held back, 0 to 1.
    pub fn share(self) -> f64 {
        if self.all > 0.0 { self.throttled / self.all } else { 0.0 }
    }
}

/// (namespace, pod, container) → counts; the container is empty where the whole pod is counted.
type Counts = BTreeMap<(String, String, String), Periods>;

/// A pod that was counted; the container if it is known which.
#[derive(Clone, Debug)]
pub struct Throttled<'s> {
    pub pod: PodView<'s>,
    pub container: Option<ContainerView<'s>>,
    pub periods: Periods,
}

/// Returns what is known of the throttling of pods in scope; containers where they were counted, else pods.
pub fn all<'s>(scene: &'s Scene<'_>) -> Vec<Throttled<'s>> {
    let counts = counts(scene);
    if counts.is_empty() {
        return Vec::new();
    }
    scene.pods().flat_map(|pod| of_pod(pod, &counts)).collect()
}

fn of_pod<'s>(pod: PodView<'s>, counts: &Counts) -> Vec<Throttled<'s>> {
    let find = |container: &str| {
        counts.get(&(pod.namespace().to_owned(), pod.name().to_owned(), container.to_owned())).copied()
    };
    let each: Vec<Throttled<'s>> = pod
        .containers()
        .filter_map(|container| Some(Throttled { pod, container: Some(container), periods: find(container.name())? }))
        .collect();
    if !each.is_empty() {
        return each;
    }
    let mut limited = pod.containers().filter(|container| container.limit("cpu").is_some());
    let only = limited.next().filter(|_| limited.next().is_none());
    find("").map(|periods| Throttled { pod, container: only, periods }).into_iter().collect()
}

fn counts(scene: &Scene<'_>) -> Counts {
    let mut counts = Counts::new();
    for line in cadvisor::lines(scene, &[PERIODS, THROTTLED]) {
        add(&mut counts, line.name, |label| line.label(label), line.value);
    }
    for series in scene.snapshot.metrics.iter().flatten().filter(|series| matches!(series.name(), PERIODS | THROTTLED))
    {
        add(&mut counts, series.name(), |label| series.label(label).unwrap_or_default(), growth(series));
    }
    counts
}

fn add<'l>(counts: &mut Counts, name: &str, label: impl Fn(&str) -> &'l str, value: f64) {
    let key = (label("namespace").to_owned(), label("pod").to_owned(), label("container").to_owned());
    let periods = counts.entry(key).or_default();
    let slot = if name == PERIODS { &mut periods.all } else { &mut periods.throttled };
    *slot = slot.max(value);
}

/// Returns how far a counter grew over its samples; a restart sets it back to zero.
fn growth(series: &Series) -> f64 {
    let values = || series.samples.iter().map(|(_, value)| *value);
    match series.samples.as_slice() {
        [(_, only)] => *only,
        _ => values().zip(values().skip(1)).map(|(a, b)| if b >= a { b - a } else { b }).sum(),
    }
}
