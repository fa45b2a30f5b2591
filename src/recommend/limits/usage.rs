//! What was measured of the containers of each workload, over all its replicas, also those that are gone.

use std::collections::{BTreeMap, BTreeSet};

use jiff::SignedDuration;

use crate::model::store::HasMeta as _;
use crate::model::telemetry::{CPU_CORES, CPU_SECONDS};
use crate::model::{ObjectRef, Series};
use crate::quantity::Quantity;
use crate::recommend::samples::{Address, Table};
use crate::scene::pods::owners;
use crate::scene::signals::cadvisor;
use crate::scene::signals::throttling::{self, Periods};
use crate::scene::{Role, Scene};

/// The most memory that the kernel counted, page cache included.
const KERNEL_PEAK: &str = "container_memory_max_usage_bytes";

/// Samples of replicas that are so close in time are one.
const SLOT_SECONDS: i64 = 10;
const HOUR_SECONDS: i64 = 3600;
const DAY_SECONDS: i64 = 86_400;
/// A day is covered by samples in so many of its hours.
const HOURS_OF_A_DAY: usize = 20;
/// No container uses more cores.
const MOST_CORES: f64 = 1e6;
const MOST_BYTES: f64 = 1e18;

/// The largest replica at each time.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Timeline {
    slots: BTreeMap<i64, f64>,
}

/// A number that was measured, and over how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Measured {
    pub amount: Quantity,
    pub samples: usize,
    pub window: SignedDuration,
    /// The samples tell of a day or more, without large gaps.
    pub days: bool,
}

/// All that was measured of one container of a workload.
#[derive(Clone, Debug, Default)]
pub struct Usage {
    memory: Timeline,
    cpu: Timeline,
    pub throttled: Option<Periods>,
    pub kernel_peak: Option<Quantity>,
}

/// What was measured, by workload and container.
#[derive(Debug, Default)]
pub struct Book<'s> {
    of: BTreeMap<(&'s ObjectRef, &'s str), Usage>,
    /// Of the only containers of pods that were measured as a whole.
    whole: BTreeMap<(&'s ObjectRef, &'s str), Usage>,
    /// The same by container.
    pub table: Table<'s>,
}

impl Timeline {
    fn add(&mut self, seconds: i64, value: f64) {
        let slot = self.slots.entry(seconds.div_euclid(SLOT_SECONDS)).or_insert(value);
        *slot = slot.max(value);
    }

    /// Returns how long it is and whether it tells of days.
    fn extent(&self) -> Option<(SignedDuration, bool)> {
        let seconds = |slot: i64| slot.saturating_mul(SLOT_SECONDS);
        let (first, last) = (seconds(*self.slots.keys().next()?), seconds(*self.slots.keys().next_back()?));
        let length = last.saturating_sub(first);
        let hours: BTreeSet<i64> = self.slots.keys().map(|slot| seconds(*slot).div_euclid(HOUR_SECONDS)).collect();
        let days = length >= DAY_SECONDS && hours.len() >= HOURS_OF_A_DAY;
        Some((SignedDuration::from_secs(length), days))
    }

    fn measured(&self, amount: Quantity) -> Option<Measured> {
        let (window, days) = self.extent()?;
        Some(Measured { amount, samples: self.slots.len(), window, days })
    }
}

impl Usage {
    /// Takes over what was measured of the pod as a whole, where nobody measured the container itself.
    fn complete(&mut self, whole: Self) {
        if self.memory.slots.is_empty() {
            self.memory = whole.memory;
        }
        if self.cpu.slots.is_empty() {
            self.cpu = whole.cpu;
        }
        self.kernel_peak = self.kernel_peak.or(whole.kernel_peak);
    }

    /// Returns the largest working set.
    pub fn peak(&self) -> Option<Measured> {
        let most = self.memory.slots.values().copied().max_by(f64::total_cmp)?;
        self.memory.measured(Quantity::from_bytes(whole(most)))
    }

    /// Returns what 95 of 100 samples of CPU stay at or under.
    pub fn cpu(&self) -> Option<Measured> {
        let mut values: Vec<f64> = self.cpu.slots.values().copied().collect();
        values.sort_by(f64::total_cmp);
        let rank = (values.len().saturating_mul(95)).div_ceil(100).max(1);
        self.cpu.measured(Quantity::from_milli(whole((values.get(rank - 1)? * 1000.0).ceil())))
    }
}

#[expect(clippy::cast_possible_truncation, reason = "the cast saturates, and what comes in is bounded")]
fn whole(number: f64) -> i64 {
    number as i64
}

impl<'s> Book<'s> {
    /// Reads all measurements; linear in them and in the pods.
    pub fn new(scene: &'s Scene<'s>) -> Self {
        let names = Names::new(scene);
        let mut book = Self::default();
        let table = Table::new(scene);
        for (address, readings) in table.all() {
            let Some(usage) = book.entry(&names, address) else { continue };
            let sane = readings.all().filter(|sample| (1.0..MOST_BYTES).contains(&sample.bytes));
            sane.for_each(|sample| usage.memory.add(sample.time.as_second(), sample.bytes));
        }
        book.point_samples(scene, &names);
        let series = scene.snapshot.metrics.iter().flatten();
        series.for_each(|series| book.series(&names, series));
        book.kernel(scene, &names);
        for (key, whole) in std::mem::take(&mut book.whole) {
            book.of.entry(key).or_default().complete(whole);
        }
        Self { table, ..book }
    }

    /// Returns what was measured of a container of a workload.
    pub fn of(&self, workload: &ObjectRef, container: &str) -> Usage {
        self.of.get(&(workload, container)).cloned().unwrap_or_default()
    }

    fn entry(&mut self, names: &Names<'s>, (namespace, pod, container): Address<'s>) -> Option<&mut Usage> {
        match container {
            "" => Some(self.whole.entry(*names.lone.get(&(namespace, pod))?).or_default()),
            "POD" => None,
            _ => Some(self.of.entry((names.workload(namespace, pod)?, container)).or_default()),
        }
    }

    fn point_samples(&mut self, scene: &'s Scene<'s>, names: &Names<'s>) {
        let now = scene.now().as_second();
        for (address, usage) in &scene.snapshot.usage {
            let Ok(cpu) = usage.cpu.parse::<Quantity>() else { continue };
            #[expect(clippy::cast_precision_loss, reason = "a measurement")]
            let cores = cpu.milli() as f64 / 1000.0;
            let address = (address.namespace.as_str(), address.pod.as_str(), address.container.as_str());
            if let (Some(usage), true) = (self.entry(names, address), is_cores(cores)) {
                usage.cpu.add(now, cores);
            }
        }
    }

    fn series(&mut self, names: &Names<'s>, series: &'s Series) {
        let samples: Vec<(f64, f64)> = match series.name() {
            CPU_CORES => series.samples.clone(),
            CPU_SECONDS => rates(&series.samples),
            _ => return,
        };
        let label = |name: &str| series.label(name).unwrap_or_default();
        let Some(usage) = self.entry(names, (label("namespace"), label("pod"), label("container"))) else { return };
        let sane = samples.into_iter().filter(|(time, cores)| time.is_finite() && is_cores(*cores));
        sane.for_each(|(time, cores)| usage.cpu.add(whole(time), cores));
    }

    fn kernel(&mut self, scene: &'s Scene<'s>, names: &Names<'s>) {
        for line in cadvisor::lines(scene, &[KERNEL_PEAK]) {
            let address = (line.label("namespace"), line.label("pod"), line.label("container"));
            let peak = Quantity::from_bytes(whole(line.value));
            if let (Some(usage), true) = (self.entry(names, address), (1.0..MOST_BYTES).contains(&line.value)) {
                usage.kernel_peak = usage.kernel_peak.max(Some(peak));
            }
        }
        for throttled in throttling::all(scene) {
            let Some(container) = throttled.container else { continue };
            let workload = &container.pod.workload().object;
            let usage = self.of.entry((workload, container.name())).or_default();
            let worse = usage.throttled.is_none_or(|known| known.share() < throttled.periods.share());
            usage.throttled = if worse { Some(throttled.periods) } else { usage.throttled };
        }
    }
}

fn is_cores(cores: f64) -> bool {
    (0.0..MOST_CORES).contains(&cores)
}

/// Turns a counter into what was used from one sample to the next; a restart sets it back.
fn rates(samples: &[(f64, f64)]) -> Vec<(f64, f64)> {
    let rate = |pair: &[(f64, f64)]| {
        let (seconds, used) = (pair[1].0 - pair[0].0, pair[1].1 - pair[0].1);
        (seconds > 0.0 && used >= 0.0).then(|| (pair[1].0, used / seconds))
    };
    samples.windows(2).filter_map(rate).collect()
}

/// Which pod belongs to which workload, also by the name that a pod had.
struct Names<'s> {
    pods: BTreeMap<(&'s str, &'s str), &'s ObjectRef>,
    /// The container of each pod that has only one.
    lone: BTreeMap<(&'s str, &'s str), (&'s ObjectRef, &'s str)>,
    /// What names its pods `<this>-<hash>`.
    makers: BTreeMap<(&'s str, &'s str), &'s ObjectRef>,
    /// StatefulSets, which number their pods, and CronJobs, which number their Jobs.
    counters: BTreeMap<(&'s str, &'s str), &'s ObjectRef>,
}

impl<'s> Names<'s> {
    fn new(scene: &'s Scene<'s>) -> Self {
        let pods = scene.pods().map(|pod| ((pod.namespace(), pod.name()), &pod.workload().object)).collect();
        let lone = scene.pods().filter_map(|pod| {
            let mut running = pod.containers().filter(|container| container.role != Role::Init);
            let only = running.next().filter(|_| running.next().is_none())?;
            Some(((pod.namespace(), pod.name()), (&pod.workload().object, only.name())))
        });
        let lone = lone.collect();
        let of_kind = |kinds: &'static [&'static str]| {
            let workloads = scene.workloads().iter().map(|workload| &workload.object);
            let named = workloads.filter(|object| kinds.contains(&object.kind.as_str()));
            named.map(|object| ((object.namespace(), object.name.as_str()), object))
        };
        let sets = scene.snapshot.objects.replica_sets.iter().filter_map(|set| {
            let above = owners::reference(owners::controller(set.object.meta())?, set.object.namespace());
            Some(((set.object.namespace(), set.object.name()), &scene.workload(&above)?.object))
        });
        let makers = of_kind(&["DaemonSet", "Job", "ReplicaSet"]).chain(sets).collect();
        Self { pods, lone, makers, counters: of_kind(&["StatefulSet", "CronJob"]).collect() }
    }

    fn workload(&self, namespace: &str, pod: &str) -> Option<&'s ObjectRef> {
        if let Some(known) = self.pods.get(&(namespace, pod)) {
            return Some(known);
        }
        let (base, last) = pod.rsplit_once('-')?;
        if let Some(set) = self.counters.get(&(namespace, base)).filter(|_| is_number(last)) {
            return Some(set);
        }
        let (cron, run) = base.rsplit_once('-').unwrap_or_default();
        let job = || self.counters.get(&(namespace, cron)).filter(|_| is_number(run));
        self.makers.get(&(namespace, base)).or_else(job).copied()
    }
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}
