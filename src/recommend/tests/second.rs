//! Steps that may be too large, as a second look takes back what was too much.

use jiff::SignedDuration;

use super::{WORLD, World};
use crate::analyse::analyse;
use crate::collect::capture;
use crate::collect::plan::Keep;
use crate::model::sizing::Verdict;
use crate::policy::Policy;
use crate::quantity::Quantity;
use crate::recommend::samples::Table;
use crate::recommend::settle::{self, Calm};
use crate::scene::Scene;

const MEBI: i64 = 1 << 20;

fn mebi(number: i64) -> Quantity {
    Quantity::from_bytes(number * MEBI)
}

/// A container whose limit was raised from 64Mi to 256Mi, and that uses 100Mi at most.
fn calm() -> Calm {
    Calm {
        limit: mebi(256),
        literal: "256Mi".to_owned(),
        before: mebi(64),
        maximum: mebi(100),
        lives: SignedDuration::from_mins(10),
        lived: SignedDuration::from_mins(1),
    }
}

fn settled(calm: &Calm) -> Option<String> {
    settle::estimate(calm)?.limit.map(Quantity::mem)
}

#[test]
fn a_limit_comes_down_to_what_was_seen() {
    assert_eq!(settled(&calm()).as_deref(), Some("116Mi"));
    let inputs = settle::estimate(&calm()).expect("an estimate").inputs;
    assert_eq!(inputs.get("maximum").map(String::as_str), Some("100Mi"));
}

#[test]
fn a_limit_stays_while_the_peak_that_killed_it_was_not_seen_again() {
    assert_eq!(settled(&Calm { maximum: mebi(60), ..calm() }), None);
    // It lived for a minute before it was killed: two more say little.
    assert_eq!(settled(&Calm { lives: SignedDuration::from_mins(2), ..calm() }), None);
    // It always needs some time to start.
    let short = SignedDuration::from_secs(5);
    assert_eq!(settled(&Calm { lives: SignedDuration::from_secs(30), lived: short, ..calm() }), None);
}

#[test]
fn a_limit_that_is_about_right_stays() {
    assert_eq!(settled(&Calm { maximum: mebi(225), ..calm() }), None);
    // Page cache fills any limit.
    assert_eq!(settled(&Calm { maximum: mebi(256), ..calm() }), None);
}

/// The kernel's count for the container of the world that is killed.
const MEASURED: &str = "cadvisor:
  worker-1: |
    container_memory_max_usage_bytes{container=\"main\",namespace=\"shop\",pod=\"cart-1-x\"} 6.7e+07 1767268800000";

#[test]
fn steps_are_larger_where_the_kernel_tells_the_maximum_later() {
    let measured = World { rest: MEASURED, ..WORLD };
    assert_eq!(measured.after().as_deref(), Some("176Mi"));
    assert_eq!(measured.sizing().1.basis.formula, "max(2 × limit, limit + 100Mi)");
    // What lived for minutes under a larger limit takes the small step.
    assert_eq!(World { limit: "400Mi", ..measured }.after().as_deref(), Some("512Mi"));
    let rest = MEASURED.replace("cart-1-x", "cart-2-x").leak();
    let again = World { limit: "300Mi", earlier: &["200Mi"], rest, ..WORLD };
    assert_eq!(again.after().as_deref(), Some("912Mi"));
}

#[test]
fn a_larger_step_says_to_look_again() {
    let yaml = World { rest: MEASURED, ..WORLD }.yaml();
    let snapshot =
        capture::read("world.yaml", yaml.as_bytes(), Keep::default()).unwrap_or_else(|error| panic!("{error}"));
    let report = analyse(&snapshot, &Policy::default());
    let advice = &report.incidents[0].cause.recommendations[1];
    assert_eq!(
        advice.summary,
        "look again once `main` has lived through its peak: the limit comes down to what the kernel counted"
    );
    assert_eq!(advice.command.as_deref(), Some("kubectl rca limits deployment/cart -n shop --kubelet-metrics"));
}

#[test]
fn where_the_larger_step_does_not_fit_the_smaller_one_is_taken() {
    let range = "- {apiVersion: v1, kind: LimitRange, metadata: {name: bounds, namespace: shop}, spec: {limits: [{type: Container, max: {memory: 150Mi}}]}}";
    let measured = World { rest: MEASURED, objects: range, ..WORLD };
    assert_eq!(measured.after().as_deref(), Some("128Mi"));
}

#[test]
fn the_minimum_of_a_limit_range_is_met_by_limit_and_request() {
    let range = "- {apiVersion: v1, kind: LimitRange, metadata: {name: bounds, namespace: shop}, spec: {limits: [{type: Container, min: {memory: 200Mi}}]}}";
    let (_, sizing) = World { request: "32Mi", objects: range, ..WORLD }.sizing();
    let after: Vec<_> = sizing.changes.iter().map(|change| change.after.as_str()).collect();
    assert_eq!(after, ["200Mi", "200Mi"]);
    assert_eq!(sizing.basis.formula, "max(2 × limit, minimum of limitrange/bounds)");
}

#[test]
fn lives_under_two_limits_and_a_sample_show_a_leak() {
    // 1Mi a second: 44 seconds of it under 64Mi, 108 under 128Mi; the kubelet tells of the first for an hour.
    let started = "- {apiVersion: v1, kind: Event, metadata: {name: e, namespace: shop}, reason: Started, count: 2,
  involvedObject: {apiVersion: v1, kind: Pod, namespace: shop, name: cart-1-y, fieldPath: 'spec.containers{main}'},
  firstTimestamp: 2026-01-01T11:30:00Z, lastTimestamp: 2026-01-01T11:31:14Z}";
    let rest =
        "usage: [{namespace: shop, pod: cart-2-x, container: main, cpu: 1m, memory: 34Mi, time: 2026-01-01T11:56:24Z}]";
    let world =
        World { limit: "128Mi", earlier: &["64Mi"], started: "2026-01-01T11:55:40Z", objects: started, rest, ..WORLD };
    let (summary, sizing) = world.sizing();
    assert_eq!(sizing.basis.verdict, Verdict::Leak, "{summary}");
    let lasts = sizing.basis.inputs.get("lasts").map(String::as_str);
    // In truth 128 seconds.
    assert_eq!(lasts, Some("2m 11s"));
}

#[test]
fn a_second_look_at_a_cluster_lowers_what_was_raised() {
    let yaml = World { limit: "256Mi", request: "256Mi", earlier: &["64Mi"], ..WORLD }.yaml();
    let (head, _) = yaml.split_once("    - {name: main, ready").expect("a status");
    let lines = "cadvisor: {worker-1: 'container_memory_max_usage_bytes{container=\"main\",namespace=\"shop\",pod=\"cart-2-x\"} 1e+08'}";
    let yaml = format!(
        "{head}    - {{name: main, ready: true, restartCount: 0, state: {{running: {{startedAt: 2026-01-01T11:40:00Z}}}}}}\n{lines}\n"
    );
    // The first revision was there for five minutes.
    let yaml = yaml.replacen(
        "metadata: {name: cart-1, ",
        "metadata: {name: cart-1, creationTimestamp: 2026-01-01T11:35:00Z, ",
        1,
    );
    let snapshot =
        capture::read("world.yaml", yaml.as_bytes(), Keep::default()).unwrap_or_else(|error| panic!("{error}\n{yaml}"));
    let scene = Scene::new(&snapshot);
    let table = Table::new(&scene);
    let look = scene.workloads().iter().find_map(|workload| settle::look(&scene, &table, workload, "main"));
    let look = look.expect("an advice");
    assert_eq!(look.words, "it used 95Mi at most in the 20m since its limit was raised from 64Mi to 256Mi");
    assert_eq!((look.limit, look.request), (mebi(108), Some(mebi(108))));
}
