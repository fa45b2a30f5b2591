//! What to set: amounts that end the trouble and fit the cluster, with their arithmetic.
//!
//! `observations` gathers what is known, `memory` estimates, `feasible` checks, `change` writes the patch.
#![warn(clippy::disallowed_methods, clippy::disallowed_types)]

pub mod autoscalers;
pub mod change;
pub mod edit;
pub mod facts;
pub mod feasible;
pub mod flag;
pub mod growth;
pub mod limits;
pub mod lives;
pub mod memory;
pub mod observations;
pub mod owner;
pub mod process;
pub mod samples;
pub mod settle;
#[cfg(test)]
mod tests;
pub mod words;

use crate::model::sizing::{Basis, Sizing};
use crate::model::{Incident, Kind, Recommendation, State};
use crate::quantity::Quantity;
use crate::render::quote;
use crate::scene::Scene;
use crate::scene::pods::limit_history;
use change::Change;
use memory::Estimate;
use observations::Observations;
use samples::Table;

/// The rule whose incidents are about memory limits.
const OOM_KILLED: &str = "oom-killed";

/// Adds to incidents about memory what the limit should be.
pub fn recommend<'s>(scene: &'s Scene<'s>, incidents: &mut [Incident]) {
    let present =
        |incident: &&mut Incident| incident.cause.rule.id == OOM_KILLED && incident.cause.state == State::Present;
    let mut about_memory = incidents.iter_mut().filter(present).peekable();
    if about_memory.peek().is_none() {
        return;
    }
    let table = Table::new(scene);
    for incident in about_memory {
        let Some(found) = observations::gather(scene, &table, &incident.cause.subject) else { continue };
        let Some(advice) = sized(scene, &found) else { continue };
        let again = look_again(&found, &advice);
        incident.cause.recommendations.push(advice);
        incident.cause.recommendations.extend(again);
    }
}

/// Says when to look again, where a step may be too large as it can be taken back.
fn look_again(found: &Observations<'_>, advice: &Recommendation) -> Option<Recommendation> {
    let raised = advice.sizing.as_ref().is_some_and(|sizing| sizing.patch.is_some() && sizing.basis.result.is_some());
    let object = &found.container.pod.workload().object;
    if !found.facts.counted || !raised || !object.is(Kind::Deployment) {
        return None;
    }
    let words = ["kubectl", "rca", "limits", &object.short(), "-n", object.namespace(), "--kubelet-metrics"];
    Some(words::look_again(found).command(quote::command(&words)))
}

fn sized<'s>(scene: &'s Scene<'s>, found: &Observations<'s>) -> Option<Recommendation> {
    // What changes the limit when pods are made would change the new one too: the rule says so.
    if limit_history::before_admission(found.container).is_some() {
        return None;
    }
    let estimate = memory::estimate(&found.facts);
    if let Some(template) = in_template(found).filter(|template| *template > found.facts.limit) {
        return Some(words::already_raised(found, &estimate, template, basis_of(&estimate)));
    }
    let estimate = feasible::at_least(scene, found.container, estimate);
    Some(match estimate.limit {
        Some(limit) => {
            let advice = with_limit(scene, found, &estimate, limit);
            smaller(scene, found, limit).filter(|_| !is_feasible(&advice)).unwrap_or(advice)
        }
        None => without_limit(found, &estimate),
    })
}

/// Says what to do where no limit is advised; a flag that is the cure has a patch of its own.
fn without_limit(found: &Observations<'_>, estimate: &Estimate) -> Recommendation {
    let mut advice = words::without_limit(found, estimate, basis_of(estimate));
    let change = estimate.flag.as_ref().and_then(|flag| flag::change(found.container, flag));
    let (Some(change), Some(sizing)) = (change, advice.sizing.as_mut()) else { return advice };
    sizing.changes = change.changes;
    sizing.patch = Some(change.patch);
    advice.command(change.command)
}

fn is_feasible(advice: &Recommendation) -> bool {
    advice.sizing.as_ref().is_some_and(|sizing| sizing.is_feasible())
}

/// Returns the advice that would be given if a step that is too large could not be taken back, if it is less and fits.
fn smaller<'s>(scene: &'s Scene<'s>, found: &Observations<'s>, than: Quantity) -> Option<Recommendation> {
    if !found.facts.counted {
        return None;
    }
    let facts = facts::Facts { counted: false, ..found.facts.clone() };
    let found = Observations { facts, ..*found };
    let estimate = memory::estimate(&found.facts);
    let limit = estimate.limit.filter(|limit| *limit < than)?;
    Some(with_limit(scene, &found, &estimate, limit)).filter(is_feasible)
}

/// Returns the limit that the workload's template has by now: a rollout may be under way.
fn in_template(found: &Observations<'_>) -> Option<Quantity> {
    let template = found.container.pod.workload().template?;
    let mut containers = template.containers.iter().chain(template.init_containers.iter().flatten());
    let resources = containers.find(|container| container.name == found.container.name())?.resources.as_ref()?;
    resources.limits.as_ref()?.get("memory")?.0.parse().ok()
}

fn with_limit<'s>(
    scene: &'s Scene<'s>,
    found: &Observations<'s>,
    estimate: &Estimate,
    limit: Quantity,
) -> Recommendation {
    let change = Change { container: found.container, limit, request: request(scene, found, limit) };
    let outcome = feasible::check(scene, &change);
    let ok = outcome.checks.iter().all(|check| check.ok);
    let sizing = Sizing {
        basis: basis_of(estimate),
        changes: if ok { change.fields() } else { Vec::new() },
        patch: change.patch(scene).filter(|_| ok),
        temporary: change.elsewhere(scene),
        checks: outcome.checks,
        unchecked: outcome.unchecked,
    };
    let command = change.command(scene).filter(|_| ok);
    let summary = match (&outcome.gives, outcome.fits) {
        (Some(gives), fits) => words::infeasible(found, estimate, limit, gives, fits),
        (None, _) => words::raise(found, estimate, limit),
    };
    let advice = Recommendation::new("set-resources", summary).sizing(sizing);
    match command {
        Some(command) => advice.command(command),
        None => advice,
    }
}

/// Returns the new request: memory that is asked for in full stays so. One that is not set follows the limit by itself.
fn request(scene: &Scene<'_>, found: &Observations<'_>, limit: Quantity) -> Option<Quantity> {
    let resources = found.container.spec.resources.as_ref()?;
    let request: Quantity = resources.requests.as_ref()?.get("memory")?.0.parse().ok()?;
    let least = feasible::least(scene, found.container).map(|(_, least)| least).filter(|least| *least > request);
    let moves = request == found.facts.limit;
    if moves { is_written(found).then_some(limit) } else { least }
}

/// Returns whether the template has a memory request: where it has none, the server gives a pod one that equals its limit.
fn is_written(found: &Observations<'_>) -> bool {
    let Some(template) = found.container.pod.workload().template else { return true };
    let mut containers = template.containers.iter().chain(template.init_containers.iter().flatten());
    let own = containers.find(|container| container.name == found.container.name());
    own.and_then(|own| own.resources.as_ref()?.requests.as_ref())
        .is_some_and(|requests| requests.contains_key("memory"))
}

/// Returns the arithmetic of an estimate, for the report.
fn basis_of(estimate: &Estimate) -> Basis {
    Basis {
        verdict: estimate.verdict,
        footing: estimate.footing,
        formula: estimate.formula.clone(),
        inputs: estimate.inputs.clone(),
        result: estimate.limit.map(Quantity::mem),
    }
}
