//! Claims that a volume would serve but for a field.

use k8s_openapi::api::core::v1::PersistentVolume;

use crate::model::store::HasMeta as _;
use crate::model::{Finding, Kind, Lookup, ObjectRef, Recommendation, Risk, Stored};
use crate::render::quote;
use crate::rules::Rule;
use crate::scene::scheduling::claims::{ClaimView, Difference, claims};
use crate::scene::{EventView, Scene};

/// The controllers may take this long to bind a claim.
const BINDING_SECONDS: i64 = 10;

/// Where a claim's volume is to come from.
#[derive(Clone, Copy, Debug)]
pub enum Source<'c> {
    /// The claim names it.
    Named(&'c str),
    /// The provisioner of its class makes it.
    Provisioner(&'c str),
    /// One of those that exist.
    Volumes,
}

/// Finds the pending claims that the nearest volume does not fit, of some differences.
pub fn findings(scene: &Scene<'_>, rule: &'static Rule, concerns: fn(&[Difference]) -> bool) -> Vec<Finding> {
    let claims = claims(scene);
    let misfits = claims.iter().filter(|claim| is_wanted(claim)).filter_map(|claim| Some((claim, of(claim)?)));
    misfits
        .filter(|(_, (differences, _))| concerns(differences))
        .map(|(claim, (differences, volume))| differs(rule, claim, volume, &differences))
        .collect()
}

/// Returns the one field in which a volume differs; none if it differs in several, or in one that has no rule of its own.
pub fn field(differences: &[Difference]) -> Option<&'static str> {
    let own = ["claimRef", "storageClassName", "capacity", "accessModes", "selector"];
    match differences {
        [one] if own.contains(&one.field) => Some(one.field),
        _ => None,
    }
}

/// Returns the volume that would serve a claim but for some fields, with these.
pub fn of<'s>(claim: &ClaimView<'s>) -> Option<(Vec<Difference>, &'s Stored<PersistentVolume>)> {
    let near = match source(claim)? {
        Source::Named(name) => {
            let Lookup::Found(volume) = claim.scene.snapshot.objects.volumes.look_up("", name) else { return None };
            Some((claim.differences(&volume.object), volume))
        }
        Source::Provisioner(_) => None,
        Source::Volumes => nearest(claim),
    };
    near.filter(|(differences, _)| !differences.is_empty())
}

/// Returns the volume that differs least from what a claim asks for.
pub fn nearest<'s>(claim: &ClaimView<'s>) -> Option<(Vec<Difference>, &'s Stored<PersistentVolume>)> {
    let volumes = claim.scene.snapshot.objects.volumes.iter();
    let compared = volumes.map(|volume| (claim.differences(&volume.object), volume));
    compared.min_by_key(|(differences, volume)| (differences.len(), volume.object.name()))
}

/// Returns where the volume is to come from; none if that cannot be told, or if the missing class is the trouble.
pub fn source<'s>(claim: &ClaimView<'s>) -> Option<Source<'s>> {
    let named =
        claim.claim.object.spec.as_ref().and_then(|spec| spec.volume_name.as_deref()).filter(|name| !name.is_empty());
    if let Some(volume) = named {
        return Some(Source::Named(volume));
    }
    let classes = &claim.scene.snapshot.objects.storage_classes;
    match claim.class().filter(|class| !class.is_empty()).map(|class| classes.look_up("", class)) {
        Some(Lookup::Found(class)) if class.object.provisioner != "kubernetes.io/no-provisioner" => {
            Some(Source::Provisioner(class.object.provisioner.as_str()))
        }
        Some(Lookup::Absent) if !bears_class(claim) => None,
        Some(Lookup::Unknown) => None,
        Some(Lookup::Found(_) | Lookup::Absent) | None => Some(Source::Volumes),
    }
}

/// Returns whether a claim has been pending for long enough, and somebody needs it.
pub fn is_wanted(claim: &ClaimView<'_>) -> bool {
    let old = claim.is_pending() && claim.age_seconds().is_none_or(|age| age >= BINDING_SECONDS);
    old && (!claim.waits_for_consumer() || !claim.users.is_empty())
}

/// Returns whether a volume bears the claim's class, which then needs no object.
fn bears_class(claim: &ClaimView<'_>) -> bool {
    let volumes = &claim.scene.snapshot.objects.volumes;
    volumes.iter().any(|volume| {
        volume.object.spec.as_ref().is_some_and(|spec| spec.storage_class_name.as_deref() == claim.class())
    })
}

fn differs(
    rule: &'static Rule,
    claim: &ClaimView<'_>,
    volume: &Stored<PersistentVolume>,
    differences: &[Difference],
) -> Finding {
    let name = volume.object.name();
    let phrases: Vec<_> = differences.iter().map(Difference::phrase).collect();
    let fits = if claim.scene.snapshot.objects.volumes.len() == 1 {
        "the only volume,"
    } else {
        "no volume fits; the nearest,"
    };
    let message = format!("claim `{}` cannot be bound: {fits} `{name}`, {}", claim.name(), phrases.join(" and "));
    let object = ObjectRef::new(Kind::PersistentVolume, "", name);
    let mut finding = rule.finding(claim.object(), message).confidence(0.92);
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

/// Adds an event about a claim.
pub fn cite(finding: Finding, claim: &ClaimView<'_>, event: &EventView<'_>) -> Finding {
    let text: String = event.message.chars().take(300).collect();
    finding
        .because_at(claim.object(), format!("events[{}]", event.reason), text, event.last)
        .seen(event.first, event.last)
}

/// Adds who uses a claim, since when it waits, and the cure.
pub fn finish(claim: &ClaimView<'_>, finding: Finding, cure: String) -> Finding {
    let created = claim.claim.metadata.creation_timestamp.as_ref().map(|time| time.0);
    let finding = claim.with_users(finding).seen(created, Some(claim.scene.now()));
    finding.recommend(Recommendation::new("edit-object", cure).risk(Risk::Medium))
}
