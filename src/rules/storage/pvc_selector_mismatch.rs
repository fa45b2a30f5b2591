//! A claim selects labels that the volume does not carry.

use crate::model::{Finding, Kind, Severity};
use crate::rules::{Rule, consequences};
use crate::scene::Scene;
use crate::scene::scheduling::misfit;

/// See [`Rule::docs`].
pub static RULE: Rule = Rule {
    id: "pvc-selector-mismatch",
    category: "pvc_no_matching_pv",
    summary: "detects pending claims whose selector does not meet the labels of the volume which would fit",
    docs: "\
## What it means
The claim selects volumes by labels, and the volume that would otherwise serve it carries others.

## How it is detected
The claim is pending, nothing provisions a volume for it, and each volume is compared with it field by field: the one that \
differs least differs in this field alone.

## What to do
Give the volume the labels that the claim selects, or make the claim again with a selector that meets the volume.",
    severity: Severity::Error,
    needs: &[Kind::PersistentVolumeClaim, Kind::PersistentVolume],
    uses: &[Kind::StorageClass, Kind::Event, Kind::Pod],
    explains: &[consequences::PODS_NOT_READY, consequences::NO_ROOM],
    check,
};

fn check(scene: &Scene<'_>) -> Vec<Finding> {
    misfit::findings(scene, &RULE, |differences| misfit::field(differences) == Some("selector"))
}
