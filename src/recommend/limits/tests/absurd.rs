//! Absurd amounts and measurements make no absurd numbers, and no number comes without its arithmetic.

use proptest::prelude::*;
use serde_json::Value;

use super::WORLD;
use crate::analyse;
use crate::collect::capture;
use crate::collect::plan::Keep;
use crate::model::limits::{Field, Limits};
use crate::quantity::Quantity;
use crate::recommend::limits::order::Order;
use crate::recommend::limits::wanted::Wanted;
use crate::render;
use crate::render::text::Look;

fn literals() -> impl Strategy<Value = String> {
    prop_oneof!["-?[0-9]{1,30}(m|n|k|Ki|Mi|Gi|Ti|Ei|E|e9|e99)?", "[1-9][0-9]{0,3}(m|Mi|Gi)", "[a-h]{0,3}"]
}

fn amounts() -> impl Strategy<Value = String> {
    let list = || prop::collection::btree_map(prop_oneof![Just("cpu"), Just("memory")], literals(), 0..3);
    (list(), list())
        .prop_map(|(requests, limits)| serde_json::json!({"requests": requests, "limits": limits}).to_string())
}

/// Values of series as Prometheus writes them.
fn values() -> impl Strategy<Value = Vec<(i64, f64)>> {
    let value = prop_oneof![any::<f64>(), 0.0..1e12, 0.0..10.0, Just(f64::NAN), Just(f64::INFINITY)];
    prop::collection::vec((1_767_000_000_i64..1_767_300_000, value), 0..60)
}

fn metrics(series: &[(&str, Vec<(i64, f64)>)]) -> String {
    let wire = |(name, samples): &(&str, Vec<(i64, f64)>)| {
        let values: Vec<Value> = samples
            .iter()
            .map(|(time, value)| serde_json::json!([time, value.to_string().replace("inf", "+Inf")]))
            .collect();
        serde_json::json!({"metric": {"__name__": name, "namespace": "shop", "pod": "cart-1-x", "container": "main"}, "values": values})
    };
    let result: Vec<Value> = series.iter().map(wire).collect();
    serde_json::json!({"status": "success", "data": {"resultType": "matrix", "result": result}}).to_string()
}

fn sound(limits: &Limits) {
    for container in limits.workloads.iter().flat_map(|workload| &workload.containers) {
        for field in Field::ALL {
            let after = container.recommended.get(&field);
            if container.current.get(&field) == after {
                continue;
            }
            let basis = &container.basis[&field];
            assert!(!basis.formula.is_empty() && !basis.inputs.is_empty(), "{basis:?}");
            let Some(after) = after else { continue };
            let amount: Quantity = after.parse().unwrap_or_else(|error| panic!("{error}"));
            assert!(amount > Quantity::ZERO, "{after}");
            assert_eq!(basis.result.as_ref(), Some(after));
        }
    }
    let json = String::from_utf8(render::json::limits::render(limits).unwrap()).unwrap();
    assert!(!json.contains("NaN") && !json.contains("inf"), "{json}");
    numbers(&serde_json::from_str(&json).unwrap());
    for (width, wide) in [(40, false), (80, false), (160, true)] {
        render::text::limits::render(limits, &Look { width, color: false, wide, unicode: true });
    }
}

/// Checks that whatever is said to be a result or a value has a formula and inputs beside it.
fn numbers(json: &Value) {
    match json {
        Value::Object(fields) => {
            let is_number =
                fields.contains_key("result") || (fields.contains_key("value") && !fields.contains_key("path"));
            if is_number || fields.contains_key("requested") && fields.contains_key("formula") {
                assert!(fields.get("formula").is_some_and(|formula| formula.as_str() != Some("")), "{json}");
                assert!(fields.get("inputs").is_some_and(Value::is_object), "{json}");
            }
            fields.values().for_each(numbers);
        }
        Value::Array(items) => items.iter().for_each(numbers),
        _ => {}
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, ..ProptestConfig::default() })]

    #[test]
    fn absurd_amounts_make_no_absurd_numbers(
        resources in amounts(),
        memory in values(),
        cpu in values(),
        counter in values(),
        usage in (literals(), literals()),
        replicas in any::<i32>(),
    ) {
        let series = [
            ("container_memory_working_set_bytes", memory),
            ("container_cpu_usage_cores", cpu),
            ("container_cpu_usage_seconds_total", counter),
        ];
        let usage = serde_json::json!([{"namespace": "shop", "pod": "cart-1-x", "container": "main", "cpu": usage.0, "memory": usage.1}]);
        let yaml = WORLD.yaml().replace("resources: {}", &format!("resources: {resources}"));
        let yaml = yaml.replacen("replicas: 2", &format!("replicas: {replicas}"), 1);
        let yaml = yaml.replacen("objects:", &format!("metrics: {}\nusage: {usage}\nobjects:", metrics(&series)), 1);
        let snapshot = capture::read("world.yaml", yaml.as_bytes(), Keep::default()).unwrap_or_else(|error| panic!("{error}\n{yaml}"));
        sound(&analyse::limits(&snapshot, &Wanted::default(), Order::Waste).expect("workloads"));
    }
}

#[test]
fn the_contract_is_kept() {
    let schema = serde_json::to_value(render::json::limits::schema()).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let world = super::World { resources: "{requests: {memory: 1Gi}}", hours: 26, memory: 100.0, cpu: 0.11, ..WORLD };
    for limits in [world.limits(), WORLD.limits()] {
        let json: Value = serde_json::from_slice(&render::json::limits::render(&limits).unwrap()).unwrap();
        let errors: Vec<String> = validator.iter_errors(&json).map(|error| error.to_string()).collect();
        assert_eq!(errors, Vec::<String>::new());
        let yaml = String::from_utf8(render::yaml::limits(&limits).unwrap()).unwrap();
        assert_eq!(serde_saphyr::from_str::<Value>(&yaml).unwrap(), json);
    }
}
