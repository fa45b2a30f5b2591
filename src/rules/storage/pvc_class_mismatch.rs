//! A claim asks for another class than the volume bears.

use crate::model::{Finding, Kind, Severity};
use crate::rules::{Rule, consequences};
use crate::scene::Scene;
use crate::scene::scheduling::misfit;

/// See [`Rule::docs`].
pub static RULE: Rule = Rule {
    id: "pvc-class-mismatch",
    category: "pvc_no_matching_pv",
    summary: "detects pending claims whose storage class is not that of the volume which would fit",
    docs: "\
## What it means
The claim and the volume that would otherwise serve it name different storage classes; an empty one is a class too.

## How it is detected
The claim is pending, nothing provisions a volume for it, and each volume is compared with it field by field: the one that \
differs least differs in this field alone.

## What to do
Make the claim again with the class of the volume (the class of a claim cannot be changed), or give the volume the class of the claim.",
    severity: Severity::Error,
    needs: &[Kind::PersistentVolumeClaim, Kind::PersistentVolume],
    uses: &[Kind::StorageClass, Kind::Event, Kind::Pod],
    explains: &[consequences::PODS_NOT_READY, consequences::NO_ROOM],
    check,
};

fn check(scene: &Scene<'_>) -> Vec<Finding> {
    misfit::findings(scene, &RULE, |differences| misfit::field(differences) == Some("storageClassName"))
}
