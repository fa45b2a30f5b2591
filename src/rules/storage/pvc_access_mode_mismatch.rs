//! A claim asks for an access mode that the volume does not allow.

use crate::model::{Finding, Kind, Severity};
use crate::rules::{Rule, consequences};
use crate::scene::Scene;
use crate::scene::scheduling::misfit;

/// See [`Rule::docs`].
pub static RULE: Rule = Rule {
    id: "pvc-access-mode-mismatch",
    category: "pvc_no_matching_pv",
    summary: "detects pending claims that ask for an access mode which the nearest volume does not allow",
    docs: "\
## What it means
The claim asks for an access mode (`ReadWriteMany`, say) that the volume which would otherwise serve it does not allow.

## How it is detected
The claim is pending, nothing provisions a volume for it, and each volume is compared with it field by field: the one that \
differs least differs in this field alone.

## What to do
Make the claim again with a mode that the volume allows, if one node at a time is enough, or make a volume whose storage allows the mode.",
    severity: Severity::Error,
    needs: &[Kind::PersistentVolumeClaim, Kind::PersistentVolume],
    uses: &[Kind::StorageClass, Kind::Event, Kind::Pod],
    explains: &[consequences::PODS_NOT_READY, consequences::NO_ROOM],
    check,
};

fn check(scene: &Scene<'_>) -> Vec<Finding> {
    misfit::findings(scene, &RULE, |differences| misfit::field(differences) == Some("accessModes"))
}
