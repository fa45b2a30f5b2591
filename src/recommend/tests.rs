//! What is recommended in whole situations.

use jiff::SignedDuration;
use proptest::prelude::*;
use serde_json::Value;

use crate::analyse::analyse;
use crate::collect::capture;
use crate::model::sizing::Verdict;
use crate::model::{Recommendation, Sizing};
use crate::policy::Policy;
use crate::quantity::Quantity;
use crate::recommend::facts::{Bound, Facts, Heap, Kill, Peak, Point, Workers};
use crate::recommend::memory;
use crate::scene::pods::memory::How;

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
        let snapshot =
            capture::read("world.yaml", yaml.as_bytes(), false).unwrap_or_else(|error| panic!("{error}\n{yaml}"));
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
    assert_eq!(sizing.changes, []);
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
    assert!(summary.contains("a limit of 128Mi would last 6h longer"), "{summary}");
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

/// Returns the summary of advice that does not fit, which has no patch and no command.
fn refused(objects: &'static str, replicas: u32) -> String {
    let advice = World { replicas, objects, ..WORLD }.advice().expect("an advice");
    let sizing = advice.sizing.expect("a number");
    assert!(!sizing.is_feasible(), "{}: {:?}", advice.summary, sizing.checks);
    assert_eq!((sizing.patch, advice.command), (None::<Value>, None));
    advice.summary
}

#[test]
fn the_maximum_of_a_limit_range_stands_in_the_way() {
    let range = "- {apiVersion: v1, kind: LimitRange, metadata: {name: bounds, namespace: shop}, spec: {limits: [{type: Container, max: {memory: 100Mi}}]}}";
    let summary = "`main` needs a memory limit of about 128Mi, which does not fit (at most 96Mi does, which may not be enough): raise the maximum of limitrange/bounds";
    assert_eq!(refused(range, 1), summary);
}

#[test]
fn a_ratio_bounds_the_limit_by_the_request() {
    let range = "- {apiVersion: v1, kind: LimitRange, metadata: {name: bounds, namespace: shop}, spec: {limits: [{type: Container, maxLimitRequestRatio: {memory: \"2\"}}]}}";
    let advice = World { request: "32Mi", objects: range, ..WORLD }.advice().expect("an advice");
    assert!(
        advice.summary.contains("(nothing above 64Mi does): raise the request with the limit"),
        "{}",
        advice.summary
    );
    assert!(World { objects: range, ..WORLD }.sizing().1.is_feasible());
}

#[test]
fn a_quota_must_hold_all_replicas_and_the_surge() {
    let quota = "- {apiVersion: v1, kind: ResourceQuota, metadata: {name: team, namespace: shop}, spec: {hard: {limits.memory: 512Mi}}, status: {hard: {limits.memory: 512Mi}, used: {limits.memory: 256Mi}}}";
    // Four times 64Mi more, and one old pod of 64Mi beside them.
    let summary = refused(quota, 4);
    assert!(
        summary.contains(
            "(at most 112Mi does, which may not be enough): raise limits.memory of resourcequota/team by 64Mi"
        ),
        "{summary}"
    );
    let recreate = World { objects: quota, replicas: 4, strategy: "{type: Recreate}", ..WORLD };
    assert!(recreate.sizing().1.is_feasible());
}

#[test]
fn no_node_is_that_large() {
    let node = "- {apiVersion: v1, kind: Node, metadata: {name: worker-1}, status: {allocatable: {cpu: \"4\", memory: 1Gi, pods: \"110\"}}}";
    let advice = World { limit: "900Mi", objects: node, ..WORLD }.advice().expect("an advice");
    assert!(advice.summary.contains("at most 1Gi does"), "{}", advice.summary);
    assert!(advice.summary.contains("add a node with more memory"), "{}", advice.summary);
    assert!(World { limit: "400Mi", objects: node, ..WORLD }.sizing().1.is_feasible());
}

#[test]
fn a_limit_range_of_pods_counts_the_side_cars() {
    let range = "- {apiVersion: v1, kind: LimitRange, metadata: {name: bounds, namespace: shop}, spec: {limits: [{type: Pod, max: {memory: 256Mi}}]}}";
    let fits = World { objects: range, ..WORLD };
    assert!(fits.sizing().1.is_feasible());
    let beside = World {
        limit: "64Mi",
        // The list of containers goes on after the first.
        container: "}, {name: proxy, image: p:1, resources: {limits: {memory: 160Mi}}",
        objects: range,
        ..WORLD
    };
    let (summary, sizing) = beside.sizing();
    assert!(!sizing.is_feasible());
    assert!(summary.contains("at most 96Mi does"), "{summary}");
}

#[test]
fn a_quota_of_requests_matters_only_where_the_request_moves() {
    let quota = "- {apiVersion: v1, kind: ResourceQuota, metadata: {name: team, namespace: shop}, spec: {hard: {requests.memory: 64Mi}}, status: {hard: {requests.memory: 64Mi}, used: {requests.memory: 64Mi}}}";
    assert!(refused(quota, 1).contains("nothing above 64Mi does"));
    assert!(World { request: "32Mi", objects: quota, ..WORLD }.sizing().1.is_feasible());
}

#[test]
fn a_quota_with_scopes_is_left_to_the_server() {
    let quota = "- {apiVersion: v1, kind: ResourceQuota, metadata: {name: team, namespace: shop}, spec: {scopes: [BestEffort], hard: {limits.memory: 64Mi}}, status: {hard: {limits.memory: 64Mi}, used: {limits.memory: 64Mi}}}";
    assert_eq!(World { objects: quota, ..WORLD }.sizing().1.checks, []);
}

#[test]
fn a_surge_in_percent_is_rounded_up() {
    let quota = "- {apiVersion: v1, kind: ResourceQuota, metadata: {name: team, namespace: shop}, spec: {hard: {limits.memory: 448Mi}}, status: {hard: {limits.memory: 448Mi}, used: {limits.memory: 192Mi}}}";
    let surge = |strategy| World { objects: quota, replicas: 3, strategy, ..WORLD }.sizing().1;
    assert!(
        surge("{type: RollingUpdate, rollingUpdate: {maxSurge: 34%}}").checks[0].detail.contains("and 2 old beside")
    );
    assert!(surge("{type: RollingUpdate, rollingUpdate: {maxSurge: 1}}").is_feasible());
}

#[test]
fn a_large_node_that_the_pod_may_not_go_to_does_not_help() {
    let nodes = "- {apiVersion: v1, kind: Node, metadata: {name: big}, spec: {unschedulable: true}, status: {allocatable: {cpu: \"4\", memory: 64Gi, pods: \"110\"}}}
- {apiVersion: v1, kind: Node, metadata: {name: small}, status: {allocatable: {cpu: \"4\", memory: 1Gi, pods: \"110\"}}}";
    let (summary, sizing) = World { limit: "900Mi", objects: nodes, ..WORLD }.sizing();
    assert!(!sizing.is_feasible(), "{summary}");
}

#[test]
fn an_autoscaler_that_only_advises_is_listened_to() {
    let scaler = "- {apiVersion: autoscaling.k8s.io/v1, kind: VerticalPodAutoscaler, metadata: {name: cart, namespace: shop}, spec: {targetRef: {kind: Deployment, name: cart}, updatePolicy: {updateMode: \"Off\"}}, status: {recommendation: {containerRecommendations: [{containerName: main, target: {memory: 200Mi}}]}}}";
    let (_, sizing) = World { objects: scaler, ..WORLD }.sizing();
    assert!(sizing.is_feasible());
    assert_eq!(sizing.changes[0].after, "208Mi");
    assert_eq!(sizing.basis.inputs.get("autoscaler").map(String::as_str), Some("200Mi"));
}

#[test]
fn what_dies_while_it_is_loaded_gets_what_any_program_needs() {
    let world = World { limit: "10Mi", started: "2026-01-01T11:58:00Z", ..WORLD };
    assert_eq!(world.after().as_deref(), Some("64Mi"));
}

#[test]
fn a_limit_that_was_raised_since_is_waited_for() {
    let yaml = WORLD.yaml().replacen("limits: {memory: 64Mi}", "limits: {memory: 256Mi}", 1);
    let snapshot = capture::read("world.yaml", yaml.as_bytes(), false).unwrap_or_else(|error| panic!("{error}"));
    let report = analyse(&snapshot, &Policy::default());
    let advice = &report.incidents[0].cause.recommendations[0];
    assert_eq!(advice.summary, "wait for the rollout of deployment/cart: its template says 256Mi for `main` by now");
}

#[test]
fn an_autoscaler_that_writes_memory_is_told_instead() {
    let scaler = "- {apiVersion: autoscaling.k8s.io/v1, kind: VerticalPodAutoscaler, metadata: {name: cart, namespace: shop}, spec: {targetRef: {kind: Deployment, name: cart}}}";
    let summary = refused(scaler, 1);
    assert!(summary.contains("set minAllowed.memory of verticalpodautoscaler/cart to 128Mi"), "{summary}");
}

#[test]
fn an_autoscaler_by_memory_is_named() {
    let scaler = "- {apiVersion: autoscaling/v2, kind: HorizontalPodAutoscaler, metadata: {name: cart, namespace: shop}, spec: {maxReplicas: 3, scaleTargetRef: {kind: Deployment, name: cart}, metrics: [{type: Resource, resource: {name: memory, target: {type: Utilization, averageUtilization: 80}}}]}}";
    let (_, sizing) = World { objects: scaler, ..WORLD }.sizing();
    assert!(sizing.is_feasible());
    assert!(
        sizing.checks.iter().any(|check| check.detail.contains("it will run fewer replicas")),
        "{:?}",
        sizing.checks
    );
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

fn quantities() -> impl Strategy<Value = Quantity> {
    let literals = "[0-9]{1,40}(m|n|k|Ki|Mi|Gi|Ti|Ei|E|e9|e99)?";
    prop_oneof![
        literals.prop_map(|literal| literal.parse().unwrap_or_default()),
        any::<i64>().prop_map(Quantity::from_bytes)
    ]
}

fn heaps() -> impl Strategy<Value = Heap> {
    let bound = prop_oneof![quantities().prop_map(Bound::Fixed), any::<i64>().prop_map(Bound::Percent)];
    bound.prop_map(|bound| Heap { flag: "-Xmx", value: "x".to_owned(), bound })
}

fn workers() -> impl Strategy<Value = Workers> {
    let measured = prop::option::of((quantities(), any::<i64>()));
    (2_i64..2000, measured).prop_map(|(count, measured)| Workers { program: "gunicorn", count, measured })
}

fn kills() -> impl Strategy<Value = Kill> {
    let lasted = prop::option::of(any::<i64>().prop_map(SignedDuration::from_secs));
    (quantities(), lasted, any::<i32>()).prop_map(|(limit, lasted, restarts)| Kill { limit, lasted, restarts })
}

fn facts() -> impl Strategy<Value = Facts> {
    let numbers = (quantities(), prop::collection::vec(quantities(), 0..7), prop::option::of(quantities()));
    let seen = (
        prop::collection::vec((any::<f64>(), any::<f64>()), 0..9),
        prop::collection::vec(kills(), 0..4),
        prop::option::of((quantities(), any::<i64>())),
    );
    let told = (prop::option::of(heaps()), prop::option::of(workers()), prop::option::of(quantities()));
    let how = prop_oneof![Just(How::Container), Just(How::Child), Just(How::Worker), Just(How::Start)];
    (numbers, seen, told, how).prop_map(
        |((limit, earlier, files), (points, kills, peak), (heap, workers, advised), how)| Facts {
            limit,
            literal: limit.mem(),
            how,
            kills,
            earlier,
            points: points.into_iter().map(|(seconds, bytes)| Point { seconds, bytes }).collect(),
            peak: peak.map(|(amount, window)| Peak { amount, window: SignedDuration::from_secs(window) }),
            heap,
            workers,
            files,
            advised,
            node_ran_out: false,
        },
    )
}

proptest! {
    #[test]
    fn absurd_facts_make_no_absurd_numbers(facts in facts()) {
        let estimate = memory::estimate(&facts);
        if let Some(limit) = estimate.limit {
            prop_assert!(limit > facts.limit && limit > Quantity::ZERO);
            prop_assert!(limit.mem().parse::<Quantity>().is_ok());
        }
        prop_assert!(!estimate.formula.is_empty());
        prop_assert!(estimate.inputs.contains_key("limit"));
        let words = format!("{} {:?} {:?}", estimate.formula, estimate.inputs, estimate.instead);
        prop_assert!(!words.contains("NaN") && !words.contains("inf"), "{}", words);
    }
}
