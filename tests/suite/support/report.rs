//! Reads reports.

use serde_json::Value;

/// Takes out of a report what differs between two moments.
pub(crate) fn timeless(mut report: Value) -> Value {
    report["meta"]["takenAt"] = Value::Null;
    report
}

/// Returns the reasons of the gaps of one resource.
pub(crate) fn gap_reasons(report: &Value, what: &str) -> Vec<String> {
    let gaps = report["gaps"].as_array().into_iter().flatten();
    let reasons = gaps.filter(|gap| gap["what"] == what).filter_map(|gap| gap["reason"].as_str());
    reasons.map(str::to_owned).collect()
}
