//! Reads the contract back: what an agent printed becomes a report that can be printed in any format.
//!
//! The contract does not tell whether a finding is over, what became of the target, nor the last digits of a confidence;
//! [`Beside`] does.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::diagnose::target::Fate;
use crate::model::report::Examined;
use crate::model::sizing::{Basis, Check, FieldChange, Footing, Verdict};
use crate::model::{
    CustomType, Evidence, Finding, Gap, GapReason, Incident, Kind, Narrative, NotEvaluated, ObjectRef, Recommendation,
    Report, Risk, Scope, Sentence, Severity, Sizing, State, Subject, Target, Type,
};
use crate::policy::Ignored;
use crate::rules::{self, Rule};

/// What a report holds and its contract does not.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Beside {
    /// Of each target the nearest names, if it never was.
    #[serde(default)]
    pub never: Vec<Option<Vec<String>>>,
    /// Findings that are over, by incident and place: 0 is the cause.
    #[serde(default)]
    pub past: Vec<(usize, usize)>,
    /// How sure the cause of each incident is, and its alternatives, before that is rounded.
    #[serde(default)]
    pub sure: Vec<Vec<f64>>,
}

impl Beside {
    /// Takes from a report what its contract leaves out.
    pub fn of(report: &Report) -> Self {
        let never = report.fates.iter().map(|fate| match fate {
            Fate::Never { nearest } => Some(nearest.clone()),
            Fate::Present | Fate::Gone { .. } | Fate::Unknown => None,
        });
        let past = report.incidents.iter().enumerate().flat_map(|(index, incident)| {
            let findings = std::iter::once(&incident.cause).chain(&incident.effects).enumerate();
            findings.filter(|(_, finding)| finding.state == State::Past).map(move |(place, _)| (index, place))
        });
        let sure = report.incidents.iter().map(|incident| {
            std::iter::once(&incident.cause).chain(&incident.alternatives).map(|finding| finding.confidence).collect()
        });
        Self { never: never.collect(), past: past.collect(), sure: sure.collect() }
    }
}

/// Reads a report; `None` if it is none of this version of the contract.
pub fn read(document: &Value, beside: &Beside) -> Option<Report> {
    if document["apiVersion"] != "rca/v1alpha1" || document["kind"] != "Report" {
        return None;
    }
    let meta = &document["meta"];
    let mut report = Report {
        taken_at: time(&meta["takenAt"])?,
        server: text(&meta["server"]),
        context: text(&meta["context"]),
        scope: scope(&meta["scope"]),
        fates: beside.never.iter().cloned().map(fate).collect(),
        incidents: each(&document["incidents"], incident)?,
        ignored: each(&document["ignored"], ignored)?,
        hidden: 0,
        // What is new is told where the earlier report is.
        compared: None,
        not_evaluated: each(&document["notEvaluated"], not_evaluated)?,
        gaps: each(&document["gaps"], gap)?,
        examined: examined(&meta["examined"]),
        notes: texts(&meta["notes"]),
    };
    for (index, place) in &beside.past {
        let incident = report.incidents.get_mut(*index)?;
        let finding = if *place == 0 { &mut incident.cause } else { incident.effects.get_mut(place - 1)? };
        finding.state = State::Past;
    }
    for (incident, sure) in report.incidents.iter_mut().zip(&beside.sure) {
        let findings = std::iter::once(&mut incident.cause).chain(&mut incident.alternatives);
        findings.zip(sure).for_each(|(finding, sure)| finding.confidence = *sure);
    }
    Some(report)
}

/// Reads all items of an array; a field that is left out is an empty one.
fn each<T>(array: &Value, read: impl Fn(&Value) -> Option<T>) -> Option<Vec<T>> {
    array.as_array().into_iter().flatten().map(read).collect()
}

fn text(value: &Value) -> Option<String> {
    value.as_str().map(str::to_owned)
}

fn texts(array: &Value) -> Vec<String> {
    array.as_array().into_iter().flatten().filter_map(text).collect()
}

fn time(value: &Value) -> Option<Timestamp> {
    value.as_str()?.parse().ok()
}

fn count(value: &Value) -> usize {
    value.as_u64().and_then(|number| usize::try_from(number).ok()).unwrap_or_default()
}

fn fate(never: Option<Vec<String>>) -> Fate {
    never.map_or(Fate::Present, |nearest| Fate::Never { nearest })
}

fn scope(value: &Value) -> Scope {
    let words = value["target"]
        .as_str()
        .into_iter()
        .chain(value["targets"].as_array().into_iter().flatten().filter_map(Value::as_str));
    Scope { namespaces: texts(&value["namespaces"]), targets: words.filter_map(target).collect() }
}

/// Reads `pod/cart-0`; of a type that is not in the table only the word is known.
fn target(words: &str) -> Option<Target> {
    let (word, name) = words.split_once('/')?;
    let other = || {
        let (kind, plural) = (word.to_owned(), format!("{word}s"));
        Type::Custom(CustomType { api_version: String::new(), kind, plural, namespaced: true })
    };
    Some(Target::new(kind_of(word).map_or_else(other, Type::Known), name))
}

fn kind_of(word: &str) -> Option<Kind> {
    Kind::ALL.iter().copied().find(|kind| kind.name().eq_ignore_ascii_case(word))
}

fn examined(value: &Value) -> Examined {
    Examined {
        pods: count(&value["pods"]),
        unready: count(&value["unready"]),
        workloads: count(&value["workloads"]),
        services: count(&value["services"]),
        events: count(&value["events"]),
        rules: count(&value["rules"]),
    }
}

fn incident(value: &Value) -> Option<Incident> {
    let severity = severity(&value["severity"])?;
    let confidence = value["confidence"].as_f64()?;
    let cause = finding(&value["cause"])?;
    let recommendations = each(&value["recommendations"], recommendation)?;
    let mut incident = Incident {
        id: text(&value["id"])?,
        severity,
        cause: Finding { severity, recommendations, ..cause.confidence(confidence) },
        effects: each(&value["effects"], finding)?,
        affected: each(&value["affected"], object)?,
        alternatives: each(&value["alternatives"], alternative)?,
        first_seen: time(&value["firstSeen"]),
        last_seen: time(&value["lastSeen"]),
        next: texts(&value["next"]),
        narrative: value.get("narrative").and_then(narrative),
    };
    share_addresses(&mut incident);
    Some(incident)
}

fn ignored(value: &Value) -> Option<Ignored> {
    let severity = severity(&value["severity"])?;
    let subject = Subject { object: object(&value["subject"])?, container: text(&value["subject"]["container"]) };
    let cause = Finding { severity, ..rule(value)?.finding(subject, text(&value["message"])?) };
    let incident = Incident {
        id: text(&value["id"])?,
        severity,
        cause,
        effects: Vec::new(),
        affected: Vec::new(),
        alternatives: Vec::new(),
        first_seen: None,
        last_seen: None,
        next: Vec::new(),
        narrative: None,
    };
    let by = lasting(value["by"].as_str()?);
    Some(Ignored { incident, reason: text(&value["reason"])?, until: time(&value["until"]), by })
}

fn severity(value: &Value) -> Option<Severity> {
    let all = [Severity::Info, Severity::Warning, Severity::Error, Severity::Critical];
    all.into_iter().find(|severity| value == severity.as_str())
}

fn finding(value: &Value) -> Option<Finding> {
    let subject = Subject { object: object(&value["subject"])?, container: text(&value["subject"]["container"]) };
    let finding = rule(value)?.finding(subject, text(&value["message"])?);
    Some(Finding { evidence: each(&value["evidence"], evidence)?, ..finding })
}

fn alternative(value: &Value) -> Option<Finding> {
    let nowhere = ObjectRef { api_version: String::new(), kind: String::new(), namespace: None, name: String::new() };
    let finding = rule(value)?.finding(nowhere, text(&value["message"])?);
    Some(finding.confidence(value["confidence"].as_f64()?))
}

/// Finds a rule by its id; one of another version is made up from what is told of it.
fn rule(value: &Value) -> Option<&'static Rule> {
    let id = value["rule"].as_str()?;
    let category = value["category"].as_str();
    let known = rules::find(id).filter(|rule| category.is_none_or(|category| category == rule.category));
    Some(known.unwrap_or_else(|| {
        Box::leak(Box::new(Rule {
            id: lasting(id),
            category: lasting(category.unwrap_or("unknown")),
            summary: "",
            docs: "",
            severity: Severity::Warning,
            needs: &[],
            uses: &[],
            explains: &[],
            check: |_| Vec::new(),
        }))
    }))
}

/// Makes a word last: few are unknown, and the program ends soon.
fn lasting(word: &str) -> &'static str {
    Box::leak(word.to_owned().into_boxed_str())
}

fn object(value: &Value) -> Option<ObjectRef> {
    Some(ObjectRef {
        api_version: text(&value["apiVersion"])?,
        kind: text(&value["kind"])?,
        namespace: text(&value["namespace"]),
        name: text(&value["name"])?,
    })
}

/// Reads `pod/shop/cart-0` or `node/worker-1`; of a kind that is not in the table only the word is known.
fn address(value: &str) -> Option<ObjectRef> {
    let (word, rest) = value.split_once('/')?;
    let (namespace, name) = rest.split_once('/').map_or((None, rest), |(namespace, name)| (Some(namespace), name));
    let known = kind_of(word);
    Some(ObjectRef {
        api_version: known.map_or("", Kind::api_version).to_owned(),
        kind: known.map_or_else(|| word.to_owned(), |kind| kind.name().to_owned()),
        namespace: namespace.map(str::to_owned),
        name: name.to_owned(),
    })
}

fn evidence(value: &Value) -> Option<Evidence> {
    Some(Evidence {
        object: address(value["object"].as_str()?)?,
        path: text(&value["path"])?,
        value: text(&value["value"])?,
        time: time(&value["time"]),
    })
}

/// Evidence of custom objects gets the whole address, where another place tells it.
fn share_addresses(incident: &mut Incident) {
    let findings = std::iter::once(&incident.cause).chain(&incident.effects);
    let subjects = findings.map(|finding| finding.subject.object.clone());
    let known: BTreeMap<String, ObjectRef> =
        subjects.chain(incident.affected.iter().cloned()).map(|object| (object.to_string(), object)).collect();
    let findings = std::iter::once(&mut incident.cause).chain(&mut incident.effects);
    for evidence in findings.flat_map(|finding| &mut finding.evidence) {
        if let Some(object) = known.get(&evidence.object.to_string()) {
            evidence.object.clone_from(object);
        }
    }
}

fn recommendation(value: &Value) -> Option<Recommendation> {
    let risks = [("none", Risk::None), ("low", Risk::Low), ("medium", Risk::Medium), ("high", Risk::High)];
    let risk = risks.into_iter().find(|(word, _)| value["risk"] == *word)?.1;
    let recommendation = Recommendation::new(lasting(value["kind"].as_str()?), text(&value["summary"])?).risk(risk);
    Some(Recommendation {
        command: text(&value["command"]),
        sizing: value.get("basis").and_then(|basis| sizing(value, basis)).map(Box::new),
        ..recommendation
    })
}

fn sizing(value: &Value, basis: &Value) -> Option<Sizing> {
    let word = |value: &Value| Some(lasting(value.as_str()?));
    let change = |value: &Value| {
        Some(FieldChange { path: text(&value["path"])?, before: text(&value["before"]), after: text(&value["after"])? })
    };
    let check = |value: &Value| {
        Some(Check { what: text(&value["check"])?, ok: value["ok"].as_bool()?, detail: text(&value["detail"])? })
    };
    Some(Sizing {
        basis: Basis {
            verdict: Verdict::ALL.into_iter().find(|verdict| basis["verdict"] == verdict.as_str())?,
            footing: Footing::ALL.into_iter().find(|footing| basis["confidence"] == footing.as_str())?,
            formula: text(&basis["formula"])?,
            inputs: inputs(&basis["inputs"]),
            result: text(&basis["result"]),
        },
        changes: each(&value["changes"], change)?,
        checks: each(&value["feasible"]["checks"], check)?,
        unchecked: each(&value["feasible"]["unchecked"], word)?,
        patch: value.get("patch").map(|patch| patch["body"].clone()),
        temporary: text(&value["temporary"]),
    })
}

fn inputs(value: &Value) -> BTreeMap<&'static str, String> {
    let pairs = value.as_object().into_iter().flatten();
    pairs.filter_map(|(name, value)| Some((lasting(name), text(value)?))).collect()
}

fn narrative(value: &Value) -> Option<Narrative> {
    let sentence = |value: &Value| Some(Sentence { text: text(&value["text"])?, evidence: texts(&value["evidence"]) });
    Some(Narrative {
        by: text(&value["by"])?,
        sentences: each(&value["sentences"], sentence)?,
        struck: count(&value["struck"]),
    })
}

/// Reads `gap:G2,gap:G5`.
fn not_evaluated(value: &Value) -> Option<NotEvaluated> {
    let gaps = value["because"].as_str()?.split(',').filter_map(|gap| gap.strip_prefix("gap:G")?.parse::<usize>().ok());
    let id = value["rule"].as_str()?;
    let rule = rules::find(id).map_or_else(|| lasting(id), |rule| rule.id);
    Some(NotEvaluated { rule, gaps: gaps.map(|number| number.saturating_sub(1)).collect() })
}

fn gap(value: &Value) -> Option<Gap> {
    let what = text(&value["what"])?;
    Some(Gap {
        kind: Kind::find_plural(&what),
        what,
        namespace: text(&value["namespace"]),
        name: text(&value["name"]),
        reason: GapReason::ALL.into_iter().find(|reason| value["reason"] == reason.as_str())?,
        message: text(&value["message"]).unwrap_or_default(),
    })
}

#[cfg(test)]
mod tests {
    #![expect(clippy::disallowed_methods, reason = "the tests read the fixtures")]

    use std::path::{Path, PathBuf};

    use super::*;
    use crate::analyse::analyse;
    use crate::collect::capture;
    use crate::collect::plan::Keep;
    use crate::policy::Policy;
    use crate::render::look::Look;
    use crate::render::{json, name, text};

    fn collect(folder: &Path, paths: &mut Vec<PathBuf>) {
        for entry in std::fs::read_dir(folder).unwrap().flatten() {
            let path = entry.path();
            if path.is_dir() {
                collect(&path, paths);
            } else if path.extension().is_some_and(|extension| extension == "yaml") {
                paths.push(path);
            }
        }
    }

    fn back(report: &Report) -> Report {
        let document = serde_json::from_slice(&json::render(report).unwrap()).unwrap();
        read(&document, &Beside::of(report)).expect("a report")
    }

    fn is_the_same(report: &Report, of: &str) {
        let back = back(report);
        let bytes = |report| String::from_utf8(json::render(report).unwrap()).unwrap();
        assert_eq!(bytes(&back), bytes(report), "{of}");
        for wide in [false, true] {
            let look = Look { width: 100, color: false, wide, unicode: true };
            assert_eq!(text::render(&back, &look), text::render(report, &look), "{of}");
        }
        assert_eq!(name::render(&back), name::render(report), "{of}");
    }

    #[test]
    fn the_reports_of_all_fixtures_come_back_the_same() {
        let mut paths = Vec::new();
        collect(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src/rules"), &mut paths);
        paths.sort();
        assert!(paths.len() > 300);
        for path in paths {
            let name = path.display().to_string();
            let snapshot = capture::read(&name, &std::fs::read(&path).unwrap(), Keep::default()).unwrap();
            is_the_same(&analyse(&snapshot, &Policy::default()), &name);
        }
    }

    #[test]
    fn what_became_of_the_target_comes_back() {
        let mut report = crate::render::sample::healthy();
        report.fates = vec![Fate::Never { nearest: vec!["cart-1".to_owned()] }, Fate::Present];
        assert_eq!(back(&report).fates, report.fates);
    }

    #[test]
    fn a_rule_of_another_version_is_told_all_the_same() {
        let report = crate::render::sample::rich();
        let mut document: Value = serde_json::from_slice(&json::render(&report).unwrap()).unwrap();
        document["incidents"][0]["cause"]["rule"] = "of-tomorrow".into();
        let back = read(&document, &Beside::default()).unwrap();
        assert_eq!(back.incidents[0].cause.rule.id, "of-tomorrow");
        document["apiVersion"] = "rca/v2".into();
        assert!(read(&document, &Beside::default()).is_none());
    }
}
