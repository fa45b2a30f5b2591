//! The pure core: a snapshot in, a report out.
#![warn(clippy::disallowed_methods, clippy::disallowed_types)]

use crate::diagnose;
use crate::model::limits::Limits;
use crate::model::report::Examined;
use crate::model::{Incident, NotEvaluated, Report, Snapshot, Story};
use crate::policy::{Judged, Policy};
use crate::recommend;
use crate::recommend::limits::order::{self, Order};
use crate::recommend::limits::wanted::Wanted;
use crate::rules;
use crate::scene::Scene;

/// Finds out why; the same snapshot and policy give the same report.
pub fn analyse(snapshot: &Snapshot, policy: &Policy) -> Report {
    let scene = Scene::new(snapshot);
    let (incidents, not_evaluated) = incidents(&scene, policy);
    let fates = diagnose::target::fates(&scene);
    let (incidents, mut notes) = diagnose::target::focus(&scene, &fates, incidents);
    let Judged { mut incidents, ignored, hidden, compared, notes: why } = policy.judge(snapshot, incidents);
    notes.extend(why);
    recommend::recommend(&scene, &mut incidents);
    Report {
        taken_at: snapshot.taken_at,
        server: snapshot.server.clone(),
        context: snapshot.context.clone(),
        scope: snapshot.scope.clone(),
        fates,
        incidents,
        ignored,
        hidden,
        compared,
        not_evaluated,
        gaps: snapshot.gaps.clone(),
        examined: examined(&scene),
        notes,
    }
}

/// Tells what a picture of a report shows besides it: only pictures need that.
pub fn story(snapshot: &Snapshot, report: &Report) -> Story {
    diagnose::story::tell(&Scene::new(snapshot), &report.incidents)
}

fn incidents(scene: &Scene<'_>, policy: &Policy) -> (Vec<Incident>, Vec<NotEvaluated>) {
    let (mut findings, not_evaluated) = rules::run(scene);
    policy.apply_to_findings(&mut findings);
    (diagnose::diagnose(scene, findings, &not_evaluated), not_evaluated)
}

/// Finds out what the workloads of a kind or name ask for, use, and should ask for.
///
/// # Errors
/// With the nearest names, when none has that name.
pub fn limits(snapshot: &Snapshot, wanted: &Wanted, order: Order) -> Result<Limits, Vec<String>> {
    let scene = Scene::new(snapshot);
    let filter = wanted.filter(&scene).ok_or_else(|| wanted.near(&scene))?;
    let (mut incidents, _) = incidents(&scene, &Policy::default());
    recommend::recommend(&scene, &mut incidents);
    let mut limits = Limits {
        taken_at: snapshot.taken_at,
        server: snapshot.server.clone(),
        context: snapshot.context.clone(),
        scope: snapshot.scope.clone(),
        target: wanted.words(),
        workloads: recommend::limits::review(&scene, &incidents, &filter),
        sources: recommend::limits::sources(&scene),
        gaps: snapshot.gaps.clone(),
    };
    order::sort(&mut limits, order);
    Ok(limits)
}

fn examined(scene: &Scene<'_>) -> Examined {
    Examined {
        pods: scene.pods().count(),
        unready: scene.pods().filter(|pod| !pod.is_ready() && !pod.is_finished() && !pod.is_terminating()).count(),
        workloads: scene.workloads().len(),
        services: scene.services().count(),
        events: scene.events().len(),
        rules: rules::ALL.len(),
    }
}
