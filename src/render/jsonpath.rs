//! `-o jsonpath=TEMPLATE`, as kubectl spells it: text with `{.incidents[*].id}`, `{range ...}...{end}` and `{"\n"}` in it.
//!
//! The paths themselves are those of RFC 9535; kubectl's shorter spellings are rewritten to them.

use std::borrow::Cow;

use jsonpath_rust::JsonPath as _;
use jsonpath_rust::parser::parse_json_path;
use serde_json::Value;

use super::safe;

/// A template that was understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template(Vec<Piece>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Text(String),
    Path(Path),
    Range(Path, Vec<Piece>),
}

/// A path from the whole or, within a range, from the current item.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Path {
    is_from_root: bool,
    path: String,
}

impl Template {
    /// Reads a template.
    ///
    /// # Errors
    /// With what is wrong with it, lower case and without a full stop.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut rest = text;
        let pieces = pieces(&mut rest, false)?;
        Ok(Self(pieces))
    }

    /// Fills it from a value.
    pub fn render(&self, value: &Value) -> String {
        let mut out = String::new();
        write(&self.0, value, value, &mut out);
        out
    }
}

/// Reads pieces up to the end, or to the `{end}` of a range.
fn pieces(rest: &mut &str, is_range: bool) -> Result<Vec<Piece>, String> {
    let mut pieces = Vec::new();
    loop {
        let all: &str = rest;
        let (text, after) = all.split_once('{').unwrap_or((all, ""));
        let is_last = text.len() == all.len();
        if !text.is_empty() {
            pieces.push(Piece::Text(text.to_owned()));
        }
        if is_last {
            *rest = "";
            return if is_range { Err("`{range}` has no `{end}`".to_owned()) } else { Ok(pieces) };
        }
        let end = closing(after).ok_or_else(|| format!("`{{{after}` has no `}}`"))?;
        let action = after[..end].trim();
        *rest = &after[end + 1..];
        if action == "end" {
            return if is_range { Ok(pieces) } else { Err("`{end}` has no `{range}`".to_owned()) };
        }
        pieces.push(piece(action, rest)?);
    }
}

fn piece(action: &str, rest: &mut &str) -> Result<Piece, String> {
    if let Some(path) = action.strip_prefix("range ") {
        return Ok(Piece::Range(self::path(path.trim())?, pieces(rest, true)?));
    }
    match action.chars().next() {
        Some(quote @ ('"' | '\'')) => {
            let text = action.strip_prefix(quote).and_then(|text| text.strip_suffix(quote));
            text.map(|text| Piece::Text(unescaped(text))).ok_or_else(|| format!("{action} has no closing quote"))
        }
        _ => path(action).map(Piece::Path),
    }
}

/// Returns where the action ends that begins here; what is quoted is passed over.
fn closing(text: &str) -> Option<usize> {
    let mut quote = None;
    let mut is_escaped = false;
    for (at, c) in text.char_indices() {
        match (quote, c) {
            _ if is_escaped => is_escaped = false,
            (_, '\\') => is_escaped = true,
            (Some(open), c) if open == c => quote = None,
            (None, '"' | '\'') => quote = Some(c),
            (None, '}') => return Some(at),
            _ => {}
        }
    }
    None
}

fn unescaped(text: &str) -> String {
    let mut out = String::new();
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        let next = if c == '\\' { chars.next() } else { None };
        out.push(match next {
            None => c,
            Some('n') => '\n',
            Some('t') => '\t',
            Some('r') => '\r',
            Some(other) => other,
        });
    }
    out
}

/// Reads `.a.b`, `$.a`, `@.a`, `..a` or `['a']`.
fn path(text: &str) -> Result<Path, String> {
    let is_from_root = text.starts_with('$');
    let steps = text.strip_prefix(['$', '@']).unwrap_or(text);
    if !(steps.is_empty() || steps.starts_with(['.', '['])) || text.is_empty() {
        return Err(format!("`{{{text}}}` is no path: one begins with `.`"));
    }
    let path = format!("${}", if steps == "." { String::new() } else { standard(steps) });
    match parse_json_path(&path) {
        Ok(_) => Ok(Path { is_from_root, path }),
        Err(_) => Err(format!("`{{{text}}}` is no path that could be understood")),
    }
}

/// Puts names in brackets, as kubectl also takes those with dashes and, escaped, with dots: `.labels.app\.kubernetes\.io/name`.
fn standard(steps: &str) -> String {
    let mut out = String::new();
    let mut rest = steps;
    while !rest.is_empty() {
        if let Some(after) = rest.strip_prefix("..") {
            out.push_str("..");
            rest = after;
        } else if let Some(after) = rest.strip_prefix('.') {
            rest = after;
        }
        if rest.starts_with('[') {
            let end = bracket(rest);
            out.push_str(&rest[..end]);
            rest = &rest[end..];
            continue;
        }
        let (name, length) = name(rest);
        match name.as_str() {
            "" => out.push_str("['']"),
            "*" => out.push_str("[*]"),
            name => out.push_str(&format!("[{}]", quoted(name))),
        }
        rest = &rest[length..];
    }
    out
}

/// Returns the name that stands at the start, and how long it is as it is written.
fn name(text: &str) -> (String, usize) {
    let mut name = String::new();
    let mut is_escaped = false;
    for (at, c) in text.char_indices() {
        match c {
            c if is_escaped => {
                name.push(c);
                is_escaped = false;
            }
            '\\' => is_escaped = true,
            '.' | '[' => return (name, at),
            c => name.push(c),
        }
    }
    (name, text.len())
}

fn quoted(name: &str) -> String {
    format!("'{}'", name.replace('\\', "\\\\").replace('\'', "\\'"))
}

/// Returns where the bracket ends that begins here.
fn bracket(text: &str) -> usize {
    let mut depth = 0_usize;
    let mut quote = None;
    for (at, c) in text.char_indices() {
        match (quote, c) {
            (Some(open), c) if open == c => quote = None,
            (None, '"' | '\'') => quote = Some(c),
            (None, '[') => depth += 1,
            (None, ']') if depth == 1 => return at + 1,
            (None, ']') => depth -= 1,
            _ => {}
        }
    }
    text.len()
}

fn write(pieces: &[Piece], root: &Value, current: &Value, out: &mut String) {
    for piece in pieces {
        match piece {
            Piece::Text(text) => out.push_str(text),
            Piece::Path(path) => {
                let words: Vec<Cow<'_, str>> = found(path, root, current).into_iter().map(word).collect();
                out.push_str(&words.join(" "));
            }
            Piece::Range(path, inner) => {
                for item in found(path, root, current) {
                    write(inner, root, item, out);
                }
            }
        }
    }
}

/// Returns what a path leads to; what is not there is nothing, as with kubectl.
fn found<'v>(path: &Path, root: &'v Value, current: &'v Value) -> Vec<&'v Value> {
    let from = if path.is_from_root { root } else { current };
    from.query(&path.path).unwrap_or_default()
}

/// Writes a text as it is, save what would act on a terminal, and anything else as JSON.
fn word(value: &Value) -> Cow<'_, str> {
    match value {
        Value::String(text) => safe::block(text),
        Value::Null => Cow::Borrowed(""),
        other => Cow::Owned(other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn filled(template: &str) -> String {
        let value = json!({"kind": "Report", "incidents": [
            {"id": "a", "severity": "critical", "n": 1, "labels": {"app.kubernetes.io/name": "cart", "x-y": true}},
            {"id": "b", "severity": "error", "n": 2.5, "next": null, "text": "red \u{1b}[31m"},
        ]});
        Template::parse(template).unwrap().render(&value)
    }

    #[test]
    fn templates_are_kubectls() {
        for (template, expected) in [
            ("{.kind}", "Report"),
            ("{$.kind}", "Report"),
            ("{['kind']}", "Report"),
            ("{.incidents[*].id}", "a b"),
            ("{.incidents[0].id}-{.incidents[-1:].id}", "a-b"),
            ("{..id}", "a b"),
            ("{.incidents[?(@.severity==\"error\")].id}", "b"),
            ("{.incidents[?(@.n>1)].id}", "b"),
            ("{.incidents[0]['id','severity']}", "a critical"),
            ("{range .incidents[*]}{.id}{\"\\t\"}{.severity}{\"\\n\"}{end}", "a\tcritical\nb\terror\n"),
            ("{range .incidents[*]}{@.id} of {$.kind};{end}", "a of Report;b of Report;"),
            ("{.incidents[0].labels.app\\.kubernetes\\.io/name}", "cart"),
            ("{.incidents[0].labels.x-y}", "true"),
            ("{.incidents[0].labels}", "{\"app.kubernetes.io/name\":\"cart\",\"x-y\":true}"),
            ("{.incidents[*].n}", "1 2.5"),
            ("{.nothing.here}", ""),
            ("{.incidents[1].next}", ""),
            ("{.incidents[1].text}", "red ^[[31m"),
            ("no braces", "no braces"),
            ("{'}'}", "}"),
            ("{.incidents[?(@.id=='}')].id}", ""),
        ] {
            assert_eq!(filled(template), expected, "{template}");
        }
    }

    #[test]
    fn what_is_no_template_is_told() {
        for (template, expected) in [
            ("{.kind", "has no `}`"),
            ("{kind}", "is no path"),
            ("{}", "is no path"),
            ("{.a[}", "no path"),
            ("{range .a}", "no `{end}`"),
            ("{end}", "no `{range}`"),
            ("{\"a}", "has no `}`"),
        ] {
            let error = Template::parse(template).expect_err(template);
            assert!(error.contains(expected), "{template}: {error}");
        }
    }
}
