//! An agent is no part of what it looks at.
#![warn(clippy::disallowed_methods, clippy::disallowed_types)]

use super::manifest::RUN;
use crate::model::Snapshot;
use crate::model::store::HasMeta;

/// Takes the objects, events and logs of a run out of a snapshot.
pub fn forget(snapshot: &mut Snapshot, run: &str) {
    let objects = &mut snapshot.objects;
    objects.pods.retain(|object| !is_of(object, run));
    objects.jobs.retain(|object| !is_of(object, run));
    objects.service_accounts.retain(|object| !is_of(object, run));
    objects.roles.retain(|object| !is_of(object, run));
    objects.role_bindings.retain(|object| !is_of(object, run));
    // Its pod has the Job's name and a suffix.
    objects.events.retain(|event| !event.involved_object.name.as_deref().is_some_and(|name| name.starts_with(run)));
    snapshot.logs.retain(|container, _| !container.pod.starts_with(run));
    snapshot.usage.retain(|container, _| !container.pod.starts_with(run));
}

fn is_of(object: &impl HasMeta, run: &str) -> bool {
    let labels = object.meta().labels.as_ref();
    labels.and_then(|labels| labels.get(RUN)).is_some_and(|label| label == run)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collect::plan::Keep;

    #[test]
    fn only_the_own_run_is_forgotten() {
        let yaml = "apiVersion: rca/v1alpha1
kind: Snapshot
takenAt: 2026-01-01T12:00:00Z
objects:
- {apiVersion: v1, kind: Pod, metadata: {name: kubectl-rca-a-x, namespace: shop, labels: {kubectl-rca/run: kubectl-rca-a}}, spec: {containers: []}}
- {apiVersion: v1, kind: Pod, metadata: {name: kubectl-rca-b-x, namespace: shop, labels: {kubectl-rca/run: kubectl-rca-b}}, spec: {containers: []}}
- {apiVersion: v1, kind: Event, metadata: {name: e, namespace: shop}, involvedObject: {kind: Pod, name: kubectl-rca-a-x}}
";
        let mut snapshot = crate::collect::capture::read("x.yaml", yaml.as_bytes(), Keep::default()).unwrap();
        forget(&mut snapshot, "kubectl-rca-a");
        let pods: Vec<&str> = snapshot.objects.pods.iter().map(|pod| pod.object.name()).collect();
        assert_eq!(pods, ["kubectl-rca-b-x"]);
        assert!(snapshot.objects.events.is_empty());
    }
}
