//! The pure core: a snapshot in, a report out.
#![warn(clippy::disallowed_methods, clippy::disallowed_types)]

use crate::diagnose;
use crate::model::report::Examined;
use crate::model::{Report, Snapshot};
use crate::policy::Policy;
use crate::recommend;
use crate::rules;
use crate::scene::Scene;

/// Finds out why; the same snapshot and policy give the same report.
pub fn analyse(snapshot: &Snapshot, policy: &Policy) -> Report {
    let scene = Scene::new(snapshot);
    let (mut findings, not_evaluated) = rules::run(&scene);
    findings.retain(|finding| !policy.skip.contains(finding.rule.id));
    let incidents = diagnose::diagnose(&scene, findings, &not_evaluated);
    let fate = diagnose::target::fate(&scene);
    let (mut incidents, notes) = diagnose::target::focus(&scene, &fate, incidents);
    recommend::recommend(&scene, &mut incidents);
    Report {
        taken_at: snapshot.taken_at,
        server: snapshot.server.clone(),
        context: snapshot.context.clone(),
        scope: snapshot.scope.clone(),
        fate,
        incidents,
        not_evaluated,
        gaps: snapshot.gaps.clone(),
        examined: examined(&scene),
        notes,
    }
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
