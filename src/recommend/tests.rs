//! What is recommended in whole situations.

mod estimates;
mod fits;
mod second;

use crate::analyse::analyse;
use crate::collect::capture;
use crate::collect::plan::Keep;
use crate::model::sizing::Verdict;
use crate::model::{Recommendation, Sizing};
use crate::policy::Policy;

/// A Deployment whose container is killed, in words that a test changes.
struct World {
    limit: &'static str,
    request: &'static str,
    /// Further fields of the container, as YAML flow.
    container: &'static str,
    /// Further fields of the pod's spec.
    spec: &'static str,
    meta: &'static str,
    strategy: &'static str,
    replicas: u32,
    started: &'static str,
    reason: &'static str,
    /// The limits of the revisions before.
    earlier: &'static [&'static str],
    objects: &'static str,
    /// Further parts of the snapshot.
    rest: &'static str,
}

const WORLD: World = World {
    limit: "64Mi",
    request: "",
    container: "",
    spec: "",
    meta: "",
    strategy: "{type: RollingUpdate, rollingUpdate: {maxSurge: 1}}",
    replicas: 1,
    started: "2026-01-01T11:55:00Z",
    reason: "OOMKilled",
    earlier: &[],
    objects: "",
    rest: "",
};

impl World {
    fn yaml(&self) -> String {
        let template = |limit: &str, request: &str| {
            let request = if request.is_empty() { String::new() } else { format!(", requests: {{memory: {request}}}") };
            format!(
                "{{containers: [{{name: main, image: cart:1, resources: {{limits: {{memory: {limit}}}{request}}}{}}}]{}}}",
                self.container, self.spec
            )
        };
        let owner = |kind: &str, name: &str| {
            format!("ownerReferences: [{{apiVersion: apps/v1, kind: {kind}, name: {name}, uid: u, controller: true}}]")
        };
        let set = |revision: usize, limit: &str| {
            format!(
                "- {{apiVersion: apps/v1, kind: ReplicaSet, metadata: {{name: cart-{revision}, namespace: shop, {}, annotations: {{deployment.kubernetes.io/revision: \"{revision}\"}}}}, spec: {{selector: {{matchLabels: {{app: cart}}}}, template: {{spec: {}}}}}}}\n",
                owner("Deployment", "cart"),
                template(limit, "")
            )
        };
        let own = template(self.limit, self.request);
        let mut sets: String = self.earlier.iter().enumerate().map(|(index, limit)| set(index + 1, limit)).collect();
        let last = self.earlier.len() + 1;
        sets.push_str(&set(last, self.limit));
        format!(
            "apiVersion: rca/v1alpha1
kind: Snapshot
takenAt: 2026-01-01T12:00:00Z
{}
objects:
- {{apiVersion: apps/v1, kind: Deployment, metadata: {{name: cart, namespace: shop{}}}, spec: {{replicas: {}, strategy: {}, selector: {{matchLabels: {{app: cart}}}}, template: {{spec: {own}}}}}}}
{sets}- apiVersion: v1
  kind: Pod
  metadata: {{name: cart-{last}-x, namespace: shop, creationTimestamp: 2026-01-01T11:00:00Z, {}}}
  spec: {own}
  status:
    phase: Running
    startTime: 2026-01-01T11:00:00Z
    containerStatuses:
    - {{name: main, ready: false, restartCount: 4, state: {{waiting: {{reason: CrashLoopBackOff}}}}, lastState: {{terminated: {{exitCode: 137, reason: {}, startedAt: {}, finishedAt: 2026-01-01T11:58:00Z}}}}}}
{}",
            self.rest, self.meta, self.replicas, self.strategy, owner("ReplicaSet", &format!("cart-{last}")), self.reason, self.started, self.objects
        )
    }

    /// Returns what is recommended about resources.
    fn advice(&self) -> Option<Recommendation> {
        let yaml = self.yaml();
        let snapshot = capture::read("world.yaml", yaml.as_bytes(), Keep::default())
            .unwrap_or_else(|error| panic!("{error}\n{yaml}"));
        assert_eq!(snapshot.gaps, [], "{yaml}");
        let report = analyse(&snapshot, &Policy::default());
        let all = report.incidents.into_iter().flat_map(|incident| incident.cause.recommendations);
        all.into_iter().find(|advice| advice.sizing.is_some())
    }

    fn sizing(&self) -> (String, Sizing) {
        let advice = self.advice().expect("an advice");
        (advice.summary, *advice.sizing.expect("a number"))
    }

    fn after(&self) -> Option<String> {
        self.sizing().1.changes.first().map(|change| change.after.clone())
    }
}

#[test]
fn a_first_step_doubles_what_is_small_or_dies_at_once() {
    assert_eq!(WORLD.after().as_deref(), Some("128Mi"));
    assert_eq!(World { limit: "400Mi", ..WORLD }.after().as_deref(), Some("512Mi"));
    let quick = World { limit: "400Mi", started: "2026-01-01T11:57:55Z", ..WORLD };
    assert_eq!(quick.after().as_deref(), Some("800Mi"));
    assert_eq!(World { limit: "2Gi", ..WORLD }.after().as_deref(), Some("2560Mi"));
}

#[test]
fn an_earlier_raise_that_did_not_help_makes_the_step_larger() {
    let world = World { limit: "400Mi", earlier: &["300Mi"], ..WORLD };
    assert_eq!(world.after().as_deref(), Some("800Mi"));
    assert_eq!(world.sizing().1.basis.inputs.get("earlier").map(String::as_str), Some("300Mi"));
}

#[test]
fn after_four_raises_the_limit_is_not_the_cause() {
    let world = World { limit: "1Gi", earlier: &["64Mi", "128Mi", "256Mi", "512Mi"], ..WORLD };
    let (summary, sizing) = world.sizing();
    assert_eq!(sizing.basis.verdict, Verdict::NotTheLimit);
    assert_eq!((sizing.changes.len(), sizing.patch), (0, None));
    assert!(summary.contains("at 1Gi: look for a leak"), "{summary}");
}

#[test]
fn a_limit_that_was_lowered_is_restored() {
    let world = World { limit: "64Mi", earlier: &["300Mi"], ..WORLD };
    let (summary, sizing) = world.sizing();
    assert_eq!(sizing.basis.verdict, Verdict::Lowered);
    assert_eq!(summary, "set the memory limit of `main` from 64Mi to 300Mi again, as in the revision before");
}

#[test]
fn a_milli_byte_becomes_a_mebibyte() {
    let (summary, sizing) = World { limit: "128m", ..WORLD }.sizing();
    assert_eq!(sizing.basis.verdict, Verdict::Unit);
    assert_eq!(summary, "raise the memory limit of `main` from 128m to 128Mi");
}

#[test]
fn a_heap_above_the_limit_asks_for_the_pair() {
    let world = World { limit: "256Mi", container: ", command: [java, -Xmx512m, -jar, app.jar]", ..WORLD };
    let (summary, sizing) = world.sizing();
    assert_eq!(sizing.basis.verdict, Verdict::HeapFlag);
    assert_eq!(summary, "raise the memory limit of `main` from 256Mi to 688Mi, or lower -Xmx from 512m to 192m");
}

#[test]
fn a_heap_that_grows_with_the_limit_is_not_fed() {
    let world = World {
        limit: "1Gi",
        container: ", env: [{name: JAVA_TOOL_OPTIONS, value: -XX:MaxRAMPercentage=95}]",
        ..WORLD
    };
    let (summary, sizing) = world.sizing();
    assert_eq!(sizing.basis.verdict, Verdict::HeapFlag);
    assert_eq!(sizing.changes[0].after, "-XX:MaxRAMPercentage=75");
    assert!(summary.contains("set -XX:MaxRAMPercentage from 95 to 75"), "{summary}");
}

#[test]
fn workers_share_the_limit() {
    let (summary, sizing) = World {
        limit: "128Mi",
        started: "2026-01-01T11:57:55Z",
        container: ", command: [gunicorn, -w, \"4\", app]",
        ..WORLD
    }
    .sizing();
    assert_eq!(
        summary,
        "raise the memory limit of `main` from 128Mi to 256Mi, or run 2 workers of gunicorn instead of 4"
    );
    assert_eq!(sizing.basis.inputs.get("workers").map(String::as_str), Some("4 of gunicorn"));
}

#[test]
fn workers_of_a_measured_size_are_a_product() {
    let rest = "cadvisor:
  worker-1: |
    container_memory_working_set_bytes{container=\"main\",namespace=\"shop\",pod=\"cart-1-x\"} 1.26e+08 1767268800000
    container_processes{container=\"main\",namespace=\"shop\",pod=\"cart-1-x\"} 3";
    let container = ", command: [gunicorn, -w, \"4\", app]";
    let (summary, sizing) = World { limit: "128Mi", container, rest, ..WORLD }.sizing();
    // Two workers of 60Mi live, of four.
    assert_eq!(sizing.changes[0].after, "288Mi", "{summary}");
    assert_eq!(sizing.basis.verdict, Verdict::WorkerCount);
    assert!(summary.ends_with("or run 1 worker of gunicorn instead of 4"), "{summary}");
}

#[test]
fn growth_for_a_whole_life_is_a_leak() {
    // 10Mi an hour from 24Mi on, over four hours.
    let rest = "cadvisor: {}
metrics: {status: success, data: {resultType: matrix, result: [{metric: {__name__: container_memory_working_set_bytes, namespace: shop, pod: cart-1-x, container: main},
  values: [[1767254400, \"25165824\"], [1767256200, \"30408704\"], [1767258000, \"35651584\"], [1767261600, \"46137344\"], [1767265200, \"56623104\"]]}]}}";
    let (summary, sizing) = World { started: "2026-01-01T08:00:00Z", rest, ..WORLD }.sizing();
    assert_eq!(sizing.basis.verdict, Verdict::Leak, "{summary}");
    assert_eq!((sizing.changes.len(), sizing.patch), (0, None));
    assert!(summary.starts_with("find the leak in `main`: it grows by 10"), "{summary}");
    assert!(summary.contains("a limit of 128Mi would last 6h 21m longer"), "{summary}");
}

#[test]
fn a_peak_above_the_limit_is_better_than_a_step() {
    let rest = "metrics: {status: success, data: {resultType: matrix, result: [{metric: {__name__: container_memory_working_set_bytes, namespace: shop, pod: cart-1-x, container: main},
  values: [[1767100000, \"209715200\"], [1767200000, \"190000000\"]]}]}}";
    let (_, sizing) = World { limit: "128Mi", rest, ..WORLD }.sizing();
    assert_eq!(sizing.changes[0].after, "240Mi");
    assert_eq!(sizing.basis.formula, "1.15 × peak");
    assert_eq!(sizing.basis.footing.as_str(), "from-days");
}

#[test]
fn samples_under_the_limit_do_not_lower_the_step() {
    let rest = "usage: [{namespace: shop, pod: cart-1-x, container: main, cpu: 1m, memory: 5Mi}]";
    assert_eq!(World { rest, ..WORLD }.after().as_deref(), Some("128Mi"));
}

#[test]
fn files_in_memory_count() {
    let world = World {
        limit: "128Mi",
        container: ", volumeMounts: [{name: tmp, mountPath: /tmp}]",
        spec: ", volumes: [{name: tmp, emptyDir: {medium: Memory, sizeLimit: 100Mi}}]",
        ..WORLD
    };
    assert_eq!(world.after().as_deref(), Some("240Mi"));
}

#[test]
fn a_request_that_equals_the_limit_moves_with_it() {
    let advice = World { request: "64Mi", ..WORLD }.advice().expect("an advice");
    let command = "kubectl -n shop set resources deployment/cart -c main --limits=memory=128Mi --requests=memory=128Mi";
    assert_eq!(advice.command.as_deref(), Some(command));
    let advice = World { request: "32Mi", ..WORLD }.advice().expect("an advice");
    let command = "kubectl -n shop set resources deployment/cart -c main --limits=memory=128Mi";
    assert_eq!(advice.command.as_deref(), Some(command));
}

#[test]
fn the_patch_names_the_container_in_the_template() {
    let (_, sizing) = WORLD.sizing();
    let patch = serde_json::json!({"spec": {"template": {"spec": {"containers": [{"name": "main", "resources": {"limits": {"memory": "128Mi"}}}]}}}});
    assert_eq!(sizing.patch, Some(patch));
}

#[test]
fn what_dies_while_it_is_loaded_gets_what_any_program_needs() {
    let world = World { limit: "10Mi", started: "2026-01-01T11:58:00Z", ..WORLD };
    assert_eq!(world.after().as_deref(), Some("64Mi"));
}

#[test]
fn a_limit_that_was_raised_since_is_waited_for() {
    let yaml = WORLD.yaml().replacen("limits: {memory: 64Mi}", "limits: {memory: 256Mi}", 1);
    let snapshot =
        capture::read("world.yaml", yaml.as_bytes(), Keep::default()).unwrap_or_else(|error| panic!("{error}"));
    let report = analyse(&snapshot, &Policy::default());
    let advice = &report.incidents[0].cause.recommendations[0];
    assert_eq!(advice.summary, "wait for the rollout of deployment/cart: its template says 256Mi for `main` by now");
}

#[test]
fn of_several_limits_under_which_it_was_killed_the_largest_counts() {
    let old = "- apiVersion: v1
  kind: Pod
  metadata: {name: cart-0-old, namespace: shop, ownerReferences: [{apiVersion: apps/v1, kind: ReplicaSet, name: cart-1, uid: u, controller: true}]}
  spec: {containers: [{name: main, image: cart:1, resources: {limits: {memory: 64Mi}}}]}
  status: {phase: Running, containerStatuses: [{name: main, ready: false, restartCount: 9, state: {waiting: {reason: CrashLoopBackOff}}, lastState: {terminated: {exitCode: 137, reason: OOMKilled, finishedAt: 2026-01-01T11:59:59Z}}}]}";
    let world = World { limit: "128Mi", earlier: &["64Mi"], objects: old, ..WORLD };
    assert_eq!(world.sizing().0, "raise the memory limit of `main` from 128Mi to 256Mi");
}

#[test]
fn what_helm_or_argo_keep_is_changed_there() {
    let helm = World {
        meta: ", labels: {app.kubernetes.io/managed-by: Helm}, annotations: {meta.helm.sh/release-name: shop}",
        ..WORLD
    };
    let temporary = helm.sizing().1.temporary.expect("a hint");
    assert_eq!(
        temporary,
        "Helm's release `shop` keeps deployment/cart: set resources.limits.memory of `main` there, as it will take back what is changed here"
    );
    let argo = World {
        meta: ", annotations: {argocd.argoproj.io/tracking-id: \"shop-prod:apps/Deployment:shop/cart\"}",
        ..WORLD
    };
    assert!(argo.sizing().1.temporary.expect("a hint").starts_with("Argo CD's application `shop-prod`"));
}

#[test]
fn who_was_not_killed_for_memory_is_not_told_to_raise() {
    assert!(World { reason: "Error", ..WORLD }.advice().is_none());
    let cache = "cadvisor: {worker-1: 'container_memory_usage_bytes{container=\"main\",namespace=\"shop\",pod=\"cart-1-x\"} 67108864'}";
    assert!(World { reason: "Error", rest: cache, ..WORLD }.advice().is_none());
}
