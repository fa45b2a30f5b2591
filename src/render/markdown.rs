//! `-o markdown`: for a ticket or a chat.
//!
//! What strangers may have written is shown as code wherever it could be markup, a mention or a link.

use std::borrow::Cow;
use std::fmt::Write as _;

use super::look::Look;
use super::safe;
use super::text::words::{count_kind, sure};
use super::text::{ago, decided, verdict, words};
use crate::model::{Evidence, Finding, Ids, Incident, Recommendation, Report, Severity, Sizing};

/// Nothing is shortened: a ticket is read by somebody who cannot ask again.
const LOOK: Look = Look { width: 0, color: false, wide: true, unicode: true };
const TAKES_ALL: &str = "a String takes everything";

/// Renders a report as Markdown.
pub fn render(report: &Report) -> String {
    let mut page = Page::default();
    let target = words::target(report, &LOOK).map(|target| format!("{target} in ")).unwrap_or_default();
    page.paragraph(&format!("## Why: {}", prose(&format!("{target}{}", words::scope(report, &LOOK)))));
    page.paragraph(&prose(&verdict::of(report, &LOOK)));
    for note in &report.notes {
        page.paragraph(&format!("> {}", prose(note)));
    }
    let mut ids = Ids::default();
    for incident in &report.incidents {
        write(&mut page, report, incident, &mut ids);
    }
    decided(&mut page, report);
    gaps(&mut page, report);
    page.text
}

fn write(page: &mut Page, report: &Report, incident: &Incident, ids: &mut Ids) {
    let severity = incident.severity.as_str();
    page.paragraph(&format!("### {severity}: {}", prose(&incident.cause.message)));
    page.paragraph(&about(report, incident));
    page.list("Evidence", incident.cause.evidence.iter().map(|evidence| observed(evidence, &ids.evidence())));
    page.list("Explains", incident.effects.iter().map(|effect| follows(effect, ids)));
    page.list("Hits", hits(incident).into_iter());
    if incident.severity > Severity::Info {
        let or = |other: &Finding| format!("{} ({})", prose(&other.message), sure(other.confidence));
        page.list("Or perhaps", incident.alternatives.iter().map(or));
    }
    page.list("What to do", incident.cause.recommendations.iter().map(|advice| advise(advice, &ids.recommendation())));
    page.list("To know more", incident.next.iter().map(|command| code(command)));
    if let Some(narrative) = incident.narrative.as_ref().filter(|narrative| narrative.is_a_models()) {
        let text: Vec<&str> = narrative.sentences.iter().map(|sentence| sentence.text.as_str()).collect();
        page.paragraph(&format!("> {} (by {}, checked)", prose(&text.join(" ")), prose(&narrative.by)));
    }
}

/// `deployment/shop/cart` · for 12m · 97 % sure · `oom-killed`.
fn about(report: &Report, incident: &Incident) -> String {
    let subject = &incident.cause.subject;
    let mut items = vec![code(&subject.object.to_string())];
    items.extend(subject.container.as_ref().map(|name| format!("container {}", code(name))));
    items.extend(ago::seen(report.taken_at, incident));
    let since = |known| if known { "known from the baseline" } else { "new since the baseline" };
    items.extend(decided::is_known(report, incident).map(since).map(str::to_owned));
    items.push(sure(incident.cause.confidence));
    items.push(code(incident.cause.rule.id));
    items.join(" · ")
}

fn observed(evidence: &Evidence, id: &str) -> String {
    let at = evidence.time.map(|time| format!(", {}", ago::to_the_second(time))).unwrap_or_default();
    let place = format!("**{id}** {} {}{at}", code(&evidence.object.to_string()), code(&evidence.path));
    if evidence.value.contains('\n') {
        format!("{place}:\n{}", fenced(&evidence.value, ""))
    } else {
        format!("{place}: {}", code(&evidence.value))
    }
}

fn follows(effect: &Finding, ids: &mut Ids) -> String {
    // They are numbered through, as in the other outputs.
    let first = effect.evidence.iter().map(|evidence| observed(evidence, &ids.evidence())).collect::<Vec<_>>();
    let proof: String = first.iter().map(|line| format!("\n- {}", indented(line))).collect();
    format!("{}{proof}", prose(&effect.message))
}

fn hits(incident: &Incident) -> Vec<String> {
    let groups = incident.affected.chunk_by(|a, b| (&a.api_version, &a.kind) == (&b.api_version, &b.kind));
    let line = |group: &[crate::model::ObjectRef]| {
        let names: Vec<String> = group.iter().map(|object| code(&object.name)).collect();
        format!("{}: {}", prose(&count_kind(group.len(), &group[0])), names.join(", "))
    };
    groups.map(line).collect()
}

fn advise(advice: &Recommendation, id: &str) -> String {
    let mut text = format!("**{id}** {}", prose(&advice.summary));
    if let Some(sizing) = &advice.sizing {
        text += &arithmetic(sizing);
    }
    if let Some(command) = &advice.command {
        write!(text, "\n{}", fenced(command, "sh")).expect(TAKES_ALL);
    }
    text
}

fn arithmetic(sizing: &Sizing) -> String {
    let basis = &sizing.basis;
    let inputs: Vec<String> = basis.inputs.iter().map(|(name, value)| format!("{name} {value}")).collect();
    let mut lines = vec![format!("{} ({}; {})", basis.formula, inputs.join(", "), basis.footing.as_str())];
    for change in &sizing.changes {
        lines.push(format!("{}: {} → {}", change.path, change.before.as_deref().unwrap_or("not set"), change.after));
    }
    for check in &sizing.checks {
        let word = if check.ok { "fits" } else { "does not fit" };
        lines.push(format!("{word}: {}: {}", check.what, check.detail));
    }
    if !sizing.unchecked.is_empty() {
        lines.push(format!("not checked, as they were not read: {}", sizing.unchecked.join(", ")));
    }
    lines.extend(sizing.temporary.clone());
    lines.iter().map(|line| format!("\n- {}", prose(line))).collect()
}

/// What the user decided to live with, and what is no more.
fn decided(page: &mut Page, report: &Report) {
    if !report.ignored.is_empty() {
        page.paragraph("### Ignored");
        page.items(report.ignored.iter().map(|one| prose(&decided::words(one))));
    }
    let gone = report.compared.iter().flat_map(|compared| &compared.gone);
    let gone: Vec<String> = gone.map(|(_, message)| prose(message)).collect();
    if !gone.is_empty() {
        page.paragraph("### Gone since the baseline");
        page.items(gone.into_iter());
    }
}

fn gaps(page: &mut Page, report: &Report) {
    if report.gaps.is_empty() {
        return;
    }
    page.paragraph("### Could not be read");
    let line = |gap: &crate::model::Gap| {
        let place = gap.namespace.as_ref().map(|namespace| format!(" in {}", code(namespace))).unwrap_or_default();
        let name = gap.name.as_ref().map(|name| format!(" of {}", code(name))).unwrap_or_default();
        format!("{}{name}{place}: {}", code(&gap.what), gap.reason.as_str())
    };
    page.items(report.gaps.iter().map(line));
    let rules: Vec<String> = report.not_evaluated.iter().map(|entry| code(entry.rule)).collect();
    if !rules.is_empty() {
        page.paragraph(&format!("Not evaluated for that: {}", rules.join(", ")));
    }
}

/// Paragraphs and lists, with an empty line between them.
#[derive(Default)]
struct Page {
    text: String,
}

impl Page {
    fn paragraph(&mut self, text: &str) {
        if !self.text.is_empty() {
            self.text.push('\n');
        }
        self.text.push_str(text);
        self.text.push('\n');
    }

    fn list(&mut self, title: &str, items: impl Iterator<Item = String>) {
        let items: Vec<String> = items.collect();
        if !items.is_empty() {
            self.paragraph(&format!("**{title}**"));
            self.items(items.into_iter());
        }
    }

    fn items(&mut self, items: impl Iterator<Item = String>) {
        let items: Vec<String> = items.map(|item| format!("- {}", indented(&item))).collect();
        self.paragraph(&items.join("\n"));
    }
}

/// What follows a list's sign belongs to the item by its indentation.
fn indented(text: &str) -> String {
    text.replace('\n', "\n  ")
}

/// Writes a sentence of ours with words of others in it: what is in backticks, and every word that could be more than a word, is
/// code.
fn prose(text: &str) -> String {
    let text = safe::line(text);
    if text.matches('`').count() % 2 == 1 {
        return code(&text);
    }
    let parts = text.split('`').enumerate();
    parts.map(|(at, part)| if at % 2 == 1 { code(part) } else { plain(part) }).collect()
}

fn plain(text: &str) -> String {
    let words: Vec<String> = text.split(' ').map(word).collect();
    words.join(" ")
}

fn word(word: &str) -> String {
    let is_calm = |c: char| c.is_alphanumeric() || ",.;:()'\"%+=/-?×→·–—".contains(c);
    let is_link = word.contains("//") || word.to_lowercase().contains("www.");
    // A sign at the start of a line would make a list or a heading.
    let is_sign = !word.is_empty() && word.chars().all(|c| "+-=.".contains(c));
    if word.chars().all(is_calm) && !is_link && !is_sign {
        return word.to_owned();
    }
    let end = word.trim_end_matches([',', '.', ';', ':', ')']).len();
    let start = word.len() - word.trim_start_matches('(').len();
    if start >= end {
        return code(word);
    }
    format!("{}{}{}", &word[..start], code(&word[start..end]), &word[end..])
}

/// Writes a span of code, fenced by more backticks than stand within.
fn code(text: &str) -> String {
    let text = safe::line(text);
    let fence = "`".repeat(longest_fence(&text) + 1);
    let text = if text.trim().is_empty() { Cow::Borrowed("(empty)") } else { text };
    let pad = if text.starts_with('`') || text.ends_with('`') { " " } else { "" };
    format!("{fence}{pad}{text}{pad}{fence}")
}

fn fenced(text: &str, language: &str) -> String {
    let text = safe::block(text);
    let fence = "`".repeat(longest_fence(&text).max(2) + 1);
    format!("{fence}{language}\n{}\n{fence}", text.trim_end_matches('\n'))
}

fn longest_fence(text: &str) -> usize {
    text.split(|c| c != '`').map(str::len).max().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::sample;

    #[test]
    fn a_ticket_tells_everything() {
        insta::with_settings!({ prepend_module_to_snapshot => false, omit_expression => true }, {
            insta::assert_snapshot!("report.md", render(&sample::rich()));
        });
        assert!(render(&sample::healthy()).contains("nothing is wrong in namespace shop"));
        assert!(render(&sample::partial()).contains("found nothing wrong"));
    }

    #[test]
    fn what_was_decided_is_told() {
        let page = render(&sample::decided());
        for part in
            ["### Ignored", "`<replica>` by design", "### Gone since", "`<never>`", "· known from", "· new since"]
        {
            assert!(page.contains(part), "{part} is missing in\n{page}");
        }
    }

    #[test]
    fn words_of_strangers_stay_words() {
        for (text, expected) in [
            ("pod is <b>bold</b>, really", "pod is `<b>bold</b>`, really"),
            ("ask @everyone about #12", "ask `@everyone` about `#12`"),
            ("see https://evil.test/x.", "see `https://evil.test/x`."),
            ("see www.evil.test", "see `www.evil.test`"),
            ("[click](javascript:x)", "`[click](javascript:x`)"),
            ("the key `DB_HOST` of *all*", "the key `DB_HOST` of `*all*`"),
            ("one ` tick", "``one ` tick``"),
            ("- item", "`-` item"),
            ("64Mi (of 1Gi), in 12m", "64Mi (of 1Gi), in 12m"),
        ] {
            assert_eq!(prose(text), expected, "{text}");
        }
    }

    #[test]
    fn code_cannot_be_left() {
        assert_eq!(code("a `` b"), "```a `` b```");
        assert_eq!(code("`a`"), "`` `a` ``");
        assert_eq!(code("a\nb"), "`a ⏎ b`");
        assert_eq!(fenced("a\n```\n# b", "sh"), "````sh\na\n```\n# b\n````");
    }

    #[test]
    fn a_hostile_report_makes_no_markup() {
        let text = "x` <script>alert(1)</script> @all \n# Heading\n![i](http://evil.test)";
        let page = render(&sample::saying(text));
        let outside = outside_of_code(&page);
        for sign in ["<script", "@all", "![i]", "http://", "\n# "] {
            assert!(!outside.contains(sign), "{sign} is markup in:\n{outside}");
        }
        assert!(page.contains("<script"), "it is told all the same");
    }

    /// What Markdown takes for more than code: by the rules of fences, not by ours.
    fn outside_of_code(page: &str) -> String {
        let mut outside = String::new();
        let mut block: Option<usize> = None;
        for line in page.lines() {
            let ticks = line.trim_start().chars().take_while(|c| *c == '`').count();
            match block {
                Some(open) if ticks >= open && line.trim().len() == ticks => block = None,
                Some(_) => {}
                None if ticks >= 3 && !line.trim_start()[ticks..].contains('`') => block = Some(ticks),
                None => outside += &(without_spans(line) + "\n"),
            }
        }
        outside
    }

    fn without_spans(line: &str) -> String {
        let mut rest = line;
        let mut kept = String::new();
        while let Some(at) = rest.find('`') {
            kept += &rest[..at];
            let ticks = rest[at..].chars().take_while(|c| *c == '`').count();
            let after = &rest[at + ticks..];
            let Some(end) = closing(after, ticks) else {
                rest = after;
                continue;
            };
            rest = &after[end + ticks..];
        }
        kept + rest
    }

    fn closing(text: &str, ticks: usize) -> Option<usize> {
        let mut at = 0;
        while let Some(found) = text[at..].find('`') {
            let run = text[at + found..].chars().take_while(|c| *c == '`').count();
            if run == ticks {
                return Some(at + found);
            }
            at += found + run;
        }
        None
    }
}
