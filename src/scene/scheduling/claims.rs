//! Claims, with the pods that use them and the volumes that could serve them.

use foldhash::{HashMap, HashMapExt as _};
use k8s_openapi::api::core::v1::{PersistentVolume, PersistentVolumeClaim};

use crate::model::store::HasMeta as _;
use crate::model::{Finding, Kind, Lookup, ObjectRef, Stored};
use crate::quantity::Quantity;
use crate::scene::services::selector;
use crate::scene::topology::claim_of;
use crate::scene::{EventView, PodView, Scene};

/// A claim in scope, joined with the pods that use it.
#[derive(Clone, Debug)]
pub struct ClaimView<'s> {
    pub scene: &'s Scene<'s>,
    pub claim: &'s Stored<PersistentVolumeClaim>,
    /// The pods in scope that mount it and are not finished.
    pub users: Vec<PodView<'s>>,
}

/// Iterates over the claims in scope; linear in claims and pods.
pub fn claims<'s>(scene: &'s Scene<'s>) -> Vec<ClaimView<'s>> {
    if scene.snapshot.objects.claims.is_empty() {
        return Vec::new();
    }
    let mut users: HashMap<(&str, &str), Vec<PodView<'s>>> = HashMap::new();
    for pod in scene.pods().filter(|pod| !pod.is_finished()) {
        let volumes = pod.spec().and_then(|spec| spec.volumes.as_deref()).unwrap_or_default();
        for claim in volumes.iter().filter_map(claim_of) {
            users.entry((pod.namespace(), claim)).or_default().push(pod);
        }
    }
    let in_scope =
        scene.snapshot.objects.claims.iter().filter(|claim| scene.snapshot.scope.includes(claim.object.namespace()));
    let view = |claim: &'s Stored<PersistentVolumeClaim>| ClaimView {
        scene,
        claim,
        users: users.remove(&(claim.object.namespace(), claim.object.name())).unwrap_or_default(),
    };
    in_scope.map(view).collect()
}

impl<'s> ClaimView<'s> {
    /// Returns the claim's name.
    pub fn name(&self) -> &'s str {
        self.claim.object.name()
    }

    /// Returns the claim's address.
    pub fn object(&self) -> ObjectRef {
        ObjectRef::new(Kind::PersistentVolumeClaim, self.claim.object.namespace(), self.name())
    }

    /// Returns whether it waits for a volume, or has lost it.
    pub fn is_pending(&self) -> bool {
        let phase = self.claim.object.status.as_ref().and_then(|status| status.phase.as_deref());
        matches!(phase, None | Some("Pending" | "Lost")) && self.claim.metadata.deletion_timestamp.is_none()
    }

    /// Returns its class as written: `None` where the default applies, empty for none.
    pub fn class(&self) -> Option<&'s str> {
        let annotation = || self.claim.metadata.annotations.as_ref()?.get("volume.beta.kubernetes.io/storage-class");
        let spec = self.claim.object.spec.as_ref()?.storage_class_name.as_ref();
        spec.or_else(annotation).map(String::as_str)
    }

    /// Returns how much it asks for.
    pub fn request(&self) -> Option<Quantity> {
        self.claim.object.spec.as_ref()?.resources.as_ref()?.requests.as_ref()?.get("storage")?.0.parse().ok()
    }

    /// Returns how long ago it was made, in seconds.
    pub fn age_seconds(&self) -> Option<i64> {
        let created = self.claim.metadata.creation_timestamp.as_ref()?.0;
        Some(self.scene.now().duration_since(created).as_secs())
    }

    /// Returns the newest event of a reason.
    pub fn event(&self, reason: &str) -> Option<&'s EventView<'s>> {
        let events = self.scene.events_about("PersistentVolumeClaim", self.claim.object.namespace(), self.name());
        events.filter(|event| event.reason == reason).last()
    }

    /// Returns whether its class binds only when a pod uses the claim.
    pub fn waits_for_consumer(&self) -> bool {
        let class = self.class().map(|class| self.scene.snapshot.objects.storage_classes.look_up("", class));
        let Some(Lookup::Found(class)) = class else { return false };
        class.object.volume_binding_mode.as_deref() == Some("WaitForFirstConsumer")
    }

    /// Adds its users to a finding, and what the pods' scheduler says.
    #[must_use]
    pub fn with_users(&self, mut finding: Finding) -> Finding {
        for pod in &self.users {
            finding = finding.affects(pod.object());
        }
        finding
    }

    /// Returns which fields keep a volume from serving it, and how; none if it would serve.
    pub fn differences(&self, volume: &PersistentVolume) -> Vec<Difference> {
        let (Some(claim), Some(offer)) = (self.claim.object.spec.as_ref(), volume.spec.as_ref()) else {
            return Vec::new();
        };
        let mut found = Vec::new();
        let mut differ = |field, wanted: String, has: String| found.push(Difference { field, wanted, has });
        if let Some(holder) =
            offer.claim_ref.as_ref().filter(|holder| !self.is(holder.namespace.as_deref(), holder.name.as_deref()))
        {
            let name = format!(
                "{}/{}",
                holder.namespace.as_deref().unwrap_or_default(),
                holder.name.as_deref().unwrap_or_default()
            );
            differ("claimRef", self.name().to_owned(), name);
        } else if volume.status.as_ref().and_then(|status| status.phase.as_deref()) == Some("Released") {
            differ("phase", "Available".to_owned(), "Released".to_owned());
        }
        let (class, own) = (self.class().unwrap_or_default(), offer.storage_class_name.as_deref().unwrap_or_default());
        if class != own {
            differ("storageClassName", class.to_owned(), own.to_owned());
        }
        let capacity = offer
            .capacity
            .as_ref()
            .and_then(|capacity| capacity.get("storage")?.0.parse::<Quantity>().ok())
            .unwrap_or_default();
        if let Some(request) = self.request().filter(|request| *request > capacity) {
            differ("capacity", request.mem(), capacity.mem());
        }
        let modes = offer.access_modes.as_deref().unwrap_or_default();
        if let Some(mode) = claim.access_modes.iter().flatten().find(|mode| !modes.contains(mode)) {
            differ("accessModes", mode.clone(), modes.join(","));
        }
        let mode = |mode: &Option<String>| mode.clone().unwrap_or_else(|| "Filesystem".to_owned());
        if mode(&claim.volume_mode) != mode(&offer.volume_mode) {
            differ("volumeMode", mode(&claim.volume_mode), mode(&offer.volume_mode));
        }
        if let Some(wanted) =
            claim.selector.as_ref().filter(|wanted| !selector::matches(wanted, volume.metadata.labels.as_ref()))
        {
            let labels = volume.metadata.labels.as_ref().map(selector::print).unwrap_or_default();
            differ("selector", crate::scene::scheduling::describe::label_selector(wanted), labels);
        }
        found
    }

    fn is(&self, namespace: Option<&str>, name: Option<&str>) -> bool {
        namespace == Some(self.claim.object.namespace()) && name == Some(self.name())
    }
}

/// A field in which a volume is not what a claim asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    pub field: &'static str,
    pub wanted: String,
    pub has: String,
}

impl Difference {
    /// Says it as a clause after the volume's name: `has 1Gi where 3Gi is asked for`.
    pub fn phrase(&self) -> String {
        let Self { wanted, has, .. } = self;
        match self.field {
            "claimRef" => format!("is bound to claim `{has}`"),
            "phase" => "is Released: it still holds the data of a deleted claim".to_owned(),
            "storageClassName" if has.is_empty() => format!("has no storage class where `{wanted}` is asked for"),
            "storageClassName" if wanted.is_empty() => format!("has the storage class `{has}` where none is asked for"),
            "storageClassName" => format!("has the storage class `{has}` where `{wanted}` is asked for"),
            "capacity" => format!("has {has} where {wanted} is asked for"),
            "accessModes" => format!("allows `{has}` where `{wanted}` is asked for"),
            "selector" if has.is_empty() => format!("has no labels where the selector asks for `{wanted}`"),
            "selector" => format!("has the labels `{has}` where the selector asks for `{wanted}`"),
            field => format!("has the {field} `{has}` where `{wanted}` is asked for"),
        }
    }
}
