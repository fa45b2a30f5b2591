//! A claim asks for more than the volume has.

use crate::model::{Finding, Kind, Severity};
use crate::rules::{Rule, consequences};
use crate::scene::Scene;
use crate::scene::scheduling::misfit;

/// See [`Rule::docs`].
pub static RULE: Rule = Rule {
    id: "pvc-capacity-mismatch",
    category: "pvc_no_matching_pv",
    summary: "detects pending claims that ask for more storage than the nearest volume has",
    docs: "\
## What it means
The claim asks for more storage than the volume that would otherwise serve it has.

## How it is detected
The claim is pending, nothing provisions a volume for it, and each volume is compared with it field by field: the one that \
differs least differs in this field alone.

## What to do
Make the claim again with a request that the volume covers (it cannot be lowered in place), or make a larger volume.",
    severity: Severity::Error,
    needs: &[Kind::PersistentVolumeClaim, Kind::PersistentVolume],
    uses: &[Kind::StorageClass, Kind::Event, Kind::Pod],
    explains: &[consequences::PODS_NOT_READY, consequences::NO_ROOM],
    check,
};

fn check(scene: &Scene<'_>) -> Vec<Finding> {
    misfit::findings(scene, &RULE, |differences| misfit::field(differences) == Some("capacity"))
}
