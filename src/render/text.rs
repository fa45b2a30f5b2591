//! The default output, and `-o wide`: for a terminal of any width, read at night.
//!
//! Worst first; of each incident what is wrong, the proof, what follows from it, what to do. What could not be read and
//! the sum come last, where the eye is when the output has scrolled by.

pub(super) mod ago;
pub(super) mod decided;
mod evidence;
mod excerpt;
mod gaps;
mod incident;
pub mod limits;
mod page;
mod table;
#[cfg(test)]
mod tests;
pub(super) mod verdict;
pub(super) mod words;
pub(super) mod wrap;

use page::Page;

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
    let verdict = verdict::of(report, look);
    if troubles.is_empty() {
        page.gap();
        page.prose(&[], Ink::Strong, &verdict);
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
        page.gap();
        page.prose(&[], Ink::Plain, &verdict);
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
