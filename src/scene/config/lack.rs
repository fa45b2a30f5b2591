//! ConfigMaps, Secrets and keys that a pod needs and that are not there.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use crate::model::store::HasMeta as _;
use crate::model::{Finding, Kind, Lookup, ObjectRef, Subject};
use crate::scene::config::reference::{self, Reference};
use crate::scene::{ContainerView, PodView, Scene, near};

/// Something that a pod cannot start without and that is missing.
#[derive(Clone, Debug)]
pub struct Lack<'s> {
    pub pod: PodView<'s>,
    pub reference: Reference<'s>,
    /// Whether the object is there and only the key is missing.
    pub only_key: bool,
    /// The kubelet's words, if it spoke: path, text, time.
    said: Option<Said<'s>>,
}

#[derive(Clone, Debug)]
struct Said<'s> {
    path: String,
    text: &'s str,
    first: Option<Timestamp>,
    last: Option<Timestamp>,
}

/// Returns what pods lack: objects of a kind, or (`only_key`) keys of them.
pub fn of_kind<'s>(scene: &'s Scene<'_>, kind: Kind, only_key: bool) -> Vec<Lack<'s>> {
    let lacks = scene.suspects().flat_map(of_pod);
    lacks.filter(|lack| lack.reference.kind == kind && lack.only_key == only_key).collect()
}

/// Returns what a pod lacks; each object, or key of an object, once.
fn of_pod(pod: PodView<'_>) -> Vec<Lack<'_>> {
    if pod.is_terminating() || pod.is_finished() || pod.node().is_none() || !pod.containers().any(waits_to_start) {
        return Vec::new();
    }
    let said = words(pod);
    let needed = reference::of_pod(pod).into_iter().filter(|reference| !reference.optional && holds_up(pod, reference));
    let mut seen = BTreeSet::new();
    let lacks = needed.filter_map(|reference| lack(pod, reference, &said));
    lacks
        .filter(|lack| {
            seen.insert((lack.reference.kind, lack.reference.name, lack.only_key.then_some(lack.reference.key)))
        })
        .collect()
}

/// Returns whether a container cannot be started for its configuration, or was never started.
fn waits_to_start(container: ContainerView<'_>) -> bool {
    match container.waiting_reason() {
        "CreateContainerConfigError" => true,
        "ContainerCreating" | "PodInitializing" => container.last_end().is_none(),
        _ => false,
    }
}

fn holds_up(pod: PodView<'_>, reference: &Reference<'_>) -> bool {
    match reference.container {
        Some(name) => pod.container(name).is_some_and(|container| {
            matches!(container.waiting_reason(), "CreateContainerConfigError" | "ContainerCreating" | "PodInitializing")
        }),
        None => pod.containers().all(|container| container.running().is_none() && container.last_end().is_none()),
    }
}

/// Judges one reference: the listing decides where it is known, the kubelet's words where it is not.
///
/// A listing that has what the kubelet missed is newer than its words: the next attempt will succeed.
fn lack<'s>(pod: PodView<'s>, reference: Reference<'s>, words: &[Said<'s>]) -> Option<Lack<'s>> {
    let absent = words.iter().find(|said| says_absent(said.text, &reference)).cloned();
    let keyless = words.iter().find(|said| says_keyless(said.text, &reference)).cloned();
    match keys(pod, &reference) {
        Lookup::Absent => Some(Lack { pod, reference, only_key: false, said: absent }),
        Lookup::Found(Some(keys)) => {
            let lacks = reference.key.is_some_and(|key| !keys.contains(key));
            lacks.then_some(Lack { pod, reference, only_key: true, said: keyless })
        }
        Lookup::Found(None) => keyless.map(|said| Lack { pod, reference, only_key: true, said: Some(said) }),
        Lookup::Unknown => match (absent, keyless) {
            (Some(said), _) => Some(Lack { pod, reference, only_key: false, said: Some(said) }),
            (None, Some(said)) => Some(Lack { pod, reference, only_key: true, said: Some(said) }),
            (None, None) => None,
        },
    }
}

/// Looks the object up; its keys are `None` if nothing tells them.
fn keys<'s>(pod: PodView<'s>, reference: &Reference<'_>) -> Lookup<Option<BTreeSet<&'s str>>> {
    let objects = &pod.scene.snapshot.objects;
    if reference.kind == Kind::Secret {
        return match objects.secrets.look_up(pod.namespace(), reference.name) {
            Lookup::Found(secret) => {
                Lookup::Found(secret.keys.as_ref().map(|keys| keys.iter().map(String::as_str).collect()))
            }
            Lookup::Absent => Lookup::Absent,
            Lookup::Unknown => Lookup::Unknown,
        };
    }
    match objects.config_maps.look_up(pod.namespace(), reference.name) {
        Lookup::Found(map) => {
            let texts = map.data.iter().flatten().map(|(key, _)| key.as_str());
            let binaries = map.binary_data.iter().flatten().map(|(key, _)| key.as_str());
            Lookup::Found(Some(texts.chain(binaries).collect()))
        }
        Lookup::Absent => Lookup::Absent,
        Lookup::Unknown => Lookup::Unknown,
    }
}

/// Collects what the kubelet said of late about why the pod does not start, its present status first.
fn words(pod: PodView<'_>) -> Vec<Said<'_>> {
    let statuses = pod.containers().filter_map(|container| {
        let text = container.waiting()?.message.as_deref()?;
        let path = container.status_path("state.waiting.message");
        (container.waiting_reason() == "CreateContainerConfigError").then_some(Said {
            path,
            text,
            first: None,
            last: None,
        })
    });
    let recent = pod
        .events()
        .filter(|event| matches!(event.reason, "Failed" | "FailedMount") && pod.scene.is_recent(event.last));
    let events: Vec<_> = recent
        .map(|event| Said {
            path: format!("events[{}].message", event.reason),
            text: event.message,
            first: event.first,
            last: event.last,
        })
        .collect();
    statuses.chain(events.into_iter().rev()).collect()
}

/// Returns whether a text says `secret "x" not found`.
fn says_absent(text: &str, reference: &Reference<'_>) -> bool {
    let (kind, name) = (reference.kind.name().to_lowercase(), reference.name);
    text.contains(&format!("{kind} \"{name}\" not found")) || text.contains(&format!("{kind}s \"{name}\" not found"))
}

/// Returns whether a text says `couldn't find key k in ConfigMap shop/x` or `references non-existent config key: k`.
fn says_keyless(text: &str, reference: &Reference<'_>) -> bool {
    let Some(key) = reference.key else { return false };
    let of_variable = || {
        let after = text.split_once(&format!("find key {key} in {} ", reference.kind.name()));
        after.is_some_and(|(_, object)| {
            object
                .split(|letter: char| !(letter.is_alphanumeric() || "-./_".contains(letter)))
                .next()
                .is_some_and(|object| object.ends_with(&format!("/{}", reference.name)))
        })
    };
    let of_volume = || {
        let volume = reference.volume.is_some_and(|volume| text.contains(&format!("volume \"{volume}\"")));
        volume && text.contains("non-existent") && text.contains(&format!("key: {key}"))
    };
    of_variable() || of_volume()
}

impl<'s> Lack<'s> {
    /// Returns the object that lacks, or that lacks the key.
    pub fn object(&self) -> ObjectRef {
        self.reference.object(self.pod.namespace())
    }

    /// Returns what a person changes: the workload, and the container if only that refers to it.
    pub fn subject(&self) -> Subject {
        let object = self.pod.workload().object.clone();
        Subject { object, container: self.reference.container.map(str::to_owned) }
    }

    /// Returns `container `main` of deployment/cart needs`, or `deployment/cart mounts` for a volume.
    pub fn phrase(&self) -> String {
        let owner = self.pod.workload().object.short();
        match self.reference.container {
            Some(name) => format!("container `{name}` of {owner} needs"),
            None => format!("{owner} mounts"),
        }
    }

    /// Adds the observations and times to a finding.
    pub fn support(&self, finding: Finding) -> Finding {
        let pod = self.pod.object();
        let value = self
            .reference
            .key
            .map_or_else(|| self.reference.name.to_owned(), |key| format!("{}: {key}", self.reference.name));
        let mut finding = finding.affects(pod.clone()).mentions(self.object()).confidence(if self.said.is_some() {
            0.98
        } else {
            0.9
        });
        if let Some(said) = &self.said {
            let text = crate::render::safe::shorten(said.text, 300);
            finding = finding.because_at(pod.clone(), said.path.as_str(), text, said.last).seen(said.first, said.last);
        }
        finding
            .because(pod.clone(), self.reference.path.as_str(), value)
            .seen(self.pod.created(), None)
            .next(crate::scene::commands::describe(&pod))
    }

    /// Returns all keys that the pod takes from the object, sorted.
    pub fn keys_needed(&self) -> BTreeSet<&'s str> {
        let same = |other: &Reference<'_>| other.kind == self.reference.kind && other.name == self.reference.name;
        reference::of_pod(self.pod).into_iter().filter(same).filter_map(|other| other.key).collect()
    }

    /// Returns the keys that the object has, if they are known.
    pub fn keys_there(&self) -> Option<BTreeSet<&'s str>> {
        keys(self.pod, &self.reference).found().flatten()
    }
}

/// Names that may be meant, found once for each missing name.
#[derive(Debug, Default)]
pub struct Names(BTreeMap<(String, String), Likely>);

/// Objects that may be meant in place of one that is missing.
#[derive(Clone, Debug, Default)]
pub struct Likely {
    /// Near names in the same namespace.
    pub near: Vec<String>,
    /// Another namespace that has an object of exactly this name.
    pub elsewhere: Option<String>,
}

impl Names {
    /// Returns what may be meant in place of a missing object.
    pub fn like(&mut self, lack: &Lack<'_>) -> Likely {
        let (namespace, name) = (lack.pod.namespace(), lack.reference.name);
        let entry = self.0.entry((namespace.to_owned(), name.to_owned()));
        entry.or_insert_with(|| likely(lack.pod.scene, lack.reference.kind, namespace, name)).clone()
    }
}

fn likely(scene: &Scene<'_>, kind: Kind, namespace: &str, name: &str) -> Likely {
    let objects = &scene.snapshot.objects;
    let all: Vec<(&str, &str)> = match kind {
        Kind::Secret => {
            objects.secrets.iter().map(|secret| (secret.object.namespace(), secret.object.name())).collect()
        }
        _ => objects.config_maps.iter().map(|map| (map.object.namespace(), map.object.name())).collect(),
    };
    let here = all.iter().filter(|(other, _)| *other == namespace).map(|(_, name)| *name);
    let near = near::nearest(name, here).into_iter().map(str::to_owned).collect();
    let elsewhere =
        all.iter().find(|(other, same)| *other != namespace && *same == name).map(|(other, _)| (*other).to_owned());
    Likely { near, elsewhere }
}
