//! A volume cannot be attached or mounted.

use k8s_openapi::api::core::v1::Volume;

use crate::model::{Finding, Kind, ObjectRef, Recommendation, Severity};
use crate::render::quote;
use crate::rules::{Rule, consequences};
use crate::scene::topology::claim_of;
use crate::scene::{EventView, PodView, Scene};

/// See [`Rule::docs`].
pub static RULE: Rule = Rule {
    id: "volume-mount-failed",
    category: "volume_mount_failed",
    summary: "detects pods that cannot start because a volume cannot be attached or mounted",
    docs: "\
## What it means
The pod has a node, but its kubelet cannot attach or mount one of its volumes: the disk is still attached to another node, \
a path is not what it should be, a file server does not answer, a CSI driver is not installed.

## How it is detected
The pod has not started, and the newest event `FailedAttachVolume`, `FailedMount` or `FailedMapVolume` says why. Missing \
ConfigMaps, Secrets, claims and service accounts have rules of their own.

## What to do
Follow the recommendation, which depends on what the kubelet says.",
    severity: Severity::Error,
    needs: &[Kind::Pod, Kind::Event],
    uses: &[Kind::PersistentVolumeClaim, Kind::PersistentVolume],
    explains: &[consequences::PODS_NOT_READY],
    check,
};

fn check(scene: &Scene<'_>) -> Vec<Finding> {
    let starting =
        scene.suspects().filter(|pod| pod.phase() == "Pending" && pod.node().is_some() && !pod.is_terminating());
    starting.filter_map(failed).collect()
}

fn failed(pod: PodView<'_>) -> Option<Finding> {
    let started = pod.containers().any(|container| container.running().is_some() || container.last_end().is_some());
    let events: Vec<_> = pod
        .events()
        .filter(|event| matches!(event.reason, "FailedMount" | "FailedAttachVolume" | "FailedMapVolume"))
        .collect();
    let other = events.iter().any(|event| is_told_elsewhere(event.message));
    let telling = |event: &&&EventView<'_>| {
        !is_told_elsewhere(event.message) && !is_transient(event.message) && !is_summary(event.message)
    };
    let specific = events.iter().rev().find(telling);
    let event = specific.or_else(|| events.iter().rev().find(|event| is_summary(event.message)).filter(|_| !other))?;
    if started || is_mounted(pod) {
        return None;
    }
    let name = volume_name(pod, event.message)?;
    let (why, cure) = Trouble::of(event.message).words(event.message, &name);
    let workload = &pod.workload().object;
    let message = format!("volume `{name}` of {} cannot be mounted: {why}", workload.short());
    let text: String = event.message.chars().take(300).collect();
    let mut finding = RULE.finding(workload.clone(), message).key(&*name).because_at(
        pod.object(),
        format!("events[{}]", event.reason),
        text,
        event.last,
    );
    if let Some(claim) = claim(pod, &name) {
        let object = ObjectRef::new(Kind::PersistentVolumeClaim, pod.namespace(), claim);
        finding = finding
            .because(pod.object(), format!("spec.volumes[{name}].persistentVolumeClaim.claimName"), claim)
            .mentions(object);
    }
    let node = ObjectRef::new(Kind::Node, "", pod.node().unwrap_or_default());
    let confidence = if specific.is_some() { 0.93 } else { 0.75 };
    let finding =
        finding.seen(event.first, Some(pod.scene.now())).affects(pod.object()).mentions(node).confidence(confidence);
    let finding = finding.recommend(Recommendation::new("fix-volume", cure));
    Some(finding.next(quote::command(&["kubectl", "describe", "pod", "-n", pod.namespace(), pod.name()])))
}

/// Returns whether the pod is past its volumes: they come before the sandbox, and that before images and configuration.
fn is_mounted(pod: PodView<'_>) -> bool {
    let waits_later = |reason: &str| !matches!(reason, "" | "ContainerCreating" | "PodInitializing");
    let has_sandbox = pod.condition("PodReadyToStartContainers").is_some_and(|condition| condition.status == "True");
    has_sandbox || pod.containers().any(|container| waits_later(container.waiting_reason()))
}

/// Returns whether other rules speak of it: missing configuration, claims, service accounts.
fn is_told_elsewhere(message: &str) -> bool {
    let lower = message.to_ascii_lowercase();
    let names = [
        "configmap \"",
        "secret \"",
        "secrets \"",
        "configmaps \"",
        "persistentvolumeclaim \"",
        "serviceaccount \"",
        "serviceaccounts \"",
    ];
    (lower.contains("not found") && names.iter().any(|name| lower.contains(name)))
        || lower.contains("references non-existent")
}

/// Returns whether it is what every pod may see in its first seconds.
fn is_transient(message: &str) -> bool {
    message.contains("failed to sync")
        || message.contains("failed to fetch token")
        || message.contains("not registered")
}

/// Returns whether it only says that some volume did not come in time.
fn is_summary(message: &str) -> bool {
    message.starts_with("Unable to attach or mount volumes")
}

/// Returns the name of the volume in the pod: events of disks name the bound volume instead.
fn volume_name(pod: PodView<'_>, message: &str) -> Option<String> {
    let quoted = message.split_once("for volume \"").and_then(|(_, rest)| rest.split('"').next());
    let listed = message.split_once("unmounted volumes=[").and_then(|(_, rest)| rest.split([']', ' ', ',']).next());
    let name = quoted.or(listed).filter(|name| !name.is_empty())?;
    let volumes = pod.spec().and_then(|spec| spec.volumes.as_deref()).unwrap_or_default();
    let of_disk = |volume: &&Volume| claim_of(volume).is_some_and(|claim| bound_volume(pod, claim) == Some(name));
    let own = volumes.iter().find(|volume| volume.name == name).or_else(|| volumes.iter().find(of_disk));
    Some(own.map_or(name, |volume| volume.name.as_str()).to_owned())
}

fn bound_volume<'s>(pod: PodView<'s>, claim: &str) -> Option<&'s str> {
    let claim = pod.scene.snapshot.objects.claims.get(pod.namespace(), claim)?;
    claim.object.spec.as_ref()?.volume_name.as_deref()
}

fn claim<'s>(pod: PodView<'s>, volume: &str) -> Option<&'s str> {
    let volumes = pod.spec()?.volumes.as_deref()?;
    volumes.iter().find(|one| one.name == volume).and_then(claim_of)
}

/// What the kubelet or the attach controller complains of.
#[derive(Clone, Copy)]
enum Trouble {
    MultiAttach,
    HostPath,
    NoDriver,
    NoHelper,
    Denied,
    Unreachable,
    NoSuchPath,
    Filesystem,
    Timeout,
    Other,
}

impl Trouble {
    fn of(message: &str) -> Self {
        let has = |phrases: &[&str]| phrases.iter().any(|phrase| message.contains(phrase));
        let known: &[(&[&str], Self)] = &[
            (&["Multi-Attach error"], Self::MultiAttach),
            (&["hostPath type check failed"], Self::HostPath),
            (&["not found in the list of registered CSI drivers"], Self::NoDriver),
            (&["helper program", "unknown filesystem type"], Self::NoHelper),
            (&["access denied", "Permission denied", "permission denied", "Operation not permitted"], Self::Denied),
            (
                &[
                    "No route to host",
                    "Connection refused",
                    "Connection timed out",
                    "Name or service not known",
                    "Failed to resolve",
                    "no such host",
                ],
                Self::Unreachable,
            ),
            (&["No such file or directory", "does not exist", "no such file"], Self::NoSuchPath),
            (&["wrong fs type", "bad superblock", "fsck"], Self::Filesystem),
            (&["timed out waiting", "DeadlineExceeded", "context deadline exceeded"], Self::Timeout),
        ];
        known.iter().find(|(phrases, _)| has(phrases)).map_or(Self::Other, |&(_, trouble)| trouble)
    }

    /// Returns why, and what to do.
    fn words(self, message: &str, volume: &str) -> (String, String) {
        let tail = tail(message);
        match self {
            Self::MultiAttach => (
                "its disk is still attached to another node (Multi-Attach error)".to_owned(),
                "wait until the pod that holds the disk is gone, or end it; a disk of ReadWriteOnce serves one node at a time, so use the strategy Recreate or a volume of ReadWriteMany".to_owned(),
            ),
            Self::HostPath => (tail, format!("create the path on the node, or correct path or type of the hostPath volume `{volume}`")),
            Self::NoDriver => (tail, "install the CSI driver, or see why its node plugin does not run on this node".to_owned()),
            Self::NoHelper => (tail, "install the client of this file system on the node (nfs-common, cifs-utils, ...)".to_owned()),
            Self::Denied => (format!("the server or node refuses: {tail}"), "allow this node on the file server (export, security group), or correct the credentials".to_owned()),
            Self::Unreachable => (format!("the file server does not answer: {tail}"), "check address, DNS and firewall between the node and the file server".to_owned()),
            Self::NoSuchPath => (tail, format!("create the path that volume `{volume}` names, or correct it")),
            Self::Filesystem => (tail, "check fsType and the file system on the disk".to_owned()),
            Self::Timeout | Self::Other => (tail, "see what the events and the storage driver's log say".to_owned()),
        }
    }
}

/// Returns the end of a message, where the reason stands: what follows the name of the volume.
fn tail(message: &str) -> String {
    let rest = message
        .split_once("for volume \"")
        .and_then(|(_, rest)| rest.split_once("\" "))
        .map_or(message, |(_, rest)| rest);
    let rest = rest.trim_start_matches([':', ' ']);
    let rest = rest.split_once("Output: ").map_or(rest, |(_, output)| output);
    rest.split('\n').next().unwrap_or_default().trim_end_matches('.').chars().take(160).collect()
}
