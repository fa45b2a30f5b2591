//! Reads reports.

use serde_json::Value;

/// Takes out of a report its moment, also where it is the last time that something was seen.
pub(crate) fn timeless(mut report: Value) -> String {
    let moment = report["meta"]["takenAt"].clone();
    replace(&mut report, &moment);
    format!("{report:#}")
}

fn replace(value: &mut Value, moment: &Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| replace(item, moment)),
        Value::Object(fields) => fields.values_mut().for_each(|field| replace(field, moment)),
        other if other == moment => *other = "now".into(),
        _ => {}
    }
}

/// Checks that two texts are the same, and shows where they begin to differ.
#[track_caller]
pub(crate) fn is_same(found: &str, expected: &str, what: &str) {
    let differing = found.lines().zip(expected.lines()).find(|(one, other)| one != other);
    assert!(found == expected, "{what} differs: {differing:#?}");
}

/// Returns the reasons of the gaps of one resource.
pub(crate) fn gap_reasons(report: &Value, what: &str) -> Vec<String> {
    let gaps = report["gaps"].as_array().into_iter().flatten();
    let reasons = gaps.filter(|gap| gap["what"] == what).filter_map(|gap| gap["reason"].as_str());
    reasons.map(str::to_owned).collect()
}
