//! From a verdict to a finding: what all rules about signals share.

use super::change;
use super::observation::Observation;
use super::places::Place;
use super::verdict::{Trouble, Verdict};
use super::words::Signal;
use crate::model::store::HasMeta as _;
use crate::model::{Finding, Kind, ObjectRef, State};
use crate::render::quote;
use crate::rules::Rule;
use crate::scene::Scene;

/// So many alerts are quoted.
const QUOTED: usize = 6;

/// Reports the verdicts of a kind about workloads; `words` is what happens to the named object.
pub fn of_workloads(scene: &Scene<'_>, rule: &'static Rule, trouble: Trouble, words: &str) -> Vec<Finding> {
    let verdicts = scene.verdicts().iter().filter(|verdict| verdict.trouble == trouble);
    let found = verdicts.filter_map(|verdict| match verdict.place {
        Place::Workload(index) => {
            let object = scene.workloads()[index].object.clone();
            let finding = rule.finding(object.clone(), message(scene, verdict, &object, words));
            let list = quote::command(&["kubectl", "top", "pods", "-n", object.namespace()]);
            Some(evidence(scene, verdict, &object, finding).next(list))
        }
        Place::Node(_) => None,
    });
    found.collect()
}

/// Reports the verdicts of a kind about nodes.
pub fn of_nodes(scene: &Scene<'_>, rule: &'static Rule, troubles: &[Trouble], words: &str) -> Vec<Finding> {
    let verdicts = scene.verdicts().iter().filter(|verdict| troubles.contains(&verdict.trouble));
    let found = verdicts.filter_map(|verdict| match verdict.place {
        Place::Node(index) => {
            let node = scene.snapshot.objects.nodes.iter().nth(index)?;
            let object = ObjectRef::new(Kind::Node, "", node.object.name());
            let finding = rule.finding(object.clone(), message(scene, verdict, &object, words));
            let on_node = scene.pods().filter(|pod| pod.node() == Some(object.name.as_str()) && !pod.is_finished());
            let finding = on_node.fold(finding, |finding, pod| finding.affects(pod.object()));
            let describe = quote::command(&["kubectl", "describe", "node", &object.name]);
            Some(evidence(scene, verdict, &object, finding).next(describe))
        }
        Place::Workload(_) => None,
    });
    found.collect()
}

fn message(scene: &Scene<'_>, verdict: &Verdict<'_>, object: &ObjectRef, words: &str) -> String {
    let mut message = format!("{} {words}", object.short());
    if let Some(told) = verdict.observations.first().and_then(told) {
        message.push_str(&format!(": {told}"));
    }
    let names: Vec<String> =
        verdict.effects.iter().map(|index| scene.workloads()[*index].object.name.clone()).collect();
    match names.as_slice() {
        [] => {}
        [one] => message.push_str(&format!("; {one} suffers from it")),
        several => message.push_str(&format!("; {} others suffer from it", several.len())),
    }
    let busy = verdict.observations.iter().find_map(|observation| match observation.place {
        Place::Workload(index) if observation.place != verdict.place && verdict.callees.contains(&index) => Some(index),
        _ => None,
    });
    if let Some(index) = busy {
        message.push_str(&format!("; {}, which it calls, is busy", scene.workloads()[index].object.name));
    }
    message
}

/// Returns an alert's own words.
fn told(observation: &Observation<'_>) -> Option<String> {
    let annotations = &observation.alert.annotations;
    let text = annotations.get("description").or(annotations.get("summary")).or(annotations.get("message"))?;
    let line = text.trim().lines().next().unwrap_or_default();
    Some(line.chars().take(150).collect::<String>().trim_end_matches('.').to_owned()).filter(|text| !text.is_empty())
}

fn evidence(scene: &Scene<'_>, verdict: &Verdict<'_>, object: &ObjectRef, mut finding: Finding) -> Finding {
    for observation in verdict.observations.iter().take(QUOTED) {
        let alert = observation.alert;
        let words = with_numbers(observation, told(observation).unwrap_or_else(|| alert.name().to_owned()));
        let path = format!("alerts[{}].annotations", alert.name());
        finding = finding.because_at(place_of(scene, observation, object), path, words, alert.starts_at);
        finding = finding.seen(alert.starts_at, Some(scene.now()));
    }
    for index in &verdict.effects {
        finding = finding.affects(scene.workloads()[*index].object.clone());
    }
    for index in &verdict.callees {
        finding = finding.mentions(scene.workloads()[*index].object.clone());
    }
    finding.severity(verdict.severity).confidence(verdict.confidence).state(State::Present)
}

/// Adds what the series tell to words without numbers of their own.
fn with_numbers(observation: &Observation<'_>, words: String) -> String {
    match observation.changes.first() {
        // Only latencies are measured, in milliseconds.
        Some(change) if observation.signal == Signal::Latency && !change.percent && change::told(&words).is_empty() => {
            format!("{words} (from {:.0} ms to {:.0} ms)", change.before, change.after)
        }
        _ => words,
    }
}

fn place_of(scene: &Scene<'_>, observation: &Observation<'_>, fallback: &ObjectRef) -> ObjectRef {
    match observation.place {
        Place::Workload(index) => scene.workloads()[index].object.clone(),
        Place::Node(_) => fallback.clone(),
    }
}
