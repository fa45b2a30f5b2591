//! Working sets that were seen: by metrics-server, by a kubelet's cAdvisor, by Prometheus.

use jiff::{SignedDuration, Timestamp};

use crate::model::{ContainerRef, Series};
use crate::quantity::Quantity;
use crate::recommend::facts::{Peak, Point};
use crate::scene::signals::cadvisor;
use crate::scene::{ContainerView, Scene};

/// Usage without what the kernel may take back: what eviction looks at.
const WORKING_SET: &str = "container_memory_working_set_bytes";

/// How many processes run in a container.
const PROCESSES: &str = "container_processes";

/// A larger sample is no measurement.
const MOST: f64 = 1e18;

/// One measurement of one container.
#[derive(Clone, Copy, Debug)]
pub struct Sample {
    time: Timestamp,
    bytes: f64,
}

/// Returns what was measured of a container, in order of time.
pub fn of(scene: &Scene<'_>, container: ContainerView<'_>) -> Vec<Sample> {
    let mut samples: Vec<Sample> = point(scene, container).into_iter().collect();
    let lines = cadvisor::lines(scene, &[WORKING_SET]).filter(|line| is_about(container, |label| line.label(label)));
    samples.extend(lines.map(|line| {
        let time = line.millis.and_then(|millis| Timestamp::from_millisecond(millis).ok());
        Sample { time: time.unwrap_or_else(|| scene.now()), bytes: line.value }
    }));
    let series = scene.snapshot.metrics.iter().flatten().filter(|series| series.name() == WORKING_SET);
    let series = series.filter(|series| is_about(container, |label| series.label(label).unwrap_or_default()));
    samples.extend(series.flat_map(in_series));
    samples.retain(|sample| sample.bytes.is_finite() && (1.0..MOST).contains(&sample.bytes));
    samples.sort_by(|a, b| a.time.cmp(&b.time).then(a.bytes.total_cmp(&b.bytes)));
    samples
}

fn is_about<'l>(container: ContainerView<'_>, label: impl Fn(&str) -> &'l str) -> bool {
    let pod = container.pod;
    label("container") == container.name() && label("pod") == pod.name() && label("namespace") == pod.namespace()
}

fn point(scene: &Scene<'_>, container: ContainerView<'_>) -> Option<Sample> {
    let address = ContainerRef {
        namespace: container.pod.namespace().to_owned(),
        pod: container.pod.name().to_owned(),
        container: container.name().to_owned(),
    };
    let usage: Quantity = scene.snapshot.usage.get(&address)?.memory.parse().ok()?;
    #[expect(clippy::cast_precision_loss, reason = "a measurement")]
    let bytes = usage.value() as f64;
    Some(Sample { time: scene.now(), bytes })
}

fn in_series(series: &Series) -> impl Iterator<Item = Sample> {
    series.samples.iter().filter_map(|&(seconds, bytes)| {
        let time = Timestamp::UNIX_EPOCH.checked_add(SignedDuration::try_from_secs_f64(seconds).ok()?).ok()?;
        Some(Sample { time, bytes })
    })
}

/// Returns the largest working set that a kubelet measured together with the number of processes, and that number.
pub fn shared(scene: &Scene<'_>, container: ContainerView<'_>) -> Option<(Quantity, i64)> {
    let mut bytes = None;
    let mut count = None;
    let lines = cadvisor::lines(scene, &[WORKING_SET, PROCESSES]);
    for line in lines.filter(|line| is_about(container, |label| line.label(label))) {
        let slot = if line.name == PROCESSES { &mut count } else { &mut bytes };
        *slot = Some(line.value).filter(|value| (1.0..MOST).contains(value));
    }
    Some((Quantity::from_bytes(whole(bytes?)), whole(count?)))
}

/// Returns the largest of the measurements.
pub fn peak<'a>(samples: impl Iterator<Item = &'a Sample> + Clone) -> Option<Peak> {
    let most = samples.clone().map(|sample| sample.bytes).max_by(f64::total_cmp)?;
    let times = samples.map(|sample| sample.time);
    let window = times.clone().max()?.duration_since(times.min()?);
    Some(Peak { amount: Quantity::from_bytes(whole(most)), window })
}

#[expect(clippy::cast_possible_truncation, reason = "between 1 and 1e18")]
fn whole(sample: f64) -> i64 {
    sample as i64
}

/// Returns the measurements by the age of the run that they fall into: the present one, or the one before.
pub fn by_age(container: ContainerView<'_>, samples: &[Sample]) -> Vec<Point> {
    let began = container.running().and_then(|run| run.started_at.as_ref()).map(|time| time.0);
    let before = container.last_end().and_then(|end| {
        Some((end.started_at.as_ref()?.0, end.finished_at.as_ref()?.0))
            .filter(|(start, _)| *start > Timestamp::UNIX_EPOCH)
    });
    let age = |time: Timestamp| {
        let present = began.filter(|began| *began <= time);
        let past = before.filter(|(start, end)| (*start..=*end).contains(&time)).map(|(start, _)| start);
        Some(time.duration_since(present.or(past)?).as_secs_f64())
    };
    samples.iter().filter_map(|sample| Some(Point { seconds: age(sample.time)?, bytes: sample.bytes })).collect()
}
