//! The default output, and `-o wide`: for a terminal of any width, read at night.
//!
//! Worst first; of each incident what is wrong, the proof, what follows from it, what to do. What could not be read and
//! the sum come last, where the eye is when the output has scrolled by.

mod ago;
mod decided;
mod evidence;
mod excerpt;
mod gaps;
mod incident;
pub mod limits;
mod page;
mod table;
#[cfg(test)]
mod tests;
mod words;
pub(super) mod wrap;

use page::Page;
use words::count;

use super::look::Ink;
pub use super::look::Look;
use crate::model::{Incident, Report, Severity};

/// Renders a report for people.
pub fn render(report: &Report, look: &Look) -> String {
    let mut page = Page::new(*look);
    let broken = |incident: &&Incident| incident.severity > Severity::Info;
    let (troubles, asides): (Vec<&Incident>, Vec<_>) = report.incidents.iter().partition(broken);
    for note in &report.notes {
        let note = look.line(note).into_owned();
        page.prose(&[(Ink::Strong, "note: ")], Ink::Plain, &note);
    }
    if troubles.is_empty() {
        all_clear(&mut page, report);
    }
    let (new, known) = decided::part(report, troubles.clone());
    for trouble in &new {
        incident::write(&mut page, trouble, report.taken_at);
    }
    decided::since(&mut page, report, &known);
    beside(&mut page, report, &asides);
    decided::ignored(&mut page, report);
    gaps::write(&mut page, report);
    if !troubles.is_empty() {
        sum(&mut page, report, &troubles);
    }
    page.finish()
}

/// Renders what a model made of it, for below the report; empty if none did.
pub fn words(report: &Report, look: &Look) -> String {
    let mut page = Page::new(*look);
    for incident in &report.incidents {
        let Some(narrative) = &incident.narrative else { continue };
        let subject = look.line(&incident.cause.subject.object.to_string()).into_owned();
        let by = look.line(&narrative.by).into_owned();
        let by = if narrative.is_a_models() { format!("{by}, checked") } else { by };
        page.gap();
        page.put(&[(Ink::Strong, "in words: "), (Ink::Plain, &subject), (Ink::Dim, &format!(" (by {by})"))]);
        let text: Vec<&str> = narrative.sentences.iter().map(|sentence| sentence.text.as_str()).collect();
        let text = look.line(&text.join(" ")).into_owned();
        page.prose(&[(Ink::Plain, "  ")], Ink::Plain, &text);
    }
    let words = page.finish();
    if words.is_empty() { words } else { format!("\n{words}") }
}

/// History and advice: a line each, or in full.
fn beside(page: &mut Page, report: &Report, asides: &[&Incident]) {
    if page.look.wide {
        return asides.iter().for_each(|aside| incident::write(page, aside, report.taken_at));
    }
    if !asides.is_empty() {
        page.gap();
        page.put(&[(Ink::Dim, "not broken now, but worth knowing (-o wide tells more):")]);
    }
    for aside in asides {
        incident::brief(page, aside, report.taken_at);
    }
}

/// Says that nothing is wrong, or no more than is known.
fn all_clear(page: &mut Page, report: &Report) {
    page.gap();
    let look = page.look;
    let with = words::target(report, &look).map(|target| format!(" with {target}")).unwrap_or_default();
    let scope = words::scope(report, &look);
    // What is ignored or not shown is wrong all the same, and may be why a pod is not ready.
    let is_all = report.ignored.is_empty() && report.hidden == 0;
    let verdict = if !is_all {
        format!("nothing else was found wrong{with} in {scope}")
    } else if report.gaps.is_empty() && report.not_evaluated.is_empty() {
        match report.examined.unready {
            0 => format!("nothing is wrong{with} in {scope}"),
            1 => format!("nothing is wrong yet{with} in {scope}, but 1 pod is still starting"),
            young => format!("nothing is wrong yet{with} in {scope}, but {young} pods are still starting"),
        }
    } else {
        format!("found nothing wrong{with} in what could be read of {scope}")
    };
    page.prose(&[], Ink::Strong, &format!("{verdict}: {}", examined(report, &look)));
}

/// `1 critical, 2 warnings in namespace shop: examined ...`.
fn sum(page: &mut Page, report: &Report, troubles: &[&Incident]) {
    page.gap();
    let look = page.look;
    let number = |severity| troubles.iter().filter(|incident| incident.severity == severity).count();
    let counted = [
        (number(Severity::Critical), "critical".to_owned()),
        (number(Severity::Error), if number(Severity::Error) == 1 { "error" } else { "errors" }.to_owned()),
        (number(Severity::Warning), if number(Severity::Warning) == 1 { "warning" } else { "warnings" }.to_owned()),
    ];
    let counts: Vec<String> =
        counted.iter().filter(|(number, _)| *number > 0).map(|(number, word)| format!("{number} {word}")).collect();
    let place = words::scope(report, &look);
    let compared = report.compared.as_ref().map(|compared| format!(" ({})", decided::comparison(compared)));
    let compared = compared.unwrap_or_default();
    let text = format!("{} in {place}{compared}: {}", counts.join(", "), examined(report, &look));
    page.prose(&[], Ink::Plain, &text);
}

/// `examined 12 pods, 4 workloads, 3 services, 57 events by 92 rules at 12:00:00Z`.
fn examined(report: &Report, look: &Look) -> String {
    let examined = &report.examined;
    let counts = [
        (examined.pods, "pod"),
        (examined.workloads, "workload"),
        (examined.services, "service"),
        (examined.events, "event"),
    ];
    let counts: Vec<String> = counts.iter().map(|(number, thing)| count(*number, thing)).collect();
    let time = report.taken_at.to_string();
    let time = if look.wide { time } else { clock(&time) };
    format!("examined {} by {} at {time}", counts.join(", "), count(examined.rules, "rule"))
}

/// The time of day of a timestamp, to the second: `12:00:00Z`.
fn clock(time: &str) -> String {
    let time = time.split_once('T').map_or(time, |(_, time)| time);
    format!("{}Z", time.split(['.', 'Z']).next().unwrap_or_default())
}
