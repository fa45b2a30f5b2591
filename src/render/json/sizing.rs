//! The arithmetic of a recommendation in the contract.

use super::shape::{BasisDto, ChangeDto, CheckDto, FeasibleDto, PatchDto};
use crate::model::Sizing;
use crate::model::sizing::Basis;

pub(super) fn basis(sizing: &Sizing) -> BasisDto<'_> {
    basis_of(&sizing.basis)
}

pub(super) fn basis_of(basis: &Basis) -> BasisDto<'_> {
    BasisDto {
        verdict: basis.verdict.as_str(),
        confidence: basis.footing.as_str(),
        formula: &basis.formula,
        inputs: &basis.inputs,
        result: basis.result.as_deref(),
    }
}

pub(super) fn changes(sizing: &Sizing) -> Vec<ChangeDto<'_>> {
    let changes = sizing.changes.iter();
    changes
        .map(|change| ChangeDto { path: &change.path, before: change.before.as_deref(), after: &change.after })
        .collect()
}

/// What changes nothing needs no room.
pub(super) fn feasible(sizing: &Sizing) -> Option<FeasibleDto<'_>> {
    let checks = sizing.checks.iter();
    let checks = checks.map(|check| CheckDto { check: &check.what, ok: check.ok, detail: &check.detail }).collect();
    let is_checked = !sizing.changes.is_empty() || !sizing.checks.is_empty();
    is_checked.then(|| FeasibleDto { ok: sizing.is_feasible(), checks, unchecked: &sizing.unchecked })
}

pub(super) fn patch(sizing: &Sizing) -> Option<PatchDto<'_>> {
    sizing.patch.as_ref().map(|body| PatchDto { type_: "strategic", body })
}
