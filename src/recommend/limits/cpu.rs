//! What is said of the CPU of a container: a request from what it used, and no limit.

use crate::model::limits::{Danger, Field};
use crate::model::sizing::{Footing, Verdict};
use crate::quantity::Quantity;
use crate::recommend::limits::opinion::{self, Advice, Amount, Health, Opinion};
use crate::recommend::limits::usage::Measured;
use crate::scene::signals::throttling::Periods;

/// Being held back in such a share of its periods slows a container down.
const HELD_BACK: f64 = 0.25;
/// Ten seconds: fewer periods are a start-up.
const ENOUGH: f64 = 100.0;
/// A percentile of fewer samples is none.
const SAMPLES: usize = 5;
/// Nothing asks for less.
const LEAST: Quantity = Quantity::from_milli(10);
/// A request is far above the need from twice of it on, if that frees a twentieth of a core.
const WORTH: Quantity = Quantity::from_milli(50);

/// What is known of a container's CPU.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    pub request: Option<Amount>,
    pub limit: Option<Amount>,
    /// The request is written down, and not what the server makes of the limit.
    pub explicit: bool,
    /// What 95 of 100 samples stay under.
    pub used: Option<Measured>,
    pub throttled: Option<Periods>,
    pub health: Health,
    /// What a `VerticalPodAutoscaler` says that it needs.
    pub advised: Option<Quantity>,
    /// The share of the requested CPU at which a `HorizontalPodAutoscaler` adds replicas.
    pub scaled_at: Option<i64>,
    /// What keeps the container from being without a limit: a quota that demands one, a default that would set it.
    pub limit_demanded: Option<String>,
}

/// Judges the CPU of a container.
pub fn judge(facts: &Facts) -> Opinion {
    let mut opinion = Opinion::default();
    opinion::slip(&mut opinion, Field::LimitsCpu, facts.limit.as_ref());
    opinion::slip(&mut opinion, Field::RequestsCpu, facts.request.as_ref().filter(|_| facts.explicit));
    if !opinion.remarks.is_empty() {
        return opinion;
    }
    throttled(facts, &mut opinion);
    missing(facts, &mut opinion);
    resized(facts, &mut opinion);
    opinion
}

/// Rounds up to what a person would write.
fn rounded(used: Quantity) -> Quantity {
    let step = match used.milli() {
        ..100 => 10,
        100..1000 => 50,
        _ => 100,
    };
    used.ceil_to(Quantity::from_milli(step)).max(LEAST)
}

fn inputs(used: &Measured) -> std::collections::BTreeMap<&'static str, String> {
    let mut inputs = opinion::sampled(used);
    inputs.insert("p95", used.amount.cpu());
    inputs
}

/// A CPU limit does nothing but hold back: without one, who asks for CPU still gets it.
fn throttled(facts: &Facts, opinion: &mut Opinion) {
    let Some(periods) = facts.throttled.filter(|periods| periods.all >= ENOUGH && periods.share() >= HELD_BACK) else {
        return;
    };
    let Some(limit) = &facts.limit else { return };
    let share = percent(periods);
    let held = format!("its CPU limit of {} holds it back in {share} of the time in which it runs", limit.literal);
    if let Some(who) = &facts.limit_demanded {
        return opinion.remark(Verdict::Throttled, Danger::Medium, format!("{held}; {who} demands a limit: raise it"));
    }
    opinion.remark(
        Verdict::Throttled,
        Danger::Medium,
        format!("{held}; it needs none where others ask for what they need"),
    );
    let periods = format!("{:.0} of {:.0}", periods.throttled, periods.all);
    let inputs = [("limit", limit.literal.clone()), ("throttled", share), ("periods", periods)];
    let formula = "none: CPU is shared by the requests, and a limit only holds back";
    let basis = opinion::basis(Verdict::Throttled, Footing::Samples, formula, inputs);
    opinion.advice.push(Advice { field: Field::LimitsCpu, amount: None, basis });
    if !facts.explicit {
        // The server makes a request of the limit, which would be gone with it.
        let inputs = [("limit", limit.literal.clone())];
        let basis =
            opinion::basis(Verdict::Throttled, Footing::Samples, "the request that the limit stood for", inputs);
        opinion.advise(Field::RequestsCpu, limit.literal.clone(), basis);
    }
}

/// Writes a share as whole hundredths.
pub(super) fn percent(periods: Periods) -> String {
    format!("{:.0} %", (periods.share() * 100.0).clamp(0.0, 100.0))
}

fn missing(facts: &Facts, opinion: &mut Opinion) {
    if facts.request.is_some() || facts.limit.is_some() {
        return;
    }
    let note = "it has no CPU request: it gets what others leave where CPU runs short";
    opinion.remark(Verdict::NoRequest, Danger::Low, note);
    if let Some(used) = facts.used.filter(|used| facts.health > Health::Unwell && used.samples >= SAMPLES) {
        let basis = opinion::basis(
            Verdict::NoRequest,
            opinion::footing(&used),
            "P95 of the samples, rounded up",
            inputs(&used),
        );
        opinion.advise(Field::RequestsCpu, rounded(used.amount).cpu(), basis);
    } else if let Some(told) = facts.advised {
        let basis = opinion::basis(Verdict::NoRequest, Footing::Samples, "autoscaler", [("autoscaler", told.cpu())]);
        opinion.advise(Field::RequestsCpu, rounded(told).cpu(), basis);
    }
}

/// From samples of a day or more, the request follows what was used.
fn resized(facts: &Facts, opinion: &mut Opinion) {
    let (Some(request), Some(used)) = (&facts.request, &facts.used) else { return };
    // Replicas that are added at a share of the request use that share.
    let need = rounded(used.amount.saturating_ratio(100, facts.scaled_at.map_or(100, |share| share.min(100))));
    let too_low = need > request.value.saturating_ratio(125, 100);
    let too_high = request.value >= need.saturating_mul(2) && request.value.saturating_sub(need) >= WORTH;
    if !used.days || facts.health != Health::Settled || !(too_low || too_high) {
        return;
    }
    let (verdict, danger) =
        if too_low { (Verdict::RequestLow, Danger::Low) } else { (Verdict::Oversized, Danger::None) };
    let word = if too_low { "" } else { " only" };
    let used_amount = used.amount.cpu();
    let note = format!("its CPU request is {}, and it uses{word} {used_amount} in 95 of 100 samples", request.literal);
    opinion.remark(verdict, danger, note);
    // A limit bounds what a request may be.
    let most = facts.limit.as_ref().map(|limit| limit.value);
    let need = most.map_or(need, |most| need.min(most));
    if need == request.value || opinion.advice.iter().any(|advice| advice.field == Field::RequestsCpu) {
        return;
    }
    let mut inputs = inputs(used);
    inputs.insert("request", request.literal.clone());
    inputs.extend(facts.scaled_at.map(|share| ("scaled at", format!("{share} %"))));
    let mut formula = match facts.scaled_at {
        Some(_) => "P95 of the samples / share at which it is scaled, rounded up",
        None => "P95 of the samples, rounded up",
    };
    if let Some(limit) = facts.limit.as_ref().filter(|limit| limit.value == need) {
        inputs.insert("limit", limit.literal.clone());
        formula = "limit, as P95 of the samples is no less";
    }
    let basis = opinion::basis(verdict, opinion::footing(used), formula, inputs);
    opinion.advise(Field::RequestsCpu, need.cpu(), basis);
}
