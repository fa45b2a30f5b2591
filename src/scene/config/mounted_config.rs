//! What a container has mounted.

use std::collections::BTreeMap;

use crate::model::store::HasMeta as _;
use crate::scene::ContainerView;

/// A ConfigMap that is mounted as files.
#[derive(Clone, Debug)]
pub struct Mounted<'s> {
    pub name: &'s str,
    /// Where in the container.
    pub path: &'s str,
    /// File name → (entry of the ConfigMap, content).
    pub files: BTreeMap<&'s str, (&'s str, &'s str)>,
}

/// Returns the ConfigMaps that a container has mounted and that were read.
pub fn config_maps(container: ContainerView<'_>) -> Vec<Mounted<'_>> {
    let pod = container.pod;
    let volumes = pod.spec().and_then(|spec| spec.volumes.as_deref()).unwrap_or_default();
    let mounts = container.spec.volume_mounts.iter().flatten();
    let mounted = mounts.filter_map(|mount| {
        let source = volumes.iter().find(|volume| volume.name == mount.name)?.config_map.as_ref()?;
        let map = pod.scene.snapshot.objects.config_maps.get(pod.namespace(), &source.name)?;
        let items = source.items.as_deref();
        let file = |key: &'_ str| match items {
            Some(items) => items.iter().find(|item| item.key == key).map(|item| item.path.as_str()),
            None => None,
        };
        let entries = map.object.data.iter().flatten().filter(|(key, _)| items.is_none() || file(key).is_some());
        let files =
            entries.map(|(key, content)| (file(key).unwrap_or(key), (key.as_str(), content.as_str()))).collect();
        Some(Mounted { name: map.object.name(), path: &mount.mount_path, files })
    });
    mounted.collect()
}

impl Mounted<'_> {
    /// Returns the entries that are files of JSON by their name and do not parse, with the error.
    pub fn broken_json(&self) -> Vec<(&str, String)> {
        let json = self.files.iter().filter(|(file, _)| file.ends_with(".json"));
        let broken = json.filter_map(|(_, (key, content))| {
            let error = serde_json::from_str::<serde::de::IgnoredAny>(content).err()?;
            Some((*key, format!("is no valid JSON: {error}")))
        });
        broken.collect()
    }
}
