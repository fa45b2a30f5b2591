//! Finds secrets in text: by their own shape, or by what stands before them.

use std::cmp::Reverse;
use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;

use super::assignment;
use super::encoded::{self, may_hold_encoded};
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
        found.extend(
            PLACED.captures_iter(text).filter_map(|placed| Some(placed.iter().skip(1).flatten().next()?.range())),
        );
    }
    if may_hold_encoded(text) {
        found.extend(encoded::secrets(text));
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
    may_hold_shape(text) || may_hold_url_password(text) || may_hold_named(text) || may_hold_encoded(text)
}

/// Returns whether a text gives away that it holds a secret, without a hint by who has it.
pub(super) fn tells(text: &str) -> bool {
    KNOWN_SHAPE.is_match(text) || URL_PASSWORD.is_match(text) || !secrets_by_name(text).is_empty()
}

fn secrets_by_name(text: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    assignment::find(text, Mode::Data, &mut found);
    found
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
        "(?-u)eyJ|AKIA|ASIA|ghp_|gho_|ghu_|ghs_|ghr_|github_pat_|gl[a-z]{2,5}-|xox|xapp-|sk-|k_live_|k_test_|AIza|ya29\\.|GOCSPX-|",
        "npm_|pypi-|SG\\.|hf_|hv[sbr]\\.|do[opr]_v1_|shp[a-z]{2}_|dckr_pat_|gl(?:sa|c)_|dapi[0-9a-f]|NRAK-|AGE-SECRET|ATATT|lin_api_|",
        "pscale_|sbp_|whsec_|key-[0-9a-f]|SK[0-9a-f]|:AA|sntry|dp\\.pt\\.|PRIVATE KEY|/services/T|/api/webhooks/|requirepass|",
        "masterauth|machine |_authToken|AKCp"
    ))
});

/// Secrets that say what they are. A private key without an end reaches to the end of the text.
static KNOWN_SHAPE: LazyLock<Regex> = LazyLock::new(|| {
    regex(concat!(
        r"(?s)-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----.*?(?:-----END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----|\z)",
        r"|eyJ[A-Za-z0-9_-]{5,}\.[A-Za-z0-9_-]{5,}\.[A-Za-z0-9_-]*",
        r"|(?-u:\b)(?:AKIA|ASIA)[A-Z0-9]{16}(?-u:\b)",
        r"|(?-u:\b)gh[pousr]_[A-Za-z0-9]{20,}|(?-u:\b)github_pat_[A-Za-z0-9_]{20,}",
        r"|(?-u:\b)gl(?:pat|dt|rt|cbt|ptt|ft|imt|agent|oas|soat|ffct)-[A-Za-z0-9_-]{20,}",
        r"|(?-u:\b)(?:xox[abeoprs]|xapp)-[A-Za-z0-9-]{10,}",
        // Clouds and their keys.
        r"|(?-u:\b)ya29\.[A-Za-z0-9_-]{20,}|(?-u:\b)GOCSPX-[A-Za-z0-9_-]{20,}|(?-u:\b)do[opr]_v1_[a-f0-9]{40,}",
        r"|(?-u:\b)dapi[a-f0-9]{32}(?-u:\b)|(?-u:\b)AGE-SECRET-KEY-1[A-Z0-9]{40,}",
        // Registries and platforms.
        r"|(?-u:\b)pypi-[A-Za-z0-9_-]{40,}|(?-u:\b)dckr_pat_[A-Za-z0-9_-]{20,}|(?-u:\b)shp(?:at|ca|pa|ss)_[a-fA-F0-9]{32}",
        r"|(?-u:\b)AKCp[A-Za-z0-9]{40,}|(?-u:\b)ATATT3[A-Za-z0-9_=-]{40,}|(?-u:\b)lin_api_[A-Za-z0-9]{32,}",
        r"|(?-u:\b)pscale_(?:tkn|pw|oauth)_[A-Za-z0-9_.=-]{20,}|(?-u:\b)sb[ps]_[a-f0-9]{40}(?-u:\b)",
        // Senders, watchers, bots.
        r"|(?-u:\b)SG\.[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16,}|(?-u:\b)key-[a-f0-9]{32}(?-u:\b)|(?-u:\b)SK[a-f0-9]{32}(?-u:\b)",
        r"|(?-u:\b)glsa_[A-Za-z0-9]{32}_[a-f0-9]{8}|(?-u:\b)glc_[A-Za-z0-9+/]{32,}=*|(?-u:\b)NRAK-[A-Z0-9]{27}",
        r"|(?-u:\b)sntry[su]_[A-Za-z0-9+/=_-]{30,}|(?-u:\b)dp\.pt\.[A-Za-z0-9]{40,}|(?-u:\b)whsec_[A-Za-z0-9+/]{24,}=*",
        r"|(?-u:\b)[0-9]{8,10}:AA[A-Za-z0-9_-]{33}(?-u:\b)",
        r"|(?-u:\b)sk-(?:proj-|ant-[a-z0-9]+-|svcacct-)?[A-Za-z0-9]{20,}[A-Za-z0-9_-]*|(?-u:\b)[sr]k_(?:live|test)_[A-Za-z0-9]{16,}",
        r"|(?-u:\b)AIza[A-Za-z0-9_-]{35}|(?-u:\b)npm_[A-Za-z0-9]{36}|(?-u:\b)hf_[A-Za-z0-9]{30,}|(?-u:\b)hv[sbr]\.[A-Za-z0-9_-]{20,}",
    ))
});

/// Secrets that are known by where they stand: in the address of a hook, in the files of some programs.
static PLACED: LazyLock<Regex> = LazyLock::new(|| {
    regex(concat!(
        r"(?m)hooks\.slack\.com/(?:services|workflows)/([A-Za-z0-9/_-]{20,})",
        r"|discord(?:app)?\.com/api/webhooks/[0-9]+/([A-Za-z0-9_-]{30,})",
        r"|\bmachine\s+\S+\s+login\s+\S+\s+password\s+(\S+)",
        r"|^\s*(?:requirepass|masterauth)\s+(\S+)",
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
