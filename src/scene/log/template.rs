//! Repeated complaints: lines that differ in numbers, ids and addresses only are one template.

use std::hash::{DefaultHasher, Hasher as _};

use foldhash::HashMap;
use jiff::Timestamp;

use super::decisive::Weight;
use super::line;

/// A log that says more different things than this is not read further: it is no log of errors.
const MAX_TEMPLATES: usize = 512;

/// A complaint, and how often it was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template<'a> {
    /// The first line of it.
    pub line: &'a str,
    /// Its number, counted from 1.
    pub number: usize,
    /// The last line of it.
    pub last_line: &'a str,
    pub last_number: usize,
    pub count: usize,
    pub weight: Weight,
}

impl<'a> Template<'a> {
    /// Returns what the first line says.
    pub fn message(&self) -> std::borrow::Cow<'a, str> {
        line::parse(self.line).message
    }

    /// Returns when it was first said, if lines carry times.
    pub fn first_time(&self) -> Option<Timestamp> {
        line::parse(self.line).time
    }

    /// Returns when it was last said.
    pub fn last_time(&self) -> Option<Timestamp> {
        line::parse(self.last_line).time
    }
}

/// Collects templates.
#[derive(Debug, Default)]
pub(super) struct Templates<'a> {
    found: Vec<Template<'a>>,
    by_mask: HashMap<u64, usize>,
}

impl<'a> Templates<'a> {
    /// Adds a line with its message.
    pub(super) fn add(&mut self, line: &'a str, number: usize, message: &str, weight: Weight) {
        let mask = mask_hash(message);
        if let Some(&index) = self.by_mask.get(&mask) {
            let template = &mut self.found[index];
            template.count += 1;
            (template.last_line, template.last_number) = (line, number);
            template.weight = template.weight.max(weight);
        } else if self.found.len() < MAX_TEMPLATES {
            self.by_mask.insert(mask, self.found.len());
            self.found.push(Template { line, number, last_line: line, last_number: number, count: 1, weight });
        }
    }

    pub(super) fn finish(self) -> Vec<Template<'a>> {
        self.found
    }
}

/// Hashes a message with all that varies masked: words with a digit in them, and quoted texts that are no plain names.
fn mask_hash(message: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    for_each_masked(message, |word| hasher.write(word));
    hasher.finish()
}

/// Returns a message with all that varies replaced by `<*>`.
pub fn masked(message: &str) -> String {
    let mut text = Vec::with_capacity(message.len());
    for_each_masked(message, |word| text.extend_from_slice(word));
    String::from_utf8_lossy(&text).into_owned()
}

fn for_each_masked(message: &str, mut see: impl FnMut(&[u8])) {
    let bytes = message.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        let byte = bytes[at];
        if matches!(byte, b'"' | b'\'')
            && let Some(end) = quoted(bytes, at)
        {
            see(if is_name(&bytes[at + 1..end]) { &bytes[at..=end] } else { b"<*>" });
            at = end + 1;
        } else if is_word(byte) {
            let end = at + bytes[at..].iter().take_while(|byte| is_word(**byte)).count();
            see(if varies(&bytes[at..end]) { b"<*>" } else { &bytes[at..end] });
            at = end;
        } else {
            see(&bytes[at..=at]);
            at += 1;
        }
    }
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_') || byte >= 0x80
}

/// A number, or a word in which digits have a large share: an id, a hash. `h2` and `utf8` are names.
fn varies(word: &[u8]) -> bool {
    let digits = word.iter().filter(|byte| byte.is_ascii_digit()).count();
    let hex = word.len() >= 8 && digits > 0 && word.iter().all(|byte| byte.is_ascii_hexdigit() || *byte == b'-');
    word[0].is_ascii_digit() || hex || digits * 2 >= word.len() || (word.len() > 6 && digits >= 3)
}

/// Returns the place of the closing quote, if the text within is short.
fn quoted(bytes: &[u8], start: usize) -> Option<usize> {
    let length = bytes[start + 1..].iter().take(200).position(|byte| *byte == bytes[start])?;
    Some(start + 1 + length)
}

/// A quoted name of a host, variable or column tells two complaints apart; other quoted texts do not.
fn is_name(inner: &[u8]) -> bool {
    inner.len() <= 40
        && inner.iter().all(|byte| byte.is_ascii_alphabetic() || matches!(byte, b'.' | b'-' | b'_' | b'/'))
}
