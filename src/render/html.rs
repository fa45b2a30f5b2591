//! `-o html`: one page that stands for itself, to be opened on a phone, attached to a ticket, or printed.
//!
//! No script, and nothing from elsewhere: the page forbids both to itself, as it holds texts that strangers may have written.

mod amounts;
mod graph;
mod incident;
#[cfg(test)]
mod tests;
mod timeline;

use super::gap;
use super::look::Look;
use super::markup::line;
use super::text::{ago, decided, verdict, words};
use crate::model::{Ids, Report, Story};

const LOOK: Look = Look { width: 0, color: false, wide: true, unicode: true };
const STYLE: &str = include_str!("html/page.css");

/// Renders a report as a page, with pictures of its story if that is known.
pub fn render(report: &Report, story: Option<&Story>) -> String {
    let title = title(report);
    let mut page = format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\"/>\n\
         <meta name=\"color-scheme\" content=\"light dark\"/>\n<title>{title}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n\
         <header>\n<h1>{title}</h1>\n<p>{}</p>\n",
        line(&verdict::of(report, &LOOK))
    );
    for note in &report.notes {
        page += &format!("<p class=\"note\">{}</p>\n", line(note));
    }
    page += "</header>\n<main>\n";
    page += &contents(report);
    if let Some(story) = story {
        page += &timeline::draw(report, story);
    }
    let mut ids = Ids::default();
    for (index, incident) in report.incidents.iter().enumerate() {
        let dependencies = story.and_then(|story| story.dependencies.get(index)).map(Vec::as_slice).unwrap_or_default();
        page += &incident::write(report, incident, dependencies, &mut ids);
    }
    page += &decided(report);
    page += &unread(report);
    page += &story.map(timeline::list).unwrap_or_default();
    page + &format!(
        "</main>\n<footer>kubectl rca {}, at {}</footer>\n</body>\n</html>\n",
        env!("CARGO_PKG_VERSION"),
        ago::to_the_second(report.taken_at)
    )
}

fn title(report: &Report) -> String {
    let target = words::target(report, &LOOK).map(|target| format!("{target} in ")).unwrap_or_default();
    line(&format!("Why: {target}{}", words::scope(report, &LOOK)))
}

/// Links to the incidents, if there is more than one.
fn contents(report: &Report) -> String {
    if report.incidents.len() < 2 {
        return String::new();
    }
    let entry = |incident: &crate::model::Incident| {
        let severity = incident.severity.as_str();
        let message = prose(&incident.cause.message);
        format!(
            "<li><a href=\"#{}\"><span class=\"tag {severity}\">{severity}</span> {message}</a></li>\n",
            anchor(&incident.id)
        )
    };
    let entries: String = report.incidents.iter().map(entry).collect();
    format!("<nav><ol>\n{entries}</ol></nav>\n")
}

fn anchor(id: &str) -> String {
    format!("incident-{}", line(id))
}

/// Writes a message, in which names stand in backticks.
fn prose(text: &str) -> String {
    let text = line(text);
    if text.matches('`').count() % 2 == 1 {
        return text;
    }
    let parts = text.split('`').enumerate();
    parts.map(|(at, part)| if at % 2 == 1 { format!("<code>{part}</code>") } else { part.to_owned() }).collect()
}

/// What the user decided to live with, and what is no more.
fn decided(report: &Report) -> String {
    let ignored: Vec<String> = report.ignored.iter().map(decided::words).collect();
    let gone = report.compared.iter().flat_map(|compared| &compared.gone);
    let gone: Vec<String> = gone.map(|(_, message)| message.clone()).collect();
    listed("Ignored", &ignored) + &listed("Gone since the baseline", &gone)
}

fn listed(title: &str, lines: &[String]) -> String {
    if lines.is_empty() {
        return String::new();
    }
    let lines: String = lines.iter().map(|text| format!("<li>{}</li>\n", prose(text))).collect();
    format!("<section>\n<h2>{title}</h2>\n<ul>\n{lines}</ul>\n</section>\n")
}

fn unread(report: &Report) -> String {
    if report.gaps.is_empty() && report.not_evaluated.is_empty() {
        return String::new();
    }
    let mut text = "<section>\n<h2>Could not be read</h2>\n<ul>\n".to_owned();
    for gap in &report.gaps {
        let place =
            [&gap.namespace, &gap.name].into_iter().flatten().map(|word| format!(" / {word}")).collect::<String>();
        let what = line(&format!("{}{place}: {}", gap.what, gap.reason.as_str()));
        text += &format!("<li>{what} <span class=\"dim\">{}</span></li>\n", line(&gap::hint(gap)));
    }
    text += "</ul>\n";
    if !report.not_evaluated.is_empty() {
        let rules: Vec<&str> = report.not_evaluated.iter().map(|entry| entry.rule).collect();
        text += &format!("<p>Not evaluated for that: {}</p>\n", rules.join(", "));
    }
    text + "</section>\n"
}
