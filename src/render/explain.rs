//! `kubectl rca explain`: what a rule means, and which rules there are.

use tabled::builder::Builder;
use tabled::settings::object::Rows;
use tabled::settings::{Format, Modify, Padding, Style};

use super::look::{Ink, Look, columns};
use super::text::wrap::wrap;
use crate::model::Kind;
use crate::rules::{self, Rule};

/// Prose in longer lines than this is tiring, however wide the terminal is.
const PROSE: usize = 100;
/// The column of the summaries, the last.
const SUMMARY: usize = 3;
/// What a summary needs; other columns are left out before it gets less.
const SUMMARY_WIDTH: usize = 34;
/// How alike two ids must be for one to be meant when the other was typed.
const ALIKE: f64 = 0.75;

/// Explains a rule.
pub fn rule(rule: &Rule, look: &Look) -> String {
    let mut text = format!("{}\n{}\n", look.paint(Ink::Strong, rule.id), hanging(look, ("", 0), rule.summary));
    let mut fact = |label: &str, value: &str| {
        if value.is_empty() {
            return;
        }
        let lead = format!("{label:<10}");
        text.push_str(&hanging(look, (&look.paint(Ink::Dim, &lead), columns(&lead)), value));
    };
    fact("category", rule.category);
    fact("severity", rule.severity.as_str());
    fact("needs", &kinds(rule.needs));
    fact("uses", &kinds(rule.uses));
    fact("explains", &rule.explained().join(", "));
    text.push('\n');
    text.push_str(&markdown(rule.docs, look));
    text
}

/// Lists all rules as a table that fits the width.
pub fn list(look: &Look) -> String {
    table(rules::ALL, look)
}

/// Finds the ids that may have been meant, nearest first; at most three.
pub fn nearest(id: &str) -> Vec<&'static str> {
    nearest_of(id, rules::ALL)
}

fn nearest_of(id: &str, rules: &[&'static Rule]) -> Vec<&'static str> {
    let id = id.trim().to_lowercase().replace(['_', ' '], "-");
    let likeness = |rule: &Rule| {
        let part = !id.is_empty() && (rule.id.contains(&id) || id.contains(rule.id));
        if part { 1.0 } else { strsim::jaro_winkler(rule.id, &id) }
    };
    let mut near: Vec<(f64, &'static str)> =
        rules.iter().map(|rule| (likeness(rule), rule.id)).filter(|(likeness, _)| *likeness >= ALIKE).collect();
    near.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(b.1)));
    near.into_iter().take(3).map(|(_, id)| id).collect()
}

fn table(rules: &[&Rule], look: &Look) -> String {
    let cells = |rule: &Rule| [rule.id, rule.severity.as_str(), rule.category, rule.summary].map(str::to_owned);
    let header = ["RULE", "SEVERITY", "CATEGORY", "SUMMARY"].map(str::to_owned);
    let mut rows: Vec<[String; 4]> = vec![header];
    rows.extend(rules.iter().map(|rule| cells(rule)));
    let (shown, room) = fitting(&rows, look.columns());
    let mut builder = Builder::default();
    for row in &rows {
        let summary = wrap(&row[SUMMARY], room).join("\n");
        let others = shown.iter().map(|&column| row[column].clone());
        builder.push_record(others.chain([summary]));
    }
    let mut table = builder.build();
    table.with(Style::empty()).with(Padding::new(0, 2, 0, 0));
    table.with(Modify::new(Rows::first()).with(Format::content(|text| look.paint(Ink::Strong, text))));
    let lines: Vec<String> = table.to_string().lines().map(|line| line.trim_end().to_owned()).collect();
    lines.join("\n") + "\n"
}

/// Chooses which columns stand before the summary, and the width that is left for it.
fn fitting(rows: &[[String; 4]], width: usize) -> (&'static [usize], usize) {
    const CHOICES: [&[usize]; 3] = [&[0, 1, 2], &[0, 1], &[0]];
    let need = |column: usize| rows.iter().map(|row| columns(&row[column])).max().unwrap_or(0) + 2;
    let room = |shown: &[usize]| width.saturating_sub(shown.iter().map(|&column| need(column)).sum());
    let chosen = CHOICES.into_iter().find(|shown| room(shown) >= SUMMARY_WIDTH).unwrap_or(CHOICES[2]);
    (chosen, room(chosen).max(12))
}

fn kinds(kinds: &[Kind]) -> String {
    kinds.iter().map(|kind| kind.plural()).collect::<Vec<_>>().join(", ")
}

/// Prints Markdown as people read it: headings bold, paragraphs wrapped, code and lists as they are.
fn markdown(docs: &str, look: &Look) -> String {
    let mut text = String::new();
    let mut code = false;
    for line in docs.lines() {
        if line.trim_start().starts_with("```") {
            code = !code;
        } else if code {
            text.extend(["    ", &look.paint(Ink::Command, line), "\n"]);
        } else if let Some(heading) = line.strip_prefix('#') {
            let heading = heading.trim_start_matches('#').trim();
            text.extend([&look.paint(Ink::Strong, heading), "\n"]);
        } else if line.is_empty() {
            text.push('\n');
        } else if let Some(item) = line.strip_prefix("- ") {
            text.push_str(&hanging(look, ("  - ", 4), item));
        } else {
            text.push_str(&hanging(look, ("  ", 2), line));
        }
    }
    text
}

/// Wraps text after a lead of so many columns.
fn hanging(look: &Look, (lead, indent): (&str, usize), text: &str) -> String {
    let blanks = " ".repeat(indent);
    let lines = wrap(text, look.columns().min(PROSE).saturating_sub(indent));
    let leads = std::iter::once(lead).chain(std::iter::repeat(blanks.as_str()));
    leads.zip(&lines).map(|(lead, line)| format!("{lead}{line}").trim_end().to_owned() + "\n").collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::sample;

    const LOOK: Look = Look { width: 80, color: false, wide: false, unicode: true };

    #[test]
    fn a_rule_is_explained() {
        insta::with_settings!({ snapshot_path => "snapshots", prepend_module_to_snapshot => false, omit_expression => true }, {
            insta::assert_snapshot!("explain", rule(&sample::BACKENDS, &LOOK));
        });
    }

    #[test]
    fn the_table_fits_every_width() {
        for width in [60, 80, 120, 200] {
            let look = Look { width, ..LOOK };
            let text = table(sample::RULES, &look);
            for line in text.lines() {
                assert!(columns(line) <= width, "{width}: {line:?}");
            }
            insta::with_settings!({ snapshot_path => "snapshots", prepend_module_to_snapshot => false, omit_expression => true }, {
                insta::assert_snapshot!(format!("rules-{width}"), text);
            });
        }
    }

    #[test]
    fn all_rules_fit_every_width() {
        for width in [60, 80, 120, 200] {
            let text = list(&Look { width, ..LOOK });
            let widest = text.lines().map(columns).max();
            assert!(widest <= Some(width), "{width}: {widest:?}");
        }
    }

    #[test]
    fn slips_find_what_was_meant() {
        assert_eq!(nearest_of("service-backend-missing", sample::RULES), ["service-backends-missing"]);
        assert_eq!(nearest_of("Missing_Env", sample::RULES), ["missing-env"]);
        assert_eq!(nearest_of("service", sample::RULES), ["service-backends-missing"]);
        assert_eq!(nearest_of("zzz", sample::RULES), Vec::<&str>::new());
        assert_eq!(nearest("oom-kiled"), ["oom-killed"]);
    }
}
