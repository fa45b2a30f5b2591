//! docs/rules.md, made from the same words as `kubectl rca explain`.
//!
//! `UPDATE_DOCS=1 cargo test --lib docs` writes it and the JSON Schema anew.

use std::fmt::Write as _;

use crate::model::Kind;
use crate::rules::{self, Rule};

const HEAD: &str = "\
<!-- Made from src/rules. To make it anew: UPDATE_DOCS=1 cargo test --lib docs -->
# Rules

What `kubectl rca explain RULE` tells, in one page.

";

/// Writes the page of all rules.
pub fn rules_markdown() -> String {
    let mut rules = rules::ALL.to_vec();
    rules.sort_by_key(|rule| rule.id);
    page(&rules)
}

fn page(rules: &[&Rule]) -> String {
    let mut page = HEAD.to_owned();
    page.push_str("| rule | severity | summary |\n|---|---|---|\n");
    for rule in rules {
        let summary = rule.summary.replace('|', "\\|");
        writeln!(page, "| [{id}](#{id}) | {} | {summary} |", rule.severity.as_str(), id = rule.id).expect(TAKES_ALL);
    }
    for rule in rules {
        section(&mut page, rule);
    }
    page
}

const TAKES_ALL: &str = "a String takes everything";

fn section(page: &mut String, rule: &Rule) {
    let Rule { id, summary, category, .. } = rule;
    let severity = rule.severity.as_str();
    write!(page, "\n## {id}\n\n{}.\n\n", capitalised(summary)).expect(TAKES_ALL);
    writeln!(page, "- category: `{category}`\n- severity: {severity}").expect(TAKES_ALL);
    let explained: Vec<String> = rule.explained().iter().map(|id| format!("[{id}](#{id})")).collect();
    for (label, list) in [("needs", kinds(rule.needs)), ("uses", kinds(rule.uses)), ("explains", explained.join(", "))]
    {
        if !list.is_empty() {
            writeln!(page, "- {label}: {list}").expect(TAKES_ALL);
        }
    }
    writeln!(page, "\n{}", deeper(rule.docs).trim_end()).expect(TAKES_ALL);
}

/// Puts the headings of a rule's docs below the rule's own.
fn deeper(docs: &str) -> String {
    let mut code = false;
    let mut text = String::new();
    for line in docs.lines() {
        code ^= line.trim_start().starts_with("```");
        if line.starts_with('#') && !code {
            text.push('#');
        }
        text.push_str(line);
        text.push('\n');
    }
    text
}

fn capitalised(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

fn kinds(kinds: &[Kind]) -> String {
    kinds.iter().map(|kind| kind.plural()).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
pub(crate) mod tests {
    use std::path::Path;

    use super::*;
    use crate::render::json;

    /// Compares a generated file with the one that is checked in, or writes it if `UPDATE_DOCS` is set.
    #[expect(clippy::disallowed_methods, reason = "a test may look at the files of the project")]
    pub(crate) fn assert_current(path: &str, text: &str) {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
        if std::env::var_os("UPDATE_DOCS").is_some() {
            std::fs::create_dir_all(file.parent().unwrap()).unwrap();
            std::fs::write(&file, text).unwrap();
        }
        let current = std::fs::read_to_string(&file).unwrap_or_default();
        assert!(current == text, "{path} is stale: run `UPDATE_DOCS=1 cargo test --lib docs`");
    }

    #[test]
    fn the_page_of_rules_is_current() {
        assert_current("docs/rules.md", &rules_markdown());
    }

    #[test]
    fn the_schema_is_current() {
        let text = serde_json::to_string_pretty(&json::schema()).unwrap() + "\n";
        assert_current("schema/report-v1alpha1.json", &text);
    }

    #[test]
    fn the_schema_of_limits_is_current() {
        let text = serde_json::to_string_pretty(&json::limits::schema()).unwrap() + "\n";
        assert_current("schema/limits-v1alpha1.json", &text);
    }

    #[test]
    fn headings_go_one_deeper_but_not_in_code() {
        assert_eq!(deeper("## A\n```\n# b\n```\n# C"), "### A\n```\n# b\n```\n## C\n");
    }
}
