//! A pod, joined with its workload, containers and events.

use jiff::Timestamp;
use k8s_openapi::api::core::v1::{ContainerStatus, Pod, PodCondition, PodSpec, PodStatus};

use crate::model::store::HasMeta as _;
use crate::model::{Kind, ObjectRef, State, Stored};
use crate::scene::{ContainerView, EventView, Role, Scene, Workload};

/// A pod in scope.
#[derive(Clone, Copy, Debug)]
pub struct PodView<'s> {
    pub scene: &'s Scene<'s>,
    pub(in crate::scene) index: usize,
    pub pod: &'s Stored<Pod>,
}

impl<'s> PodView<'s> {
    /// Returns the pod's name.
    pub fn name(self) -> &'s str {
        self.pod.object.name()
    }

    /// Returns the pod's namespace.
    pub fn namespace(self) -> &'s str {
        self.pod.object.namespace()
    }

    /// Returns the pod's address.
    pub fn object(self) -> ObjectRef {
        ObjectRef::new(Kind::Pod, self.namespace(), self.name())
    }

    /// Returns the spec.
    pub fn spec(self) -> Option<&'s PodSpec> {
        self.pod.object.spec.as_ref()
    }

    /// Returns the status.
    pub fn status(self) -> Option<&'s PodStatus> {
        self.pod.object.status.as_ref()
    }

    /// Returns the phase, or the empty string.
    pub fn phase(self) -> &'s str {
        self.status().and_then(|status| status.phase.as_deref()).unwrap_or_default()
    }

    /// Returns the workload that made it.
    pub fn workload(self) -> &'s Workload<'s> {
        &self.scene.workloads()[self.scene.pod_workload[self.index]]
    }

    /// Returns a condition by its type.
    pub fn condition(self, type_: &str) -> Option<&'s PodCondition> {
        self.status()?.conditions.as_ref()?.iter().find(|condition| condition.type_ == type_)
    }

    /// Returns whether it is ready for traffic.
    pub fn is_ready(self) -> bool {
        self.condition("Ready").is_some_and(|condition| condition.status == "True")
    }

    /// Returns whether it starts again and again: ready for moments at best, whatever its conditions say just now.
    pub fn is_crash_looping(self) -> bool {
        let crashes = self.containers().filter(|container| container.role != Role::Init);
        crashes.into_iter().any(|container| {
            container.restarts() >= 2 && container.crash().is_some_and(|crash| crash.state == State::Present)
        })
    }

    /// Returns whether it ended for good.
    pub fn is_finished(self) -> bool {
        matches!(self.phase(), "Succeeded" | "Failed")
    }

    /// Returns whether it is being deleted.
    pub fn is_terminating(self) -> bool {
        self.pod.metadata.deletion_timestamp.is_some()
    }

    /// Returns whether it waits for a node.
    pub fn is_unscheduled(self) -> bool {
        self.phase() == "Pending" && self.node().is_none()
    }

    /// Returns the node that it runs on.
    pub fn node(self) -> Option<&'s str> {
        self.spec()?.node_name.as_deref().filter(|name| !name.is_empty())
    }

    /// Returns when it was made.
    pub fn created(self) -> Option<Timestamp> {
        self.pod.metadata.creation_timestamp.as_ref().map(|time| time.0)
    }

    /// Returns its events, oldest first.
    pub fn events(self) -> impl Iterator<Item = &'s EventView<'s>> {
        let events = &self.scene.events()[self.scene.pod_events[self.index].clone()];
        events.iter().filter(|event| event.kind() == "Pod")
    }

    /// Returns the newest event of a reason.
    pub fn event(self, reason: &str) -> Option<&'s EventView<'s>> {
        self.events().filter(|event| event.reason == reason).last()
    }

    /// Iterates over its containers: init containers and side-cars first, in order.
    pub fn containers(self) -> impl Iterator<Item = ContainerView<'s>> {
        let spec = self.spec();
        let inits = spec.and_then(|spec| spec.init_containers.as_deref()).unwrap_or_default();
        let apps = spec.map(|spec| spec.containers.as_slice()).unwrap_or_default();
        let init_statuses = self.status().and_then(|status| status.init_container_statuses.as_deref());
        let app_statuses = self.status().and_then(|status| status.container_statuses.as_deref());
        let inits = inits.iter().enumerate().map(move |(index, spec)| {
            let role = if spec.restart_policy.as_deref() == Some("Always") { Role::Sidecar } else { Role::Init };
            let status = status_of(init_statuses, &spec.name, index);
            ContainerView { pod: self, spec, status, role, index }
        });
        let apps = apps.iter().enumerate().map(move |(index, spec)| {
            let status = status_of(app_statuses, &spec.name, index);
            ContainerView { pod: self, spec, status, role: Role::App, index }
        });
        inits.chain(apps)
    }

    /// Returns a container by its name.
    pub fn container(self, name: &str) -> Option<ContainerView<'s>> {
        self.containers().find(|container| container.name() == name)
    }
}

/// Finds a container's status; statuses are usually in the order of the spec, but need not be.
fn status_of<'s>(statuses: Option<&'s [ContainerStatus]>, name: &str, index: usize) -> Option<&'s ContainerStatus> {
    let statuses = statuses?;
    let same = statuses.get(index).filter(|status| status.name == name);
    same.or_else(|| statuses.iter().find(|status| status.name == name))
}
