//! Reviews of made-up workloads, from captures.

mod absurd;
mod allowed;

use crate::analyse;
use crate::collect::capture;
use crate::collect::plan::Keep;
use crate::model::limits::{ContainerLimits, Danger, Field, Limits};
use crate::model::sizing::{Footing, Verdict};
use crate::recommend::limits::order::Order;
use crate::recommend::limits::wanted::Wanted;

/// 2026-01-01T12:00:00Z.
const NOW: i64 = 1_767_268_800;
const MEBI: f64 = 1_048_576.0;

/// One Deployment `cart` with two pods that run well.
#[derive(Clone, Copy)]
pub(super) struct World {
    /// The `resources` of the template, as a flow mapping.
    pub(super) resources: &'static str,
    /// What the pods have; the same unless told.
    pub(super) in_pod: Option<&'static str>,
    /// More of the container: env, command.
    pub(super) container: &'static str,
    /// More fields of the container's status.
    pub(super) status: &'static str,
    pub(super) meta: &'static str,
    pub(super) objects: &'static str,
    /// Hours of samples, one an hour, of a working set in mebibytes and of cores.
    pub(super) hours: i64,
    pub(super) memory: f64,
    pub(super) cpu: f64,
    /// A point sample of metrics-server: `cpu: 10m, memory: 20Mi`.
    pub(super) usage: &'static str,
    /// Lines of cAdvisor.
    pub(super) cadvisor: &'static str,
}

pub(super) const WORLD: World = World {
    resources: "{}",
    in_pod: None,
    container: "",
    status: ", restartCount: 0, state: {running: {startedAt: 2025-12-01T00:00:00Z}}",
    meta: "",
    objects: "",
    hours: 0,
    memory: 0.0,
    cpu: 0.0,
    usage: "",
    cadvisor: "",
};

impl World {
    fn series(&self, name: &str, value: f64) -> String {
        let samples: Vec<String> =
            (0..self.hours).rev().map(|hour| format!("[{}, \"{value}\"]", NOW - hour * 3600)).collect();
        format!(
            "{{metric: {{__name__: \"{name}\", namespace: shop, pod: cart-1-x, container: main}}, values: [{}]}}",
            samples.join(", ")
        )
    }

    pub(super) fn yaml(&self) -> String {
        let spec = |resources: &str| {
            format!("{{containers: [{{name: main, image: cart:1, resources: {resources}{}}}]}}", self.container)
        };
        let owner = |kind: &str, name: &str| {
            format!("ownerReferences: [{{apiVersion: apps/v1, kind: {kind}, name: {name}, uid: u, controller: true}}]")
        };
        let pod = |name: &str| {
            format!(
                "- {{apiVersion: v1, kind: Pod, metadata: {{name: {name}, namespace: shop, creationTimestamp: 2025-12-01T00:00:00Z, {}}}, spec: {}, status: {{phase: Running, conditions: [{{type: Ready, status: \"True\"}}], containerStatuses: [{{name: main, ready: true, image: '', imageID: ''{}}}]}}}}",
                owner("ReplicaSet", "cart-1"),
                spec(self.in_pod.unwrap_or(self.resources)),
                self.status
            )
        };
        let metrics = if self.hours > 0 {
            format!(
                "metrics: {{status: success, data: {{resultType: matrix, result: [{}, {}]}}}}\n",
                self.series("container_memory_working_set_bytes", self.memory * MEBI),
                self.series("container_cpu_usage_cores", self.cpu)
            )
        } else {
            String::new()
        };
        let usage = if self.usage.is_empty() {
            String::new()
        } else {
            format!("usage: [{{namespace: shop, pod: cart-1-x, container: main, {}}}]\n", self.usage)
        };
        format!(
            "apiVersion: rca/v1alpha1
kind: Snapshot
takenAt: 2026-01-01T12:00:00Z
scope: {{namespaces: [shop]}}
{metrics}{usage}{}objects:
- {{apiVersion: apps/v1, kind: Deployment, metadata: {{name: cart, namespace: shop{}}}, spec: {{replicas: 2, selector: {{matchLabels: {{app: cart}}}}, template: {{spec: {}}}}}}}
- {{apiVersion: apps/v1, kind: ReplicaSet, metadata: {{name: cart-1, namespace: shop, {}}}, spec: {{replicas: 2, selector: {{matchLabels: {{app: cart}}}}}}}}
{}
{}
{}",
            self.cadvisor,
            self.meta,
            spec(self.resources),
            owner("Deployment", "cart"),
            pod("cart-1-x"),
            pod("cart-1-y"),
            self.objects
        )
    }

    pub(super) fn limits(&self) -> Limits {
        let yaml = self.yaml();
        let snapshot = capture::read("world.yaml", yaml.as_bytes(), Keep::default())
            .unwrap_or_else(|error| panic!("{error}\n{yaml}"));
        assert_eq!(snapshot.gaps, [], "{yaml}");
        analyse::limits(&snapshot, &Wanted::default(), Order::Risk).expect("workloads")
    }

    pub(super) fn container(&self) -> ContainerLimits {
        let limits = self.limits();
        let cart = limits.workloads.iter().find(|workload| workload.object.name == "cart").expect("cart");
        cart.containers[0].clone()
    }

    pub(super) fn after(&self, field: Field) -> Option<String> {
        let container = self.container();
        let after = container.recommended.get(&field).cloned();
        after.filter(|_| container.current.get(&field) != container.recommended.get(&field))
    }
}

#[test]
fn a_day_of_samples_tells_what_is_too_much() {
    let world =
        World { resources: "{requests: {memory: 1Gi, cpu: \"1\"}}", hours: 26, memory: 100.0, cpu: 0.11, ..WORLD };
    let container = world.container();
    assert_eq!(world.after(Field::RequestsMemory).as_deref(), Some("116Mi"));
    assert_eq!(world.after(Field::RequestsCpu).as_deref(), Some("150m"));
    let basis = &container.basis[&Field::RequestsMemory];
    assert_eq!((basis.verdict, basis.footing), (Verdict::Oversized, Footing::Days));
    assert_eq!(basis.formula, "1.15 × peak, rounded up");
    let inputs = [("peak", "100Mi"), ("request", "1Gi"), ("samples", "26"), ("window", "25h")];
    assert_eq!(basis.inputs, inputs.map(|(name, value)| (name, value.to_owned())).into());
}

#[test]
fn point_samples_never_shrink_anything() {
    let full = "{requests: {memory: 1Gi, cpu: \"4\"}, limits: {memory: 1Gi, cpu: \"4\"}}";
    let point = World { resources: full, usage: "cpu: 1m, memory: 5Mi", ..WORLD };
    let hours = World { resources: full, hours: 20, memory: 5.0, cpu: 0.001, ..WORLD };
    for world in [point, hours] {
        let container = world.container();
        assert!(!container.is_changed(), "{container:?}");
        assert_eq!(container.verdict, Verdict::Fits);
        assert!(container.notes.iter().any(|note| note.contains("a day of samples")), "{:?}", container.notes);
    }
}

#[test]
fn a_gap_of_a_day_is_no_day_of_samples() {
    let two = "metrics: {status: success, data: {resultType: matrix, result: [{metric: {__name__: container_memory_working_set_bytes, namespace: shop, pod: cart-1-x, container: main}, values: [[1767100000, \"5242880\"], [1767268000, \"5242880\"]]}]}}\n";
    let world = World { resources: "{requests: {memory: 1Gi}}", cadvisor: two, ..WORLD };
    assert!(!world.container().is_changed());
}

#[test]
fn a_healthy_container_near_its_limit_is_not_told_to_raise() {
    // Files that are read again and again fill the working set, and nothing is killed.
    for memory in [95.0, 100.0, 120.0] {
        let resources = "{requests: {memory: 100Mi}, limits: {memory: 100Mi}}";
        let world = World { resources, hours: 48, memory, cpu: 0.001, ..WORLD };
        let container = world.container();
        assert_eq!((container.verdict, container.danger), (Verdict::NearLimit, Danger::Medium));
        assert_eq!(container.current.get(&Field::LimitsMemory), container.recommended.get(&Field::LimitsMemory));
        assert_eq!(container.current.get(&Field::RequestsMemory), container.recommended.get(&Field::RequestsMemory));
    }
}

#[test]
fn page_cache_that_the_kernel_counted_is_no_need() {
    let cadvisor = "cadvisor: {worker-1: 'container_memory_max_usage_bytes{container=\"main\",namespace=\"shop\",pod=\"cart-1-x\"} 67108864'}\n";
    let resources = "{requests: {memory: 64Mi, cpu: 10m}, limits: {memory: 64Mi}}";
    let container = World { resources, usage: "cpu: 1m, memory: 20Mi", cadvisor, ..WORLD }.container();
    assert_eq!((container.verdict, container.is_changed()), (Verdict::Fits, false));
    assert_eq!(container.seen.kernel_peak.expect("a peak").value, "64Mi");
}

#[test]
fn a_pod_that_is_measured_as_a_whole_tells_of_its_only_container() {
    let line = |container: &str, bytes: i64| {
        format!(
            "container_memory_working_set_bytes{{container=\\\"{container}\\\",namespace=\\\"shop\\\",pod=\\\"cart-1-x\\\"}} {bytes}"
        )
    };
    let seen = |lines: &str| {
        let yaml = WORLD.yaml().replacen("objects:", &format!("cadvisor: {{worker-1: \"{lines}\"}}\nobjects:"), 1);
        let snapshot = capture::read("world.yaml", yaml.as_bytes(), Keep::default())
            .unwrap_or_else(|error| panic!("{error}\n{yaml}"));
        let limits = analyse::limits(&snapshot, &Wanted::default(), Order::Risk).expect("workloads");
        limits.workloads[0].containers[0].seen.memory.clone().map(|number| number.value)
    };
    assert_eq!(seen(&line("", 64 << 20)).as_deref(), Some("64Mi"));
    let both = format!("{}\\n{}", line("", 64 << 20), line("main", 60 << 20));
    assert_eq!(seen(&both).as_deref(), Some("60Mi"));
}

#[test]
fn a_request_that_equals_the_limit_shrinks_with_it_unless_a_heap_would_too() {
    let world = World {
        resources: "{requests: {memory: 1Gi}, limits: {memory: 1Gi}}",
        hours: 26,
        memory: 100.0,
        cpu: 0.01,
        ..WORLD
    };
    assert_eq!(world.after(Field::LimitsMemory).as_deref(), Some("116Mi"));
    let java = World { container: ", env: [{name: JAVA_TOOL_OPTIONS, value: -XX:MaxRAMPercentage=50}]", ..world };
    assert_eq!((java.after(Field::LimitsMemory), java.after(Field::RequestsMemory).as_deref()), (None, Some("116Mi")));
    let fixed = World { container: ", command: [java, -Xmx384m]", ..world };
    assert_eq!(fixed.after(Field::RequestsMemory).as_deref(), Some("512Mi"));
    assert_eq!(fixed.container().basis[&Field::RequestsMemory].formula, "max(1.15 × peak, heap / 0.75), rounded up");
}

#[test]
fn a_limit_without_a_request_stays_where_the_request_shrinks() {
    // The server gives the pods a request that equals the limit.
    let world = World {
        resources: "{limits: {memory: 1Gi}}",
        in_pod: Some("{limits: {memory: 1Gi}, requests: {memory: 1Gi}}"),
        hours: 26,
        memory: 100.0,
        cpu: 0.01,
        ..WORLD
    };
    assert_eq!(world.container().current.get(&Field::RequestsMemory), None);
    assert_eq!(
        (world.after(Field::LimitsMemory), world.after(Field::RequestsMemory).as_deref()),
        (None, Some("116Mi"))
    );
}

#[test]
fn what_was_killed_before_is_not_shrunk() {
    let status = ", restartCount: 1, state: {running: {startedAt: 2025-12-30T00:00:00Z}}, lastState: {terminated: {exitCode: 137, reason: OOMKilled, startedAt: 2025-12-29T00:00:00Z, finishedAt: 2025-12-30T00:00:00Z}}";
    let resources = "{requests: {memory: 1Gi}, limits: {memory: 1Gi}}";
    let world = World { resources, status, hours: 26, memory: 100.0, cpu: 0.01, ..WORLD };
    assert_eq!(world.after(Field::RequestsMemory), None);
}

#[test]
fn a_killed_container_is_told_what_its_incident_says() {
    let status = ", restartCount: 5, state: {waiting: {reason: CrashLoopBackOff}}, lastState: {terminated: {exitCode: 137, reason: OOMKilled, startedAt: 2026-01-01T11:50:00Z, finishedAt: 2026-01-01T11:58:00Z}}";
    let world = World { resources: "{requests: {memory: 64Mi}, limits: {memory: 64Mi}}", status, ..WORLD };
    let container = world.container();
    assert_eq!((container.verdict, container.danger), (Verdict::Undersized, Danger::High));
    assert_eq!(container.recommended.get(&Field::LimitsMemory).map(String::as_str), Some("128Mi"));
    assert_eq!(container.recommended.get(&Field::RequestsMemory).map(String::as_str), Some("128Mi"));
    assert_eq!(container.basis[&Field::RequestsMemory].formula, "limit, as before");
}

#[test]
fn what_is_missing_is_told_and_a_request_comes_from_any_sample() {
    let container = World { usage: "cpu: 5m, memory: 100Mi", ..WORLD }.container();
    assert_eq!((container.verdict, container.danger), (Verdict::NoLimit, Danger::Medium));
    assert_eq!(container.recommended.get(&Field::RequestsMemory).map(String::as_str), Some("116Mi"));
    // One sample is no percentile, and no reason for a limit.
    assert_eq!(container.recommended.len(), 1);
    let days = World { hours: 26, memory: 100.0, cpu: 0.2, ..WORLD }.container();
    assert_eq!(days.recommended.get(&Field::LimitsMemory).map(String::as_str), Some("116Mi"));
    assert_eq!(days.recommended.get(&Field::RequestsCpu).map(String::as_str), Some("200m"));
    assert_eq!(days.recommended.get(&Field::LimitsCpu), None);
}

#[test]
fn a_unit_that_cannot_be_meant_is_written_anew() {
    let world = World { resources: "{requests: {memory: 128m}}", ..WORLD };
    let container = world.container();
    assert_eq!((container.verdict, container.danger), (Verdict::Unit, Danger::Medium));
    assert_eq!(world.after(Field::RequestsMemory).as_deref(), Some("128Mi"));
}

#[test]
fn pods_that_are_gone_count() {
    let series = |pod: &str, mebi: i64| {
        let samples: Vec<String> =
            (0..26).rev().map(|hour| format!("[{}, \"{}\"]", NOW - hour * 3600, mebi << 20)).collect();
        format!(
            "{{metric: {{__name__: \"container_memory_working_set_bytes:max_over_time1h\", namespace: shop, pod: {pod}, container: main}}, values: [{}]}}",
            samples.join(", ")
        )
    };
    let metrics = format!(
        "metrics: {{status: success, data: {{resultType: matrix, result: [{}, {}]}}}}\n",
        series("cart-1-abcde", 300),
        series("other-1-abcde", 900)
    );
    let yaml = World { resources: "{requests: {memory: 1Gi}}", ..WORLD }.yaml().replacen(
        "objects:",
        &format!("{metrics}objects:"),
        1,
    );
    let snapshot =
        capture::read("world.yaml", yaml.as_bytes(), Keep::default()).unwrap_or_else(|error| panic!("{error}\n{yaml}"));
    let limits = analyse::limits(&snapshot, &Wanted::default(), Order::Risk).expect("workloads");
    let container = &limits.workloads[0].containers[0];
    assert_eq!(container.seen.memory.as_ref().map(|number| number.value.as_str()), Some("300Mi"));
    assert_eq!(container.recommended.get(&Field::RequestsMemory).map(String::as_str), Some("352Mi"));
}

#[test]
fn costs_are_those_of_all_replicas() {
    let limits =
        World { resources: "{requests: {memory: 1Gi, cpu: \"1\"}}", hours: 26, memory: 100.0, cpu: 0.11, ..WORLD }
            .limits();
    let totals = limits.totals();
    assert_eq!((totals.requested.cpu.cpu(), totals.requested.memory.mem()), ("2".to_owned(), "2Gi".to_owned()));
    assert_eq!(
        (totals.recommended.cpu.cpu(), totals.recommended.memory.mem()),
        ("300m".to_owned(), "232Mi".to_owned())
    );
    assert_eq!((totals.unused.cpu.cpu(), totals.unused.memory.mem()), ("1780m".to_owned(), "1848Mi".to_owned()));
}

#[test]
fn a_version_of_some_minutes_is_not_shrunk() {
    let status = ", restartCount: 0, state: {running: {startedAt: 2026-01-01T11:40:00Z}}";
    let world = World {
        resources: "{requests: {memory: 1Gi, cpu: \"1\"}}",
        status,
        hours: 26,
        memory: 100.0,
        cpu: 0.11,
        ..WORLD
    };
    assert!(!world.container().is_changed());
}
