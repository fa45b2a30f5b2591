//! Secrets in base64, which hides nothing.

use std::ops::Range;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};

use super::text;

/// Shorter than any encoded secret that can be told from a word.
const SHORTEST: usize = 24;
/// Of longer ones only so much is looked at; an image in a log holds no password.
const LONGEST: usize = 64 << 10;

/// Tells cheaply that a text holds nothing that may be encoded.
pub(super) fn may_hold_encoded(text: &str) -> bool {
    text.len() >= SHORTEST && runs(text.as_bytes()).next().is_some()
}

/// Finds what reads as a secret when it is decoded.
pub(super) fn secrets(text: &str) -> Vec<Range<usize>> {
    runs(text.as_bytes()).filter(|run| is_secret(&text[run.clone()])).collect()
}

/// The runs of characters of base64 that are long enough, with what pads them.
fn runs(bytes: &[u8]) -> impl Iterator<Item = Range<usize>> {
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'-' | b'_');
    let mut at = 0;
    std::iter::from_fn(move || {
        while at < bytes.len() {
            let start = at;
            // From the far end of the shortest run backwards: most text is passed in leaps.
            let window = start + SHORTEST;
            if window > bytes.len() {
                return None;
            }
            if let Some(gap) = bytes[start..window].iter().rposition(|byte| !is_part(*byte)) {
                at = start + gap + 1;
                continue;
            }
            let length = bytes[window..].iter().take_while(|byte| is_part(**byte)).count();
            let end = window + length;
            let padding = bytes[end..].iter().take(2).take_while(|byte| **byte == b'=').count();
            at = end + padding;
            return Some(start..at);
        }
        None
    })
}

fn is_secret(run: &str) -> bool {
    let run = run.trim_end_matches('=');
    // Digests and ids have no capitals.
    let is_mixed =
        run.bytes().any(|byte| byte.is_ascii_uppercase()) && run.bytes().any(|byte| byte.is_ascii_lowercase());
    if !is_mixed || run.len() > LONGEST {
        return false;
    }
    let decoded = STANDARD_NO_PAD.decode(run).or_else(|_| URL_SAFE_NO_PAD.decode(run));
    let decoded = decoded.ok().and_then(|bytes| String::from_utf8(bytes).ok());
    decoded.is_some_and(|decoded| !decoded.contains('\0') && text::tells(&decoded))
}
