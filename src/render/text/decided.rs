//! What the user decided to live with, and what is new since an earlier report.

use jiff::Timestamp;

use super::incident;
use super::page::Page;
use super::words::count;
use crate::model::{Incident, Report};
use crate::policy::{Compared, Ignored};
use crate::render::look::Ink;

/// Returns whether an earlier report knew an incident; nothing where there is none to compare with.
pub(in crate::render) fn is_known(report: &Report, incident: &Incident) -> Option<bool> {
    report.compared.as_ref().map(|compared| compared.known.contains(&incident.id))
}

/// Parts what is broken into what is new and what an earlier report knew; all is new where there is none.
pub(super) fn part<'r>(report: &'r Report, troubles: Vec<&'r Incident>) -> (Vec<&'r Incident>, Vec<&'r Incident>) {
    let known = report.compared.as_ref().map(|compared| &compared.known);
    troubles.into_iter().partition(|incident| known.is_none_or(|known| !known.contains(&incident.id)))
}

/// Writes what an earlier report knew, a line each, and what has gone since.
pub(super) fn since(page: &mut Page, report: &Report, known: &[&Incident]) {
    let Some(compared) = &report.compared else { return };
    let since = compared.taken_at.map(|at| format!(" of {at:.0}")).unwrap_or_default();
    if !known.is_empty() {
        page.gap();
        page.put(&[(Ink::Dim, &format!("known from the baseline{since}, and still so:"))]);
    }
    for one in known {
        if page.look.wide {
            incident::write(page, one, report.taken_at);
        } else {
            incident::brief(page, one, report.taken_at);
        }
    }
    if !compared.gone.is_empty() {
        page.gap();
        page.put(&[(Ink::Dim, &format!("gone since the baseline{since}:"))]);
    }
    for (_, message) in &compared.gone {
        let message = page.look.line(message).into_owned();
        page.prose(&[(Ink::Plain, "  ")], Ink::Plain, &message);
    }
}

/// Writes what is ignored: never nothing, so that nobody takes it for healthy.
pub(super) fn ignored(page: &mut Page, report: &Report) {
    if report.ignored.is_empty() {
        return;
    }
    page.gap();
    let number = report.ignored.len();
    if !page.look.wide && number > FEW {
        page.put(&[(Ink::Dim, &format!("{number} ignored (-o wide lists them)"))]);
        return;
    }
    page.put(&[(Ink::Dim, &format!("{number} ignored:"))]);
    for one in &report.ignored {
        let text = page.look.line(&words(one)).into_owned();
        let lead = [(Ink::Plain, "  ")];
        page.hang(&lead, &[(Ink::Plain, "    ")], Ink::Plain, &text, 2);
    }
}

/// So many are listed without `-o wide`.
const FEW: usize = 3;

/// `error: container main of ... (oom-killed): known since last week, until 2026-12-31`.
pub(in crate::render) fn words(ignored: &Ignored) -> String {
    let cause = &ignored.incident.cause;
    let until = ignored.until.map(|until| format!(", until {}", day(until))).unwrap_or_default();
    let severity = ignored.incident.severity.as_str();
    format!("{severity}: {} ({}): {}{until}", cause.message, cause.rule.id, ignored.reason)
}

fn day(time: Timestamp) -> String {
    let text = time.to_string();
    text.split_once('T').map_or(text.clone(), |(day, _)| day.to_owned())
}

/// ` (1 new, 2 known)`, for the sum.
pub(super) fn comparison(compared: &Compared) -> String {
    format!("{}, {} known", count(compared.new.len(), "new incident"), compared.known.len())
}
