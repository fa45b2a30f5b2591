//! `-o`: kubectl's words for outputs, and ours.

use std::ffi::OsStr;

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use clap::error::ErrorKind;
use clap::{Arg, Command, Error};

use crate::render::jsonpath::Template;

/// The output formats.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Format {
    Text,
    Wide,
    Json,
    Yaml,
    Name,
    Markdown,
    Junit,
    Sarif,
    Html,
    JsonPath(Template),
}

/// All words that name a format, with what it is for. What only a report can be is left out for amounts.
const WORDS: &[(&str, Format, &str)] = &[
    ("text", Format::Text, "For people"),
    ("wide", Format::Wide, "For people who want everything"),
    ("json", Format::Json, "The whole answer, as `rca/v1alpha1`"),
    ("yaml", Format::Yaml, "The same as YAML"),
    ("name", Format::Name, "The objects to change, a line each"),
    ("markdown", Format::Markdown, "For a ticket"),
    ("html", Format::Html, "One page with pictures, for a browser, a phone or paper"),
    ("junit", Format::Junit, "For a pipeline: an incident is a test that failed"),
    ("sarif", Format::Sarif, "SARIF 2.1.0, for code scanning"),
];
const OF_AMOUNTS: usize = 5;
const JSONPATH: &str = "jsonpath=";
/// What kubectl prints and we do not.
const UNSUPPORTED: &[&str] = &[
    "go-template",
    "go-template-file",
    "template",
    "templatefile",
    "jsonpath-file",
    "jsonpath-as-json",
    "custom-columns",
    "custom-columns-file",
    "kyaml",
];

/// Reads the word behind `-o`.
#[derive(Clone, Copy, Debug)]
pub struct FormatParser {
    words: &'static [(&'static str, Format, &'static str)],
}

impl FormatParser {
    /// Returns the parser for reports.
    pub fn of_reports() -> Self {
        Self { words: WORDS }
    }

    /// Returns the parser for amounts, which are no incidents.
    pub fn of_amounts() -> Self {
        Self { words: &WORDS[..OF_AMOUNTS] }
    }

    fn values(self) -> impl Iterator<Item = PossibleValue> {
        let template =
            PossibleValue::new(JSONPATH).help("A template over the JSON, as in kubectl: `jsonpath={.incidents[*].id}`");
        self.words.iter().map(|(word, _, help)| PossibleValue::new(*word).help(*help)).chain([template])
    }
}

impl TypedValueParser for FormatParser {
    type Value = Format;

    fn parse_ref(&self, command: &Command, arg: Option<&Arg>, value: &OsStr) -> Result<Format, Error> {
        let text = value.to_string_lossy();
        let (word, rest) = text.split_once('=').map_or((&*text, None), |(word, rest)| (word, Some(rest)));
        if word == "jsonpath" {
            return template(rest.unwrap_or_default());
        }
        if UNSUPPORTED.contains(&word) {
            let message = format!("the output format \"{word}\" is not supported");
            return Err(refused(
                &message,
                "-o jsonpath='{.incidents[*].id}' picks from the report, -o json is all of it",
            ));
        }
        PossibleValuesParser::new(self.values()).parse_ref(command, arg, value)?;
        let found = self.words.iter().find(|(known, ..)| *known == word);
        found.map(|(_, format, _)| format.clone()).ok_or_else(|| Error::new(ErrorKind::InvalidValue))
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        Some(Box::new(self.values()))
    }
}

fn template(text: &str) -> Result<Format, Error> {
    let example = "-o jsonpath='{range .incidents[*]}{.severity} {.cause.message}{\"\\n\"}{end}'";
    if text.is_empty() {
        return Err(refused("the output format \"jsonpath\" needs a template", example));
    }
    Template::parse(text)
        .map(Format::JsonPath)
        .map_err(|error| refused(&format!("invalid jsonpath template: {error}"), example))
}

/// Shaped as clap's own errors, which are reworded as all failures are.
fn refused(message: &str, hint: &str) -> Error {
    Error::raw(ErrorKind::InvalidValue, format!("{message}\n\ntip: {hint}\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(word: &str) -> Result<Format, Error> {
        FormatParser::of_reports().parse_ref(&Command::new("rca"), None, OsStr::new(word))
    }

    #[test]
    fn every_word_is_understood() {
        for (word, format, _) in WORDS {
            assert_eq!(parse(word).ok().as_ref(), Some(format), "{word}");
        }
        assert!(matches!(parse("jsonpath={.kind}"), Ok(Format::JsonPath(_))));
    }

    #[test]
    fn what_is_not_understood_is_refused() {
        for word in
            ["xml", "", "json=x", "jsonpath", "jsonpath=", "jsonpath={.a", "go-template={{.}}", "custom-columns=A:.a"]
        {
            assert!(parse(word).is_err(), "{word}");
        }
        let amounts = FormatParser::of_amounts();
        assert!(amounts.parse_ref(&Command::new("rca"), None, OsStr::new("html")).is_err());
        assert!(amounts.parse_ref(&Command::new("rca"), None, OsStr::new("name")).is_ok());
    }
}
