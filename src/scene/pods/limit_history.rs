//! Where a container's memory limit comes from: its template, the revision before, and who may have written it.

use k8s_openapi::api::apps::v1::ReplicaSet;
use k8s_openapi::api::core::v1::PodSpec;
use k8s_openapi::api::rbac::v1::{PolicyRule, Role, RoleBinding};

use crate::model::objects::Custom;
use crate::model::store::HasMeta as _;
use crate::model::{Kind, ObjectRef, Stored};
use crate::scene::ContainerView;
use crate::scene::pods::owners;

/// A limit that stands elsewhere than in the pod.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limit<'s> {
    pub value: &'s str,
    pub object: ObjectRef,
}

/// Returns the limit in the template of the pod's ReplicaSet, if the pod got another one: something changed it when the
/// pod was created.
pub fn before_admission(container: ContainerView<'_>) -> Option<Limit<'_>> {
    let set = own_set(container)?;
    let value = limit_in(template(set)?, container.name())?;
    (Some(value) != container.limit("memory")).then(|| Limit { value, object: address(set) })
}

/// Returns the limit of the newest older revision, if it was another one.
pub fn before_rollout(container: ContainerView<'_>) -> Option<Limit<'_>> {
    let limit = before(container).pop()??;
    (Some(limit.value) != container.limit("memory")).then_some(limit)
}

/// Returns the limits of all older revisions that had one, oldest first.
pub fn earlier(container: ContainerView<'_>) -> Vec<Limit<'_>> {
    before(container).into_iter().flatten().collect()
}

/// Returns the limits of the older revisions, oldest first; `None` for one without.
fn before(container: ContainerView<'_>) -> Vec<Option<Limit<'_>>> {
    let kept = kept_revisions(container);
    if !kept.is_empty() {
        return kept;
    }
    let Some(own) = own_set(container).and_then(revision) else { return Vec::new() };
    let pod = container.pod;
    let owner = &pod.workload().object;
    let sets = pod.scene.snapshot.objects.replica_sets.in_namespace(pod.namespace());
    let siblings = sets.filter(|set| {
        owners::controller(set.meta()).is_some_and(|above| owners::reference(above, pod.namespace()) == *owner)
    });
    let mut older: Vec<_> =
        siblings.filter_map(|set| Some((revision(set).filter(|revision| *revision < own)?, set))).collect();
    older.sort_by_key(|(revision, _)| *revision);
    let limit = |set| Some(Limit { value: limit_in(template(set)?, container.name())?, object: address(set) });
    older.into_iter().map(|(_, set)| limit(set)).collect()
}

/// Returns the limits of the older revisions of a StatefulSet or DaemonSet, which are kept as `ControllerRevision`s.
fn kept_revisions(container: ContainerView<'_>) -> Vec<Option<Limit<'_>>> {
    let pod = container.pod;
    let owner = &pod.workload().object;
    let own = pod.pod.object.metadata.labels.as_ref().and_then(|labels| labels.get("controller-revision-hash"));
    let Some(own) = own.filter(|_| owner.is(Kind::StatefulSet) || owner.is(Kind::DaemonSet)) else {
        return Vec::new();
    };
    let all = pod.scene.snapshot.objects.custom.in_namespace(pod.namespace()).map(|item| &item.object);
    let revisions = all.filter(|item| {
        item.kind == "ControllerRevision"
            && owners::controller(&item.metadata)
                .is_some_and(|above| owners::reference(above, pod.namespace()) == *owner)
    });
    let mut revisions: Vec<_> = revisions.collect();
    revisions.sort_by_key(|item| item.revision);
    // The label is the name, or the hash at its end.
    let is_own = |name: &str| name == own || name.strip_suffix(own.as_str()).is_some_and(|rest| rest.ends_with('-'));
    let Some(now) = revisions.iter().find(|item| is_own(item.name())).map(|item| item.revision) else {
        return Vec::new();
    };
    let older = revisions.into_iter().filter(|item| item.revision < now);
    older.map(|item| kept_limit(item, container.name())).collect()
}

fn kept_limit<'s>(revision: &'s Custom, name: &str) -> Option<Limit<'s>> {
    let containers = revision.data["spec"]["template"]["spec"]["containers"].as_array()?;
    let own = containers.iter().find(|container| container["name"] == name)?;
    let value = own["resources"]["limits"]["memory"].as_str()?;
    let namespace = revision.metadata.namespace.as_deref();
    let object = ObjectRef::parse(&revision.api_version, &revision.kind, namespace, revision.name());
    Some(Limit { value, object })
}

fn own_set(container: ContainerView<'_>) -> Option<&Stored<ReplicaSet>> {
    let owner = owners::controller(container.pod.pod.object.meta()).filter(|owner| owner.kind == "ReplicaSet")?;
    container.pod.scene.snapshot.objects.replica_sets.get(container.pod.namespace(), &owner.name)
}

fn template(set: &Stored<ReplicaSet>) -> Option<&PodSpec> {
    set.spec.as_ref()?.template.as_ref()?.spec.as_ref()
}

fn revision(set: &Stored<ReplicaSet>) -> Option<u64> {
    set.metadata.annotations.as_ref()?.get("deployment.kubernetes.io/revision")?.parse().ok()
}

fn limit_in<'s>(template: &'s PodSpec, name: &str) -> Option<&'s str> {
    let mut containers = template.containers.iter().chain(template.init_containers.iter().flatten());
    let resources = containers.find(|container| container.name == name)?.resources.as_ref()?;
    resources.limits.as_ref()?.get("memory").map(|quantity| quantity.0.as_str())
}

fn address(set: &Stored<ReplicaSet>) -> ObjectRef {
    ObjectRef::new(Kind::ReplicaSet, set.object.namespace(), set.object.name())
}

/// Returns the CronJobs that may change the container's workload: they run under a ServiceAccount that a Role of the
/// namespace lets patch it.
pub fn automation(container: ContainerView<'_>) -> Vec<(ObjectRef, ObjectRef)> {
    let objects = &container.pod.scene.snapshot.objects;
    let namespace = container.pod.namespace();
    let resource = format!("{}s", container.pod.workload().object.kind.to_lowercase());
    let bindings = objects.role_bindings.in_namespace(namespace).filter(|binding| {
        binding.role_ref.kind == "Role"
            && objects.roles.get(namespace, &binding.role_ref.name).is_some_and(|role| may_write(role, &resource))
    });
    let accounts: Vec<(&str, &str, ObjectRef)> = bindings.flat_map(|binding| accounts(binding, namespace)).collect();
    if accounts.is_empty() {
        return Vec::new();
    }
    let jobs = objects.cron_jobs.iter().filter_map(|job| {
        let spec = job.spec.as_ref()?.job_template.spec.as_ref()?.template.spec.as_ref()?;
        let account = spec.service_account_name.as_deref().unwrap_or("default");
        let (_, _, role) =
            accounts.iter().find(|(namespace, name, _)| *namespace == job.object.namespace() && *name == account)?;
        Some((ObjectRef::new(Kind::CronJob, job.object.namespace(), job.object.name()), role.clone()))
    });
    jobs.collect()
}

fn accounts<'s>(
    binding: &'s Stored<RoleBinding>,
    namespace: &'s str,
) -> impl Iterator<Item = (&'s str, &'s str, ObjectRef)> {
    let subjects = binding.subjects.iter().flatten().filter(|subject| subject.kind == "ServiceAccount");
    subjects.map(move |subject| {
        let role = ObjectRef::new(Kind::Role, namespace, &binding.role_ref.name);
        (subject.namespace.as_deref().unwrap_or(namespace), subject.name.as_str(), role)
    })
}

fn may_write(role: &Role, resource: &str) -> bool {
    let writes = |rule: &PolicyRule| {
        let verbs = rule.verbs.iter().any(|verb| matches!(verb.as_str(), "patch" | "update" | "*"));
        verbs && rule.resources.iter().flatten().any(|named| named == resource || named == "*")
    };
    role.rules.iter().flatten().any(writes)
}
