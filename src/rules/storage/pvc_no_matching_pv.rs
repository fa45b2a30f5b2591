//! No volume fits a claim.

use k8s_openapi::api::core::v1::PersistentVolume;

use crate::model::store::HasMeta as _;
use crate::model::{Finding, Kind, Lookup, ObjectRef, Recommendation, Risk, Severity, Stored};
use crate::render::quote;
use crate::rules::{Rule, consequences};
use crate::scene::scheduling::claims::{ClaimView, Difference, claims};
use crate::scene::topology::claim_of;
use crate::scene::{EventView, Obstacle, Placement, PodView, Scene};

/// See [`Rule::docs`].
pub static RULE: Rule = Rule {
    id: "pvc-no-matching-pv",
    category: "pvc_no_matching_pv",
    summary: "detects pending claims that no volume fits, and says in which field the nearest one differs",
    docs: "\
## What it means
A claim waits for a volume, and none fits: too small, other access modes, another class or volume mode, labels that the \
claim's selector does not meet, or the one that would fit belongs to another claim. Or the provisioner of its class makes none.

## How it is detected
The claim is pending (a claim whose class waits for the first consumer counts only if a pod uses it). Each volume is compared \
with it field by field; the one that differs least is named. What the provisioner says is quoted.

## What to do
Correct the claim (make it again: most of its fields cannot be changed), make a volume that fits, or free the one that does: \
a Released volume keeps the data of its former claim until somebody clears its claimRef.",
    severity: Severity::Error,
    needs: &[Kind::PersistentVolumeClaim, Kind::Pod, Kind::Event, Kind::StorageClass],
    uses: &[Kind::PersistentVolume],
    explains: &[consequences::PODS_NOT_READY, &["insufficient-resources"]],
    check,
};

/// The controllers may take this long to bind a claim, or to provision a volume for it.
const BINDING_SECONDS: i64 = 10;
const PROVISIONING_SECONDS: i64 = 120;

fn check(scene: &Scene<'_>) -> Vec<Finding> {
    let claims = claims(scene);
    let pending = claims.iter().filter(|claim| claim.is_pending() && is_wanted(claim));
    let unread = scene.placements().iter().filter(|placement| placement.obstacle == Obstacle::Claim);
    pending.filter_map(unbound).chain(unread.filter_map(|placement| by_words(scene, placement))).collect()
}

fn is_wanted(claim: &ClaimView<'_>) -> bool {
    let old = claim.age_seconds().is_none_or(|age| age >= BINDING_SECONDS);
    old && (!claim.waits_for_consumer() || !claim.users.is_empty())
}

fn unbound(claim: &ClaimView<'_>) -> Option<Finding> {
    let named =
        claim.claim.object.spec.as_ref().and_then(|spec| spec.volume_name.as_deref()).filter(|name| !name.is_empty());
    if let Some(volume) = named {
        return pre_bound(claim, volume);
    }
    let classes = &claim.scene.snapshot.objects.storage_classes;
    let provisioner = match claim.class().filter(|class| !class.is_empty()).map(|class| classes.look_up("", class)) {
        Some(Lookup::Found(class)) => {
            Some(class.object.provisioner.as_str()).filter(|name| *name != "kubernetes.io/no-provisioner")
        }
        Some(Lookup::Absent) if !bears_class(claim) => return None,
        Some(Lookup::Unknown) => return None,
        Some(Lookup::Absent) | None => None,
    };
    match provisioner {
        Some(provisioner) => not_provisioned(claim, provisioner),
        None => no_volume(claim),
    }
}

/// Returns whether a volume bears the claim's class, which then needs no object.
fn bears_class(claim: &ClaimView<'_>) -> bool {
    let volumes = &claim.scene.snapshot.objects.volumes;
    volumes.iter().any(|volume| {
        volume.object.spec.as_ref().is_some_and(|spec| spec.storage_class_name.as_deref() == claim.class())
    })
}

fn pre_bound(claim: &ClaimView<'_>, name: &str) -> Option<Finding> {
    match claim.scene.snapshot.objects.volumes.look_up("", name) {
        Lookup::Found(volume) => {
            let differences = claim.differences(&volume.object);
            (!differences.is_empty()).then(|| differs(claim, volume, &differences))
        }
        Lookup::Absent => {
            let message = format!("claim `{}` names the volume `{name}`, which does not exist", claim.name());
            let finding =
                RULE.finding(claim.object(), message).because(claim.object(), "spec.volumeName", name).confidence(0.95);
            Some(finish(
                claim,
                finding,
                format!("create the volume `{name}`, or make the claim again without `volumeName`"),
            ))
        }
        Lookup::Unknown => None,
    }
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
    let compared = volumes.iter().map(|volume| (claim.differences(&volume.object), volume));
    let near = compared.min_by_key(|(differences, volume)| (differences.len(), volume.object.name()));
    match near {
        Some((differences, volume)) if differences.is_empty() => out_of_reach(claim, volume),
        Some((differences, volume)) => Some(differs(claim, volume, &differences)),
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

fn differs(claim: &ClaimView<'_>, volume: &Stored<PersistentVolume>, differences: &[Difference]) -> Finding {
    let name = volume.object.name();
    let phrases: Vec<_> = differences.iter().map(Difference::phrase).collect();
    let fits = if claim.scene.snapshot.objects.volumes.len() == 1 {
        "the only volume,"
    } else {
        "no volume fits; the nearest,"
    };
    let message = format!("claim `{}` cannot be bound: {fits} `{name}`, {}", claim.name(), phrases.join(" and "));
    let object = ObjectRef::new(Kind::PersistentVolume, "", name);
    let mut finding = RULE.finding(claim.object(), message).confidence(0.92);
    for difference in differences {
        finding = finding.because(claim.object(), path(difference.field, true), &*difference.wanted);
        finding = finding.because(object.clone(), path(difference.field, false), &*difference.has);
    }
    if let Some(event) = claim.event("FailedBinding") {
        finding = cite(finding, claim, event);
    }
    finish(claim, finding, cure(claim, name, differences)).next(quote::command(&["kubectl", "describe", "pv", name]))
}

fn path(field: &str, of_claim: bool) -> &'static str {
    match (field, of_claim) {
        ("claimRef", true) => "metadata.name",
        ("claimRef", false) => "spec.claimRef",
        ("phase", _) => "status.phase",
        ("storageClassName", _) => "spec.storageClassName",
        ("capacity", true) => "spec.resources.requests.storage",
        ("capacity", false) => "spec.capacity.storage",
        ("accessModes", _) => "spec.accessModes",
        ("volumeMode", _) => "spec.volumeMode",
        ("selector", true) => "spec.selector",
        (_, _) => "metadata.labels",
    }
}

fn cure(claim: &ClaimView<'_>, volume: &str, differences: &[Difference]) -> String {
    match differences {
        [one] if one.field == "claimRef" => {
            format!("make another volume for `{}`: `{volume}` belongs to claim `{}`", claim.name(), one.has)
        }
        [one] if one.field == "phase" => {
            format!("make another volume, or, if the data on `{volume}` may be reused, clear its claimRef")
        }
        [one] if one.field == "storageClassName" => format!(
            "make the claim `{}` again with the storageClassName \"{}\", or give `{volume}` its class",
            claim.name(),
            one.has
        ),
        _ => format!("make the claim `{}` again so that `{volume}` fits, or make a volume that fits it", claim.name()),
    }
}

fn cite(finding: Finding, claim: &ClaimView<'_>, event: &EventView<'_>) -> Finding {
    let text: String = event.message.chars().take(300).collect();
    finding
        .because_at(claim.object(), format!("events[{}]", event.reason), text, event.last)
        .seen(event.first, event.last)
}

fn finish(claim: &ClaimView<'_>, finding: Finding, cure: String) -> Finding {
    let created = claim.claim.metadata.creation_timestamp.as_ref().map(|time| time.0);
    let finding = claim.with_users(finding).seen(created, Some(claim.scene.now()));
    finding.recommend(Recommendation::new("edit-object", cure).risk(Risk::Medium))
}

fn first_words(message: &str) -> String {
    message.trim_end_matches('.').chars().take(140).collect()
}
