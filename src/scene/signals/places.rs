//! What an alert or a series is about: the labels of exporters, meshes and rules, resolved to objects.

use foldhash::{HashMap, HashMapExt as _};

use crate::model::store::HasMeta as _;
use crate::scene::Scene;
use crate::scene::traffic::calls::service_of;

/// What a signal is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Place {
    /// The index of a workload of the scene.
    Workload(usize),
    /// The index of a node of the snapshot.
    Node(usize),
}

const NODE: &[&str] =
    &["node", "nodename", "node_name", "kubernetes_node", "k8s_node_name", "instance", "host", "hostname"];
const POD: &[&str] = &["pod", "pod_name", "kubernetes_pod_name", "k8s_pod_name", "exported_pod"];
const APP: &[&str] = &[
    "workload",
    "deployment",
    "statefulset",
    "daemonset",
    "destination_workload",
    "k8s_deployment_name",
    "destination_service_name",
    "destination_service",
    "service",
    "service_name",
    "exported_service",
    "app",
    "app_kubernetes_io_name",
    "k8s_app",
    "destination_app",
    "job",
];
const NAMESPACE: &[&str] = &[
    "namespace",
    "exported_namespace",
    "destination_workload_namespace",
    "kubernetes_namespace",
    "k8s_namespace_name",
];

/// Who asks, and not who is asked about.
const EXPORTERS: &[&str] = &["node-exporter", "node_exporter", "kube-state-metrics", "kubelet", "cadvisor", "blackbox"];

/// The names of a scene's objects, for look-ups.
#[derive(Debug)]
pub struct Places<'s> {
    /// (namespace, name) → index of a workload; pods, workloads and then Services.
    apps: HashMap<(&'s str, &'s str), usize>,
    /// A name that is unique among the namespaces in scope; `None` where it is not.
    anywhere: HashMap<&'s str, Option<usize>>,
    /// By name and by address.
    nodes: HashMap<&'s str, usize>,
}

impl<'s> Places<'s> {
    /// Indexes a scene.
    pub fn new(scene: &'s Scene<'_>) -> Self {
        let mut places = Self { apps: HashMap::new(), anywhere: HashMap::new(), nodes: HashMap::new() };
        for (index, workload) in scene.workloads().iter().enumerate() {
            places.add(workload.namespace(), &workload.object.name, index);
            for pod in scene.pods_of(workload) {
                places.add(pod.namespace(), pod.name(), index);
            }
        }
        for service in scene.services() {
            let mut behind = service.workloads();
            if let (Some(workload), None) = (behind.next(), behind.next())
                && let Some(&index) = scene.workload_index.get(&workload.object)
            {
                places.add(service.namespace(), service.name(), index);
            }
        }
        for (index, node) in scene.snapshot.objects.nodes.iter().enumerate() {
            places.nodes.insert(node.object.name(), index);
            let addresses = node.status.iter().flat_map(|status| status.addresses.iter().flatten());
            places.nodes.extend(addresses.map(|address| (address.address.as_str(), index)));
        }
        places
    }

    fn add(&mut self, namespace: &'s str, name: &'s str, index: usize) {
        // What came first is nearer: a workload's own name before that of a Service.
        if *self.apps.entry((namespace, name)).or_insert(index) == index {
            let known = self.anywhere.entry(name).or_insert(Some(index));
            *known = known.filter(|other| *other == index);
        }
    }

    /// Finds what labels are about, given a look-up by their names.
    pub fn find<'l>(&self, label: impl Fn(&str) -> Option<&'l str>) -> Option<Place> {
        let own = |name: &str| label(name).filter(|value| !EXPORTERS.iter().any(|exporter| value.contains(exporter)));
        let namespace = NAMESPACE.iter().find_map(|name| label(name));
        let app = POD.iter().chain(APP).find_map(|name| self.app(namespace, own(name)?));
        app.map(Place::Workload).or_else(|| NODE.iter().find_map(|name| self.node(own(name)?)).map(Place::Node))
    }

    /// Finds a workload by a name of it, its pods, or the Service before it.
    pub fn app(&self, namespace: Option<&str>, name: &str) -> Option<usize> {
        // Prometheus' operator names jobs `namespace/name`.
        let name = name.rsplit('/').next().unwrap_or(name);
        let exact = |namespace: &str, name: &str| self.apps.get(&(namespace, name)).copied();
        let Some(namespace) = namespace else {
            let whole = service_of(name, "").filter(|(place, _)| !place.is_empty());
            return match whole {
                Some((place, name)) => exact(&place, &name),
                None => self.anywhere.get(name).copied().flatten(),
            };
        };
        exact(namespace, name).or_else(|| {
            let (place, name) = service_of(name, namespace)?;
            exact(&place, &name)
        })
    }

    fn node(&self, name: &str) -> Option<usize> {
        let bare = name.rsplit_once(':').map_or(name, |(host, _)| host);
        self.nodes.get(name).or_else(|| self.nodes.get(bare)).copied()
    }
}
