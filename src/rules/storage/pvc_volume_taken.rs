//! The volume that would fit belongs to another claim.

use crate::model::{Finding, Kind, Severity};
use crate::rules::{Rule, consequences};
use crate::scene::Scene;
use crate::scene::scheduling::misfit;

/// See [`Rule::docs`].
pub static RULE: Rule = Rule {
    id: "pvc-volume-taken",
    category: "pvc_no_matching_pv",
    summary: "detects pending claims whose only fitting volume is bound to another claim",
    docs: "\
## What it means
The volume that would serve the claim is bound to, or reserved for, another one. A volume serves one claim at a time.

## How it is detected
The claim is pending, nothing provisions a volume for it, and each volume is compared with it field by field: the one that \
differs least differs in this field alone.

## What to do
Make another volume. If the other claim is not needed, delete it; a volume that was Released keeps its data until somebody clears its claimRef.",
    severity: Severity::Error,
    needs: &[Kind::PersistentVolumeClaim, Kind::PersistentVolume],
    uses: &[Kind::StorageClass, Kind::Event, Kind::Pod],
    explains: &[consequences::PODS_NOT_READY, consequences::NO_ROOM],
    check,
};

fn check(scene: &Scene<'_>) -> Vec<Finding> {
    misfit::findings(scene, &RULE, |differences| misfit::field(differences) == Some("claimRef"))
}
