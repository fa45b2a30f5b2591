//! Finds secrets in text: by their own shape, or by what stands before them.

use std::cmp::Reverse;
use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;

use super::assignment;
use super::keys::{harmless, looks_random};

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
    if !may_hold_secret(text) {
        return Vec::new();
    }
    let mut found: Vec<Range<usize>> = KNOWN_SHAPE.find_iter(text).map(|found| found.range()).collect();
    found.extend(URL_PASSWORD.captures_iter(text).filter_map(|url| Some(url.get(1).or(url.get(2))?.range())));
    let bearers = BEARER.captures_iter(text).filter_map(|bearer| Some(bearer.get(1)?.range()));
    found.extend(bearers.filter(|bearer| looks_random(&text[bearer.clone()])));
    assignment::find(text, mode, &mut found);
    settled(text, found)
}

/// Tells cheaply that a text holds no secret, as nearly all do.
pub(super) fn may_hold_secret(text: &str) -> bool {
    const SHORTEST_SHAPE: usize = 20;
    let assigns = || text.bytes().any(|byte| matches!(byte, b'=' | b':' | b'>' | b' '));
    (text.len() >= SHORTEST_SHAPE || assigns()) && HINT.is_match(text)
}

/// Sorts what was found, without what overlaps, is harmless, or would cut an earlier placeholder in two.
fn settled(text: &str, mut found: Vec<Range<usize>>) -> Vec<Range<usize>> {
    let placeholders: Vec<Range<usize>> = if text.contains("<secret:") {
        PLACEHOLDER.find_iter(text).map(|found| found.range()).collect()
    } else {
        Vec::new()
    };
    let inside = |at: usize| placeholders.iter().any(|placeholder| placeholder.start < at && at < placeholder.end);
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

/// Something that every secret has in or before it.
static HINT: LazyLock<Regex> = LazyLock::new(|| {
    regex(concat!(
        "(?i-u)pass|pwd|pw|secret|token|key|cred|auth|jwt|cookie|bearer|basic |sig|eyj|akia|asia|gh[pousr]_",
        "|_pat_|xox|glpat|sk-|k_live|k_test|aiza|npm_|hf_|hvs|://"
    ))
});

/// Secrets that say what they are. A private key without an end reaches to the end of the text.
static KNOWN_SHAPE: LazyLock<Regex> = LazyLock::new(|| {
    regex(concat!(
        r"(?s)-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----.*?(?:-----END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----|\z)",
        r"|eyJ[A-Za-z0-9_-]{5,}\.[A-Za-z0-9_-]{5,}\.[A-Za-z0-9_-]*",
        r"|\b(?:AKIA|ASIA)[A-Z0-9]{16}\b",
        r"|\bgh[pousr]_[A-Za-z0-9]{20,}|\bgithub_pat_[A-Za-z0-9_]{20,}|\bglpat-[A-Za-z0-9_-]{20,}",
        r"|\bxox[abeoprs]-[A-Za-z0-9-]{10,}",
        r"|\bsk-(?:proj-|ant-[a-z0-9]+-|svcacct-)?[A-Za-z0-9]{20,}[A-Za-z0-9_-]*|\b[sr]k_(?:live|test)_[A-Za-z0-9]{16,}",
        r"|\bAIza[A-Za-z0-9_-]{35}|\bnpm_[A-Za-z0-9]{36}|\bhf_[A-Za-z0-9]{30,}|\bhvs\.[A-Za-z0-9_-]{20,}",
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

static BEARER: LazyLock<Regex> = LazyLock::new(|| regex(r"(?i)\b(?:bearer|basic)\s+([A-Za-z0-9._~+/=-]{16,})"));
