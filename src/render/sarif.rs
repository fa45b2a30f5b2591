//! `-o sarif`: SARIF 2.1.0, for code scanning and whatever else collects findings.
//!
//! An object of the cluster is a logical location; as some readers show nothing without a file, it is also given as a path
//! that names it, `shop/deployment/cart`.

use serde_json::{Map, Value, json};

use super::safe;
use super::text::decided;
use crate::model::{Evidence, Finding, Gap, Incident, ObjectRef, Report, Severity, Subject};
use crate::policy::Ignored;
use crate::rules::Rule;

const SCHEMA: &str = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";

/// Renders a report as SARIF with a final line break.
///
/// # Errors
/// When a value cannot be serialised, which is a bug.
pub fn render(report: &Report) -> anyhow::Result<Vec<u8>> {
    let rules = rules(report);
    let index = |rule: &Rule| rules.iter().position(|known| known.id == rule.id);
    let mut results: Vec<Value> =
        report.incidents.iter().map(|one| result(report, one, index(one.cause.rule))).collect();
    results.extend(report.ignored.iter().map(|one| suppressed(report, one, index(one.incident.cause.rule))));
    results.extend(report.compared.iter().flat_map(|compared| &compared.gone).map(gone));
    let log = json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {
                "name": "kubectl-rca",
                "version": env!("CARGO_PKG_VERSION"),
                "semanticVersion": env!("CARGO_PKG_VERSION"),
                "rules": rules.iter().map(|rule| descriptor(rule)).collect::<Vec<_>>(),
            }},
            "invocations": [{
                "executionSuccessful": true,
                "endTimeUtc": report.taken_at,
                "toolExecutionNotifications": report.gaps.iter().map(unread).collect::<Vec<_>>(),
            }],
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    });
    let mut bytes = serde_json::to_vec_pretty(&log)?;
    bytes.push(b'\n');
    Ok(bytes)
}

/// The rules of all causes, each once, in the order of the report.
fn rules(report: &Report) -> Vec<&'static Rule> {
    let mut rules: Vec<&'static Rule> = Vec::new();
    for incident in report.incidents.iter().chain(report.ignored.iter().map(|one| &one.incident)) {
        if !rules.iter().any(|known| known.id == incident.cause.rule.id) {
            rules.push(incident.cause.rule);
        }
    }
    rules
}

fn descriptor(rule: &Rule) -> Value {
    json!({
        "id": rule.id,
        "shortDescription": {"text": rule.summary},
        "help": {"text": rule.docs, "markdown": rule.docs},
        "defaultConfiguration": {"level": level(rule.severity)},
        "properties": {"category": rule.category},
    })
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical | Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Info => "note",
    }
}

fn result(report: &Report, incident: &Incident, rule_index: Option<usize>) -> Value {
    let cause = &incident.cause;
    let related: Vec<Value> = incident.effects.iter().enumerate().map(|(at, effect)| related(at, effect)).collect();
    let mut result = json!({
        "ruleId": cause.rule.id,
        "ruleIndex": rule_index,
        "level": level(incident.severity),
        "message": {"text": told(incident)},
        "locations": [location(&cause.subject)],
        "relatedLocations": related,
        "partialFingerprints": {"rcaIncident/v1": incident.id},
        // 0 to 100, as the specification wants it.
        "rank": (cause.confidence * 100.0).round(),
        "properties": {"severity": incident.severity.as_str(), "confidence": (cause.confidence * 100.0).round() / 100.0},
    });
    if let Some(is_known) = decided::is_known(report, incident) {
        result["baselineState"] = if is_known { "unchanged" } else { "new" }.into();
    }
    result
}

/// What the user decided to live with.
fn suppressed(report: &Report, ignored: &Ignored, rule_index: Option<usize>) -> Value {
    let mut result = result(report, &ignored.incident, rule_index);
    result["suppressions"] = json!([{"kind": "external", "justification": safe::line(&ignored.reason)}]);
    result
}

/// What an earlier report told and this one does not.
fn gone((id, message): &(String, String)) -> Value {
    json!({
        "message": {"text": safe::line(message)},
        "baselineState": "absent",
        "partialFingerprints": {"rcaIncident/v1": id},
    })
}

/// What is wrong, how that is known, what to do: readers show no more than the message.
fn told(incident: &Incident) -> String {
    let cause = &incident.cause;
    let mut lines = vec![safe::line(&cause.message).into_owned()];
    lines.extend(cause.evidence.iter().map(observed));
    lines.extend(cause.recommendations.iter().map(|advice| safe::line(&advice.summary).into_owned()));
    lines.join("\n")
}

fn observed(evidence: &Evidence) -> String {
    let Evidence { object, path, value, .. } = evidence;
    safe::line(&format!("{object} {path}: {value}")).into_owned()
}

fn related(at: usize, effect: &Finding) -> Value {
    let mut related = location(&effect.subject);
    if let Some(fields) = related.as_object_mut() {
        fields.insert("id".to_owned(), at.into());
        fields.insert("message".to_owned(), json!({"text": safe::line(&effect.message)}));
    }
    related
}

fn location(subject: &Subject) -> Value {
    let object = &subject.object;
    let mut logical = Map::new();
    logical.insert("name".to_owned(), safe::line(&object.name).into());
    logical.insert("fullyQualifiedName".to_owned(), safe::line(&object.to_string()).into());
    logical.insert("kind".to_owned(), "resource".into());
    if let Some(container) = &subject.container {
        logical.insert("properties".to_owned(), json!({"container": container}));
    }
    json!({
        "physicalLocation": {"artifactLocation": {"uri": path(object)}, "region": {"startLine": 1}},
        "logicalLocations": [logical],
    })
}

/// `shop/deployment/cart`, with everything escaped that may not stand in a path.
fn path(object: &ObjectRef) -> String {
    let kind = object.kind.to_lowercase();
    let parts = object.namespace.iter().map(String::as_str).chain([kind.as_str(), object.name.as_str()]);
    parts.map(segment).collect::<Vec<_>>().join("/")
}

fn segment(text: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte);
    // No step upwards, and no scheme.
    let is_dots = text.bytes().all(|byte| byte == b'.');
    let escaped =
        |byte: u8| if is_plain(byte) && !is_dots { char::from(byte).to_string() } else { format!("%{byte:02X}") };
    text.bytes().map(escaped).collect()
}

fn unread(gap: &Gap) -> Value {
    let place = gap.namespace.as_ref().map(|namespace| format!(" in namespace {namespace}")).unwrap_or_default();
    let text = format!("could not read {}{place}: {}", gap.what, gap.reason.as_str());
    json!({"level": "warning", "message": {"text": safe::line(&text)}, "descriptor": {"id": "gap"}})
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::sample;

    fn read(report: &Report) -> Value {
        serde_json::from_slice(&render(report).unwrap()).unwrap()
    }

    #[test]
    fn reports_keep_to_the_standard() {
        // The standard's own slip makes two of its patterns none: a bracket closes that was not opened.
        let schema = include_str!("../../tests/suite/schemas/sarif-2.1.0.json").replace("{2}]?$", "{2}$");
        let schema: Value = serde_json::from_str(&schema).unwrap();
        let validator = jsonschema::validator_for(&schema).unwrap();
        for report in [sample::rich(), sample::healthy(), sample::partial(), sample::hostile(), sample::decided()] {
            let log = read(&report);
            let errors: Vec<String> = validator.iter_errors(&log).map(|error| error.to_string()).collect();
            assert_eq!(errors, Vec::<String>::new());
        }
        let mut broken = read(&sample::rich());
        broken["runs"][0]["results"][0]["level"] = "fatal".into();
        assert!(!validator.is_valid(&broken), "the schema notices nothing");
    }

    #[test]
    fn an_incident_is_a_result_at_its_object() {
        insta::with_settings!({ prepend_module_to_snapshot => false, omit_expression => true }, {
            insta::assert_snapshot!("report.sarif", String::from_utf8(render(&sample::rich()).unwrap()).unwrap());
        });
    }

    #[test]
    fn what_was_decided_is_told_in_the_words_of_the_standard() {
        let log = read(&sample::decided());
        let results = log["runs"][0]["results"].as_array().unwrap();
        let states: Vec<&str> = results.iter().map(|one| one["baselineState"].as_str().unwrap()).collect();
        assert_eq!(states, ["new", "unchanged", "new", "new", "new", "absent"]);
        assert_eq!(results[4]["suppressions"][0]["justification"], "one <replica> by design");
        assert!(results[4]["ruleIndex"].is_u64());
    }

    #[test]
    fn a_path_stays_one() {
        let object = ObjectRef {
            api_version: "v1".to_owned(),
            kind: "Pod".to_owned(),
            namespace: Some("..".to_owned()),
            name: "a/b:c \u{1b}".to_owned(),
        };
        assert_eq!(path(&object), "%2E%2E/pod/a%2Fb%3Ac%20%1B");
    }
}
