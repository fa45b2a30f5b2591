use serde_json::Value;

use super::{render, schema};
use crate::model::Report;
use crate::render::sample;

fn json(report: &Report) -> Value {
    serde_json::from_slice(&render(report).unwrap()).unwrap()
}

#[test]
fn reports_keep_the_contract() {
    let schema = serde_json::to_value(schema()).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    for report in [sample::rich(), sample::healthy(), sample::partial(), sample::hostile()] {
        let report = json(&report);
        let errors: Vec<String> = validator.iter_errors(&report).map(|error| error.to_string()).collect();
        assert_eq!(errors, Vec::<String>::new());
    }
}

#[test]
fn a_broken_contract_is_noticed() {
    let schema = serde_json::to_value(schema()).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let mut report = json(&sample::rich());
    report["incidents"][0]["cause"]["subject"]["name"] = Value::Null;
    assert!(!validator.is_valid(&report));
    let mut report = json(&sample::rich());
    report["apiVersion"] = "rca/v1".into();
    assert!(!validator.is_valid(&report));
}

#[test]
fn ids_are_unique_in_a_report() {
    let report = json(&sample::rich());
    let mut ids: Vec<String> = Vec::new();
    for incident in report["incidents"].as_array().unwrap() {
        let findings = std::iter::once(&incident["cause"]).chain(incident["effects"].as_array().unwrap());
        let evidence = findings.flat_map(|finding| finding["evidence"].as_array().unwrap());
        let all = evidence.chain(incident["recommendations"].as_array().unwrap());
        ids.extend(all.map(|item| item["id"].as_str().unwrap().to_owned()));
    }
    let count = ids.len();
    ids.sort();
    ids.dedup();
    assert!(count > 10);
    assert_eq!(ids.len(), count);
}

#[test]
fn a_report_reads_as_the_contract_says() {
    insta::with_settings!({ snapshot_path => "../snapshots", prepend_module_to_snapshot => false, omit_expression => true }, {
        insta::assert_snapshot!("report.json", String::from_utf8(render(&sample::rich()).unwrap()).unwrap());
    });
}
