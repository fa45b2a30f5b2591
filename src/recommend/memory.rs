//! How much memory a container that was killed for want of it should get.
//!
//! A kill says that the need was more than the limit, and nobody saw how much: a censored observation. So the first step
//! is a factor, what was seen above the limit is better, and some troubles are no matter of a limit at all.

use std::collections::BTreeMap;

use crate::model::sizing::{Footing, Verdict};
use crate::quantity::Quantity;
use crate::recommend::facts::{Bound, Facts, Heap};
use crate::recommend::flag::Flag;
use crate::recommend::growth;
use crate::scene::pods::memory::How;
use crate::scene::pods::{fresh, units};

const MEBI: i64 = 1 << 20;
/// Up to here, a step that turns out to be too large costs little.
const DEAR: Quantity = Quantity::from_bytes(1 << 30);
/// Under this a step of a quarter is too small to matter.
const SMALL: Quantity = Quantity::from_bytes(100 * MEBI);
/// What hardly lives needs much more than it has.
const QUICK_SECONDS: i64 = 60;
/// After so many raises in a row, the limit is not the cause.
const MOST_RAISES: usize = 4;
/// The share of the limit that a heap may have: the program needs memory beside it.
const HEAP_PERCENT: i64 = 75;
/// A heap that grows with the limit leaves too little beside it from here on.
const GREEDY_PERCENT: i64 = 80;
/// Who is killed before this and has no more than that was killed while it was loaded.
const AT_ONCE_SECONDS: i64 = 2;
const TINY: Quantity = Quantity::from_bytes(32 * MEBI);
/// What the container runtime and a small program need to come up.
const TO_START: Quantity = Quantity::from_bytes(64 * MEBI);
const A_DAY_SECONDS: i64 = 86_400;

/// What is advised, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Estimate {
    pub verdict: Verdict,
    pub footing: Footing,
    pub formula: String,
    pub inputs: BTreeMap<&'static str, String>,
    /// The new limit; `None` where none is advised. Always more than the limit.
    pub limit: Option<Quantity>,
    /// What cures it as well or instead: a clause without a full stop.
    pub instead: Option<String>,
    /// The flag that is the cure where the limit is not.
    pub flag: Option<Flag>,
}

/// Estimates the limit. The same facts give the same words.
pub fn estimate(facts: &Facts) -> Estimate {
    let cases: [fn(&Facts) -> Option<Estimate>; 12] =
        [node, unit, lowered, greedy_heap, fixed_heap, leak, exhausted, forked, measured, advised, volume, start];
    let found = cases.iter().find_map(|case| case(facts)).unwrap_or_else(|| first_step(facts));
    sound(facts, found)
}

/// Takes a number back that would not be a raise, as with absurd amounts, and adds what a heap must do with the new limit.
fn sound(facts: &Facts, mut estimate: Estimate) -> Estimate {
    let raise = estimate
        .limit
        .filter(|limit| *limit > facts.limit.max(Quantity::ZERO) && *limit < Quantity::from_bytes(i64::MAX));
    if estimate.limit.is_some() && raise.is_none() {
        estimate.verdict = Verdict::NotTheLimit;
        estimate.instead = Some("look at what the program allocates".to_owned());
    }
    estimate.limit = raise;
    estimate
}

/// Makes an estimate with the inputs that all have.
fn of(facts: &Facts, verdict: Verdict, formula: impl Into<String>, limit: Option<Quantity>) -> Estimate {
    let mut inputs = BTreeMap::from([("limit", facts.literal.clone())]);
    let restarts: i64 = facts.kills.iter().map(|kill| i64::from(kill.restarts.max(0))).sum();
    if restarts > 0 {
        inputs.insert("restarts", restarts.to_string());
    }
    if let Some(shortest) = facts.kills.iter().filter_map(|kill| kill.lasted).min() {
        inputs.insert("lived", fresh::span(shortest));
    }
    let limit = limit.map(rounded);
    Estimate { verdict, footing: Footing::FirstStep, formula: formula.into(), inputs, limit, instead: None, flag: None }
}

/// Rounds up to what a person would write: multiples of 4Mi, from 128Mi on of 16Mi, from 1Gi on of 64Mi.
pub fn rounded(amount: Quantity) -> Quantity {
    amount.ceil_to(unit_of(amount))
}

/// Returns the unit in which an amount is rounded.
pub fn unit_of(amount: Quantity) -> Quantity {
    let mebi = match amount {
        small if small < Quantity::from_bytes(128 * MEBI) => 4,
        middle if middle < Quantity::from_bytes(1 << 30) => 16,
        _ => 64,
    };
    Quantity::from_bytes(mebi * MEBI)
}

/// The node had no memory left: the limit of this container had no part in it.
fn node(facts: &Facts) -> Option<Estimate> {
    let formula = "none: the node ran out of memory, not the limit";
    let instead = "give it a memory request of what it uses, so that it gets a node with room".to_owned();
    facts.node_ran_out.then(|| Estimate { instead: Some(instead), ..of(facts, Verdict::NotTheLimit, formula, None) })
}

/// `128m` is a slip for `128Mi`.
fn unit(facts: &Facts) -> Option<Estimate> {
    let slip = units::slip("memory", &facts.literal)?;
    let meant: Quantity = slip.meant.as_deref()?.parse().ok()?;
    let formula = format!("`Mi` for the unit of {}, which is {}", facts.literal, slip.says);
    // What was meant is not rounded.
    Some(Estimate { limit: Some(meant), ..of(facts, Verdict::Unit, formula, None) })
}

/// The revision before had a higher limit, and nothing says that it was too low.
fn lowered(facts: &Facts) -> Option<Estimate> {
    let before = facts.earlier.last().copied().filter(|before| *before > facts.limit)?;
    let mut estimate = of(facts, Verdict::Lowered, "limit of the revision before", None);
    estimate.inputs.insert("before", before.mem());
    estimate.limit = Some(before);
    Some(estimate)
}

/// A heap that is a share of the limit grows with it: no limit helps.
fn greedy_heap(facts: &Facts) -> Option<Estimate> {
    let heap = facts.heap.as_ref()?;
    let Bound::Percent(percent) = heap.bound else { return None };
    if percent < GREEDY_PERCENT {
        return None;
    }
    let formula = "heap = limit × percentage, which grows with the limit: no limit helps";
    let mut estimate = of(facts, Verdict::HeapFlag, formula, None);
    estimate.inputs.insert("heap", format!("{}={}", heap.flag, heap.value));
    estimate.flag =
        Some(Flag { before: format!("{}={}", heap.flag, heap.value), after: format!("{}={HEAP_PERCENT}", heap.flag) });
    estimate.instead = Some(format!(
        "set {} from {} to {HEAP_PERCENT}, which leaves {} beside the heap",
        heap.flag,
        heap.value,
        facts.limit.saturating_ratio(100 - HEAP_PERCENT, 100).floor_to(Quantity::from_bytes(MEBI)).mem()
    ));
    Some(estimate)
}

/// A heap of fixed size needs room beside it: the pair of flag and limit is the fix.
fn fixed_heap(facts: &Facts) -> Option<Estimate> {
    let heap = facts.heap.as_ref()?;
    let Bound::Fixed(size) = heap.bound else { return None };
    if size.percent_of(facts.limit)? <= HEAP_PERCENT {
        return None;
    }
    let need = size.saturating_ratio(100, HEAP_PERCENT).max(size.saturating_add(SMALL));
    let formula = format!("max(heap / {}, heap + {})", percent(HEAP_PERCENT), SMALL.mem());
    let mut estimate = of(facts, Verdict::HeapFlag, formula, Some(need));
    estimate.inputs.insert("heap", format!("{} {}", heap.flag, heap.value));
    estimate.instead = Some(smaller_heap(facts, heap));
    Some(estimate)
}

fn smaller_heap(facts: &Facts, heap: &Heap) -> String {
    let size = facts.limit.saturating_ratio(HEAP_PERCENT, 100).floor_to(Quantity::from_bytes(MEBI));
    let mebi = size.value() / MEBI;
    let value = match heap.flag {
        "-Xmx" => format!("{mebi}m"),
        "GOMEMLIMIT" => format!("{mebi}MiB"),
        _ => mebi.to_string(),
    };
    format!("lower {} from {} to {value}", heap.flag, heap.value)
}

fn percent(hundredths: i64) -> String {
    format!("0.{hundredths:02}")
}

/// What grows for as long as it lives fills any limit.
fn leak(facts: &Facts) -> Option<Estimate> {
    let growth = growth::of(facts)?;
    let (next, _) = step(facts);
    let next = rounded(next);
    let formula = "none: more memory / growth = how much longer it lives";
    let mut estimate = of(facts, Verdict::Leak, formula, None);
    let more = next.saturating_sub(facts.limit);
    estimate.footing = Footing::Samples;
    estimate.inputs.insert("growth", format!("{}/h", mebi(growth.an_hour())));
    estimate.inputs.insert("more", more.mem());
    estimate.inputs.insert("lasts", growth::lasting(growth.lasts(more)));
    estimate.instead = Some(format!(
        "it grows by {} an hour for as long as it lives: a limit of {} would last {} longer",
        mebi(growth.an_hour()),
        next.mem(),
        growth::lasting(growth.lasts(more))
    ));
    Some(estimate)
}

/// Writes an amount in whole mebibytes, or in kibibytes where it is less than one.
pub fn mebi(amount: Quantity) -> String {
    let unit = if amount < Quantity::from_bytes(MEBI) { 1 << 10 } else { MEBI };
    amount.floor_to(Quantity::from_bytes(unit)).mem()
}

/// Four raises in a row did not help.
fn exhausted(facts: &Facts) -> Option<Estimate> {
    let raises = raises(facts);
    if raises < MOST_RAISES {
        return None;
    }
    let mut estimate = of(facts, Verdict::NotTheLimit, format!("none: {raises} raises in a row did not help"), None);
    estimate.inputs.insert("earlier", listed(&facts.earlier));
    estimate.instead =
        Some("look for a leak, an input without bounds or a heap flag that grows with the limit".to_owned());
    Some(estimate)
}

/// So many processes of a measured size: what all workers need is a product. One process of them is the master.
fn forked(facts: &Facts) -> Option<Estimate> {
    let workers = facts.workers.as_ref()?;
    let (shared, processes) = workers.measured.filter(|(_, processes)| (2..=workers.count).contains(processes))?;
    let each = shared.saturating_ratio(1, processes - 1);
    let need = each.saturating_mul(workers.count).saturating_ratio(115, 100);
    if need <= facts.limit {
        return None;
    }
    let formula = "1.15 × workers × working set / (processes - 1)";
    let mut estimate = of(facts, Verdict::WorkerCount, formula, Some(need));
    estimate.footing = Footing::Samples;
    estimate.inputs.insert("workers", format!("{} of {}", workers.count, workers.program));
    estimate.inputs.insert("working set", mebi(shared));
    estimate.inputs.insert("processes", processes.to_string());
    estimate.instead = fewer_workers(facts, estimate.limit);
    Some(estimate)
}

/// More than the limit was seen, in another replica or before: that tells the need.
fn measured(facts: &Facts) -> Option<Estimate> {
    let peak = facts.peak.filter(|peak| peak.amount.saturating_ratio(115, 100) > facts.limit)?;
    let above = peak.amount > facts.limit;
    let need = peak.amount.saturating_ratio(115, 100);
    let (next, words) = step(facts);
    let (limit, formula) =
        if above { (need, "1.15 × peak".to_owned()) } else { (need.max(next), format!("max(1.15 × peak, {words})")) };
    let mut estimate = of(facts, undersized(facts), formula, Some(limit));
    estimate.inputs.insert("peak", mebi(peak.amount));
    estimate.instead = fewer_workers(facts, estimate.limit);
    if above {
        estimate.footing = if peak.window.as_secs() >= A_DAY_SECONDS { Footing::Days } else { Footing::Samples };
    }
    Some(estimate)
}

/// A `VerticalPodAutoscaler` has watched it for longer than we have.
fn advised(facts: &Facts) -> Option<Estimate> {
    let told = facts.advised.filter(|told| *told > facts.limit)?;
    let (next, words) = step(facts);
    let mut estimate = of(facts, undersized(facts), format!("max(autoscaler, {words})"), Some(told.max(next)));
    estimate.inputs.insert("autoscaler", mebi(told));
    estimate.footing = Footing::Samples;
    Some(estimate)
}

/// Files in memory count towards the limit.
fn volume(facts: &Facts) -> Option<Estimate> {
    let files = facts.files.filter(|files| files.percent_of(facts.limit).is_some_and(|share| share >= 50))?;
    let need = facts.limit.saturating_add(files);
    let mut estimate = of(facts, Verdict::Undersized, "limit + what the memory-backed volumes may hold", Some(need));
    estimate.inputs.insert("volumes", files.mem());
    estimate.instead = Some("keep the files on disk: an `emptyDir` without `medium: Memory`".to_owned());
    Some(estimate)
}

/// It did not come up: that says nothing of what the program needs, but that it needs as much as any.
fn start(facts: &Facts) -> Option<Estimate> {
    let at_once = facts.kills.iter().filter_map(|kill| kill.lasted).any(|lasted| lasted.as_secs() < AT_ONCE_SECONDS);
    let starts = matches!(facts.how, How::Start | How::Sandbox) || (at_once && facts.limit < TINY);
    let (next, words) = if facts.counted { step(facts) } else { (facts.limit.saturating_mul(2), "2 × limit") };
    let formula = if next < TO_START { format!("max({words}, {})", TO_START.mem()) } else { words.to_owned() };
    starts.then(|| of(facts, Verdict::Undersized, formula, Some(next.max(TO_START))))
}

fn first_step(facts: &Facts) -> Estimate {
    let (limit, words) = step(facts);
    let mut estimate = of(facts, undersized(facts), words, Some(limit));
    if raises(facts) > 0 {
        estimate.inputs.insert("earlier", listed(&facts.earlier));
    }
    if let Some(workers) = &facts.workers {
        estimate.inputs.insert("workers", format!("{} of {}", workers.count, workers.program));
    }
    estimate.instead = fewer_workers(facts, estimate.limit);
    estimate
}

/// The next limit to try, and its formula.
fn step(facts: &Facts) -> (Quantity, &'static str) {
    let (next, words) = careful_step(facts);
    let (double, hundred) = (facts.limit.saturating_mul(2), facts.limit.saturating_add(SMALL));
    // Where the kernel's own maximum can be read, what is too much is seen once it lives, and taken back.
    if !facts.counted || next < double {
        return (next, words);
    }
    let triple = facts.limit.saturating_mul(3);
    if raises(facts) > 0 && triple <= DEAR {
        return (triple.max(hundred), "max(3 × limit, limit + 100Mi)");
    }
    (double.max(hundred), "max(2 × limit, limit + 100Mi)")
}

/// A step that cannot be far above the need, as it will not be taken back.
fn careful_step(facts: &Facts) -> (Quantity, &'static str) {
    let quick = facts.kills.iter().filter_map(|kill| kill.lasted).any(|lasted| lasted.as_secs() < QUICK_SECONDS);
    let loses_workers = facts.how == How::Worker;
    if facts.limit < SMALL || quick || loses_workers || raises(facts) > 0 {
        return (facts.limit.saturating_mul(2), "2 × limit");
    }
    let quarter = facts.limit.saturating_ratio(125, 100);
    (quarter.max(facts.limit.saturating_add(SMALL)), "max(1.25 × limit, limit + 100Mi)")
}

/// Counts the raises in a row that led to the limit.
fn raises(facts: &Facts) -> usize {
    let mut limits: Vec<Quantity> = facts.earlier.iter().copied().chain([facts.limit]).collect();
    limits.dedup();
    limits.windows(2).rev().take_while(|pair| pair[0] < pair[1]).count()
}

fn listed(limits: &[Quantity]) -> String {
    let mut limits = limits.to_vec();
    limits.dedup();
    limits.iter().map(|limit| limit.mem()).collect::<Vec<_>>().join(", ")
}

fn undersized(facts: &Facts) -> Verdict {
    let shared = facts.workers.is_some() && matches!(facts.how, How::Worker | How::Child);
    if shared { Verdict::WorkerCount } else { Verdict::Undersized }
}

/// Returns how many workers would fit under the limit if so many need the new one.
fn fewer_workers(facts: &Facts, limit: Option<Quantity>) -> Option<String> {
    let workers = facts.workers.as_ref()?;
    let share = facts.limit.percent_of(limit?)?;
    let fewer = (workers.count.saturating_mul(share) / 100).max(1);
    let plural = if fewer == 1 { "" } else { "s" };
    (fewer < workers.count)
        .then(|| format!("run {fewer} worker{plural} of {} instead of {}", workers.program, workers.count))
}
