//! A Service and the pods behind it.

use foldhash::{HashMap, HashMapExt as _};
use k8s_openapi::api::core::v1::Service;

use crate::model::store::HasMeta as _;
use crate::model::{Kind, ObjectRef, Stored};
use crate::scene::services::selector::{self, Labels};
use crate::scene::{PodView, Scene, Workload};

/// A Service in scope.
#[derive(Clone, Copy, Debug)]
pub struct ServiceView<'s> {
    pub scene: &'s Scene<'s>,
    pub service: &'s Stored<Service>,
}

impl<'s> ServiceView<'s> {
    /// Returns the Service's name.
    pub fn name(self) -> &'s str {
        self.service.object.name()
    }

    /// Returns the Service's namespace.
    pub fn namespace(self) -> &'s str {
        self.service.object.namespace()
    }

    /// Returns the Service's address.
    pub fn object(self) -> ObjectRef {
        ObjectRef::new(Kind::Service, self.namespace(), self.name())
    }

    /// Returns the selector; `None` for a Service whose endpoints somebody else writes, and for `ExternalName`.
    pub fn selector(self) -> Option<&'s Labels> {
        selector_of(self.service)
    }

    /// Iterates over the pods that the selector meets and that are not finished or leaving.
    pub fn pods(self) -> impl Iterator<Item = PodView<'s>> {
        let pods = self.backends().pods.iter().map(move |&index| self.scene.pod(index));
        pods.filter(|pod| !pod.is_finished() && !pod.is_terminating())
    }

    /// Iterates over the workloads whose pods, made or not, the selector meets.
    pub fn workloads(self) -> impl Iterator<Item = &'s Workload<'s>> {
        self.backends().workloads.iter().map(move |&index| &self.scene.workloads()[index])
    }

    fn backends(self) -> &'s Backends {
        static NONE: Backends = Backends { pods: Vec::new(), workloads: Vec::new() };
        self.scene.backends.get(&(self.namespace(), self.name())).unwrap_or(&NONE)
    }
}

fn selector_of(service: &Service) -> Option<&Labels> {
    let spec = service.spec.as_ref()?;
    if spec.type_.as_deref() == Some("ExternalName") {
        return None;
    }
    spec.selector.as_ref().filter(|selector| !selector.is_empty())
}

/// What a Service's selector leads to, as indices into the scene.
#[derive(Debug, Default)]
pub(in crate::scene) struct Backends {
    pods: Vec<usize>,
    /// Sorted; also workloads whose template would match but that have no pods.
    workloads: Vec<usize>,
}

/// Finds what each Service leads to, by an index of labels, as services × pods would be too many.
pub(in crate::scene) fn backends<'a>(scene: &Scene<'a>) -> HashMap<(&'a str, &'a str), Backends> {
    let index = LabelIndex::new(scene);
    let services = scene.snapshot.objects.services.iter();
    services
        .map(|service| ((service.object.namespace(), service.object.name()), index.backends(scene, service)))
        .collect()
}

/// Who carries a label: (namespace, key, value) → indices of pods and of workloads.
struct LabelIndex<'s> {
    carriers: HashMap<(&'s str, &'s str, &'s str), Backends>,
}

impl<'s> LabelIndex<'s> {
    fn new(scene: &'s Scene<'_>) -> Self {
        let mut carriers: HashMap<_, Backends> = HashMap::new();
        for (index, pod) in scene.pods.iter().enumerate() {
            for (key, value) in pod.metadata.labels.iter().flatten() {
                carriers.entry((pod.object.namespace(), key.as_str(), value.as_str())).or_default().pods.push(index);
            }
        }
        for (index, workload) in scene.workloads.iter().enumerate() {
            let Some(labels) = workload.labels else { continue };
            for (key, value) in labels {
                carriers.entry((workload.namespace(), key.as_str(), value.as_str())).or_default().workloads.push(index);
            }
        }
        Self { carriers }
    }

    fn backends(&self, scene: &'s Scene<'_>, service: &'s Stored<Service>) -> Backends {
        let Some(selector) = selector_of(service) else { return Backends::default() };
        let Some(few) = self.fewest(service.object.namespace(), selector) else { return Backends::default() };
        let meets = |labels| selector::matches_pairs(selector, labels);
        let pods = few.pods.iter().filter(|&&index| meets(scene.pods[index].metadata.labels.as_ref()));
        let pods: Vec<usize> = pods.copied().collect();
        let templates = few.workloads.iter().copied().filter(|&index| meets(scene.workloads[index].labels));
        let mut workloads: Vec<usize> = templates.chain(pods.iter().map(|&index| scene.pod_workload[index])).collect();
        workloads.sort_unstable();
        workloads.dedup();
        Backends { pods, workloads }
    }

    /// Returns the carriers of the selector's rarest label; `None` if nobody carries one of them.
    fn fewest(&self, namespace: &'s str, selector: &'s Labels) -> Option<&Backends> {
        let carriers =
            selector.iter().map(|(key, value)| self.carriers.get(&(namespace, key.as_str(), value.as_str())));
        let carriers: Option<Vec<_>> = carriers.collect();
        carriers?.into_iter().min_by_key(|found| found.pods.len() + found.workloads.len())
    }
}
