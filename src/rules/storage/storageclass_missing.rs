//! A claim's storage class does not exist.

use crate::model::store::HasMeta as _;
use crate::model::{Finding, Kind, ObjectRef, Recommendation, Severity};
use crate::rules::{Rule, consequences};
use crate::scene::scheduling::claims::{ClaimView, claims};
use crate::scene::scheduling::describe;
use crate::scene::{Scene, near};

/// See [`Rule::docs`].
pub static RULE: Rule = Rule {
    id: "storageclass-missing",
    category: "storageclass_missing",
    summary: "detects claims whose storage class does not exist, or that name none where no class is the default",
    docs: "\
## What it means
A claim gets its volume from the provisioner of its storage class. The class that this claim names does not exist; or it \
names none, no class is marked as the default, and no volume was made by hand.

## How it is detected
The claim is pending, and the volume controller says `storageclass ... not found` or the listing of classes does not have \
the name. A class without an object whose name volumes bear is fine: these are matched by hand, see pvc-class-mismatch.

## What to do
Make a new claim with a class that exists (the class of a claim cannot be changed), create the class, or mark one as the \
default.",
    severity: Severity::Error,
    needs: &[Kind::PersistentVolumeClaim, Kind::StorageClass],
    uses: &[Kind::PersistentVolume, Kind::Event, Kind::Pod],
    explains: &[consequences::PODS_NOT_READY, consequences::NO_ROOM, &["pvc-class-mismatch", "pvc-no-matching-pv"]],
    check,
};

/// A claim this young may be waiting for its class in the same manifest.
const YOUNG_SECONDS: i64 = 10;

fn check(scene: &Scene<'_>) -> Vec<Finding> {
    let claims = claims(scene);
    let pending =
        claims.iter().filter(|claim| claim.is_pending() && claim.age_seconds().is_none_or(|age| age >= YOUNG_SECONDS));
    pending.filter_map(missing).collect()
}

fn missing(claim: &ClaimView<'_>) -> Option<Finding> {
    if claim.claim.object.spec.as_ref().is_some_and(|spec| spec.volume_name.is_some()) {
        return None;
    }
    match claim.class() {
        Some("") => None,
        Some(class) => absent(claim, class),
        None => no_default(claim),
    }
}

fn absent(claim: &ClaimView<'_>, class: &str) -> Option<Finding> {
    let objects = &claim.scene.snapshot.objects;
    let look_up = objects.storage_classes.look_up("", class);
    let says = |message: &str| message.contains("storageclass") && message.contains(&format!("\"{class}\" not found"));
    let event = claim.event("ProvisioningFailed").filter(|event| says(event.message));
    let by_hand = objects.volumes.iter().any(|volume| {
        volume.object.spec.as_ref().is_some_and(|spec| spec.storage_class_name.as_deref() == Some(class))
    });
    if by_hand || matches!(look_up, crate::model::Lookup::Found(_)) || (event.is_none() && !look_up.is_absent()) {
        return None;
    }
    let object = claim.object();
    let message = format!(
        "{} asks for the storage class `{class}`, which does not exist{}",
        named(claim),
        alternatives(claim, class)
    );
    let mut finding = RULE.finding(object.clone(), message).because(object.clone(), "spec.storageClassName", class);
    if let Some(event) = event {
        finding = finding
            .because_at(object, "events[ProvisioningFailed]", event.message, event.last)
            .seen(event.first, event.last);
    }
    let finding = finding.mentions(ObjectRef::new(Kind::StorageClass, "", class)).confidence(if event.is_some() {
        0.97
    } else {
        0.9
    });
    let cure = format!(
        "create the StorageClass `{class}`, or make {} again with one that exists (the class of a claim cannot be changed)",
        named(claim)
    );
    Some(finish(claim, finding, cure))
}

fn no_default(claim: &ClaimView<'_>) -> Option<Finding> {
    let objects = &claim.scene.snapshot.objects;
    let is_default =
        |key: &String, value: &String| key.ends_with("storageclass.kubernetes.io/is-default-class") && value == "true";
    let default = objects
        .storage_classes
        .iter()
        .any(|class| class.metadata.annotations.iter().flatten().any(|(key, value)| is_default(key, value)));
    let known = objects.storage_classes.coverage.everywhere && objects.volumes.coverage.everywhere;
    if default || !known || !objects.volumes.is_empty() {
        return None;
    }
    let object = claim.object();
    let message = format!(
        "{} names no storage class, no class is the default, and there is no volume{}",
        named(claim),
        alternatives(claim, "")
    );
    let mut finding =
        RULE.finding(object.clone(), message).because(object.clone(), "spec.storageClassName", "unset").confidence(0.9);
    if let Some(event) = claim.event("FailedBinding") {
        finding = finding
            .because_at(object, "events[FailedBinding]", event.message, event.last)
            .seen(event.first, event.last);
    }
    let cure = "mark a StorageClass as the default (annotation `storageclass.kubernetes.io/is-default-class: \"true\"`), or name one in the claim".to_owned();
    Some(finish(claim, finding, cure))
}

fn finish(claim: &ClaimView<'_>, finding: Finding, cure: String) -> Finding {
    let created = claim.claim.metadata.creation_timestamp.as_ref().map(|time| time.0);
    let finding = claim.with_users(finding).seen(created, Some(claim.scene.now()));
    finding.recommend(Recommendation::new("edit-object", cure)).next("kubectl get storageclasses")
}

fn named(claim: &ClaimView<'_>) -> String {
    format!("claim `{}`", claim.name())
}

/// Says which classes there are, and which volume would do without the class.
fn alternatives(claim: &ClaimView<'_>, class: &str) -> String {
    let objects = &claim.scene.snapshot.objects;
    let names: Vec<_> = objects.storage_classes.iter().map(|class| class.object.name()).collect();
    let only_class =
        |one: &[crate::scene::scheduling::claims::Difference]| matches!(one, [one] if one.field == "storageClassName");
    let volume = objects.volumes.iter().find(|volume| only_class(&claim.differences(&volume.object)));
    if let Some(volume) = volume {
        return format!(" (the volume `{}` would fit but for the class)", volume.object.name());
    }
    match (near::nearest(class, names.iter().copied()).first(), names.is_empty()) {
        (Some(near), _) if !class.is_empty() => format!(" (there is `{near}`)"),
        (_, true) if objects.storage_classes.coverage.everywhere => " (there is no storage class at all)".to_owned(),
        (_, true) => String::new(),
        _ => format!(
            " (there is {})",
            describe::names(
                names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().iter().map(String::as_str)
            )
        ),
    }
}
