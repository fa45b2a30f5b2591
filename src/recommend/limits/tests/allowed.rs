//! What is allowed by the cluster, kept elsewhere or injected.

use super::{WORLD, World};
use crate::analyse;
use crate::collect::capture;
use crate::collect::plan::Keep;
use crate::model::limits::Field;
use crate::model::sizing::Verdict;
use crate::recommend::limits::order::Order;
use crate::recommend::limits::wanted::Wanted;

#[test]
fn what_a_limit_range_forbids_is_not_advised() {
    let range = "- {apiVersion: v1, kind: LimitRange, metadata: {name: bounds, namespace: shop}, spec: {limits: [{type: Container, min: {memory: 512Mi, cpu: 500m}}]}}";
    let world = World {
        resources: "{requests: {memory: 2Gi, cpu: \"2\"}}",
        hours: 26,
        memory: 100.0,
        cpu: 0.1,
        objects: range,
        ..WORLD
    };
    let container = world.container();
    assert!(!container.is_changed(), "{container:?}");
    assert!(
        container.checks.iter().any(|check| !check.ok && check.detail == "116Mi of a minimum of 512Mi per Container")
    );
    assert!(container.notes.iter().any(|note| note.contains("lower the minimum of limitrange/bounds")));
    assert_eq!(container.basis[&Field::RequestsMemory].result.as_deref(), Some("116Mi"));
}

#[test]
fn a_ratio_keeps_a_request_near_its_limit() {
    let range = "- {apiVersion: v1, kind: LimitRange, metadata: {name: bounds, namespace: shop}, spec: {limits: [{type: Container, maxLimitRequestRatio: {memory: \"2\"}}]}}";
    let resources = "{requests: {memory: 1Gi}, limits: {memory: 2Gi}}";
    let world = World { resources, hours: 26, memory: 100.0, cpu: 0.01, objects: range, ..WORLD };
    assert_eq!(world.after(Field::RequestsMemory), None);
    assert!(World { objects: "", ..world }.after(Field::RequestsMemory).is_some());
}

#[test]
fn more_cpu_is_checked_against_quotas_and_nodes() {
    let quota = "- {apiVersion: v1, kind: ResourceQuota, metadata: {name: team, namespace: shop}, spec: {hard: {requests.cpu: \"1\"}}, status: {hard: {requests.cpu: \"1\"}, used: {requests.cpu: 400m}}}";
    let world = World {
        resources: "{requests: {memory: 64Mi, cpu: 100m}, limits: {memory: 128Mi}}",
        hours: 26,
        memory: 50.0,
        cpu: 0.8,
        ..WORLD
    };
    assert_eq!(world.after(Field::RequestsCpu).as_deref(), Some("800m"));
    let bound = World { objects: quota, ..world }.container();
    assert!(!bound.is_changed());
    assert!(
        bound.notes.iter().any(|note| note.contains("raise requests.cpu of resourcequota/team by 800m")),
        "{:?}",
        bound.notes
    );
    let node = "- {apiVersion: v1, kind: Node, metadata: {name: worker-1}, status: {allocatable: {cpu: 500m, memory: 8Gi, pods: \"110\"}}}";
    assert!(!World { objects: node, ..world }.container().is_changed());
}

#[test]
fn autoscalers_are_listened_to_and_left_alone() {
    let only_advises = "- {apiVersion: autoscaling.k8s.io/v1, kind: VerticalPodAutoscaler, metadata: {name: cart, namespace: shop}, spec: {targetRef: {kind: Deployment, name: cart}, updatePolicy: {updateMode: \"Off\"}}, status: {recommendation: {containerRecommendations: [{containerName: main, target: {memory: 200Mi, cpu: 120m}}]}}}";
    let told = World { objects: only_advises, ..WORLD }.container();
    assert_eq!(told.recommended.get(&Field::RequestsMemory).map(String::as_str), Some("208Mi"));
    assert_eq!(told.recommended.get(&Field::RequestsCpu).map(String::as_str), Some("150m"));
    assert_eq!(told.basis[&Field::RequestsCpu].formula, "autoscaler");
    let writes = "- {apiVersion: autoscaling.k8s.io/v1, kind: VerticalPodAutoscaler, metadata: {name: cart, namespace: shop}, spec: {targetRef: {kind: Deployment, name: cart}}}";
    let world = World {
        resources: "{requests: {memory: 1Gi, cpu: \"1\"}}",
        hours: 26,
        memory: 100.0,
        cpu: 0.1,
        objects: writes,
        ..WORLD
    };
    assert!(!world.container().is_changed());
    let scales = "- {apiVersion: autoscaling/v2, kind: HorizontalPodAutoscaler, metadata: {name: cart, namespace: shop}, spec: {maxReplicas: 3, scaleTargetRef: {kind: Deployment, name: cart}, metrics: [{type: Resource, resource: {name: cpu, target: {type: Utilization, averageUtilization: 80}}}]}}";
    let scaled = World { objects: scales, ..world }.container();
    assert!(scaled.is_changed());
    assert!(scaled.checks.iter().any(|check| check.ok && check.detail.contains("scales at 80 % of the requested CPU")));
    // 100m are 80 % of 125m.
    assert_eq!(scaled.recommended.get(&Field::RequestsCpu).map(String::as_str), Some("150m"));
}

#[test]
fn what_is_kept_elsewhere_is_changed_there() {
    let meta = ", labels: {app.kubernetes.io/managed-by: Helm}, annotations: {meta.helm.sh/release-name: shop}";
    let world = World { resources: "{requests: {memory: 1Gi}}", hours: 26, memory: 100.0, cpu: 0.11, meta, ..WORLD };
    let temporary = world.limits().workloads[0].temporary.clone().expect("a hint");
    assert!(temporary.starts_with("Helm's release `shop` keeps deployment/cart: set resources."), "{temporary}");
}

#[test]
fn what_is_injected_is_not_changed_in_the_template() {
    let injected = "- {apiVersion: v1, kind: Pod, metadata: {name: cart-1-z, namespace: shop, creationTimestamp: 2025-12-02T00:00:00Z, ownerReferences: [{apiVersion: apps/v1, kind: ReplicaSet, name: cart-1, uid: u, controller: true}]}, spec: {containers: [{name: main, image: cart:1}, {name: proxy, image: p:1}]}, status: {phase: Running, containerStatuses: [{name: main, ready: true, image: '', imageID: '', restartCount: 0, state: {running: {startedAt: 2025-12-02T00:00:00Z}}}, {name: proxy, ready: true, image: '', imageID: '', restartCount: 0, state: {running: {startedAt: 2025-12-02T00:00:00Z}}}]}}";
    let yaml = World { objects: injected, ..WORLD }.yaml();
    let usage = "usage: [{namespace: shop, pod: cart-1-z, container: proxy, cpu: 1m, memory: 60Mi}]";
    let yaml = yaml.replacen("objects:", &format!("{usage}\nobjects:"), 1);
    let snapshot =
        capture::read("world.yaml", yaml.as_bytes(), Keep::default()).unwrap_or_else(|error| panic!("{error}\n{yaml}"));
    let limits = analyse::limits(&snapshot, &Wanted::default(), Order::Risk).expect("workloads");
    let cart = &limits.workloads[0];
    assert!(cart.containers[1].is_changed());
    assert_eq!((&cart.patch, cart.commands.len()), (&None, 0));
    assert!(cart.temporary.as_ref().expect("a hint").starts_with("`proxy` is not in deployment/cart"));
}

#[test]
fn what_the_template_says_by_now_is_waited_for() {
    let world = World {
        resources: "{requests: {memory: 128Mi}}",
        in_pod: Some("{requests: {memory: 1Gi}}"),
        hours: 26,
        memory: 100.0,
        cpu: 0.01,
        ..WORLD
    };
    let container = world.container();
    assert!(!container.basis.contains_key(&Field::RequestsMemory));
    assert!(
        container.notes.iter().any(|note| note == "its template says 128Mi as memory request by now"),
        "{:?}",
        container.notes
    );
}

#[test]
fn throttling_asks_for_no_limit_unless_one_is_demanded() {
    let cadvisor = "cadvisor: {worker-1: \"container_cpu_cfs_periods_total{container=\\\"main\\\",namespace=\\\"shop\\\",pod=\\\"cart-1-x\\\"} 1000\\ncontainer_cpu_cfs_throttled_periods_total{container=\\\"main\\\",namespace=\\\"shop\\\",pod=\\\"cart-1-x\\\"} 400\"}\n";
    let resources = "{requests: {memory: 64Mi}, limits: {memory: 128Mi, cpu: 200m}}";
    let world = World { resources, cadvisor, ..WORLD };
    let container = world.container();
    assert_eq!(container.verdict, Verdict::Throttled);
    assert_eq!(container.recommended.get(&Field::LimitsCpu), None);
    // The request that the limit stood for stays.
    assert_eq!(container.recommended.get(&Field::RequestsCpu).map(String::as_str), Some("200m"));
    let commands = &world.limits().workloads[0].commands;
    assert!(commands[0].contains(r#""limits":{"cpu":null}"#), "{commands:?}");
    let quota = "- {apiVersion: v1, kind: ResourceQuota, metadata: {name: team, namespace: shop}, spec: {hard: {limits.cpu: \"4\"}}, status: {hard: {limits.cpu: \"4\"}, used: {limits.cpu: 400m}}}";
    let bound = World { objects: quota, ..world }.container();
    assert!(!bound.is_changed());
    assert!(bound.notes[0].contains("resourcequota/team demands a limit"), "{:?}", bound.notes);
}
