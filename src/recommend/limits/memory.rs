//! What is said of the memory of a container that is not killed for want of it.
//!
//! It is never told to raise: a working set near the limit is often page cache in use, and nothing was killed. It is told to
//! ask for less only from samples of a day or more, and its limit is lowered only where it equals the request.

use crate::model::limits::{Danger, Field};
use crate::model::sizing::Verdict;
use crate::quantity::Quantity;
use crate::recommend::facts::{Bound, Heap};
use crate::recommend::limits::opinion::{self, Amount, Health, Opinion};
use crate::recommend::limits::usage::Measured;
use crate::recommend::memory::rounded;

/// From this share of the limit on, the working set is near it.
const NEAR_PERCENT: i64 = 90;
/// A request is far above the need from one and a half times on, if that frees as much as a small program takes.
const FAR_PERCENT: i64 = 150;
const WORTH: Quantity = Quantity::from_bytes(32 << 20);
/// The share of the limit that a heap may have.
const HEAP_PERCENT: i64 = 75;

/// What is known of a container's memory.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    pub request: Option<Amount>,
    pub limit: Option<Amount>,
    /// The request is written down, and not what the server makes of the limit.
    pub explicit: bool,
    pub peak: Option<Measured>,
    pub health: Health,
    /// A run of it was killed for want of memory, some time ago.
    pub killed_once: bool,
    pub heap: Option<Heap>,
    /// What a `VerticalPodAutoscaler` says that it needs.
    pub advised: Option<Quantity>,
    /// The share of the requested memory at which a `HorizontalPodAutoscaler` adds replicas.
    pub scaled_at: Option<i64>,
}

/// Judges the memory of a container that is not being killed.
pub fn judge(facts: &Facts) -> Opinion {
    let mut opinion = Opinion::default();
    opinion::slip(&mut opinion, Field::LimitsMemory, facts.limit.as_ref());
    opinion::slip(&mut opinion, Field::RequestsMemory, facts.request.as_ref().filter(|_| facts.explicit));
    if !opinion.remarks.is_empty() {
        return opinion;
    }
    near(facts, &mut opinion);
    missing_limit(facts, &mut opinion);
    missing_request(facts, &mut opinion);
    low(facts, &mut opinion);
    oversized(facts, &mut opinion);
    opinion
}

fn need(peak: &Measured) -> Quantity {
    rounded(peak.amount.saturating_ratio(115, 100))
}

fn inputs(peak: &Measured) -> std::collections::BTreeMap<&'static str, String> {
    let mut inputs = opinion::sampled(peak);
    inputs.insert("peak", shown(peak.amount));
    inputs
}

/// Writes a measured amount of memory as people read it, in whole mebibytes or kibibytes.
pub(super) fn shown(amount: Quantity) -> String {
    let unit = if amount < Quantity::from_bytes(1 << 20) { 1 << 10 } else { 1 << 20 };
    amount.ceil_to(Quantity::from_bytes(unit)).mem()
}

fn near(facts: &Facts, opinion: &mut Opinion) {
    let (Some(limit), Some(peak)) = (&facts.limit, &facts.peak) else { return };
    let Some(share) = peak.amount.percent_of(limit.value).filter(|share| *share >= NEAR_PERCENT) else { return };
    let (peak, literal) = (shown(peak.amount), &limit.literal);
    let note = if share > 100 {
        format!("{peak} were seen in use, more than the limit of {literal} that it has now")
    } else {
        format!("{peak} of a limit of {literal} are in use; nothing was killed, and files that it reads often count")
    };
    opinion.remark(Verdict::NearLimit, Danger::Medium, note);
}

fn missing_limit(facts: &Facts, opinion: &mut Opinion) {
    if facts.limit.is_some() {
        return;
    }
    let danger = if facts.request.is_some() { Danger::Low } else { Danger::Medium };
    opinion.remark(Verdict::NoLimit, danger, "it has no memory limit: what it takes, its node lacks");
    let Some(peak) = facts.peak.filter(|peak| peak.days && facts.health == Health::Settled && !facts.killed_once)
    else {
        return;
    };
    let asked = facts.request.as_ref().map(|request| request.value);
    let limit = need(&peak).max(asked.unwrap_or_default()).max(for_heap(facts).unwrap_or_default());
    let mut inputs = inputs(&peak);
    inputs.extend(facts.request.as_ref().map(|request| ("request", request.literal.clone())));
    inputs.extend(facts.heap.as_ref().map(|heap| ("heap", format!("{}={}", heap.flag, heap.value))));
    let basis =
        opinion::basis(Verdict::NoLimit, opinion::footing(&peak), formula(facts, facts.request.is_some()), inputs);
    opinion.advise(Field::LimitsMemory, limit.mem(), basis);
}

/// Names what else bounds a number from below.
fn formula(facts: &Facts, request: bool) -> String {
    let mut terms = vec!["1.15 × peak"];
    terms.extend(request.then_some("request"));
    terms.extend(for_heap(facts).map(|_| "heap / 0.75"));
    terms.extend(facts.scaled_at.filter(|_| !request).map(|_| "peak / share at which it is scaled"));
    let terms = if terms.len() == 1 { terms.concat() } else { format!("max({})", terms.join(", ")) };
    format!("{terms}, rounded up")
}

/// Returns what a heap of fixed size needs around it.
fn for_heap(facts: &Facts) -> Option<Quantity> {
    match facts.heap.as_ref()?.bound {
        Bound::Fixed(size) => Some(rounded(size.saturating_ratio(100, HEAP_PERCENT))),
        Bound::Percent(_) => None,
    }
}

fn missing_request(facts: &Facts, opinion: &mut Opinion) {
    if facts.request.is_some() || facts.limit.is_some() {
        return;
    }
    let note = "it has no memory request: it gets any node, and is evicted first where memory runs short";
    opinion.remark(Verdict::NoRequest, Danger::Medium, note);
    if let Some(peak) = facts.peak.filter(|_| facts.health > Health::Unwell) {
        let basis =
            opinion::basis(Verdict::NoRequest, opinion::footing(&peak), "1.15 × peak, rounded up", inputs(&peak));
        opinion.advise(Field::RequestsMemory, need(&peak).mem(), basis);
    } else if let Some(told) = facts.advised {
        let inputs = [("autoscaler", shown(told))];
        let basis = opinion::basis(Verdict::NoRequest, crate::model::sizing::Footing::Samples, "autoscaler", inputs);
        opinion.advise(Field::RequestsMemory, rounded(told).mem(), basis);
    }
}

fn low(facts: &Facts, opinion: &mut Opinion) {
    let (Some(request), Some(peak)) = (&facts.request, &facts.peak) else { return };
    let below_limit = facts.limit.as_ref().is_none_or(|limit| request.value < limit.value);
    if peak.amount > request.value && below_limit {
        let note = format!(
            "{} were in use, more than the memory request of {}: it is among the first to be evicted where memory runs short",
            shown(peak.amount),
            request.literal
        );
        opinion.remark(Verdict::RequestLow, Danger::Low, note);
    }
}

fn oversized(facts: &Facts, opinion: &mut Opinion) {
    let (Some(request), Some(peak)) = (&facts.request, &facts.peak) else { return };
    // Replicas that are added at a share of the request use that share.
    let scaled = facts.scaled_at.map(|share| rounded(peak.amount.saturating_ratio(100, share)));
    let need = need(peak).max(for_heap(facts).unwrap_or_default()).max(scaled.unwrap_or_default());
    let far = request.value >= need.saturating_ratio(FAR_PERCENT, 100);
    if !far || request.value.saturating_sub(need) < WORTH || facts.health == Health::Unwell {
        return;
    }
    if !peak.days || facts.killed_once || facts.health != Health::Settled {
        let why = match (facts.killed_once, peak.days) {
            (true, _) => "it was killed for want of memory before",
            (false, true) => "its present version has not run for an hour",
            (false, false) => "a day of samples would tell what it needs",
        };
        let note =
            format!("{} of the {} of memory that it asks for were in use; {why}", shown(peak.amount), request.literal);
        // Nothing is said of it yet.
        return opinion.remark(Verdict::Fits, Danger::None, note);
    }
    let note = format!("its memory request is {}, and it used no more than {}", request.literal, shown(peak.amount));
    opinion.remark(Verdict::Oversized, Danger::None, note);
    let mut inputs = inputs(peak);
    inputs.insert("request", request.literal.clone());
    inputs.extend(facts.scaled_at.map(|share| ("scaled at", format!("{share} %"))));
    let basis = opinion::basis(Verdict::Oversized, opinion::footing(peak), formula(facts, false), inputs);
    // What is asked for in full stays so, unless a heap would shrink with the limit.
    let equal = facts.explicit && facts.limit.as_ref().is_some_and(|limit| limit.value == request.value);
    let grows = facts.heap.as_ref().is_some_and(|heap| matches!(heap.bound, Bound::Percent(_)));
    if equal && !grows {
        opinion.advise(Field::LimitsMemory, need.mem(), basis.clone());
    }
    opinion.advise(Field::RequestsMemory, need.mem(), basis);
}
