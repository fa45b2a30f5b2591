//! Finds secrets that are given to a telling name: `password=x`, `"token": "x"`, `--api-key x`, `<password>x</password>`.

use std::ops::Range;

use super::keys::{self, Smell, looks_random};
use super::text::Mode;

/// Names are looked back for no further than this.
const LONGEST_NAME: usize = 128;

/// Adds the values of all telling names in the text.
pub(super) fn find(text: &str, mode: Mode, found: &mut Vec<Range<usize>>) {
    let mut at = 0;
    while let Some(operator) = next_operator(text, at) {
        at = operator.end;
        if let Some(value) = assigned(text, operator, mode) {
            at = at.max(value.end);
            found.push(value);
        }
    }
    found.extend(text.match_indices("--").filter_map(|(at, _)| flag_value(text, at, mode)));
}

/// Tells whether a flag such as `--api-key` takes a secret as its value.
pub(super) fn takes_secret(flag: &str) -> bool {
    const SWITCHES: [&str; 8] = ["allow", "disable", "enable", "no", "require", "show", "use", "with"];
    let name = flag.trim_start_matches('-');
    let dashes = flag.len() - name.len();
    // `-pX` is a flag with its value, but to whom?
    let long = dashes == 2 || (dashes == 1 && name.len() > 2 && !name.bytes().any(|byte| byte.is_ascii_uppercase()));
    let first = name.split(['-', '_']).next().unwrap_or_default();
    long && !SWITCHES.contains(&first) && keys::smell(name) == Some(Smell::Strong)
}

struct Name<'a> {
    text: &'a str,
    quoted: bool,
    place: Place,
}

/// Where a name stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    LineStart,
    /// Right after a quote or a bracket.
    Opened,
    /// Right after `<`, as in XML.
    Tag,
    Within,
}

fn next_operator(text: &str, from: usize) -> Option<Range<usize>> {
    let is_operator = |byte: &u8| matches!(byte, b'=' | b':' | b'>');
    let bytes = text.as_bytes();
    let start = from + bytes[from..].iter().position(is_operator)?;
    let length = bytes[start..].iter().take_while(|byte| is_operator(byte)).count();
    Some(start..start + length)
}

fn assigned(text: &str, operator: Range<usize>, mode: Mode) -> Option<Range<usize>> {
    let name = name_before(text, operator.start)?;
    let smell = keys::smell(name.text)?;
    let sign = &text[operator.clone()];
    if name.text == "secret" && text[..operator.start].ends_with("<secret") && sign.starts_with(':') {
        return None; // The middle of a placeholder.
    }
    if sign == ">" {
        let end = text[operator.end..].find('<')? + operator.end;
        return (name.place == Place::Tag).then_some(operator.end..end);
    }
    if sign.starts_with('>') {
        return None;
    }
    let spaced = text[operator.end..].starts_with([' ', '\t']);
    let start = skip_blanks(text, operator.end);
    let (start, quote) = opening_quote(text, start);
    let (start, has_scheme) = skip_scheme(text, start);
    let colon = !sign.contains('=');
    let whole_line =
        mode == Mode::Data && name.place == Place::LineStart && (!colon || spaced) && !name.text.starts_with('-');
    if text[start..].starts_with("$(") {
        return None; // What a command prints, or a variable that the kubelet puts in.
    }
    let value = match quote {
        Some(quote) => start..closing_quote(text, start, quote),
        None if whole_line => line_value(text, start)?,
        None => start..token_end(text, start, mode),
    };
    let content = &text[value.clone()];
    let random = looks_random(content);
    let announced = has_scheme || smell == Smell::Strong || (random && !content.contains(' '));
    let believable = if mode == Mode::Prose && keys::refers(name.text, content) && content.contains('/') {
        false // `secret="shop/db"` of the kubelet.
    } else if colon && !name.quoted {
        let unspaced = !spaced && quote.is_none();
        let prose = mode == Mode::Prose || name.place == Place::Within;
        if unspaced { random && !content.contains('/') } else { has_scheme || !prose || random }
    } else if mode == Mode::Prose && spaced && quote.is_none() {
        name.quoted || random || name.place == Place::LineStart
    } else {
        true
    };
    (announced && believable && !keys::harmless(content)).then_some(value)
}

/// Reads the name that ends before `end`, which may be quoted, once or as JSON within JSON.
fn name_before(text: &str, end: usize) -> Option<Name<'_>> {
    let head = text[..end].trim_end_matches([' ', '\t']);
    let unquoted = head.trim_end_matches(']').trim_end_matches(['"', '\'']).trim_end_matches('\\');
    let is_part = |byte: &&u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-');
    let length = unquoted.bytes().rev().take(LONGEST_NAME).take_while(|byte| is_part(&byte)).count();
    let (before, name) = unquoted.split_at(unquoted.len() - length);
    let quoted = unquoted.len() < head.len() && before.ends_with(['"', '\'']);
    (!name.is_empty()).then(|| Name { text: name, quoted, place: place_after(before) })
}

fn place_after(before: &str) -> Place {
    if before.ends_with('<') {
        return Place::Tag;
    }
    let indent = before.trim_end_matches(['"', '\'']).trim_end_matches([' ', '\t']);
    let indent = indent.strip_suffix("export").unwrap_or(indent).trim_end_matches([' ', '\t', '-']);
    if indent.is_empty() || indent.ends_with('\n') {
        Place::LineStart
    } else if before.ends_with(['"', '\'', '{', '[', '(']) {
        Place::Opened
    } else {
        Place::Within
    }
}

fn skip_blanks(text: &str, at: usize) -> usize {
    text.len() - text[at..].trim_start_matches([' ', '\t']).len()
}

/// Gives where the value starts, and its quote with the backslashes before it, when it has one.
fn opening_quote(text: &str, start: usize) -> (usize, Option<&str>) {
    let rest = &text[start..];
    let unescaped = rest.trim_start_matches('\\');
    if !unescaped.starts_with(['"', '\'']) {
        return (start, None);
    }
    let length = rest.len() - unescaped.len() + 1;
    (start + length, Some(&rest[..length]))
}

/// Gives where a quoted value ends: at the same quote with as many backslashes, or at the end of the line.
fn closing_quote(text: &str, start: usize, quote: &str) -> usize {
    let bytes = text.as_bytes();
    let (backslashes, mark) = (quote.len() - 1, quote.as_bytes()[quote.len() - 1]);
    let mut run = 0;
    for (at, byte) in bytes.iter().enumerate().skip(start) {
        match *byte {
            b'\\' => run += 1,
            b'\n' => return at,
            byte if byte == mark && (run == backslashes || (backslashes == 0 && run % 2 == 0)) => {
                return at - backslashes;
            }
            _ => run = 0,
        }
    }
    text.len()
}

/// Skips the scheme of an `Authorization` header.
fn skip_scheme(text: &str, start: usize) -> (usize, bool) {
    const SCHEMES: [&str; 6] = ["bearer ", "basic ", "token ", "digest ", "negotiate ", "apikey "];
    let starts_with = |scheme: &&&str| {
        text.as_bytes()
            .get(start..start + scheme.len())
            .is_some_and(|head| head.eq_ignore_ascii_case(scheme.as_bytes()))
    };
    match SCHEMES.iter().find(starts_with) {
        Some(scheme) => (skip_blanks(text, start + scheme.len()), true),
        None => (start, false),
    }
}

/// Gives a value that fills its line, or the block of a YAML `|`; `None` when a structure starts there.
fn line_value(text: &str, start: usize) -> Option<Range<usize>> {
    let line_end = text[start..].find('\n').map_or(text.len(), |length| start + length);
    let line = &text[start..line_end];
    if matches!(line.trim_end(), "|" | "|-" | "|+" | ">" | ">-" | ">+") {
        return block_after(text, start, line_end);
    }
    if line.starts_with(['{', '[']) && !keys::harmless(line) {
        return None;
    }
    let token = token_end(text, start, Mode::Data);
    if is_assignment(text[token..line_end].trim_start()) {
        return Some(start..token);
    }
    let value = line.find(" #").map_or(line, |comment| &line[..comment]);
    let value = value.trim_end().trim_end_matches([',', ';']);
    Some(start..start + value.len())
}

/// Gives the lines below that are indented further than the line of `start`.
fn block_after(text: &str, start: usize, line_end: usize) -> Option<Range<usize>> {
    let indent = |line: &str| line.len() - line.trim_start_matches([' ', '-']).len();
    let line_start = text[..start].rfind('\n').map_or(0, |at| at + 1);
    let own = indent(&text[line_start..start]);
    let below = text.get(line_end + 1..)?;
    let lines = below.split_inclusive('\n').take_while(|line| line.trim().is_empty() || indent(line) > own);
    let block = &below[..lines.map(str::len).sum()];
    let content = block.trim();
    let offset = line_end + 1 + block.len() - block.trim_start().len();
    (!content.is_empty()).then(|| offset..offset + content.len())
}

/// Gives where an unquoted value ends that has no blanks in it.
fn token_end(text: &str, start: usize, mode: Mode) -> usize {
    let rest = &text[start..];
    let ends = |(at, c): &(usize, char)| {
        let after = &rest[at + c.len_utf8()..];
        match c {
            '"' | '\'' | '`' => true,
            '\\' => after.starts_with(['"', '\'', 'n', 'r', 't']),
            ',' | ';' | '&' => after.is_empty() || after.starts_with(char::is_whitespace) || is_assignment(after),
            c => c.is_whitespace(),
        }
    };
    let token = rest.char_indices().find(ends).map_or(rest, |(at, _)| &rest[..at]);
    let trailing: &[char] =
        if mode == Mode::Prose { &[')', ']', '}', ',', ';', '.'] } else { &[')', ']', '}', ',', ';'] };
    start + token.trim_end_matches(trailing).len()
}

/// Tells whether text goes on with `User Id=...`.
fn is_assignment(text: &str) -> bool {
    let name =
        text.bytes().take(40).take_while(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-' | b' '));
    let length = name.count();
    length > 0 && text.as_bytes().get(length) == Some(&b'=')
}

/// Gives the value of `--token value` within a line.
fn flag_value(text: &str, at: usize, mode: Mode) -> Option<Range<usize>> {
    if !text[..at].is_empty() && !text[..at].ends_with(|c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '(')) {
        return None;
    }
    let length = text[at..].find(char::is_whitespace)?;
    let start = skip_blanks(text, at + length);
    if !takes_secret(&text[at..at + length]) || text[start..].starts_with('-') {
        return None;
    }
    let (start, quote) = opening_quote(text, start);
    let value = match quote {
        Some(quote) => start..closing_quote(text, start, quote),
        None => start..token_end(text, start, mode),
    };
    let content = &text[value.clone()];
    let sure = mode == Mode::Data || looks_random(content);
    (sure && !keys::harmless(content)).then_some(value)
}
