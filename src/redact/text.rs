//! Finds secrets in text: by their own shape, or by what stands before them.

use std::cmp::Reverse;
use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;

use super::assignment;
use super::keys::{harmless, has_telling_part, looks_random};

/// How text is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    /// Logs and messages, where `invalid token: expired` is no secret.
    Prose,
    /// Files, arguments and values, where `password: hunter` is one.
    Data,
}

/// Finds the secrets of a text, in order and without overlap; one pass, so that a caller who replaces them asks again.
pub(super) fn secrets(text: &str, mode: Mode) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    if may_hold_shape(text) {
        found.extend(KNOWN_SHAPE.find_iter(text).map(|found| found.range()));
    }
    if may_hold_url_password(text) {
        found.extend(URL_PASSWORD.captures_iter(text).filter_map(|url| Some(url.get(1).or(url.get(2))?.range())));
    }
    if may_hold_named(text) {
        if may_hold_bearer(text) {
            let bearers = BEARER.captures_iter(text).filter_map(|bearer| Some(bearer.get(1)?.range()));
            found.extend(bearers.filter(|bearer| looks_random(&text[bearer.clone()])));
        }
        assignment::find(text, mode, &mut found);
    }
    if found.is_empty() { found } else { settled(text, found) }
}

/// Tells cheaply that a text holds no secret, as nearly all do.
pub(super) fn may_hold_secret(text: &str) -> bool {
    may_hold_shape(text) || may_hold_url_password(text) || may_hold_named(text)
}

fn may_hold_shape(text: &str) -> bool {
    const SHORTEST: usize = 15;
    text.len() >= SHORTEST && SHAPE_HINT.is_match(text)
}

fn may_hold_url_password(text: &str) -> bool {
    text.contains('@') && text.contains("://")
}

fn may_hold_bearer(text: &str) -> bool {
    ["earer", "asic", "EARER", "ASIC"].iter().any(|part| text.contains(part))
}

fn may_hold_named(text: &str) -> bool {
    text.bytes().any(|byte| matches!(byte, b'=' | b':' | b'>' | b' ')) && has_telling_part(text)
}

/// Sorts what was found, without what overlaps, is harmless, or would cut an earlier placeholder in two.
fn settled(text: &str, mut found: Vec<Range<usize>>) -> Vec<Range<usize>> {
    let placeholders: Vec<Range<usize>> = if text.contains("<secret:") {
        PLACEHOLDER.find_iter(text).map(|found| found.range()).collect()
    } else {
        Vec::new()
    };
    let inside = |at: usize| {
        let next = placeholders.partition_point(|placeholder| placeholder.end <= at);
        placeholders.get(next).is_some_and(|placeholder| placeholder.start < at)
    };
    found.retain(|span| !inside(span.start) && !inside(span.end) && !harmless(&text[span.clone()]));
    found.sort_by_key(|span| (span.start, Reverse(span.end)));
    let mut end = 0;
    found.retain(|span| {
        let free = span.start >= end;
        if free {
            end = span.end;
        }
        free
    });
    found
}

fn regex(pattern: &str) -> Regex {
    Regex::new(pattern).expect("a constant pattern, compiled by the tests")
}

static PLACEHOLDER: LazyLock<Regex> = LazyLock::new(|| regex("<secret:[0-9]+>"));

/// Something that every secret of a known shape has in it.
static SHAPE_HINT: LazyLock<Regex> = LazyLock::new(|| {
    regex(concat!(
        "(?-u)eyJ|AKIA|ASIA|ghp_|gho_|ghu_|ghs_|ghr_|github_pat_|glpat-|xox|sk-|k_live_|k_test_|AIza|npm_|hf_|hvs|",
        "PRIVATE KEY"
    ))
});

/// Secrets that say what they are. A private key without an end reaches to the end of the text.
static KNOWN_SHAPE: LazyLock<Regex> = LazyLock::new(|| {
    regex(concat!(
        r"(?s)-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----.*?(?:-----END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----|\z)",
        r"|eyJ[A-Za-z0-9_-]{5,}\.[A-Za-z0-9_-]{5,}\.[A-Za-z0-9_-]*",
        r"|(?-u:\b)(?:AKIA|ASIA)[A-Z0-9]{16}(?-u:\b)",
        r"|(?-u:\b)gh[pousr]_[A-Za-z0-9]{20,}|(?-u:\b)github_pat_[A-Za-z0-9_]{20,}|(?-u:\b)glpat-[A-Za-z0-9_-]{20,}",
        r"|(?-u:\b)xox[abeoprs]-[A-Za-z0-9-]{10,}",
        r"|(?-u:\b)sk-(?:proj-|ant-[a-z0-9]+-|svcacct-)?[A-Za-z0-9]{20,}[A-Za-z0-9_-]*|(?-u:\b)[sr]k_(?:live|test)_[A-Za-z0-9]{16,}",
        r"|(?-u:\b)AIza[A-Za-z0-9_-]{35}|(?-u:\b)npm_[A-Za-z0-9]{36}|(?-u:\b)hf_[A-Za-z0-9]{30,}|(?-u:\b)hvs\.[A-Za-z0-9_-]{20,}",
    ))
});

/// The password of `scheme://user:password@host`; the second form is one with an unescaped `/`, `?` or `#`, told from a
/// port by anything but digits.
static URL_PASSWORD: LazyLock<Regex> = LazyLock::new(|| {
    regex(concat!(
        r#"://[^\s/:@\[\]"'`]*:(?:([^\s/?#"'`]+)@"#,
        r##"|([^\s/?#@"'`]*[^\s/?#@0-9"'`][^\s/?#@"'`]*[/?#][^\s@"'`]*)@)"##
    ))
});

static BEARER: LazyLock<Regex> = LazyLock::new(|| regex(r"(?i)(?-u:\b)(?:bearer|basic)\s+([A-Za-z0-9._~+/=-]{16,})"));
