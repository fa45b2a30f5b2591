//! The sentences of a recommendation.

use crate::model::sizing::{Basis, Sizing, Verdict};
use crate::model::{Recommendation, Risk};
use crate::quantity::Quantity;
use crate::recommend::memory::Estimate;
use crate::recommend::observations::Observations;
use crate::scene::pods::memory::How;

/// Says to raise the limit.
pub fn raise(found: &Observations<'_>, estimate: &Estimate, limit: Quantity) -> String {
    let verb =
        if estimate.verdict == Verdict::Lowered { "set the memory limit of" } else { "raise the memory limit of" };
    let back = if estimate.verdict == Verdict::Lowered { " again, as in the revision before" } else { "" };
    format!(
        "{verb} `{}` from {} to {}{back}{}",
        found.container.name(),
        found.facts.literal,
        limit.mem(),
        instead(found, estimate)
    )
}

/// Names what helps as well: a pair of limit and flag, fewer workers.
fn instead(found: &Observations<'_>, estimate: &Estimate) -> String {
    let shares = matches!(found.facts.how, How::Worker | How::Child) && found.facts.workers.is_none();
    match &estimate.instead {
        Some(instead) => format!(", or {instead}"),
        None if shares => ", or run fewer processes in it".to_owned(),
        None => String::new(),
    }
}

/// Says what the limit should be, that it does not fit, what fits and what has to give.
pub fn infeasible(
    found: &Observations<'_>,
    estimate: &Estimate,
    limit: Quantity,
    gives: &str,
    fits: Option<Quantity>,
) -> String {
    let fits = fits.map_or_else(
        || format!("nothing above {} does", found.facts.literal),
        |fits| format!("at most {} does, which may not be enough", fits.mem()),
    );
    format!(
        "`{}` needs a memory limit of about {}, which does not fit ({fits}): {gives}{}",
        found.container.name(),
        limit.mem(),
        instead(found, estimate)
    )
}

/// Says what to do where no limit is advised.
pub fn without_limit(found: &Observations<'_>, estimate: &Estimate, basis: Basis) -> Recommendation {
    let name = found.container.name();
    let what = estimate.instead.as_deref().unwrap_or("look at what the program allocates");
    let (kind, summary) = match estimate.verdict {
        Verdict::Leak => ("investigate", format!("find the leak in `{name}`: {what}")),
        Verdict::HeapFlag => {
            ("edit-object", format!("leave room beside the heap of `{name}`: {what}; its limit may stay"))
        }
        _ => ("investigate", format!("leave the memory limit of `{name}` at {}: {what}", found.facts.literal)),
    };
    let risk = if kind == "investigate" { Risk::None } else { Risk::Low };
    Recommendation::new(kind, summary).risk(risk).sizing(without_changes(basis))
}

/// Says that the template has a higher limit by now, and whether that is enough.
pub fn already_raised(
    found: &Observations<'_>,
    estimate: &Estimate,
    template: Quantity,
    basis: Basis,
) -> Recommendation {
    let more = estimate.limit.filter(|limit| *limit > template);
    let summary = format!(
        "wait for the rollout of {}: its template says {} for `{}` by now{}",
        found.container.owner_phrase(),
        template.mem(),
        found.container.name(),
        more.map(|more| format!(", though {} may be needed", more.mem())).unwrap_or_default()
    );
    let advice = Recommendation::new("investigate", summary).risk(Risk::None);
    if more.is_some() { advice.sizing(without_changes(basis)) } else { advice }
}

/// Says to look again once it lives.
pub fn look_again(found: &Observations<'_>) -> Recommendation {
    let summary = format!(
        "look again once `{}` has lived through its peak: the limit comes down to what the kernel counted",
        found.container.name()
    );
    Recommendation::new("investigate", summary).risk(Risk::None)
}

fn without_changes(basis: Basis) -> Sizing {
    Sizing { basis, changes: Vec::new(), checks: Vec::new(), unchecked: Vec::new(), patch: None, temporary: None }
}
