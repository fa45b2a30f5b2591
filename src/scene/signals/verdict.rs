//! Where the trouble begins: the deepest degraded service of the call graph, or the node under several.

use std::collections::BTreeSet;

use super::callgraph::CallGraph;
use super::change::Change;
use super::observation::{self, Observation, Observations};
use super::places::{Place, Places};
use super::words::Signal;
use crate::model::Severity;
use crate::model::store::HasMeta as _;
use crate::scene::{PodView, Scene};

/// What is wrong at the place where it begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Trouble {
    /// Everything there takes longer, and no resource tells why.
    Delay,
    PacketLoss,
    CpuOverload,
    CpuThrottling,
    MemorySaturation,
    DiskSaturation,
    Errors,
}

/// A place and what is wrong there.
#[derive(Clone, Debug)]
pub struct Verdict<'s> {
    pub trouble: Trouble,
    pub place: Place,
    /// What was seen there, what decided first.
    pub observations: Vec<Observation<'s>>,
    /// Workloads that are degraded and that this explains, as indices.
    pub effects: BTreeSet<usize>,
    /// Whom it calls, also through others: a fault there would be the cause.
    pub callees: BTreeSet<usize>,
    pub severity: Severity,
    pub confidence: f64,
}

/// A median that grew by so much was delayed: what is lost is sent again after a fifth of a second, and only some is.
const DELAY_MS: f64 = 1000.0;

/// A caller of which so many times more was added than of its callee waits for more than the callee.
const OWN_DELAY: f64 = 5.0;

/// So many degraded services on one node, and none elsewhere, speak of the node.
const SEVERAL: usize = 3;

/// Judges what the alerts say; empty without alerts.
pub fn judge<'a>(scene: &Scene<'a>) -> Vec<Verdict<'a>> {
    if scene.snapshot.alerts.as_ref().is_none_or(Vec::is_empty) {
        return Vec::new();
    }
    let places = Places::new(scene);
    let observations = observation::collect(scene, &places);
    if observations.is_empty() {
        return Vec::new();
    }
    let court = Court { scene, graph: CallGraph::new(scene, &places), observations };
    court.judge()
}

struct Court<'c, 's> {
    scene: &'c Scene<'s>,
    graph: CallGraph,
    observations: Observations<'s>,
}

impl<'s> Court<'_, 's> {
    fn judge(&self) -> Vec<Verdict<'s>> {
        let degraded = self.degraded();
        let groups = self.groups(&degraded);
        let roots: Vec<usize> = groups.iter().flat_map(|group| self.candidates(group)).collect();
        let mut verdicts = self.nodes(&degraded, &roots);
        let network = verdicts.iter().any(|verdict| matches!(verdict.trouble, Trouble::Delay | Trouble::PacketLoss));
        for group in groups.iter().filter(|group| !network && group.iter().any(|member| self.is_felt(*member))) {
            verdicts.extend(self.root(group));
        }
        let known: BTreeSet<Place> = verdicts.iter().flat_map(Verdict::concerned).collect();
        let busy: Vec<Place> = self.observations.keys().copied().filter(|place| !known.contains(place)).collect();
        verdicts.extend(busy.into_iter().filter_map(|place| self.saturated(place, &degraded)));
        verdicts
    }

    fn at(&self, place: Place) -> impl Iterator<Item = &Observation<'s>> {
        self.observations.get(&place).into_iter().flatten()
    }

    fn signals(&self, place: Place, signal: Signal) -> impl Iterator<Item = &Observation<'s>> {
        self.at(place).filter(move |observation| observation.signal == signal)
    }

    fn has(&self, place: Place, signal: Signal) -> bool {
        self.signals(place, signal).any(Observation::grew)
    }

    /// Tells whether its users notice something: it is slow, fails, or loses packets.
    fn is_felt(&self, index: usize) -> bool {
        let place = Place::Workload(index);
        let fails = self.signals(place, Signal::Errors).next().is_some();
        fails || self.has(place, Signal::Latency) || self.has(place, Signal::Loss)
    }

    /// Tells whether its resources are used up so clearly that those who wait for it wait for them.
    fn is_exhausted(&self, index: usize) -> bool {
        let place = Place::Workload(index);
        let ends = self.has(place, Signal::Memory) || self.has(place, Signal::Disk);
        let busy = || self.signals(place, Signal::Cpu).filter(|busy| busy.grew());
        let full = busy().any(|busy| busy.is_saturated() && busy.changes.iter().any(|change| change.percent));
        ends || full || (busy().next().is_some() && self.has(place, Signal::Throttling))
    }

    /// Returns the workloads that are felt, and those that are exhausted.
    fn degraded(&self) -> BTreeSet<usize> {
        let workloads = self.observations.keys().filter_map(|place| match place {
            Place::Workload(index) => Some(*index),
            Place::Node(_) => None,
        });
        workloads.filter(|index| self.is_felt(*index) || self.is_exhausted(*index)).collect()
    }

    /// Splits the degraded workloads into groups that call each other.
    fn groups(&self, degraded: &BTreeSet<usize>) -> Vec<BTreeSet<usize>> {
        let mut left = degraded.clone();
        let mut groups = Vec::new();
        while let Some(first) = left.pop_first() {
            let mut group = BTreeSet::from([first]);
            let mut open = vec![first];
            while let Some(one) = open.pop() {
                let near: Vec<usize> = left.iter().copied().filter(|other| self.adjacent(one, *other)).collect();
                for other in near {
                    left.remove(&other);
                    group.insert(other);
                    open.push(other);
                }
            }
            groups.push(group);
        }
        groups
    }

    fn adjacent(&self, one: usize, other: usize) -> bool {
        self.graph.calls(one, other) || self.graph.calls(other, one)
    }

    /// Returns the members of a group whose trouble none of their callees explains; all of them in a circle.
    fn candidates(&self, group: &BTreeSet<usize>) -> Vec<usize> {
        let explained = |caller: usize| {
            let mut callees = self.graph.callees(caller).filter(|callee| group.contains(callee));
            callees.any(|callee| !self.graph.calls(callee, caller) && self.explains(callee, caller))
        };
        let roots: Vec<usize> = group.iter().copied().filter(|member| !explained(*member)).collect();
        if roots.is_empty() { group.iter().copied().collect() } else { roots }
    }

    /// Tells whether what a callee takes longer is enough for its caller.
    fn explains(&self, callee: usize, caller: usize) -> bool {
        if !self.has(Place::Workload(caller), Signal::Latency) {
            return true;
        }
        if !self.has(Place::Workload(callee), Signal::Latency) {
            // An error may be made at once; a caller that waits waits for something else.
            return self.has(Place::Workload(callee), Signal::Loss) || self.is_exhausted(callee);
        }
        match (self.slowness(callee), self.slowness(caller)) {
            (Some((callee, by_callee)), Some((caller, by_caller))) => {
                callee >= caller || by_callee * OWN_DELAY >= by_caller
            }
            _ => true,
        }
    }

    /// Returns how many times slower a workload is, and by how many milliseconds.
    fn slowness(&self, index: usize) -> Option<(f64, f64)> {
        let greatest = |what: fn(&Change) -> f64| {
            let all = self.signals(Place::Workload(index), Signal::Latency);
            all.filter_map(|observation| observation.greatest(what)).max_by(f64::total_cmp)
        };
        // What was idle before would be slower without bound.
        Some((greatest(|change| change.after / change.before.max(1.0))?, greatest(Change::increase)?))
    }

    /// Judges a group: one of its members is where it begins.
    fn root(&self, group: &BTreeSet<usize>) -> Option<Verdict<'s>> {
        let candidates = self.candidates(group);
        let weight = |index: &usize| {
            let slow = self.slowness(*index);
            let reason = self.is_exhausted(*index) || self.has(Place::Workload(*index), Signal::Latency);
            (reason, slow.map_or(0.0, |(ratio, _)| ratio))
        };
        let root = candidates.iter().copied().max_by(|a, b| {
            let (a_weight, b_weight) = (weight(a), weight(b));
            a_weight.0.cmp(&b_weight.0).then(a_weight.1.total_cmp(&b_weight.1)).then(b.cmp(a))
        })?;
        let place = Place::Workload(root);
        let trouble = self.trouble(place);
        let sure = match trouble {
            Trouble::Errors => 0.5,
            Trouble::Delay => 0.65,
            _ => 0.75,
        };
        let confidence = if candidates.len() > 1 { sure - 0.15 } else { sure };
        let effects = group.iter().copied().filter(|member| *member != root).collect();
        Some(self.verdict(place, trouble, effects, confidence))
    }

    /// Says what is wrong at a degraded workload: the resource that is used up there, else the network or the program.
    fn trouble(&self, place: Place) -> Trouble {
        let has = |signal| self.has(place, signal);
        if has(Signal::Loss) {
            Trouble::PacketLoss
        } else if has(Signal::Cpu) {
            Trouble::CpuOverload
        } else if has(Signal::Throttling) {
            Trouble::CpuThrottling
        } else if has(Signal::Memory) {
            Trouble::MemorySaturation
        } else if has(Signal::Disk) {
            Trouble::DiskSaturation
        } else if has(Signal::Latency) {
            Trouble::Delay
        } else {
            Trouble::Errors
        }
    }

    fn verdict(&self, place: Place, trouble: Trouble, effects: BTreeSet<usize>, confidence: f64) -> Verdict<'s> {
        let callees = match place {
            Place::Workload(index) => self.graph.reach(index),
            Place::Node(_) => BTreeSet::new(),
        };
        let mut observations: Vec<Observation<'s>> = self.at(place).cloned().collect();
        observations.sort_by_key(|observation| (deciding(trouble) != observation.signal, observation.signal));
        let hit = effects.iter().flat_map(|index| self.at(Place::Workload(*index)));
        let worst = observations.iter().chain(hit).map(|observation| observation.severity).max();
        let severity = match trouble {
            // A service may fail for what no signal shows.
            Trouble::Errors => Severity::Warning,
            _ => worst.unwrap_or(Severity::Warning),
        };
        // What is busy behind it without being slow is no cause, and worth knowing.
        let busy = callees.iter().filter(|index| !effects.contains(index));
        observations.extend(
            busy.flat_map(|index| self.at(Place::Workload(*index))).filter(|seen| is_resource(seen.signal)).cloned(),
        );
        Verdict { trouble, place, observations, effects, callees, severity, confidence }
    }

    /// Judges the nodes: those that send packets again, that are full, or on which all that is degraded lies.
    fn nodes(&self, degraded: &BTreeSet<usize>, roots: &[usize]) -> Vec<Verdict<'s>> {
        let mut verdicts: Vec<Verdict<'s>> = self.lossy_node(degraded, roots).into_iter().collect();
        if verdicts.is_empty() {
            verdicts.extend(self.common_node(degraded, roots));
        }
        verdicts
    }

    /// Finds the node that sends the most packets again; the others talk to it.
    fn lossy_node(&self, degraded: &BTreeSet<usize>, roots: &[usize]) -> Option<Verdict<'s>> {
        let lossy = self.observations.keys().copied().filter(|place| matches!(place, Place::Node(_)));
        let lossy = lossy.filter(|place| self.has(*place, Signal::Loss));
        let amount = |place: &Place| {
            let losses = self.signals(*place, Signal::Loss);
            losses.filter_map(|loss| loss.greatest(|change| change.after)).max_by(f64::total_cmp).unwrap_or(0.0)
        };
        let worst = lossy.max_by(|a, b| amount(a).total_cmp(&amount(b)).then(b.cmp(a)))?;
        let trouble = if self.is_delayed(roots) { Trouble::Delay } else { Trouble::PacketLoss };
        let mut verdict = self.verdict(worst, trouble, degraded.clone(), 0.75);
        if degraded.is_empty() {
            // Nobody notices.
            verdict.severity = Severity::Warning;
        }
        Some(verdict)
    }

    /// Tells whether medians where the trouble begins grew by more than a retransmission takes.
    fn is_delayed(&self, roots: &[usize]) -> bool {
        let slow = roots.iter().flat_map(|root| self.signals(Place::Workload(*root), Signal::Latency));
        let mut changes = slow.flat_map(|observation| &observation.changes);
        changes.any(|change| change.median && change.increase() >= DELAY_MS)
    }

    /// Finds the one node that all slow calls between nodes have in common, if several services are slow for themselves.
    fn common_node(&self, degraded: &BTreeSet<usize>, roots: &[usize]) -> Option<Verdict<'s>> {
        let slow = roots.iter().filter(|root| self.trouble(Place::Workload(**root)) == Trouble::Delay);
        let slow: Vec<usize> = slow.copied().collect();
        if slow.len() < SEVERAL || slow.len() < roots.len() {
            return None;
        }
        let mut common: Option<BTreeSet<&str>> = None;
        for &root in &slow {
            let mut ends: BTreeSet<&str> = self.nodes_of(root).collect();
            let callers = degraded.iter().filter(|caller| self.graph.calls(**caller, root));
            ends.extend(callers.flat_map(|caller| self.nodes_of(*caller)));
            if ends.len() < 2 {
                // What does not leave a node does not meet its network.
                return None;
            }
            common = Some(common.map_or_else(|| ends.clone(), |common| common.intersection(&ends).copied().collect()));
        }
        let common = common.filter(|common| common.len() == 1)?;
        let index = self.scene.snapshot.objects.nodes.iter().position(|node| common.contains(node.object.name()))?;
        let mut verdict = self.verdict(Place::Node(index), Trouble::Delay, degraded.clone(), 0.6);
        verdict.observations.extend(slow.iter().flat_map(|root| self.at(Place::Workload(*root))).cloned());
        Some(verdict)
    }

    fn nodes_of(&self, index: usize) -> impl Iterator<Item = &str> {
        self.scene.pods_of(&self.scene.workloads()[index]).filter_map(PodView::node)
    }

    /// Judges a place whose resources are used up and nobody notices it, and nodes.
    fn saturated(&self, place: Place, degraded: &BTreeSet<usize>) -> Option<Verdict<'s>> {
        let full = |signal: Signal| {
            self.signals(place, signal).any(|observation| observation.grew() && observation.is_saturated())
        };
        let resources = [Signal::Cpu, Signal::Throttling, Signal::Memory, Signal::Disk];
        let full: Vec<Signal> = resources.into_iter().filter(|signal| full(*signal)).collect();
        if full.is_empty() {
            return None;
        }
        let on_it = degraded.iter().copied().filter(|index| self.runs_on(*index, place)).collect();
        // What is slow on a node that is full is slow for that more likely than for a reason that nothing shows.
        let mut verdict = self.verdict(place, self.trouble(place), on_it, 0.78);
        if verdict.effects.is_empty() {
            // A busy CPU that slows nothing down is well used; memory and disks end at once.
            let ends = full.iter().any(|signal| matches!(signal, Signal::Memory | Signal::Disk));
            verdict.severity = if ends || full.len() > 1 { Severity::Warning } else { Severity::Info };
            verdict.confidence = if ends { 0.7 } else { 0.55 };
        }
        Some(verdict)
    }

    fn runs_on(&self, index: usize, place: Place) -> bool {
        let Place::Node(node) = place else { return false };
        let name = self.scene.snapshot.objects.nodes.iter().nth(node).map(|node| node.object.name());
        self.nodes_of(index).any(|other| Some(other) == name)
    }
}

impl Verdict<'_> {
    /// Iterates over the places that it speaks of.
    fn concerned(&self) -> impl Iterator<Item = Place> {
        let workloads = self.effects.iter().chain(&self.callees).copied().map(Place::Workload);
        std::iter::once(self.place).chain(workloads)
    }
}

fn is_resource(signal: Signal) -> bool {
    matches!(signal, Signal::Throttling | Signal::Cpu | Signal::Memory | Signal::Disk)
}

/// The signal that stands for a trouble.
fn deciding(trouble: Trouble) -> Signal {
    match trouble {
        Trouble::Delay => Signal::Latency,
        Trouble::PacketLoss => Signal::Loss,
        Trouble::CpuOverload => Signal::Cpu,
        Trouble::CpuThrottling => Signal::Throttling,
        Trouble::MemorySaturation => Signal::Memory,
        Trouble::DiskSaturation => Signal::Disk,
        Trouble::Errors => Signal::Errors,
    }
}
