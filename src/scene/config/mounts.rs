//! Which volume lies at a path of a container.

use k8s_openapi::api::core::v1::{Volume, VolumeMount};

use crate::scene::ContainerView;

/// A mount of a container with the volume behind it.
#[derive(Clone, Copy, Debug)]
pub struct Mount<'s> {
    pub mount: &'s VolumeMount,
    pub volume: Option<&'s Volume>,
}

impl<'s> Mount<'s> {
    /// Iterates over a container's mounts.
    pub fn all(container: ContainerView<'s>) -> impl Iterator<Item = Self> {
        let volumes = container.pod.spec().and_then(|spec| spec.volumes.as_deref()).unwrap_or_default();
        let mounts = container.spec.volume_mounts.iter().flatten();
        mounts.map(move |mount| Self { mount, volume: volumes.iter().find(|volume| volume.name == mount.name) })
    }

    /// Returns the mount at a path or the nearest one above it.
    pub fn over(container: ContainerView<'s>, path: &str) -> Option<Self> {
        let above = Self::all(container).filter(|mount| mount.covers(path));
        above.max_by_key(|mount| mount.mount.mount_path.len())
    }

    /// Returns whether a path lies at or below the mount.
    pub fn covers(self, path: &str) -> bool {
        let root = self.mount.mount_path.trim_end_matches('/');
        path.strip_prefix(root).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }

    /// Returns whether nobody may write to it.
    pub fn is_read_only(self) -> bool {
        let config = self
            .volume
            .is_some_and(|volume| volume.config_map.is_some() || volume.secret.is_some() || volume.projected.is_some());
        let claim =
            self.volume.and_then(|volume| volume.persistent_volume_claim.as_ref()).and_then(|claim| claim.read_only);
        self.mount.read_only == Some(true) || claim == Some(true) || config
    }

    /// Returns what the volume is: `an emptyDir`, `configmap/settings`, `persistentvolumeclaim/data`.
    pub fn phrase(self) -> String {
        let Some(volume) = self.volume else { return "a volume".to_owned() };
        if let Some(map) = &volume.config_map {
            return format!("configmap/{}", map.name);
        }
        if let Some(secret) = &volume.secret {
            return format!("secret/{}", secret.secret_name.as_deref().unwrap_or_default());
        }
        if let Some(claim) = &volume.persistent_volume_claim {
            return format!("persistentvolumeclaim/{}", claim.claim_name);
        }
        if volume.empty_dir.is_some() {
            return "an emptyDir".to_owned();
        }
        volume.host_path.as_ref().map_or_else(|| "a volume".to_owned(), |host| format!("the host's {}", host.path))
    }

    /// Returns the path of the mount in the spec.
    pub fn path(self, container: ContainerView<'_>) -> String {
        container.spec_path(&format!("volumeMounts[{}].mountPath", self.mount.name))
    }
}
