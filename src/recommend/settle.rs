//! The second look: once a container lives that was killed under a lower limit, its limit comes down to what was seen.
//!
//! A healthy container is not told to shrink from what is used at one moment. But the kernel counts the most that a run ever
//! used, and where that is more than the limit which it was killed under, the peak that killed it has been lived through.

use jiff::{SignedDuration, Timestamp};

use crate::model::sizing::{Footing, Verdict};
use crate::quantity::Quantity;
use crate::recommend::feasible;
use crate::recommend::lives;
use crate::recommend::memory::{self, Estimate, mebi};
use crate::recommend::samples::Table;
use crate::scene::pods::{fresh, limit_history, memory as oom};
use crate::scene::{ContainerView, Scene, Workload};

/// What is kept above the most that was seen, and what rounding must leave of it.
const MARGIN_PERCENT: i64 = 115;
const LEAST_MARGIN_PERCENT: i64 = 110;
/// What a lower limit has to free, in hundredths of the present one: less is not worth a restart.
const WORTH_PERCENT: i64 = 5;
/// So often as long as under the limit before, and at least so long, it has to live first.
const TIMES_LONGER: i32 = 3;
const LEAST_SECONDS: i64 = 60;

/// What is known of a container that lives since its limit was raised.
#[derive(Clone, Debug)]
pub struct Calm {
    pub limit: Quantity,
    pub literal: String,
    /// The limit of the revision before.
    pub before: Quantity,
    /// The most that the run of any replica ever used.
    pub maximum: Quantity,
    /// How long the youngest replica runs.
    pub lives: SignedDuration,
    /// The longest that it can have lived under the limit before.
    pub lived: SignedDuration,
}

/// Returns the limit that what was seen leads to; `None` where too little was seen, or the limit is about right.
pub fn estimate(calm: &Calm) -> Option<Estimate> {
    let seen_through = calm.maximum > calm.before && calm.maximum <= calm.limit;
    let patient = calm.lives >= (calm.lived * TIMES_LONGER).max(SignedDuration::from_secs(LEAST_SECONDS));
    let need = with_margin(calm.maximum);
    let worth = need <= calm.limit.saturating_ratio(100 - WORTH_PERCENT, 100);
    if !(seen_through && patient && worth) || calm.before <= Quantity::ZERO {
        return None;
    }
    let inputs = [
        ("limit", calm.literal.clone()),
        ("before", calm.before.mem()),
        ("maximum", mebi(calm.maximum)),
        ("lives", fresh::span(calm.lives)),
    ];
    Some(Estimate {
        verdict: Verdict::Oversized,
        footing: Footing::Samples,
        formula: "1.15 × the most that the kernel counted since the start".to_owned(),
        inputs: inputs.into_iter().collect(),
        limit: Some(need),
        instead: None,
        flag: None,
    })
}

/// Adds the margin, and rounds to the nearest number that a person would write: what was seen is no guess.
fn with_margin(maximum: Quantity) -> Quantity {
    let wanted = maximum.saturating_ratio(MARGIN_PERCENT, 100);
    let unit = memory::unit_of(wanted);
    let nearest = wanted.saturating_add(unit.saturating_ratio(1, 2)).floor_to(unit);
    if nearest >= maximum.saturating_ratio(LEAST_MARGIN_PERCENT, 100) { nearest } else { nearest.saturating_add(unit) }
}

/// Gathers what is known of a workload's container; `None` where a replica is in trouble, or was not measured.
pub fn gather<'s>(
    scene: &'s Scene<'_>,
    table: &Table<'_>,
    workload: &'s Workload<'_>,
    name: &str,
) -> Option<(ContainerView<'s>, Calm)> {
    let pods = scene.pods_of(workload).filter(|pod| !pod.is_finished());
    let replicas: Vec<ContainerView<'s>> = pods.map(|pod| pod.container(name)).collect::<Option<_>>()?;
    let container = *replicas.first()?;
    let literal = container.limit("memory")?;
    let well = |replica: &ContainerView<'_>| {
        let calm = oom::of(*replica).is_none() && replica.last_end().is_none();
        calm && replica.limit("memory") == Some(literal) && !replica.pod.is_terminating()
    };
    if !replicas.iter().all(well) {
        return None;
    }
    let starts: Option<Vec<Timestamp>> =
        replicas.iter().map(|replica| Some(replica.running()?.started_at.as_ref()?.0)).collect();
    let maxima: Option<Vec<Quantity>> = replicas.iter().map(|replica| table.maximum(*replica)).collect();
    let (starts, maxima) = (starts?, maxima?);
    let calm = Calm {
        limit: literal.parse().ok()?,
        literal: literal.to_owned(),
        before: limit_history::earlier(container).pop()?.value.parse().ok()?,
        maximum: maxima.into_iter().max()?,
        lives: scene.now().duration_since(starts.iter().copied().max()?),
        lived: lives::longest(container, starts.into_iter().min()?)?,
    };
    Some((container, calm))
}

/// What a second look at a workload's container leads to.
#[derive(Debug)]
pub struct Look {
    pub estimate: Estimate,
    pub limit: Quantity,
    /// The new request, where the present one is more than the new limit: the server takes no such pair.
    pub request: Option<Quantity>,
    /// What was seen, lower case, no full stop.
    pub words: String,
}

/// Looks at a workload's container again; `None` where its limit is best left as it is.
pub fn look<'s>(scene: &'s Scene<'_>, table: &Table<'_>, workload: &'s Workload<'_>, name: &str) -> Option<Look> {
    let (container, calm) = gather(scene, table, workload, name)?;
    let estimate = feasible::at_least(scene, container, estimate(&calm)?);
    let limit = estimate.limit.filter(|limit| *limit < calm.limit)?;
    let request: Option<Quantity> = container.request("memory").and_then(|request| request.parse().ok());
    let words = format!(
        "it used {} at most in the {} since its limit was raised from {} to {}",
        mebi(calm.maximum),
        fresh::span(calm.lives),
        calm.before.mem(),
        calm.literal
    );
    Some(Look { estimate, limit, request: request.filter(|request| *request > limit).map(|_| limit), words })
}
