//! The pods about which there is something to say: a look at each of ten thousand pods costs more than a rule does.

use crate::scene::{ContainerView, EventView, PodView, Role};

/// Returns whether a pod may be in trouble; in doubt it may.
///
/// One that is ready, never restarted, was not warned about and left no log that was read, is well.
pub(in crate::scene) fn is_suspect(pod: PodView<'_>) -> bool {
    let calm = pod.phase() == "Running" && pod.is_ready() && !pod.is_terminating();
    !calm
        || pod.containers().any(|container| !is_steady(container))
        || pod.events().any(EventView::is_warning)
        || pod.scene.logs.has(pod.namespace(), pod.name())
        || pod.containers().any(|container| container.oom_count().is_some())
}

/// Returns whether a container runs for the first time, or was an init container that ended well at once.
fn is_steady(container: ContainerView<'_>) -> bool {
    let Some(status) = container.status else { return false };
    let restarted =
        status.restart_count > 0 || status.last_state.as_ref().is_some_and(|last| last.terminated.is_some());
    let fares = match container.role {
        Role::Init => container.terminated().is_some_and(|end| end.exit_code == 0),
        Role::Sidecar | Role::App => container.running().is_some(),
    };
    fares && !restarted && container.waiting().is_none()
}

#[cfg(test)]
mod tests {
    use crate::collect::capture;
    use crate::collect::plan::Keep;
    use crate::scene::Scene;

    /// Returns how many suspects there are when the only pod has this status and event.
    fn suspects(status: &str, events: &str) -> usize {
        let yaml = format!(
            "
apiVersion: rca/v1alpha1
kind: Snapshot
takenAt: 2026-01-01T12:00:00Z
objects:
- {{apiVersion: v1, kind: Pod, metadata: {{name: web, namespace: shop}}, spec: {{containers: [{{name: main}}]}}, status: {status}}}
{events}"
        );
        let snapshot =
            capture::read("one.yaml", yaml.as_bytes(), Keep::default()).unwrap_or_else(|error| panic!("{error}"));
        Scene::new(&snapshot).suspects().count()
    }

    fn ready(container: &str) -> String {
        format!(
            "{{phase: Running, conditions: [{{type: Ready, status: 'True'}}], containerStatuses: [{{name: main, ready: true, image: x, imageID: x, {container}}}]}}"
        )
    }

    #[test]
    fn a_pod_that_just_runs_is_no_suspect() {
        assert_eq!(suspects(&ready("restartCount: 0, state: {running: {}}"), ""), 0);
    }

    #[test]
    fn a_pod_with_a_past_or_a_warning_is_a_suspect() {
        let warned = "- {apiVersion: v1, kind: Event, metadata: {name: web.1, namespace: shop}, type: Warning, reason: Unhealthy, involvedObject: {kind: Pod, namespace: shop, name: web}}";
        assert_eq!(suspects(&ready("restartCount: 1, state: {running: {}}"), ""), 1);
        assert_eq!(suspects(&ready("restartCount: 0, state: {waiting: {reason: CrashLoopBackOff}}"), ""), 1);
        assert_eq!(suspects(&ready("restartCount: 0, state: {running: {}}"), warned), 1);
        assert_eq!(suspects("{phase: Pending}", ""), 1);
    }
}
