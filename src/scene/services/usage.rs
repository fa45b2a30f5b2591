//! Who uses a Service, and what the workloads behind it declare.

use foldhash::{HashMap, HashMapExt as _, HashSet, HashSetExt as _};
use k8s_openapi::api::core::v1::{Container, ContainerPort, PodSpec};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

use crate::model::store::HasMeta as _;
use crate::model::{Kind, Severity};
use crate::scene::{Call, Scene, ServiceView, Workload};

/// The uses of all Services, collected once.
#[derive(Debug)]
pub struct Usage<'s> {
    callers: HashMap<(&'s str, &'s str), Vec<&'s Call<'s>>>,
    routed: HashSet<(&'s str, &'s str)>,
    /// Ready addresses by Service, where endpoint slices or endpoints were read.
    ready: HashMap<(&'s str, &'s str), usize>,
}

impl<'s> Usage<'s> {
    /// Collects calls, Ingress routes and endpoints; linear.
    pub fn new(scene: &'s Scene<'s>) -> Self {
        let mut callers: HashMap<_, Vec<_>> = HashMap::new();
        for call in scene.calls() {
            callers.entry((call.service.0.as_str(), call.service.1.as_str())).or_default().push(call);
        }
        let mut routed = HashSet::new();
        for ingress in &scene.snapshot.objects.ingresses {
            let Some(spec) = ingress.spec.as_ref() else { continue };
            let paths = spec.rules.iter().flatten().filter_map(|rule| rule.http.as_ref()).flat_map(|http| &http.paths);
            let backends = paths.map(|path| &path.backend).chain(spec.default_backend.as_ref());
            routed.extend(
                backends
                    .filter_map(|backend| backend.service.as_ref())
                    .map(|service| (ingress.namespace(), service.name.as_str())),
            );
        }
        Self { callers, routed, ready: ready(scene) }
    }

    /// Returns the configured calls to a Service.
    pub fn callers<'a>(&'a self, namespace: &'a str, name: &'a str) -> &'a [&'s Call<'s>] {
        self.callers.get(&(namespace, name)).map_or(&[], Vec::as_slice)
    }

    /// Returns whether anybody is known to use a Service: a workload, an Ingress, or the world outside.
    pub fn is_used(&self, service: ServiceView<'_>) -> bool {
        let type_ = service.service.spec.as_ref().and_then(|spec| spec.type_.as_deref());
        let outside = matches!(type_, Some("LoadBalancer" | "NodePort"));
        let key = (service.namespace(), service.name());
        outside || self.routed.contains(&key) || self.callers.contains_key(&key)
    }

    /// Returns how bad it is when a Service leads nowhere: users are hit only if somebody uses it.
    pub fn severity(&self, service: ServiceView<'_>) -> Severity {
        if self.is_used(service) { Severity::Critical } else { Severity::Error }
    }

    /// Returns how many ready addresses the endpoints of a Service list; 0 also if nothing was read.
    pub fn ready(&self, service: ServiceView<'_>) -> usize {
        self.ready.get(&(service.namespace(), service.name())).copied().unwrap_or_default()
    }
}

/// Returns how many ready addresses a Service has; `None` if its endpoints were not read.
pub fn ready_addresses(service: ServiceView<'_>) -> Option<usize> {
    let known =
        [Kind::EndpointSlice, Kind::Endpoints].iter().any(|kind| service.scene.knows(*kind, service.namespace()));
    known.then(|| ready(service.scene).get(&(service.namespace(), service.name())).copied().unwrap_or_default())
}

fn ready<'s>(scene: &'s Scene<'_>) -> HashMap<(&'s str, &'s str), usize> {
    let mut ready: HashMap<_, usize> = HashMap::new();
    for slice in &scene.snapshot.objects.endpoint_slices {
        let Some(service) = slice.metadata.labels.as_ref().and_then(|labels| labels.get("kubernetes.io/service-name"))
        else {
            continue;
        };
        let is_ready = |conditions: Option<bool>| conditions.unwrap_or(true);
        let count = slice
            .endpoints
            .iter()
            .filter(|endpoint| is_ready(endpoint.conditions.as_ref().and_then(|conditions| conditions.ready)))
            .count();
        *ready.entry((slice.object.namespace(), service.as_str())).or_default() += count;
    }
    for endpoints in &scene.snapshot.objects.endpoints {
        let addresses = endpoints.subsets.iter().flatten().map(|subset| subset.addresses.as_ref().map_or(0, Vec::len));
        *ready.entry((endpoints.object.namespace(), endpoints.object.name())).or_default() += addresses.sum::<usize>();
    }
    ready
}

/// Returns whether a workload runs to its end rather than serving.
pub fn is_batch(workload: &Workload<'_>) -> bool {
    workload.object.is(Kind::Job) || workload.object.is(Kind::CronJob)
}

/// Iterates over the ports that a pod template declares, side-cars' too.
pub fn ports(template: &PodSpec) -> impl Iterator<Item = &ContainerPort> {
    let side_cars = template
        .init_containers
        .iter()
        .flatten()
        .filter(|container| container.restart_policy.as_deref() == Some("Always"));
    template.containers.iter().chain(side_cars).flat_map(|container| container.ports.iter().flatten())
}

/// Returns the number of a target port in a template; a name is looked up.
pub fn target_number(template: Option<&PodSpec>, target: &IntOrString) -> Option<u16> {
    let number = match target {
        IntOrString::Int(number) => Some(*number),
        IntOrString::String(name) => template
            .and_then(|template| ports(template).find(|port| port.name.as_deref() == Some(name)))
            .map(|port| port.container_port),
    };
    number.and_then(|number| u16::try_from(number).ok())
}

/// Returns whether a template speaks of a number in its environment or command: it may well serve that port.
pub fn speaks_of(template: &PodSpec, number: u16) -> bool {
    template.containers.iter().any(|container| container_speaks_of(container, number))
}

/// Returns whether a container's environment or command holds a number.
pub fn container_speaks_of(container: &Container, number: u16) -> bool {
    let word = number.to_string();
    let says = |text: &str| text.split(|symbol: char| !symbol.is_ascii_digit()).any(|digits| digits == word);
    let values = container.env.iter().flatten().filter_map(|variable| variable.value.as_ref());
    let words = container.command.iter().flatten().chain(container.args.iter().flatten());
    values.chain(words).any(|text| says(text))
}
