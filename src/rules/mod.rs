//! The rules: one file each, with its docs and fixtures.
#![warn(clippy::disallowed_methods, clippy::disallowed_types)]

pub mod category;
mod rule;
#[cfg(test)]
mod tests;
pub mod unknown;

pub use rule::Rule;

use crate::model::{Finding, Kind, NotEvaluated, Snapshot};
use crate::scene::Scene;

/// Declares the rules: one line here expands to the module and the entry in [`ALL`].
macro_rules! rules {
    ($($family:ident { $($rule:ident,)* })*) => {
        $(#[doc = concat!("Rules of the family `", stringify!($family), "`.")] pub mod $family { $(pub mod $rule;)* })*

        /// All rules, in the order in which they run.
        pub static ALL: &[&Rule] = &[$($(&$family::$rule::RULE,)*)*];
    };
}

rules! {
    container {
        oom_killed,
        image_absent,
        image_unauthorized,
        image_registry_unresolved,
        image_registry_unreachable,
        image_registry_tls,
        image_rate_limited,
        image_platform_mismatch,
        image_name_invalid,
        image_never_pulled,
        image_pull_failed,
        missing_configmap,
        missing_configmap_key,
        missing_secret,
        missing_secret_key,
        bad_command,
        arch_mismatch,
        run_as_non_root,
        crash_no_logs,
        init_container_failed,
        init_container_waiting,
    }
}

/// Finds a rule by its id.
pub fn find(id: &str) -> Option<&'static Rule> {
    ALL.iter().copied().chain([&unknown::RULE]).find(|rule| rule.id == id)
}

/// Runs all rules but those whose needs met a gap.
pub fn run(scene: &Scene<'_>) -> (Vec<Finding>, Vec<NotEvaluated>) {
    let mut findings = Vec::new();
    let mut not_evaluated = Vec::new();
    for rule in ALL {
        let gaps: Vec<usize> = rule.needs.iter().flat_map(|kind| gaps_of(scene.snapshot, *kind)).collect();
        if !gaps.is_empty() {
            not_evaluated.push(NotEvaluated { rule: rule.id, gaps });
        }
        // A rule still judges what was read: in three namespaces of which one is closed, two are open.
        findings.extend((rule.check)(scene));
    }
    findings.extend(unknown::check(scene, &findings));
    (findings, not_evaluated)
}

fn gaps_of(snapshot: &Snapshot, kind: Kind) -> impl Iterator<Item = usize> {
    let gaps = snapshot.gaps.iter().enumerate();
    gaps.filter(move |(_, gap)| gap.kind == Some(kind) && gap.name.is_none()).map(|(index, _)| index)
}
