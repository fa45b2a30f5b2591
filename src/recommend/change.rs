//! The change itself: fields, patch and command, for the object that a person edits.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use serde_json::{Value, json};

use crate::model::sizing::FieldChange;
use crate::model::store::HasMeta as _;
use crate::model::{Kind, ObjectRef};
use crate::quantity::Quantity;
use crate::render::quote;
use crate::scene::pods::owners;
use crate::scene::{ContainerView, Role, Scene};

/// The first minor version whose pods can be resized while they run.
const RESIZE: u32 = 33;

/// New amounts of memory of one container.
#[derive(Clone, Copy, Debug)]
pub struct Change<'s> {
    pub container: ContainerView<'s>,
    pub limit: Quantity,
    /// `None` where the request stays, or follows the limit because it is not set.
    pub request: Option<Quantity>,
}

impl Change<'_> {
    /// Returns what is edited.
    fn object(&self) -> &ObjectRef {
        &self.container.pod.workload().object
    }

    fn list(&self) -> &'static str {
        if self.container.role == Role::App { "containers" } else { "initContainers" }
    }

    /// Returns the path of the pod's spec in what is edited; `None` where its fields cannot be changed.
    fn root(&self, scene: &Scene<'_>) -> Option<&'static str> {
        let object = self.object();
        let changeable = !object.is(Kind::Job) && (!object.is(Kind::Pod) || self.resizes(scene));
        self.container.pod.workload().template_path().filter(|_| changeable)
    }

    /// Returns whether it is a bare pod that the server can resize.
    fn resizes(&self, scene: &Scene<'_>) -> bool {
        self.object().is(Kind::Pod)
            && self.container.role != Role::Init
            && minor(scene.snapshot.server.as_deref()).is_some_and(|minor| minor >= RESIZE)
    }

    /// Returns the fields before and after.
    pub fn fields(&self) -> Vec<FieldChange> {
        let root = self.container.pod.workload().template_path().unwrap_or("spec");
        let name = self.container.name();
        let path = |kind: &str| format!("{root}.{}[{name}].resources.{kind}.memory", self.list());
        let before = |amount: Option<&str>| amount.map(str::to_owned);
        let limit = FieldChange {
            path: path("limits"),
            before: before(self.container.limit("memory")),
            after: self.limit.mem(),
        };
        let request = self.request.map(|request| FieldChange {
            path: path("requests"),
            before: before(self.container.request("memory")),
            after: request.mem(),
        });
        std::iter::once(limit).chain(request).collect()
    }

    /// Returns the strategic merge patch.
    pub fn patch(&self, scene: &Scene<'_>) -> Option<Value> {
        let root = self.root(scene)?;
        let mut resources = json!({"limits": {"memory": self.limit.mem()}});
        if let Some(request) = self.request {
            resources["requests"] = json!({"memory": request.mem()});
        }
        let container = json!({"name": self.container.name(), "resources": resources});
        let inner = json!({self.list(): [container]});
        Some(root.rsplit('.').fold(inner, |inner, field| json!({field: inner})))
    }

    /// Returns the command that applies it.
    pub fn command(&self, scene: &Scene<'_>) -> Option<String> {
        let object = self.object();
        let namespace = object.namespace();
        if object.is(Kind::Pod) {
            let patch = self.patch(scene)?.to_string();
            let words =
                ["kubectl", "-n", namespace, "patch", "pod", &object.name, "--subresource", "resize", "-p", &patch];
            return Some(quote::command(&words));
        }
        self.root(scene)?;
        let limits = format!("--limits=memory={}", self.limit.mem());
        let requests = self.request.map(|request| format!("--requests=memory={}", request.mem()));
        let target = object.short();
        let mut words =
            vec!["kubectl", "-n", namespace, "set", "resources", &target, "-c", self.container.name(), &limits];
        words.extend(requests.as_deref());
        Some(quote::command(&words))
    }

    /// Returns why the object has to be changed elsewhere, and where.
    pub fn elsewhere(&self, scene: &Scene<'_>) -> Option<String> {
        let field = format!("resources.limits.memory of `{}`", self.container.name());
        let object = self.object();
        if object.is(Kind::Job) {
            return Some(format!("the template of a Job cannot be changed: make it anew with another {field}"));
        }
        if object.is(Kind::Pod) && !self.resizes(scene) {
            return Some(format!("a pod cannot be changed: make it anew with another {field}"));
        }
        if self.root(scene).is_none() {
            return Some(format!("change {field} in the spec of {}, whose controller makes the pods", object.short()));
        }
        let keeper = keeper(meta(scene, object)?)?;
        Some(format!("{keeper} keeps {}: set {field} there, as it will take back what is changed here", object.short()))
    }
}

/// Reads `v1.33.2+k3s1`.
fn minor(server: Option<&str>) -> Option<u32> {
    let minor = server?.split('.').nth(1)?;
    minor.trim_end_matches(|c: char| !c.is_ascii_digit()).parse().ok()
}

/// Returns the metadata of a workload that was read.
fn meta<'s>(scene: &'s Scene<'_>, object: &ObjectRef) -> Option<&'s ObjectMeta> {
    let objects = &scene.snapshot.objects;
    let (namespace, name) = (object.namespace(), object.name.as_str());
    match Kind::find(&object.api_version, &object.kind)? {
        Kind::Deployment => objects.deployments.get(namespace, name).map(|found| found.object.meta()),
        Kind::StatefulSet => objects.stateful_sets.get(namespace, name).map(|found| found.object.meta()),
        Kind::DaemonSet => objects.daemon_sets.get(namespace, name).map(|found| found.object.meta()),
        Kind::CronJob => objects.cron_jobs.get(namespace, name).map(|found| found.object.meta()),
        Kind::ReplicaSet => objects.replica_sets.get(namespace, name).map(|found| found.object.meta()),
        Kind::ReplicationController => {
            objects.replication_controllers.get(namespace, name).map(|found| found.object.meta())
        }
        Kind::Pod => objects.pods.get(namespace, name).map(|found| found.object.meta()),
        _ => None,
    }
}

/// Returns who writes the object again and again: an operator, Argo CD, Flux, or Helm at its next upgrade.
fn keeper(meta: &ObjectMeta) -> Option<String> {
    let label = |name: &str| meta.labels.as_ref()?.get(name).map(String::as_str);
    let note = |name: &str| meta.annotations.as_ref()?.get(name).map(String::as_str);
    if let Some(owner) = owners::controller(meta) {
        return Some(format!("{}/{}", owner.kind.to_lowercase(), owner.name));
    }
    if let Some(tracked) = note("argocd.argoproj.io/tracking-id") {
        return Some(format!("Argo CD's application `{}`", tracked.split(':').next().unwrap_or(tracked)));
    }
    if let Some(application) = label("argocd.argoproj.io/instance") {
        return Some(format!("Argo CD's application `{application}`"));
    }
    if let Some(release) = label("helm.toolkit.fluxcd.io/name") {
        return Some(format!("Flux's HelmRelease `{release}`"));
    }
    if let Some(kustomization) = label("kustomize.toolkit.fluxcd.io/name") {
        return Some(format!("Flux's Kustomization `{kustomization}`"));
    }
    let helm = label("app.kubernetes.io/managed-by") == Some("Helm");
    let release = note("meta.helm.sh/release-name");
    (helm || release.is_some()).then(|| match release {
        Some(release) => format!("Helm's release `{release}`"),
        None => "a Helm release".to_owned(),
    })
}
