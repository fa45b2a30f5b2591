//! Commands that show more, ready to paste.

use crate::model::ObjectRef;
use crate::render::quote;
use crate::scene::ContainerView;

/// Returns `kubectl -n shop describe pod cart-0`.
pub fn describe(object: &ObjectRef) -> String {
    let kind = object.kind.to_lowercase();
    match object.namespace() {
        "" => quote::command(&["kubectl", "describe", &kind, &object.name]),
        namespace => quote::command(&["kubectl", "-n", namespace, "describe", &kind, &object.name]),
    }
}

/// Returns `kubectl -n shop get KIND NAME -o yaml`.
pub fn get(object: &ObjectRef) -> String {
    let kind = object.kind.to_lowercase();
    match object.namespace() {
        "" => quote::command(&["kubectl", "get", &kind, &object.name, "-o", "yaml"]),
        namespace => quote::command(&["kubectl", "-n", namespace, "get", &kind, &object.name, "-o", "yaml"]),
    }
}

/// Returns `kubectl -n shop logs cart-0 -c main --previous`.
pub fn previous_logs(container: ContainerView<'_>) -> String {
    quote::command(&[
        "kubectl",
        "-n",
        container.pod.namespace(),
        "logs",
        container.pod.name(),
        "-c",
        container.name(),
        "--previous",
    ])
}

/// Returns `kubectl -n shop logs cart-0 -c main`.
pub fn logs(container: ContainerView<'_>) -> String {
    quote::command(&["kubectl", "-n", container.pod.namespace(), "logs", container.pod.name(), "-c", container.name()])
}

/// Returns `kubectl -n shop edit deployment/cart`.
pub fn edit(object: &ObjectRef) -> String {
    quote::command(&["kubectl", "-n", object.namespace(), "edit", &object.short()])
}

/// Returns `kubectl -n shop set image deployment/cart main=IMAGE`; `None` for kinds that kubectl cannot set.
pub fn set_image(container: ContainerView<'_>, image: &str) -> Option<String> {
    let object = &container.pod.workload().object;
    let settable = ["Pod", "ReplicationController", "Deployment", "DaemonSet", "StatefulSet", "ReplicaSet", "CronJob"];
    let assignment = format!("{}={image}", container.name());
    settable
        .contains(&object.kind.as_str())
        .then(|| quote::command(&["kubectl", "-n", object.namespace(), "set", "image", &object.short(), &assignment]))
}
