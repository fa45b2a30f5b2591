//! The object that a person edits: where its pods' spec stands, what can be changed in it, and who writes it again.

use k8s_openapi::api::core::v1::PodSpec;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use crate::model::store::HasMeta as _;
use crate::model::{Kind, ObjectRef};
use crate::scene::pods::owners;
use crate::scene::{Role, Scene, Workload};

/// The first minor version whose pods can be resized while they run.
const RESIZE: u32 = 33;

/// Returns the path of the pods' spec in a workload; `None` where the amounts of such a container cannot be changed.
pub fn root(scene: &Scene<'_>, workload: &Workload<'_>, role: Role) -> Option<&'static str> {
    let object = &workload.object;
    let changeable = !object.is(Kind::Job) && (!object.is(Kind::Pod) || resizes(scene, object, role));
    workload.template_path().filter(|_| changeable)
}

/// Returns whether it is a bare pod whose container the server can resize.
fn resizes(scene: &Scene<'_>, object: &ObjectRef, role: Role) -> bool {
    object.is(Kind::Pod)
        && role != Role::Init
        && minor(scene.snapshot.server.as_deref()).is_some_and(|minor| minor >= RESIZE)
}

/// Returns whether a container stands in a workload's template; others are put into its pods when they are created.
pub fn has(workload: &Workload<'_>, name: &str) -> bool {
    let containers = |template: &PodSpec| {
        let mut all = template.containers.iter().chain(template.init_containers.iter().flatten());
        all.any(|container| container.name == name)
    };
    workload.template.is_none_or(containers)
}

/// Returns why a container has to be changed elsewhere, and where; `fields` names what is to be changed.
pub fn elsewhere(scene: &Scene<'_>, workload: &Workload<'_>, role: Role, name: &str, fields: &str) -> Option<String> {
    let object = &workload.object;
    if !has(workload, name) {
        let object = object.short();
        return Some(format!(
            "`{name}` is not in {object}: set {fields} where it is put into the pods, as by a webhook"
        ));
    }
    if object.is(Kind::Job) {
        return Some(format!("the template of a Job cannot be changed: make it anew with another {fields}"));
    }
    if object.is(Kind::Pod) && !resizes(scene, object, role) {
        return Some(format!("a pod cannot be changed: make it anew with another {fields}"));
    }
    if root(scene, workload, role).is_none() {
        return Some(format!("change {fields} in the spec of {}, whose controller makes the pods", object.short()));
    }
    let keeper = keeper(meta(scene, object)?)?;
    Some(format!("{keeper} keeps {}: set {fields} there, as it will take back what is changed here", object.short()))
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
