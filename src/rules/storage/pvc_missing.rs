//! A pod's claim does not exist.

use jiff::SignedDuration;

use crate::model::store::HasMeta as _;
use crate::model::{Finding, Kind, Lookup, ObjectRef, Recommendation, Severity};
use crate::render::quote;
use crate::rules::{Rule, consequences};
use crate::scene::topology::claim_of;
use crate::scene::{PodView, Scene, near};

/// See [`Rule::docs`].
pub static RULE: Rule = Rule {
    id: "pvc-missing",
    category: "pvc_missing",
    summary: "detects pods that mount a claim that does not exist or is being deleted",
    docs: "\
## What it means
A volume of the pod names a PersistentVolumeClaim that is not in its namespace. The pod waits until there is one.

## How it is detected
The pod has not started, and the scheduler or the kubelet says that the claim was not found, or the claim is not in the \
listing of the namespace. A claim that is being deleted counts too.

## What to do
Create the claim, or correct `claimName` in the workload. A name that looks alike is shown.",
    severity: Severity::Error,
    needs: &[Kind::Pod, Kind::PersistentVolumeClaim],
    uses: &[Kind::Event],
    explains: &[consequences::PODS_NOT_READY, &["volume-mount-failed"]],
    check,
};

/// The claim may come a little after the pod, from the same manifest.
const YOUNG: SignedDuration = SignedDuration::from_secs(10);

fn check(scene: &Scene<'_>) -> Vec<Finding> {
    let young = |pod: &PodView<'_>| pod.created().is_some_and(|created| scene.now().duration_since(created) < YOUNG);
    let waiting = scene.suspects().filter(|pod| pod.phase() == "Pending" && !pod.is_terminating() && !young(pod));
    waiting.flat_map(missing).collect()
}

fn missing(pod: PodView<'_>) -> Vec<Finding> {
    let volumes = pod.spec().and_then(|spec| spec.volumes.as_deref()).unwrap_or_default();
    let mut claims: Vec<_> =
        volumes.iter().filter_map(|volume| Some((volume.name.as_str(), claim_of(volume)?))).collect();
    claims.dedup_by_key(|(_, claim)| *claim);
    claims.into_iter().filter_map(|(volume, claim)| absent(pod, volume, claim)).collect()
}

fn absent(pod: PodView<'_>, volume: &str, claim: &str) -> Option<Finding> {
    let said = said(pod, claim);
    let fate = match pod.scene.snapshot.objects.claims.look_up(pod.namespace(), claim) {
        Lookup::Found(found) if found.metadata.deletion_timestamp.is_some() => "is being deleted",
        Lookup::Found(_) => return None,
        Lookup::Absent => "does not exist",
        Lookup::Unknown => said.as_ref().map(|_| "does not exist")?,
    };
    let workload = &pod.workload().object;
    let message = format!(
        "volume `{volume}` of {} names the claim `{claim}`, which {fate}{}",
        workload.short(),
        alike(pod, claim)
    );
    let finding = RULE.finding(workload.clone(), message).key(claim);
    let mut finding =
        finding.because(pod.object(), format!("spec.volumes[{volume}].persistentVolumeClaim.claimName"), claim);
    if let Some((path, text)) = said {
        finding = finding.because(pod.object(), path, text);
    }
    let object = ObjectRef::new(Kind::PersistentVolumeClaim, pod.namespace(), claim);
    let finding =
        finding.mentions(object).affects(pod.object()).seen(pod.created(), Some(pod.scene.now())).confidence(0.96);
    let cure = format!(
        "create the claim `{claim}` in namespace {}, or correct claimName in {}",
        pod.namespace(),
        workload.short()
    );
    let finding = finding.recommend(Recommendation::new("create-object", cure));
    Some(finding.next(quote::command(&["kubectl", "get", "pvc", "-n", pod.namespace()])))
}

/// Returns the words of the scheduler or the kubelet about the claim.
fn said(pod: PodView<'_>, claim: &str) -> Option<(String, String)> {
    let about = |text: &str| {
        text.to_ascii_lowercase().contains("persistentvolumeclaim")
            && text.contains(claim)
            && (text.contains("not found") || text.contains("deleted"))
    };
    let condition =
        pod.condition("PodScheduled").and_then(|condition| condition.message.clone()).filter(|text| about(text));
    if let Some(text) = condition {
        return Some(("status.conditions[PodScheduled].message".to_owned(), text.chars().take(300).collect()));
    }
    let event = pod.events().filter(|event| about(event.message)).last()?;
    Some((format!("events[{}]", event.reason), event.message.chars().take(300).collect()))
}

fn alike(pod: PodView<'_>, claim: &str) -> String {
    let claims = pod.scene.snapshot.objects.claims.in_namespace(pod.namespace());
    match near::nearest(claim, claims.map(|other| other.object.name())).first() {
        Some(near) => format!(" (there is `{near}`)"),
        None => String::new(),
    }
}
