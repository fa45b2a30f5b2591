//! The volume lives where the pod cannot go.

use k8s_openapi::api::core::v1::PersistentVolume;

use crate::model::store::HasMeta as _;
use crate::model::{Finding, Kind, ObjectRef, Recommendation, Risk, Severity, Stored};
use crate::render::quote;
use crate::rules::{Rule, consequences};
use crate::scene::scheduling::describe;
use crate::scene::scheduling::fit::{Guest, ZONES, reaches};
use crate::scene::{NodeRoom, Obstacle, Placement, Scene};

/// See [`Rule::docs`].
pub static RULE: Rule = Rule {
    id: "volume-node-affinity",
    category: "volume_node_affinity",
    summary: "detects pods whose volume can only be used on nodes where they cannot run",
    docs: "\
## What it means
The pod's claim is bound to a volume that is tied to a node or zone (a local disk, a zonal cloud disk). The pod cannot run \
there: its node selector points elsewhere, or the node is gone.

## How it is detected
The scheduler says that nodes had a volume node affinity conflict. The node affinity of the bound volumes is compared with \
the nodes that the pod's selectors leave.

## What to do
Let the pod run where the volume is, or, if the data can be had elsewhere, make a new claim in the right place and move the \
data to it.",
    severity: Severity::Error,
    needs: &[Kind::Pod],
    uses: &[Kind::Node, Kind::PersistentVolume, Kind::PersistentVolumeClaim, Kind::Event],
    explains: &[consequences::PODS_NOT_READY],
    check,
};

fn check(scene: &Scene<'_>) -> Vec<Finding> {
    let shut_out = scene.placements().iter().filter(|placement| placement.obstacle == Obstacle::VolumeAffinity);
    shut_out.filter_map(|placement| out_of_reach(scene, placement)).collect()
}

fn out_of_reach(scene: &Scene<'_>, placement: &Placement) -> Option<Finding> {
    let pod = scene.pod(placement.pod);
    let guest = Guest::new(scene.snapshot, &pod.pod.object)?;
    let workload = &pod.workload().object;
    let nodes = placement.nodes(scene);
    let Some(volume) = guest.volumes.iter().copied().find(|volume| !nodes.iter().all(|node| reaches(volume, node)))
    else {
        return Some(by_words(scene, placement));
    };
    let (name, place) = (volume.object.name(), place(volume));
    let claim = claim(volume);
    let message = format!(
        "{} cannot run where its volume `{name}`{} is: the volume's node affinity is `{place}`{}",
        workload.short(),
        claim_words(claim.as_ref()),
        whereabouts(scene, &guest, volume, &nodes)
    );
    let mut finding = placement.cite(scene, RULE.finding(workload.clone(), message).key(name));
    let object = ObjectRef::new(Kind::PersistentVolume, "", name);
    finding = finding
        .because(object.clone(), "spec.nodeAffinity.required", place.as_str())
        .mentions(object)
        .confidence(placement.confidence());
    if let Some(selector) = guest.spec.node_selector.as_ref() {
        finding = finding.because(pod.object(), "spec.nodeSelector", crate::scene::services::selector::print(selector));
    }
    if let Some(claim) = claim {
        finding = finding.because(claim, "spec.volumeName", name);
    }
    let cure = format!(
        "let {} run on nodes with `{place}`, or move its data to a volume that can be used where it runs",
        workload.short()
    );
    Some(
        finding
            .recommend(Recommendation::new("edit-object", cure).risk(Risk::Medium))
            .next(quote::command(&["kubectl", "describe", "pv", name])),
    )
}

/// Says where the volume is and where the pod may go.
fn whereabouts(scene: &Scene<'_>, guest: &Guest<'_>, volume: &PersistentVolume, nodes: &[&NodeRoom<'_>]) -> String {
    let with_volume: Vec<_> = scene.nodes().all.iter().filter(|node| reaches(volume, node)).collect();
    if with_volume.is_empty() {
        return ", which no node has any more".to_owned();
    }
    let chosen = guest.spec.node_selector.is_some() || guest.terms().is_some();
    if chosen && !nodes.is_empty() && !with_volume.iter().any(|node| guest.selects(node)) {
        let here = describe::names(nodes.iter().map(|node| node.name()));
        return format!(", but its node selector or affinity allows only {here}");
    }
    format!(", and {} cannot take it", describe::names(with_volume.iter().map(|node| node.name())))
}

/// Prints what ties a volume to a place.
fn place(volume: &PersistentVolume) -> String {
    let required = volume.spec.as_ref().and_then(|spec| spec.node_affinity.as_ref()?.required.as_ref());
    if let Some(required) = required {
        return required.node_selector_terms.iter().map(describe::node_term).collect::<Vec<_>>().join(" or ");
    }
    let zone = |key: &&str| Some(format!("{key}={}", volume.metadata.labels.as_ref()?.get(*key)?));
    ZONES.iter().filter_map(zone).collect::<Vec<_>>().join(",")
}

fn claim(volume: &Stored<PersistentVolume>) -> Option<ObjectRef> {
    let claim = volume.object.spec.as_ref()?.claim_ref.as_ref()?;
    Some(ObjectRef::new(Kind::PersistentVolumeClaim, claim.namespace.as_deref()?, claim.name.as_deref()?))
}

fn claim_words(claim: Option<&ObjectRef>) -> String {
    claim.map_or_else(String::new, |claim| format!(" (claim `{}`)", claim.name))
}

fn by_words(scene: &Scene<'_>, placement: &Placement) -> Finding {
    let pod = scene.pod(placement.pod);
    let workload = &pod.workload().object;
    let claims = pod
        .spec()
        .and_then(|spec| spec.volumes.as_deref())
        .unwrap_or_default()
        .iter()
        .filter_map(crate::scene::topology::claim_of);
    let message = format!(
        "{} cannot run where the volume of its claim {} is, says the scheduler",
        workload.short(),
        describe::names(claims)
    );
    let cure = format!("let {} run on the node or in the zone of its volume", workload.short());
    let finding = placement.cite(scene, RULE.finding(workload.clone(), message)).confidence(0.8);
    finding.recommend(Recommendation::new("edit-object", cure).risk(Risk::Medium)).next("kubectl get pv -o wide")
}
