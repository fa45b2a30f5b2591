//! What stands in the way of a larger limit, what fits, and what has to give.

use serde_json::Value;

use super::{WORLD, World};

/// Returns the summary of advice that does not fit, which has no patch and no command.
fn refused(objects: &'static str, replicas: u32) -> String {
    let advice = World { replicas, objects, ..WORLD }.advice().expect("an advice");
    let sizing = advice.sizing.expect("a number");
    assert!(!sizing.is_feasible(), "{}: {:?}", advice.summary, sizing.checks);
    assert_eq!((sizing.patch, advice.command, sizing.changes), (None::<Value>, None, Vec::new()));
    assert!(sizing.basis.result.is_some());
    advice.summary
}

#[test]
fn the_maximum_of_a_limit_range_stands_in_the_way() {
    let range = "- {apiVersion: v1, kind: LimitRange, metadata: {name: bounds, namespace: shop}, spec: {limits: [{type: Container, max: {memory: 100Mi}}]}}";
    let summary = "`main` needs a memory limit of about 128Mi, which does not fit (at most 100Mi does, which may not be enough): raise the maximum of limitrange/bounds";
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
fn what_was_not_read_is_not_said_to_fit() {
    let rest = "coverage: {pods: {namespaces: [shop]}, limitranges: {namespaces: [shop]}}";
    let (_, sizing) = World { rest, ..WORLD }.sizing();
    assert_eq!(sizing.unchecked, ["resourcequotas", "nodes"]);
    assert_eq!(WORLD.sizing().1.unchecked, Vec::<&str>::new());
}
