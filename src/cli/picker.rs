//! Which one is meant, when no name was typed: a list to choose from, the sick ones first with their symptom.

use dialoguer::FuzzySelect;

use super::ui::Ui;
use crate::failure::{Exit, Failure};
use crate::model::{Incident, Kind, ObjectRef, Report, Severity, Snapshot};
use crate::render::safe;

/// Rows that are shown at once.
const ROWS: usize = 15;

/// Something to choose.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Choice {
    name: String,
    symptom: Option<(Severity, String)>,
}

/// Lets the user choose an object of a kind.
///
/// # Errors
/// When there is none, or none is chosen.
pub(super) fn pick(kind: Kind, snapshot: &Snapshot, report: &Report, ui: &mut Ui) -> Result<String, Failure> {
    let choices = choices(kind, snapshot, report);
    let word = kind.name().to_lowercase();
    if choices.is_empty() {
        let place = snapshot.scope.namespaces.first().map(|name| format!(" in {name} namespace")).unwrap_or_default();
        return Err(Failure::new(
            Exit::Examined,
            format!("No resources found{}", if kind.namespaced() { &place } else { "" }),
        ));
    }
    let width = ui.look(false).width.saturating_sub(4);
    let rows: Vec<String> = choices.iter().map(|choice| row(choice, width)).collect();
    let select =
        FuzzySelect::new().with_prompt(format!("which {word}?")).items(&rows).default(0).max_length(ROWS).report(false);
    let chosen = select.interact_opt().map_err(|error| Failure::usage(format!("cannot ask for a name: {error}")));
    let chosen = chosen.map_err(|failure| failure.hint(format!("kubectl rca {word} NAME")))?;
    let chosen = chosen.and_then(|index| choices.into_iter().nth(index));
    chosen.map(|choice| choice.name).ok_or_else(|| Failure::new(Exit::Interrupted, format!("no {word} was chosen")))
}

/// Returns what there is to choose, worst first, then by name.
fn choices(kind: Kind, snapshot: &Snapshot, report: &Report) -> Vec<Choice> {
    let place = snapshot.scope.namespaces.first().map_or("", String::as_str);
    let place = if kind.namespaced() { place } else { "" };
    let names = snapshot.objects.names(kind, place).into_iter();
    let mut choices: Vec<Choice> = names
        .map(|name| Choice { name: name.to_owned(), symptom: symptom(&ObjectRef::new(kind, place, name), report) })
        .collect();
    let severity = |choice: &Choice| choice.symptom.as_ref().map(|(severity, _)| *severity);
    choices.sort_by(|a, b| severity(b).cmp(&severity(a)).then_with(|| a.name.cmp(&b.name)));
    choices
}

/// Returns the headline of the worst incident that concerns an object.
fn symptom(object: &ObjectRef, report: &Report) -> Option<(Severity, String)> {
    let concerns = |incident: &&Incident| {
        let findings = std::iter::once(&incident.cause).chain(&incident.effects);
        findings.map(|finding| &finding.subject.object).chain(&incident.affected).any(|other| other == object)
    };
    let broken = report.incidents.iter().filter(|incident| incident.severity > Severity::Info);
    broken.filter(concerns).map(|incident| (incident.severity, incident.cause.message.clone())).next()
}

fn row(choice: &Choice, width: usize) -> String {
    let text = match &choice.symptom {
        Some((severity, message)) => format!("{}  {}: {message}", choice.name, severity.as_str()),
        None => choice.name.clone(),
    };
    safe::shorten(&safe::line(&text), width).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Scope;
    use crate::render::sample;

    #[test]
    fn the_sick_come_first_with_their_symptom() {
        let report = sample::rich();
        let sick = report.incidents[0].cause.subject.object.clone();
        let mut snapshot = Snapshot::new(report.taken_at, Scope::namespace(sick.namespace()));
        for name in ["aaa", &sick.name, "zzz"] {
            let mut object = k8s_openapi::api::apps::v1::Deployment::default();
            object.metadata.name = Some(name.to_owned());
            object.metadata.namespace = Some(sick.namespace().to_owned());
            snapshot.objects.deployments.push(crate::model::Stored { object, changes: Vec::new(), raw: None });
        }
        snapshot.objects.sort();
        let choices = choices(Kind::Deployment, &snapshot, &report);
        let names: Vec<&str> = choices.iter().map(|choice| choice.name.as_str()).collect();
        assert_eq!(names, [sick.name.as_str(), "aaa", "zzz"]);
        assert!(row(&choices[0], 200).contains(report.incidents[0].severity.as_str()));
        assert_eq!(row(&choices[1], 200), "aaa");
    }
}
