//! The pods about which there is something to say: a look at each of ten thousand pods costs more than a rule does.

use crate::scene::{ContainerView, PodView, Role};

/// Returns whether a pod may be in trouble; in doubt it may.
///
/// One that is ready, never restarted, was not warned about and left no log that was read, is well.
pub(in crate::scene) fn is_suspect(pod: PodView<'_>) -> bool {
    let calm = pod.phase() == "Running" && pod.is_ready() && !pod.is_terminating();
    !calm
        || pod.containers().any(|container| !is_steady(container))
        || pod.events().any(|event| event.is_warning())
        || pod.scene.logs.has(pod.namespace(), pod.name())
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
