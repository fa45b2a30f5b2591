//! What to set: amounts that end the trouble and fit the cluster, with their arithmetic.
//!
//! `observations` gathers what is known, `memory` estimates, `feasible` checks, `change` writes the patch.
#![warn(clippy::disallowed_methods, clippy::disallowed_types)]

pub mod autoscalers;
pub mod change;
pub mod edit;
pub mod facts;
pub mod feasible;
pub mod growth;
pub mod limits;
pub mod memory;
pub mod observations;
pub mod owner;
pub mod process;
pub mod samples;
#[cfg(test)]
mod tests;
pub mod words;

use crate::model::sizing::{Basis, Sizing};
use crate::model::{Incident, Recommendation, State};
use crate::quantity::Quantity;
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
        let found = observations::gather(scene, &table, &incident.cause.subject);
        incident.cause.recommendations.extend(found.and_then(|found| sized(scene, &found)));
    }
}

fn sized<'s>(scene: &'s Scene<'s>, found: &Observations<'s>) -> Option<Recommendation> {
    // What changes the limit when pods are made would change the new one too: the rule says so.
    if limit_history::before_admission(found.container).is_some() {
        return None;
    }
    let estimate = memory::estimate(&found.facts);
    if let Some(template) = in_template(found).filter(|template| *template > found.facts.limit) {
        return Some(words::already_raised(found, &estimate, template, basis(&estimate)));
    }
    Some(match estimate.limit {
        Some(limit) => with_limit(scene, found, &estimate, limit),
        None => words::without_limit(found, &estimate, basis(&estimate)),
    })
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
    let change = Change { container: found.container, limit, request: request(found, limit) };
    let outcome = feasible::check(scene, &change);
    let ok = outcome.checks.iter().all(|check| check.ok);
    let sizing = Sizing {
        basis: basis(estimate),
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
fn request(found: &Observations<'_>, limit: Quantity) -> Option<Quantity> {
    let resources = found.container.spec.resources.as_ref()?;
    let request: Quantity = resources.requests.as_ref()?.get("memory")?.0.parse().ok()?;
    (request == found.facts.limit && is_written(found)).then_some(limit)
}

/// Returns whether the template has a memory request: where it has none, the server gives a pod one that equals its limit.
fn is_written(found: &Observations<'_>) -> bool {
    let Some(template) = found.container.pod.workload().template else { return true };
    let mut containers = template.containers.iter().chain(template.init_containers.iter().flatten());
    let own = containers.find(|container| container.name == found.container.name());
    own.and_then(|own| own.resources.as_ref()?.requests.as_ref())
        .is_some_and(|requests| requests.contains_key("memory"))
}

fn basis(estimate: &Estimate) -> Basis {
    Basis {
        verdict: estimate.verdict,
        footing: estimate.footing,
        formula: estimate.formula.clone(),
        inputs: estimate.inputs.clone(),
        result: estimate.limit.map(Quantity::mem),
    }
}
