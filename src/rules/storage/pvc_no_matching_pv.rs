//! No volume fits a claim.

use k8s_openapi::api::core::v1::PersistentVolume;

use crate::model::store::HasMeta as _;
use crate::model::{Finding, Kind, Lookup, ObjectRef, Severity, Stored};
use crate::render::quote;
use crate::rules::{Rule, consequences};
use crate::scene::scheduling::claims::{ClaimView, claims};
use crate::scene::scheduling::misfit::{self, Source, cite, finish};
use crate::scene::topology::claim_of;
use crate::scene::{EventView, Obstacle, Placement, PodView, Scene};

/// See [`Rule::docs`].
pub static RULE: Rule = Rule {
    id: "pvc-no-matching-pv",
    category: "pvc_no_matching_pv",
    summary: "detects pending claims that no volume fits, and says in which field the nearest one differs",
    docs: "\
## What it means
A claim waits for a volume, and none fits: there is none, the nearest differs in several fields, or it cannot be used where the \
pod may run. Or the provisioner of its class makes none. Where a single field is in the way, a rule of its own says which.

## How it is detected
The claim is pending (a claim whose class waits for the first consumer counts only if a pod uses it). Each volume is compared \
with it field by field; the one that differs least is named. What the provisioner says is quoted.

## What to do
Correct the claim (make it again: most of its fields cannot be changed), make a volume that fits, or free the one that does: \
a Released volume keeps the data of its former claim until somebody clears its claimRef.",
    severity: Severity::Error,
    needs: &[Kind::PersistentVolumeClaim, Kind::Pod, Kind::Event, Kind::StorageClass],
    uses: &[Kind::PersistentVolume],
    explains: &[consequences::PODS_NOT_READY, consequences::NO_ROOM],
    check,
};

/// The provisioner of a class may take this long to make a volume.
const PROVISIONING_SECONDS: i64 = 120;

fn check(scene: &Scene<'_>) -> Vec<Finding> {
    let claims = claims(scene);
    let misfits = misfit::findings(scene, &RULE, |differences| misfit::field(differences).is_none());
    let unread = scene.placements().iter().filter(|placement| placement.obstacle == Obstacle::Claim);
    let without = claims.iter().filter(|claim| misfit::is_wanted(claim) && misfit::of(claim).is_none());
    let words = unread.filter_map(|placement| by_words(scene, placement));
    misfits.into_iter().chain(without.filter_map(unbound)).chain(words).collect()
}

fn unbound(claim: &ClaimView<'_>) -> Option<Finding> {
    match misfit::source(claim)? {
        Source::Named(volume) => lost(claim, volume),
        Source::Provisioner(provisioner) => not_provisioned(claim, provisioner),
        Source::Volumes => no_volume(claim),
    }
}

fn lost(claim: &ClaimView<'_>, name: &str) -> Option<Finding> {
    let Lookup::Absent = claim.scene.snapshot.objects.volumes.look_up("", name) else { return None };
    let message = format!("claim `{}` names the volume `{name}`, which does not exist", claim.name());
    let finding =
        RULE.finding(claim.object(), message).because(claim.object(), "spec.volumeName", name).confidence(0.95);
    Some(finish(claim, finding, format!("create the volume `{name}`, or make the claim again without `volumeName`")))
}

fn not_provisioned(claim: &ClaimView<'_>, provisioner: &str) -> Option<Finding> {
    let object = claim.object();
    if let Some(event) = claim.event("ProvisioningFailed") {
        let message =
            format!("claim `{}` gets no volume from `{provisioner}`: {}", claim.name(), first_words(event.message));
        let finding = cite(RULE.finding(object, message).confidence(0.9), claim, event);
        return Some(finish(
            claim,
            finding,
            format!("cure what the provisioner `{provisioner}` complains of; its controller's log has more"),
        ));
    }
    let event = claim.event("ExternalProvisioning")?;
    let waited = claim.age_seconds().is_some_and(|age| age > PROVISIONING_SECONDS);
    if !waited || !claim.scene.is_recent(event.last) {
        return None;
    }
    let message = format!(
        "claim `{}` waits for a volume from the provisioner `{provisioner}`, which does not answer",
        claim.name()
    );
    let finding = cite(RULE.finding(object, message).confidence(0.8), claim, event);
    Some(finish(claim, finding, format!("see whether the controller of `{provisioner}` runs")))
}

fn no_volume(claim: &ClaimView<'_>) -> Option<Finding> {
    let volumes = &claim.scene.snapshot.objects.volumes;
    let said = claim.event("FailedBinding");
    match misfit::nearest(claim) {
        Some((_, volume)) => out_of_reach(claim, volume),
        // Without volumes and a class of its own, the missing default class is the cause.
        None if claim.class().is_none() && claim.scene.knows(Kind::StorageClass, "") => None,
        None if volumes.coverage.everywhere => Some(finish(
            claim,
            empty(claim, said),
            "make a volume that fits the claim, or give the claim a storage class that provisions one".to_owned(),
        )),
        None => {
            let event = said?;
            let message = format!("claim `{}` finds no volume that fits and has no class that makes one", claim.name());
            let finding = cite(RULE.finding(claim.object(), message).confidence(0.8), claim, event);
            Some(finish(
                claim,
                finding,
                "make a volume that fits the claim, or give the claim a storage class that provisions one".to_owned(),
            ))
        }
    }
}

/// A volume fits, but the scheduler finds none that can be used where the pod may run.
fn out_of_reach(claim: &ClaimView<'_>, volume: &Stored<PersistentVolume>) -> Option<Finding> {
    const WORDS: &str = "didn't find available persistent volumes to bind";
    let pod =
        *claim.users.iter().find(|pod| pod.is_unscheduled() && said(**pod).is_some_and(|text| text.contains(WORDS)))?;
    let (name, workload) = (volume.object.name(), pod.workload().object.short());
    let message = format!(
        "claim `{}` cannot be bound: the volume `{name}` fits it, but not on a node where {workload} can run",
        claim.name()
    );
    let finding = RULE.finding(claim.object(), message).confidence(0.75);
    let finding = finding.because(
        pod.object(),
        "status.conditions[PodScheduled].message",
        said(pod)?.chars().take(300).collect::<String>(),
    );
    let cure = format!(
        "make a volume for `{}` on a node where {workload} can run, or let it run where `{name}` is",
        claim.name()
    );
    Some(finish(claim, finding, cure).next(quote::command(&["kubectl", "describe", "pv", name])))
}

fn said(pod: PodView<'_>) -> Option<&str> {
    pod.condition("PodScheduled")?.message.as_deref()
}

/// Says what the scheduler says about claims that could not be read.
fn by_words(scene: &Scene<'_>, placement: &Placement) -> Option<Finding> {
    let pod = scene.pod(placement.pod);
    if !placement.text.contains("unbound immediate PersistentVolumeClaims") {
        return None;
    }
    let claims = pod.spec()?.volumes.iter().flatten().filter_map(claim_of);
    let mut unread =
        claims.filter(|claim| matches!(scene.snapshot.objects.claims.look_up(pod.namespace(), claim), Lookup::Unknown));
    let claim = unread.next()?;
    let message = format!(
        "claim `{claim}` of {} is not bound to a volume; why, the claim itself would tell, which could not be read",
        pod.workload().object.short()
    );
    let object = ObjectRef::new(Kind::PersistentVolumeClaim, pod.namespace(), claim);
    let finding = placement.cite(scene, RULE.finding(object, message)).confidence(0.6);
    Some(finding.next(quote::command(&["kubectl", "describe", "pvc", "-n", pod.namespace(), claim])))
}

fn empty(claim: &ClaimView<'_>, said: Option<&EventView<'_>>) -> Finding {
    let class = claim
        .class()
        .filter(|class| !class.is_empty())
        .map_or("no storage class".to_owned(), |class| format!("the storage class `{class}`, which provisions none"));
    let message =
        format!("claim `{}` has {class}, and there is no volume at all that it could be bound to", claim.name());
    let finding = RULE.finding(claim.object(), message).because(
        claim.object(),
        "spec.storageClassName",
        claim.class().unwrap_or("unset"),
    );
    match said {
        Some(event) => cite(finding, claim, event),
        None => finding,
    }
}

fn first_words(message: &str) -> String {
    message.trim_end_matches('.').chars().take(140).collect()
}
