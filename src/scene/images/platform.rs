//! The platform of a pod's node.

use crate::model::{Kind, ObjectRef};
use crate::scene::PodView;

/// An operating system and architecture, and where it stands.
#[derive(Clone, Debug)]
pub struct Platform<'s> {
    /// `linux/arm64`.
    pub name: String,
    pub architecture: &'s str,
    pub node: ObjectRef,
    pub path: &'static str,
}

/// Returns the platform of the node that a pod is on, if both are known.
pub fn of_node(pod: PodView<'_>) -> Option<Platform<'_>> {
    let node = pod.scene.snapshot.objects.nodes.get("", pod.node()?)?;
    let labels = node.metadata.labels.as_ref();
    let label = |key: &str| labels.and_then(|labels| labels.get(key)).map(String::as_str);
    let info = node.status.as_ref().and_then(|status| status.node_info.as_ref());
    let labelled = label("kubernetes.io/arch");
    let architecture = labelled.or_else(|| info.map(|info| info.architecture.as_str()))?;
    let system =
        label("kubernetes.io/os").or_else(|| info.map(|info| info.operating_system.as_str())).unwrap_or("linux");
    let path = if labelled.is_some() { "metadata.labels[kubernetes.io/arch]" } else { "status.nodeInfo.architecture" };
    let node = ObjectRef::new(Kind::Node, "", pod.node()?);
    Some(Platform { name: format!("{system}/{architecture}"), architecture, node, path })
}
