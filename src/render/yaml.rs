//! `-o yaml`: the same object as `-o json`.

use serde::Serialize;

use super::json::{self, dto};
use crate::json::Json;
use crate::model::Report;
use crate::model::limits::Limits;

/// Renders the report as YAML with a final line break.
///
/// # Errors
/// When a value cannot be serialised, which is a bug.
pub fn render(report: &Report) -> anyhow::Result<Vec<u8>> {
    write(&dto(report))
}

/// Renders limits as YAML with a final line break.
///
/// # Errors
/// When a value cannot be serialised, which is a bug.
pub fn limits(limits: &Limits) -> anyhow::Result<Vec<u8>> {
    write(&json::limits::dto(limits))
}

/// Writes anything as YAML with a final line break; JSON in between, so that one writer of YAML serves all types.
///
/// # Errors
/// When a value cannot be serialised.
pub fn write(value: &impl Serialize) -> anyhow::Result<Vec<u8>> {
    let json = serde_json::to_string(value)?;
    let mut text = serde_saphyr::to_string(&serde_json::from_str::<Json<'_>>(&json)?)?;
    if !text.ends_with('\n') {
        text.push('\n');
    }
    Ok(text.into_bytes())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;
    use crate::render::{json, sample};

    fn both(report: &Report) -> (Value, Value) {
        let yaml = String::from_utf8(render(report).unwrap()).unwrap();
        let read = serde_saphyr::from_str(&yaml).unwrap_or_else(|error| panic!("{error}\n{yaml}"));
        (read, serde_json::from_slice(&json::render(report).unwrap()).unwrap())
    }

    #[test]
    fn yaml_says_what_json_says() {
        for report in [sample::rich(), sample::healthy(), sample::partial(), sample::hostile()] {
            let (yaml, json) = both(&report);
            assert_eq!(yaml, json);
        }
    }

    #[test]
    fn text_that_looks_like_something_else_stays_text() {
        let strings = [
            "yes",
            "No",
            "on",
            "y",
            "~",
            "null",
            "012",
            "0o14",
            "0x1F",
            "1:30",
            "1e3",
            ".inf",
            "-.NaN",
            "1_000",
            "2026-11-21",
            "true",
            "",
            " ",
            " x",
            "x ",
            "a: b",
            "a #b",
            "- a",
            "? a",
            "*a",
            "&a",
            "!a",
            "%a",
            "@a",
            "`a",
            "|",
            ">",
            "{a",
            "[a",
            "'",
            "\"",
            "a\nb",
            "a\nb\n",
            "\n\na",
            "  a\nb",
            "a\r\nb",
            "\t",
            "\u{85}",
            "\u{feff}a",
            "\u{1b}[31m",
            "---",
            "...",
            "=",
            "<<",
        ];
        for text in strings {
            let (yaml, json) = both(&sample::saying(text));
            assert_eq!(yaml, json, "{text:?}");
            let quoted = yaml["incidents"][0]["cause"]["message"].as_str();
            assert_eq!(quoted, Some(text));
        }
    }

    proptest! {
        #[test]
        fn any_text_survives(text in any::<String>()) {
            let (yaml, json) = both(&sample::saying(&text));
            prop_assert_eq!(yaml, json);
        }
    }
}
