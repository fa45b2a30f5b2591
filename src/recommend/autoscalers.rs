//! Autoscalers that look at a workload's memory or CPU.

use k8s_openapi::api::autoscaling::v2::MetricSpec;
use serde_json::Value;

use crate::model::objects::Custom;
use crate::model::store::HasMeta as _;
use crate::model::{Kind, ObjectRef};
use crate::quantity::Quantity;
use crate::scene::Scene;

/// Returns what a `VerticalPodAutoscaler` says that a container needs of memory at most.
pub fn advised(scene: &Scene<'_>, workload: &ObjectRef, container: &str) -> Option<Quantity> {
    target(scene, workload, container, "memory")
}

/// Returns what a `VerticalPodAutoscaler` says that a container needs of a resource at most.
pub fn target(scene: &Scene<'_>, workload: &ObjectRef, container: &str, resource: &str) -> Option<Quantity> {
    let advice = vertical(scene, workload)
        .filter_map(|object| object.status["recommendation"]["containerRecommendations"].as_array())
        .flatten()
        .filter(|advice| advice["containerName"] == container);
    let amounts = advice.filter_map(|advice| advice["target"][resource].as_str()?.parse::<Quantity>().ok());
    amounts.max()
}

/// Returns the `VerticalPodAutoscaler` that writes a container's memory limit itself.
pub fn writer(scene: &Scene<'_>, workload: &ObjectRef, container: &str) -> Option<ObjectRef> {
    writes(scene, workload, container, "memory", true)
}

/// Returns the `VerticalPodAutoscaler` that writes a container's amounts of a resource itself: the limit, or any.
pub fn writes(
    scene: &Scene<'_>,
    workload: &ObjectRef,
    container: &str,
    resource: &str,
    limit: bool,
) -> Option<ObjectRef> {
    let writes = |spec: &Value| {
        let mode = spec["updatePolicy"]["updateMode"].as_str().unwrap_or("Auto");
        let policies = spec["resourcePolicy"]["containerPolicies"].as_array();
        let policy = |name: &str| policies.into_iter().flatten().find(|policy| policy["containerName"] == name);
        let policy = policy(container).or_else(|| policy("*"));
        let governed = policy.and_then(|policy| policy["controlledResources"].as_array());
        mode != "Off"
            && policy.is_none_or(|policy| policy["mode"] != "Off")
            && (!limit || policy.is_none_or(|policy| policy["controlledValues"] != "RequestsOnly"))
            && governed.is_none_or(|resources| resources.iter().any(|governed| governed == resource))
    };
    let found = vertical(scene, workload).find(|object| writes(&object.spec))?;
    Some(ObjectRef::parse(&found.api_version, &found.kind, workload.namespace.as_deref(), found.name()))
}

/// Iterates over the `VerticalPodAutoscaler` objects of a workload.
fn vertical<'s>(scene: &'s Scene<'_>, workload: &'s ObjectRef) -> impl Iterator<Item = &'s Custom> {
    let objects = scene.snapshot.objects.custom.in_namespace(workload.namespace()).map(|object| &object.object);
    objects.filter(|object| {
        let target = &object.spec["targetRef"];
        object.kind == "VerticalPodAutoscaler" && target["kind"] == workload.kind && target["name"] == workload.name
    })
}

/// Returns the `HorizontalPodAutoscaler` that scales a workload by the share of the requested memory that it uses.
pub fn by_utilisation(scene: &Scene<'_>, workload: &ObjectRef) -> Option<(ObjectRef, i32)> {
    by_share(scene, workload, "memory")
}

/// Returns the `HorizontalPodAutoscaler` that scales a workload by the share of a requested resource that it uses.
pub fn by_share(scene: &Scene<'_>, workload: &ObjectRef, resource: &str) -> Option<(ObjectRef, i32)> {
    let scalers = scene.snapshot.objects.autoscalers.in_namespace(workload.namespace());
    scalers.into_iter().find_map(|scaler| {
        let spec = scaler.spec.as_ref()?;
        let target = &spec.scale_target_ref;
        let percent = spec.metrics.iter().flatten().find_map(|metric| share(metric, resource))?;
        let object = ObjectRef::new(Kind::HorizontalPodAutoscaler, workload.namespace(), scaler.object.name());
        (target.kind == workload.kind && target.name == workload.name).then_some((object, percent))
    })
}

fn share(metric: &MetricSpec, resource: &str) -> Option<i32> {
    let whole = metric.resource.as_ref().map(|metric| (&metric.name, &metric.target));
    let (name, target) =
        whole.or_else(|| metric.container_resource.as_ref().map(|metric| (&metric.name, &metric.target)))?;
    target.average_utilization.filter(|_| name == resource)
}
