//! What could not be read and judged: compact, or in full.

use std::collections::BTreeMap;

use super::page::Page;
use super::words::count;
use crate::model::{Gap, GapReason, Report};
use crate::render::gap::hint;
use crate::render::look::Ink;

/// Kinds that are named for one reason unless everything is wanted.
const MOST: usize = 8;

/// Writes what could not be read, if anything.
pub(super) fn write(page: &mut Page, report: &Report) {
    if report.gaps.is_empty() && report.not_evaluated.is_empty() {
        return;
    }
    page.gap();
    if page.look.wide { in_full(page, report) } else { in_short(page, report) }
}

/// Writes what could not be read, where no rules are spoken of.
pub(super) fn could_not_read(page: &mut Page, gaps: &[Gap]) {
    if gaps.is_empty() {
        return;
    }
    page.gap();
    if page.look.wide {
        page.put(&[(Ink::Warning, "could not read:")]);
        gaps.iter().for_each(|gap| one(page, gap));
    } else {
        let text = format!("could not read {}", by_reason(page, gaps));
        page.prose(&[], Ink::Warning, &text);
    }
}

/// `could not read secrets, leases (forbidden); 3 of 92 rules were not evaluated (-o wide lists them)`.
fn in_short(page: &mut Page, report: &Report) {
    let mut said = Vec::new();
    if !report.gaps.is_empty() {
        said.push(format!("could not read {}", by_reason(page, &report.gaps)));
    }
    if !report.not_evaluated.is_empty() {
        said.push(format!("{} (-o wide lists them)", not_evaluated(report)));
    }
    page.prose(&[], Ink::Warning, &said.join("; "));
}

fn by_reason(page: &Page, gaps: &[Gap]) -> String {
    let mut reasons: BTreeMap<GapReason, Vec<&str>> = BTreeMap::new();
    for gap in gaps {
        let things = reasons.entry(gap.reason).or_default();
        if !things.contains(&gap.what.as_str()) {
            things.push(&gap.what);
        }
    }
    let grouped = reasons.into_iter().map(|(reason, things)| format!("{} ({})", some_of(&things), words(reason)));
    let text = grouped.collect::<Vec<_>>().join(", ");
    page.look.line(&text).into_owned()
}

fn some_of(things: &[&str]) -> String {
    if things.len() <= MOST + 1 {
        return things.join(", ");
    }
    format!("{} and {} more", things[..MOST].join(", "), things.len() - MOST)
}

fn not_evaluated(report: &Report) -> String {
    let verb = if report.not_evaluated.len() == 1 { "was" } else { "were" };
    // A report read back from elsewhere may not know how many rules there were.
    let of = match report.examined.rules {
        0 => count(report.not_evaluated.len(), "rule"),
        rules => format!("{} of {}", report.not_evaluated.len(), count(rules, "rule")),
    };
    format!("{of} {verb} not evaluated")
}

fn in_full(page: &mut Page, report: &Report) {
    if !report.gaps.is_empty() {
        page.put(&[(Ink::Warning, "could not read:")]);
    }
    for gap in &report.gaps {
        one(page, gap);
    }
    if !report.not_evaluated.is_empty() {
        let rules: Vec<&str> = report.not_evaluated.iter().map(|entry| entry.rule).collect();
        let lead = format!("{}: ", not_evaluated(report));
        page.put(&[(Ink::Warning, lead.trim_end())]);
        page.prose(&[(Ink::Plain, "  ")], Ink::Plain, &rules.join(", "));
    }
}

fn one(page: &mut Page, gap: &Gap) {
    let place = match (&gap.namespace, &gap.name) {
        (Some(namespace), Some(name)) => format!(" of {namespace}/{name}"),
        (Some(namespace), None) => format!(" in namespace {namespace}"),
        (None, Some(name)) => format!(" of {name}"),
        (None, None) => String::new(),
    };
    let message = if gap.message.is_empty() { String::new() } else { format!(": {}", gap.message) };
    let text = format!("{}{place} ({}){message}", gap.what, words(gap.reason));
    let text = page.look.line(&text).into_owned();
    page.prose(&[(Ink::Plain, "  ")], Ink::Plain, &text);
    let hint = hint(gap);
    if hint.starts_with("kubectl ") {
        page.command(&hint);
    } else {
        let hint = page.look.line(&hint).into_owned();
        page.prose(&[(Ink::Plain, "    ")], Ink::Dim, &hint);
    }
}

/// The report's word, as people write it.
fn words(reason: GapReason) -> String {
    reason.as_str().replace('-', " ")
}
