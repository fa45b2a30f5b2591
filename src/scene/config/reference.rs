//! The ConfigMaps and Secrets that a pod refers to.

use k8s_openapi::api::core::v1::{Container, EnvFromSource, EnvVar, KeyToPath, Volume, VolumeProjection};

use crate::model::{Kind, ObjectRef};
use crate::scene::PodView;

/// One mention of a ConfigMap or Secret, or of a key in it, in a pod's spec.
#[derive(Clone, Debug)]
pub struct Reference<'s> {
    /// `ConfigMap` or `Secret`.
    pub kind: Kind,
    pub name: &'s str,
    pub key: Option<&'s str>,
    /// Whether the pod starts without it.
    pub optional: bool,
    /// Where it stands: `spec.containers[main].env[DB].valueFrom.secretKeyRef`.
    pub path: String,
    /// The container that refers to it in its environment; `None` for a volume, without which no container starts.
    pub container: Option<&'s str>,
    /// The volume that refers to it.
    pub volume: Option<&'s str>,
}

impl Reference<'_> {
    /// Returns the address of the object.
    pub fn object(&self, namespace: &str) -> ObjectRef {
        ObjectRef::new(self.kind, namespace, self.name)
    }
}

/// Returns all references of a pod, in the order of its spec.
pub fn of_pod(pod: PodView<'_>) -> Vec<Reference<'_>> {
    let mut references = Vec::new();
    for container in pod.containers() {
        let path = container.spec_path("");
        environment(container.spec, &path, &mut references);
    }
    for volume in pod.spec().and_then(|spec| spec.volumes.as_deref()).unwrap_or_default() {
        of_volume(volume, &mut references);
    }
    references
}

fn environment<'s>(container: &'s Container, path: &str, references: &mut Vec<Reference<'s>>) {
    references.extend(container.env.iter().flatten().filter_map(|variable| of_variable(container, variable, path)));
    references.extend(
        container
            .env_from
            .iter()
            .flatten()
            .enumerate()
            .filter_map(|(index, from)| of_source(container, from, index, path)),
    );
}

fn of_variable<'s>(container: &'s Container, variable: &'s EnvVar, path: &str) -> Option<Reference<'s>> {
    let from = variable.value_from.as_ref()?;
    let (kind, name, key, optional, field) = if let Some(map) = &from.config_map_key_ref {
        (Kind::ConfigMap, &map.name, &map.key, map.optional, "configMapKeyRef")
    } else {
        let secret = from.secret_key_ref.as_ref()?;
        (Kind::Secret, &secret.name, &secret.key, secret.optional, "secretKeyRef")
    };
    let path = format!("{path}env[{}].valueFrom.{field}", variable.name);
    Some(Reference {
        kind,
        name,
        key: Some(key),
        optional: optional == Some(true),
        path,
        container: Some(&container.name),
        volume: None,
    })
}

fn of_source<'s>(container: &'s Container, from: &'s EnvFromSource, index: usize, path: &str) -> Option<Reference<'s>> {
    let (kind, name, optional, field) = if let Some(map) = &from.config_map_ref {
        (Kind::ConfigMap, &map.name, map.optional, "configMapRef")
    } else {
        let secret = from.secret_ref.as_ref()?;
        (Kind::Secret, &secret.name, secret.optional, "secretRef")
    };
    let path = format!("{path}envFrom[{index}].{field}");
    Some(Reference {
        kind,
        name,
        key: None,
        optional: optional == Some(true),
        path,
        container: Some(&container.name),
        volume: None,
    })
}

/// What one volume, or one source of a projected volume, takes from an object.
struct Taken<'s> {
    kind: Kind,
    name: &'s str,
    optional: bool,
    items: &'s [KeyToPath],
    path: String,
}

fn of_volume<'s>(volume: &'s Volume, references: &mut Vec<Reference<'s>>) {
    let path = |field: &str| format!("spec.volumes[{}].{field}", volume.name);
    if let Some(map) = &volume.config_map {
        let items = map.items.as_deref().unwrap_or_default();
        let taken = Taken {
            kind: Kind::ConfigMap,
            name: &map.name,
            optional: map.optional == Some(true),
            items,
            path: path("configMap"),
        };
        add(volume, taken, references);
    }
    if let Some(secret) = &volume.secret
        && let Some(name) = secret.secret_name.as_deref()
    {
        let items = secret.items.as_deref().unwrap_or_default();
        let taken =
            Taken { kind: Kind::Secret, name, optional: secret.optional == Some(true), items, path: path("secret") };
        add(volume, taken, references);
    }
    let sources = volume.projected.iter().flat_map(|projected| projected.sources.iter().flatten());
    for (index, source) in sources.enumerate() {
        projected(volume, source, &path(&format!("projected.sources[{index}]")), references);
    }
}

fn projected<'s>(volume: &'s Volume, source: &'s VolumeProjection, path: &str, references: &mut Vec<Reference<'s>>) {
    if let Some(map) = &source.config_map {
        let items = map.items.as_deref().unwrap_or_default();
        let taken = Taken {
            kind: Kind::ConfigMap,
            name: &map.name,
            optional: map.optional == Some(true),
            items,
            path: format!("{path}.configMap"),
        };
        add(volume, taken, references);
    }
    if let Some(secret) = &source.secret {
        let items = secret.items.as_deref().unwrap_or_default();
        let taken = Taken {
            kind: Kind::Secret,
            name: &secret.name,
            optional: secret.optional == Some(true),
            items,
            path: format!("{path}.secret"),
        };
        add(volume, taken, references);
    }
}

fn add<'s>(volume: &'s Volume, taken: Taken<'s>, references: &mut Vec<Reference<'s>>) {
    let Taken { kind, name, optional, items, path } = taken;
    let reference =
        |key, path| Reference { kind, name, key, optional, path, container: None, volume: Some(&volume.name) };
    references.extend(items.iter().map(|item| reference(Some(&item.key), format!("{path}.items[{}].key", item.key))));
    if items.is_empty() {
        references.push(reference(None, path));
    }
}
