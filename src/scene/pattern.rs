//! Regular expressions over what programs print.
//!
//! They are of ASCII and without a search for literals beforehand: nearly all are asked about few and short texts, where
//! compiling costs more than searching, and that a fifth so.

use std::ops::{Index, Range};
use std::sync::OnceLock;

use regex_automata::Input;
use regex_automata::meta::{Config, Regex};
use regex_automata::util::captures::Captures;
use regex_automata::util::syntax;

/// Finds what a constant regular expression says; it is compiled when it is first asked.
///
/// Letters and digits are those of ASCII, other characters are matched by what excludes, such as `[^ ]` and `.`.
#[derive(Debug)]
pub struct Pattern {
    source: &'static str,
    compiled: OnceLock<Regex>,
}

impl Pattern {
    /// Makes a pattern of a regular expression in the syntax of the regex crate.
    pub const fn new(source: &'static str) -> Self {
        Self { source, compiled: OnceLock::new() }
    }

    fn compiled(&self) -> &Regex {
        self.compiled.get_or_init(|| {
            let syntax = syntax::Config::new().unicode(false).utf8(false);
            let config = Config::new().utf8_empty(false).auto_prefilter(false).onepass(false).dfa(false);
            let compiled = Regex::builder().syntax(syntax).configure(config).build(self.source);
            compiled.unwrap_or_else(|error| panic!("the constant pattern {}: {error}", self.source))
        })
    }

    /// Returns whether it is anywhere in a text.
    pub fn is_match(&self, text: &str) -> bool {
        self.compiled().is_match(text)
    }

    /// Returns the first place of a text, with its groups.
    pub fn captures<'t>(&self, text: &'t str) -> Option<Found<'t>> {
        let mut captures = self.compiled().create_captures();
        self.compiled().captures(text, &mut captures);
        captures.is_match().then_some(Found { text, captures })
    }

    /// Returns all places of a text, with their groups, without overlap.
    pub fn captures_iter<'t>(&'t self, text: &'t str) -> impl Iterator<Item = Found<'t>> {
        self.compiled().captures_iter(text).map(move |captures| Found { text, captures })
    }

    /// Returns all places of a text, without overlap.
    pub fn find_iter<'t>(&'t self, text: &'t str) -> impl Iterator<Item = Match<'t>> {
        self.compiled().find_iter(text).map(move |found| Match::new(text, found.range()))
    }

    /// Returns the first place of a text from a byte on.
    pub fn find_at<'t>(&self, text: &'t str, at: usize) -> Option<Match<'t>> {
        self.compiled().find(Input::new(text).range(at..)).map(|found| Match::new(text, found.range()))
    }

    /// Returns a text with something else in all those places.
    pub fn replace_all(&self, text: &str, with: &str) -> String {
        let mut replaced = String::with_capacity(text.len());
        let mut copied = 0;
        for found in self.find_iter(text) {
            replaced.push_str(&text[copied..found.start()]);
            replaced.push_str(with);
            copied = found.end();
        }
        replaced.push_str(&text[copied..]);
        replaced
    }
}

/// Where a pattern was found.
#[derive(Debug)]
pub struct Found<'t> {
    text: &'t str,
    captures: Captures,
}

impl<'t> Found<'t> {
    /// Returns a group, of which 0 is all that was found; `None` where it has no part in it.
    pub fn get(&self, group: usize) -> Option<Match<'t>> {
        Some(Match::new(self.text, self.captures.get_group(group)?.range()))
    }
}

/// The text of a group that is always there.
impl Index<usize> for Found<'_> {
    type Output = str;

    fn index(&self, group: usize) -> &str {
        self.get(group).map(Match::as_str).unwrap_or_default()
    }
}

/// A part of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Match<'t> {
    start: usize,
    found: &'t str,
}

impl<'t> Match<'t> {
    /// Leaves out the parts of characters at both ends: bytes are counted, and `{0,60}` may stop amid one.
    fn new(text: &'t str, found: Range<usize>) -> Self {
        let start = text.ceil_char_boundary(found.start);
        let end = text.floor_char_boundary(found.end).max(start);
        Self { start, found: &text[start..end] }
    }

    /// Returns what it says.
    pub fn as_str(self) -> &'t str {
        self.found
    }

    /// Returns where it starts in the text.
    pub fn start(self) -> usize {
        self.start
    }

    /// Returns where it ends in the text.
    pub fn end(self) -> usize {
        self.start + self.found.len()
    }
}

#[cfg(test)]
mod tests {
    use super::Pattern;

    #[test]
    fn groups_are_cut_at_whole_characters() {
        static QUOTED: Pattern = Pattern::new(r"'([^']{1,4})");
        assert_eq!(QUOTED.captures("say 'größer'").map(|found| found[1].to_owned()), Some("grö".to_owned()));
        assert_eq!(QUOTED.captures("say '€€€'").map(|found| found[1].to_owned()), Some("€".to_owned()));
        assert!(QUOTED.captures("say nothing").is_none());
    }

    #[test]
    fn letters_are_of_ascii_and_cases_are_ignored_where_asked() {
        static WORD: Pattern = Pattern::new(r"(?i)\bfailed\b");
        static ARROW: Pattern = Pattern::new(r"([0-9]+) (?:->|→) ([0-9]+)");
        assert!(WORD.is_match("it FAILED: größer") && !WORD.is_match("unfailed"));
        let found = ARROW.captures("from 3 → 12").map(|found| (found[1].to_owned(), found[2].to_owned()));
        assert_eq!(found, Some(("3".to_owned(), "12".to_owned())));
    }

    #[test]
    fn all_places_are_found() {
        static NUMBER: Pattern = Pattern::new(r"([0-9])[0-9]*");
        assert_eq!(
            NUMBER.find_iter("1, 22 and 333").map(|found| (found.start(), found.end())).collect::<Vec<_>>(),
            [(0, 1), (3, 5), (10, 13)]
        );
        assert_eq!(NUMBER.captures_iter("1, 22").map(|found| found[1].to_owned()).collect::<String>(), "12");
    }
}
