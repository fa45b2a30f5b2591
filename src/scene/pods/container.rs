//! A container, joined with its status and logs.

use k8s_openapi::api::core::v1::{
    Container, ContainerStateRunning, ContainerStateTerminated, ContainerStateWaiting, ContainerStatus,
};

use crate::model::{ObjectRef, Subject};
use crate::scene::log::Logs;
use crate::scene::pods::oom_counts::Count;
use crate::scene::{Crash, EventView, LogDigest, PodView};

/// What a container is in its pod.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Runs to its end before the pod starts.
    Init,
    /// An init container that keeps running (`restartPolicy: Always`).
    Sidecar,
    App,
}

/// A container of a pod in scope.
#[derive(Clone, Copy, Debug)]
pub struct ContainerView<'s> {
    pub pod: PodView<'s>,
    pub spec: &'s Container,
    pub status: Option<&'s ContainerStatus>,
    pub role: Role,
    /// Its place among the containers of its list.
    pub index: usize,
}

impl<'s> ContainerView<'s> {
    /// Returns the container's name.
    pub fn name(self) -> &'s str {
        &self.spec.name
    }

    /// Returns the image of the spec.
    pub fn image(self) -> &'s str {
        self.spec.image.as_deref().unwrap_or_default()
    }

    /// Returns what a person changes: the workload, and the container in it.
    pub fn subject(self) -> Subject {
        Subject { object: self.pod.workload().object.clone(), container: Some(self.name().to_owned()) }
    }

    /// Returns a limit as written: `64Mi`.
    pub fn limit(self, resource: &str) -> Option<&'s str> {
        let limits = self.spec.resources.as_ref()?.limits.as_ref()?;
        limits.get(resource).map(|quantity| quantity.0.as_str())
    }

    /// Returns a request as written; without one, the limit, as the API server defaults it.
    pub fn request(self, resource: &str) -> Option<&'s str> {
        let requests = self.spec.resources.as_ref()?.requests.as_ref();
        let request = requests.and_then(|requests| requests.get(resource)).map(|quantity| quantity.0.as_str());
        request.or_else(|| self.limit(resource))
    }

    /// Returns the waiting state, if it waits.
    pub fn waiting(self) -> Option<&'s ContainerStateWaiting> {
        self.status?.state.as_ref()?.waiting.as_ref()
    }

    /// Returns the reason for waiting, or the empty string.
    pub fn waiting_reason(self) -> &'s str {
        self.waiting().and_then(|waiting| waiting.reason.as_deref()).unwrap_or_default()
    }

    /// Returns the running state, if it runs.
    pub fn running(self) -> Option<&'s ContainerStateRunning> {
        self.status?.state.as_ref()?.running.as_ref()
    }

    /// Returns the terminated state, if it ended and was not started again.
    pub fn terminated(self) -> Option<&'s ContainerStateTerminated> {
        self.status?.state.as_ref()?.terminated.as_ref()
    }

    /// Returns how the latest run that ended did so: the present state if it is terminated, else the one before.
    pub fn last_end(self) -> Option<&'s ContainerStateTerminated> {
        self.terminated().or_else(|| self.status?.last_state.as_ref()?.terminated.as_ref())
    }

    /// Returns the path of [`ContainerView::last_end`] in the pod: `status.containerStatuses[main].lastState.terminated`.
    pub fn last_end_path(self) -> String {
        let state = if self.terminated().is_some() { "state" } else { "lastState" };
        self.status_path(&format!("{state}.terminated"))
    }

    /// Returns a path in the container's status.
    pub fn status_path(self, field: &str) -> String {
        let list = if self.role == Role::App { "containerStatuses" } else { "initContainerStatuses" };
        format!("status.{list}[{}].{field}", self.name())
    }

    /// Returns a path in the container's spec.
    pub fn spec_path(self, field: &str) -> String {
        let list = if self.role == Role::App { "containers" } else { "initContainers" };
        format!("spec.{list}[{}].{field}", self.name())
    }

    /// Returns how often it was started again.
    pub fn restarts(self) -> i32 {
        self.status.map_or(0, |status| status.restart_count)
    }

    /// Returns whether it is ready.
    pub fn is_ready(self) -> bool {
        self.status.is_some_and(|status| status.ready)
    }

    /// Returns its present or recent crash, the same in every phase of a crash loop.
    pub fn crash(self) -> Option<Crash<'s>> {
        Crash::of(self)
    }

    /// Returns the pod's events that are about this container.
    pub fn events(self) -> impl Iterator<Item = &'s EventView<'s>> {
        self.pod.events().filter(move |event| event.container() == Some(self.name()))
    }

    /// Returns how many processes of the present run the kernel killed for want of memory, where that was counted.
    pub fn oom_count(self) -> Option<&'s Count> {
        self.pod.scene.oom_counts.get(self.pod.namespace(), self.pod.name(), self.name())
    }

    /// Returns its logs.
    pub fn logs(self) -> Option<&'s Logs<'s>> {
        self.pod.scene.logs(self.pod.namespace(), self.pod.name(), self.name())
    }

    /// Returns what the run that ended last wrote: the previous log while a new run is up, else the present one.
    pub fn crash_log(self) -> Option<&'s LogDigest<'s>> {
        let logs = self.logs()?;
        let ended_now = self.terminated().is_some();
        let (first, second) = if ended_now { (&logs.current, &logs.previous) } else { (&logs.previous, &logs.current) };
        let useful = |log: &&'s LogDigest<'s>| !log.is_empty();
        first.as_ref().filter(useful).or_else(|| second.as_ref().filter(useful))
    }

    /// Returns the words that command and args form, as the container runtime sees them.
    pub fn command_line(self) -> Vec<&'s str> {
        let words = self.spec.command.iter().flatten().chain(self.spec.args.iter().flatten());
        words.map(String::as_str).collect()
    }

    /// Returns the literal value of an environment variable.
    pub fn env(self, name: &str) -> Option<&'s str> {
        self.spec.env.as_ref()?.iter().find(|variable| variable.name == name)?.value.as_deref()
    }

    /// Returns `container `main` of deployment/cart`.
    pub fn phrase(self) -> String {
        format!("container `{}` of {}", self.name(), self.owner_phrase())
    }

    /// Returns `deployment/cart`.
    pub fn owner_phrase(self) -> String {
        self.pod.workload().object.short()
    }

    /// Returns the pod's address.
    pub fn pod_ref(self) -> ObjectRef {
        self.pod.object()
    }
}
