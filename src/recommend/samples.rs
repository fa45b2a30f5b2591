//! Working sets that were seen: by metrics-server, by a kubelet's cAdvisor, by Prometheus.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use crate::model::Series;
use crate::model::telemetry::{WORKING_SET, WORKING_SET_MAX};
use crate::quantity::Quantity;
use crate::recommend::facts::{Peak, Point};
use crate::scene::signals::cadvisor::{self, Line};
use crate::scene::{ContainerView, Scene};

/// The most that a container used since it was started, as the kernel counted; page cache counts too.
const MAXIMUM: &str = "container_memory_max_usage_bytes";

/// How many processes run in a container.
const PROCESSES: &str = "container_processes";

/// A larger sample is no measurement.
const MOST: f64 = 1e18;

/// One measurement of one container.
#[derive(Clone, Copy, Debug)]
pub struct Sample {
    pub time: Timestamp,
    pub bytes: f64,
}

/// A container by namespace, pod and name.
pub type Address<'s> = (&'s str, &'s str, &'s str);

/// All that was measured, read once.
#[derive(Debug, Default)]
pub struct Table<'s> {
    of: BTreeMap<Address<'s>, Readings>,
}

/// What was measured of one container.
#[derive(Clone, Debug, Default)]
pub struct Readings {
    /// In order of time.
    pub samples: Vec<Sample>,
    /// The largest of each hour: they tell how much, and not exactly when.
    pub maxima: Vec<Sample>,
    /// What the kubelet measured together.
    working_set: Option<f64>,
    maximum: Option<f64>,
    processes: Option<f64>,
}

impl Readings {
    /// Iterates over all measurements of the working set.
    pub fn all(&self) -> impl Iterator<Item = &Sample> + Clone {
        self.samples.iter().chain(&self.maxima)
    }

    /// Returns the working set and the number of processes that a kubelet measured together.
    pub fn shared(&self) -> Option<(Quantity, i64)> {
        Some((Quantity::from_bytes(whole(self.working_set?)), whole(self.processes?)))
    }
}

impl<'s> Table<'s> {
    /// Returns whether a kubelet tells what its kernel counted: then it will tell of every container that lives for a while.
    pub fn counts(&self) -> bool {
        self.of.values().any(|readings| readings.maximum.is_some())
    }

    /// Returns the most that the present run of a container used, page cache and all, as the kernel counted.
    pub fn maximum(&self, container: ContainerView<'_>) -> Option<Quantity> {
        Some(Quantity::from_bytes(whole(self.of(container).maximum?)))
    }

    /// Reads point samples, cAdvisor's lines and series; linear in them.
    pub fn new(scene: &'s Scene<'_>) -> Self {
        let mut table = Self::default();
        for (address, usage) in &scene.snapshot.usage {
            let Ok(memory) = usage.memory.parse::<Quantity>() else { continue };
            #[expect(clippy::cast_precision_loss, reason = "a measurement")]
            let sample = Sample { time: usage.time.unwrap_or_else(|| scene.now()), bytes: memory.value() as f64 };
            table.add((&address.namespace, &address.pod, &address.container), sample);
        }
        for line in cadvisor::lines(scene, &[WORKING_SET, MAXIMUM, PROCESSES]) {
            table.line(scene, line);
        }
        for series in scene.snapshot.metrics.iter().flatten().filter(|series| series.name() == WORKING_SET) {
            let address = address(|label| series.label(label).unwrap_or_default());
            in_series(series).for_each(|sample| table.add(address, sample));
        }
        for series in scene.snapshot.metrics.iter().flatten().filter(|series| series.name() == WORKING_SET_MAX) {
            let address = address(|label| series.label(label).unwrap_or_default());
            let sane = in_series(series).filter(|sample| (1.0..MOST).contains(&sample.bytes));
            table.of.entry(address).or_default().maxima.extend(sane);
        }
        for readings in table.of.values_mut() {
            readings.samples.sort_by(|a, b| a.time.cmp(&b.time).then(a.bytes.total_cmp(&b.bytes)));
        }
        table
    }

    /// Iterates over all that was measured, also of pods that are gone.
    pub fn all(&self) -> impl Iterator<Item = (Address<'s>, &Readings)> {
        self.of.iter().map(|(address, readings)| (*address, readings))
    }

    /// Returns what was measured of a container.
    pub fn of(&self, container: ContainerView<'_>) -> Readings {
        let pod = container.pod;
        self.of.get(&(pod.namespace(), pod.name(), container.name())).cloned().unwrap_or_default()
    }

    fn add(&mut self, address: Address<'s>, sample: Sample) {
        if (1.0..MOST).contains(&sample.bytes) {
            self.of.entry(address).or_default().samples.push(sample);
        }
    }

    fn line(&mut self, scene: &Scene<'_>, line: Line<'s>) {
        let address = address(|label| line.label(label));
        let readings = self.of.entry(address).or_default();
        let value = Some(line.value).filter(|value| (1.0..MOST).contains(value));
        if line.name == PROCESSES {
            readings.processes = value;
            return;
        }
        if line.name == MAXIMUM {
            readings.maximum = value;
            return;
        }
        readings.working_set = value;
        let time = line.millis.and_then(|millis| Timestamp::from_millisecond(millis).ok());
        self.add(address, Sample { time: time.unwrap_or_else(|| scene.now()), bytes: line.value });
    }
}

fn address<'s>(label: impl Fn(&str) -> &'s str) -> Address<'s> {
    (label("namespace"), label("pod"), label("container"))
}

fn in_series(series: &Series) -> impl Iterator<Item = Sample> {
    series.samples.iter().filter_map(|&(seconds, bytes)| {
        let time = Timestamp::UNIX_EPOCH.checked_add(SignedDuration::try_from_secs_f64(seconds).ok()?).ok()?;
        Some(Sample { time, bytes })
    })
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
