//! Probes that a mesh rewrote: the side-car asks in the kubelet's place.

use k8s_openapi::api::core::v1::Probe;
use serde_json::Value;

use crate::scene::ContainerView;
use crate::scene::probes::probe::{Handler, read};

/// Returns the probe as its author wrote it, if Istio's injector moved it: it then asks `/app-health/NAME/readyz` of the
/// side-car, whose variable `ISTIO_KUBE_APP_PROBERS` keeps the original.
pub(in crate::scene) fn original(container: ContainerView<'_>, probe: &Probe) -> Option<(Handler, Option<u16>)> {
    let path = probe.http_get.as_ref()?.path.as_deref()?;
    if !path.starts_with("/app-health/") {
        return None;
    }
    let kept = container.pod.containers().find_map(|other| other.env("ISTIO_KUBE_APP_PROBERS"))?;
    let probers: Value = serde_json::from_str(kept).ok()?;
    let written: Probe = serde_json::from_value(probers.get(path)?.clone()).ok()?;
    read(container, &written)
}
