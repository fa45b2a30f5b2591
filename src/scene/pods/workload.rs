//! Workloads: what a person edits, with the pods that it made.

use foldhash::{HashMap, HashMapExt as _};
use jiff::Timestamp;
use k8s_openapi::api::core::v1::{Pod, PodSpec, PodTemplateSpec};

use crate::model::store::HasMeta;
use crate::model::{Change, Kind, ObjectRef, Snapshot, Stored};
use crate::scene::pods::owners;
use crate::scene::services::selector::Labels;

/// A Deployment, StatefulSet, DaemonSet, Job, CronJob, custom owner or bare pod.
#[derive(Debug)]
pub struct Workload<'a> {
    pub object: ObjectRef,
    /// Indices of its pods in the scene.
    pub pods: Vec<usize>,
    /// The pod template, or a bare pod's own spec; `None` for an owner that was not read.
    pub template: Option<&'a PodSpec>,
    /// The labels that its pods get.
    pub labels: Option<&'a Labels>,
    /// Replicas asked for; `None` where the kind has no such number.
    pub desired: Option<i32>,
    /// When it was made, if it was listed.
    pub created: Option<Timestamp>,
    /// Who wrote to it, when and what.
    pub changes: &'a [Change],
}

impl<'a> Workload<'a> {
    fn new(object: ObjectRef) -> Self {
        Self { object, pods: Vec::new(), template: None, labels: None, desired: None, created: None, changes: &[] }
    }

    fn with_template(mut self, template: Option<&'a PodTemplateSpec>) -> Self {
        self.template = template.and_then(|template| template.spec.as_ref());
        self.labels = template.and_then(|template| template.metadata.as_ref()?.labels.as_ref());
        self
    }

    /// Returns where the spec of its pods stands in it: `spec.template.spec`; `None` for a kind that is not known.
    pub fn template_path(&self) -> Option<&'static str> {
        match Kind::find(&self.object.api_version, &self.object.kind)? {
            Kind::Pod => Some("spec"),
            Kind::CronJob => Some("spec.jobTemplate.spec.template.spec"),
            Kind::Deployment
            | Kind::StatefulSet
            | Kind::DaemonSet
            | Kind::ReplicaSet
            | Kind::ReplicationController
            | Kind::Job => Some("spec.template.spec"),
            _ => None,
        }
    }

    /// Returns the namespace.
    pub fn namespace(&self) -> &str {
        self.object.namespace()
    }
}

/// Collects workloads: first those that were listed, then what pods name as owners.
pub(in crate::scene) struct Builder<'a> {
    snapshot: &'a Snapshot,
    workloads: Vec<Workload<'a>>,
    index: HashMap<ObjectRef, usize>,
    /// The pod that came last, and its workload: pods are sorted by name, so that siblings follow each other.
    last: Option<(&'a Pod, usize)>,
}

impl<'a> Builder<'a> {
    pub(in crate::scene) fn new(snapshot: &'a Snapshot) -> Self {
        let mut builder = Self { snapshot, workloads: Vec::new(), index: HashMap::new(), last: None };
        builder.add_listed();
        builder
    }

    fn add_listed(&mut self) {
        let objects = &self.snapshot.objects;
        for item in &objects.deployments {
            let spec = item.spec.as_ref();
            let desired = spec.map(|spec| spec.replicas.unwrap_or(1));
            self.add(Kind::Deployment, item, spec.map(|spec| &spec.template), desired);
        }
        for item in &objects.stateful_sets {
            let spec = item.spec.as_ref();
            let desired = spec.map(|spec| spec.replicas.unwrap_or(1));
            self.add(Kind::StatefulSet, item, spec.map(|spec| &spec.template), desired);
        }
        for item in &objects.daemon_sets {
            let desired = item.status.as_ref().map(|status| status.desired_number_scheduled);
            self.add(Kind::DaemonSet, item, item.spec.as_ref().map(|spec| &spec.template), desired);
        }
        for item in &objects.cron_jobs {
            let template = item.spec.as_ref().and_then(|spec| Some(&spec.job_template.spec.as_ref()?.template));
            self.add(Kind::CronJob, item, template, None);
        }
        for item in objects.jobs.iter().filter(|job| owners::controller(job.meta()).is_none()) {
            self.add(Kind::Job, item, item.spec.as_ref().map(|spec| &spec.template), None);
        }
        for item in objects.replica_sets.iter().filter(|set| owners::controller(set.meta()).is_none()) {
            let spec = item.spec.as_ref();
            let desired = spec.map(|spec| spec.replicas.unwrap_or(1));
            self.add(Kind::ReplicaSet, item, spec.and_then(|spec| spec.template.as_ref()), desired);
        }
        for item in &objects.replication_controllers {
            let spec = item.spec.as_ref();
            let desired = spec.map(|spec| spec.replicas.unwrap_or(1));
            self.add(Kind::ReplicationController, item, spec.and_then(|spec| spec.template.as_ref()), desired);
        }
    }

    fn add<T: HasMeta>(
        &mut self,
        kind: Kind,
        item: &'a Stored<T>,
        template: Option<&'a PodTemplateSpec>,
        desired: Option<i32>,
    ) {
        if !self.snapshot.scope.includes(item.object.namespace()) {
            return;
        }
        let object = ObjectRef::new(kind, item.object.namespace(), item.object.name());
        let mut workload = Workload::new(object).with_template(template);
        workload.desired = desired;
        workload.created = item.object.meta().creation_timestamp.as_ref().map(|time| time.0);
        workload.changes = &item.changes;
        self.push(workload);
    }

    fn push(&mut self, workload: Workload<'a>) -> usize {
        let index = self.workloads.len();
        self.index.insert(workload.object.clone(), index);
        self.workloads.push(workload);
        index
    }

    /// Adds a pod to its workload, which is made if nothing listed it.
    pub(in crate::scene) fn add_pod(&mut self, pod_index: usize, pod: &'a Stored<Pod>) -> usize {
        let index = match self.last {
            Some((sibling, index)) if owners::are_siblings(sibling, pod) => index,
            _ => self.workload_of(pod),
        };
        self.last = Some((pod, index));
        let workload = &mut self.workloads[index];
        workload.pods.push(pod_index);
        workload.template = workload.template.or(pod.spec.as_ref());
        workload.labels = workload.labels.or(pod.metadata.labels.as_ref());
        index
    }

    fn workload_of(&mut self, pod: &'a Pod) -> usize {
        let owner = owners::workload_of(self.snapshot, pod);
        match self.index.get(&owner) {
            Some(&index) => index,
            None => self.push(Workload::new(owner)),
        }
    }

    pub(in crate::scene) fn finish(self) -> (Vec<Workload<'a>>, HashMap<ObjectRef, usize>) {
        (self.workloads, self.index)
    }
}
