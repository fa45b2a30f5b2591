//! How much a cluster is asked.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::json;

use crate::support::world::{self, SHOP, crash, object, owner, unschedule};
use crate::support::{Api, World};

/// How long the server takes for each answer: much longer than it takes to send twenty requests.
const DELAY: Duration = Duration::from_millis(250);

fn crowd(pods: usize) -> World {
    let mut world = World::new();
    world.deployment("web", pods - 3, |_| ()).deployment("cart", 3, crash);
    for pod in world.pods_of("web").iter().chain(&world.pods_of("cart")) {
        world.event("Pod", pod, "BackOff", "Back-off restarting failed container main");
    }
    world
}

fn asked_of_namespace(pods: usize) -> (usize, usize, usize) {
    let api = Api::serving(&crowd(pods));
    api.place().rca("namespace shop -o json").json();
    let seen = api.seen();
    let pages = seen.iter().filter(|seen| seen.is_page()).count();
    (api.count(), pages, seen.iter().filter(|seen| seen.is_log()).count())
}

#[test]
fn a_namespace_costs_as_many_requests_as_there_are_kinds() {
    let (few, no_pages, logs) = asked_of_namespace(10);
    assert!((20..=45).contains(&few), "{few} requests");
    assert_eq!(no_pages, 0);
    assert!(logs <= 10, "{logs} logs");
    for pods in [100, 3000] {
        let (count, _, logs) = asked_of_namespace(pods);
        assert_eq!(count, few, "with {pods} pods");
        assert!(logs <= 10, "{logs} logs");
    }
}

#[test]
fn nothing_is_asked_twice() {
    for line in [
        "namespace shop",
        "namespace -A",
        "limits -n shop",
        "pod cart-7d9f8c6b5d-x0000 -n shop",
        "capture -n shop -o x.rca",
    ] {
        let api = Api::serving(&crowd(10));
        api.place().rca(line).ok();
        let mut counts = BTreeMap::new();
        for seen in api.seen() {
            *counts.entry((seen.request.path, seen.request.query)).or_insert(0) += 1;
        }
        let twice: Vec<_> = counts.into_iter().filter(|(_, count)| *count > 1).collect();
        assert_eq!(twice, [], "{line}");
    }
}

#[test]
fn only_gets_are_sent() {
    let api = Api::serving(&crowd(10));
    let place = api.place();
    place.rca("namespace -A").ok();
    place.rca("pod cart-7d9f8c6b5d-x0000 -n shop --kubelet-metrics --read-tls-secrets").ok();
    assert!(api.seen().iter().all(|seen| seen.request.method == "GET"));
}

fn round_trips(world: &World, pod: &str) -> usize {
    let api = Api::slowly(world, DELAY);
    let run = api.place().rca(&format!("pod {pod} -n shop -o json"));
    run.ok();
    let chain = api.round_trips();
    let seen = api.seen();
    let spans: Vec<_> =
        seen.iter().map(|seen| format!("{:?}-{:?} {}", seen.from, seen.to, seen.request.path)).collect();
    assert!(chain <= 3, "{chain} round trips:\n{}", spans.join("\n"));
    chain
}

#[test]
fn a_running_pod_takes_three_round_trips() {
    let mut world = World::new();
    world.deployment("web", 3, |_| ());
    round_trips(&world, &world.pods_of("web")[0]);
}

#[test]
fn a_crashing_pod_with_a_custom_owner_takes_three_round_trips() {
    let mut world = World::new();
    world.deployment("cart", 2, crash);
    let rollout = json!({"apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout",
        "metadata": {"name": "cart", "namespace": SHOP, "uid": "r"}, "status": {"phase": "Degraded"}});
    world.add_at("/apis/argoproj.io/v1alpha1/rollouts", rollout);
    for path in ["/apis/apps/v1/replicasets", "/apis/apps/v1/deployments"] {
        for workload in world.collections.get_mut(path).unwrap() {
            workload["metadata"]["ownerReferences"] = owner("argoproj.io/v1alpha1", "Rollout", "cart");
        }
    }
    let pod = world.pods_of("cart")[0].clone();
    world.log(&pod, "main", "lookup db on 10.96.0.10:53: no such host\n").previous_log(&pod, "main", "panic: x\n");
    let api = Api::serving(&world);
    api.place().rca(&format!("pod {pod} -n shop")).ok();
    assert!(api.seen().iter().any(|seen| seen.request.path.ends_with("/namespaces/shop/rollouts/cart")));
    round_trips(&world, &pod);
}

#[test]
fn a_pending_pod_takes_three_round_trips() {
    let mut world = World::new();
    world.deployment("web", 2, unschedule);
    round_trips(&world, &world.pods_of("web")[0]);
}

#[test]
fn a_pod_with_claims_and_many_references_takes_three_round_trips() {
    let mut world = World::new();
    world.deployment("db", 1, |pod| {
        let claim = |name: &str| json!({"name": name, "persistentVolumeClaim": {"claimName": name}});
        let config = |name: &str| json!({"name": name, "configMap": {"name": name}});
        pod["spec"]["volumes"] =
            json!([claim("data"), claim("wal"), config("a"), config("b"), config("c"), config("d")]);
        pod["spec"]["containers"][0]["envFrom"] = json!([{"secretRef": {"name": "db"}}, {"secretRef": {"name": "s3"}},
            {"configMapRef": {"name": "e"}}, {"configMapRef": {"name": "f"}}]);
        crash(pod);
    });
    for name in ["data", "wal"] {
        let mut claim = object("v1", "PersistentVolumeClaim", name);
        claim["spec"] = json!({"volumeName": format!("pv-{name}"), "storageClassName": "fast"});
        claim["status"] = json!({"phase": "Bound"});
        world.add(claim);
        let mut volume = object("v1", "PersistentVolume", &format!("pv-{name}"));
        volume["spec"] = json!({"capacity": {"storage": "1Gi"}, "storageClassName": "fast"});
        world.add(volume);
    }
    for set in world.collections.get_mut("/apis/apps/v1/replicasets").unwrap() {
        set["metadata"]["ownerReferences"] = owner("db.example.com/v1", "Cluster", "db");
    }
    let mut cluster = json!({"apiVersion": "db.example.com/v1", "kind": "Cluster"});
    cluster["metadata"] = json!({"name": "db", "namespace": SHOP});
    world.add_at("/apis/db.example.com/v1/clusters", cluster);
    round_trips(&world, &world.pods_of("db")[0]);
}

#[test]
fn a_pod_of_a_cron_job_takes_three_round_trips() {
    let mut world = World::new();
    let mut cron = object("batch/v1", "CronJob", "nightly");
    cron["spec"] = json!({"schedule": "0 0 * * *", "jobTemplate": {}});
    world.add(cron);
    let mut job = object("batch/v1", "Job", "nightly-29000000");
    job["metadata"]["ownerReferences"] = owner("batch/v1", "CronJob", "nightly");
    job["spec"] = json!({"template": {"spec": {"containers": []}}});
    world.add(job);
    let mut pod = world::running_pod("nightly-29000000-abcde");
    pod["metadata"]["ownerReferences"] = owner("batch/v1", "Job", "nightly-29000000");
    crash(&mut pod);
    world.add(pod);
    let api = Api::serving(&world);
    api.place().rca("pod nightly-29000000-abcde -n shop").ok();
    assert!(api.seen().iter().any(|seen| seen.request.path.ends_with("/cronjobs/nightly")));
    round_trips(&world, "nightly-29000000-abcde");
}
