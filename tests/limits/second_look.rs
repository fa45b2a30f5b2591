//! Prints what a second look at the workloads of a capture recommends, for `tests/limits/rig.py`.

use std::path::Path;

use kubectl_rca::collect::capture;
use kubectl_rca::recommend::samples::Table;
use kubectl_rca::recommend::settle;
use kubectl_rca::scene::Scene;
use serde_json::{Value, json};

fn main() {
    let file = std::env::args().nth(1).expect("usage: second_look CAPTURE");
    let bytes = std::fs::read(&file).expect("a capture");
    let snapshot = capture::read(Path::new(&file).to_str().unwrap_or_default(), &bytes, false).expect("a capture");
    let scene = Scene::new(&snapshot);
    let table = Table::new(&scene);
    let advice = scene.workloads().iter().flat_map(|workload| {
        let containers = workload.template.iter().flat_map(|template| &template.containers);
        containers.filter_map(|container| {
            let advice = settle::second_look(&scene, &table, workload, &container.name)?;
            let sizing = advice.sizing.as_ref()?;
            Some(json!({"name": workload.object.name, "summary": advice.summary, "command": advice.command,
                "patch": sizing.patch.as_ref().map(|body| json!({"body": body})),
                "basis": {"verdict": sizing.basis.verdict.as_str(), "formula": sizing.basis.formula,
                    "inputs": sizing.basis.inputs, "result": sizing.basis.result}}))
        })
    });
    println!("{}", Value::Array(advice.collect()));
}
