//! What a container's log says: the decisive line rather than the last.

use crate::model::ContainerLogs;

/// The digests of a container's logs.
#[derive(Debug)]
pub struct Logs<'a> {
    pub current: Option<LogDigest<'a>>,
    /// Of the run before.
    pub previous: Option<LogDigest<'a>>,
}

impl<'a> Logs<'a> {
    pub(super) fn new(logs: &'a ContainerLogs) -> Self {
        let digest = |text: &'a Option<String>| text.as_deref().map(LogDigest::new);
        Self { current: digest(&logs.current), previous: digest(&logs.previous) }
    }
}

/// The line that tells why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decisive<'a> {
    pub line: &'a str,
    /// Counted from 1.
    pub number: usize,
    pub weight: Weight,
}

/// How much a line weighs as an explanation of a crash, lightest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Weight {
    /// It speaks of a failure.
    Complaint,
    /// The program logged it as an error.
    Error,
    /// The program logged it as fatal.
    Fatal,
    /// An exception or panic that nobody caught.
    Uncaught,
}

/// A log, read once.
#[derive(Debug)]
pub struct LogDigest<'a> {
    pub text: &'a str,
    pub decisive: Option<Decisive<'a>>,
}

impl<'a> LogDigest<'a> {
    /// Reads a log; linear.
    pub fn new(text: &'a str) -> Self {
        Self { text, decisive: decisive(text) }
    }

    /// Returns whether it holds no line.
    pub fn is_empty(&self) -> bool {
        self.text.trim().is_empty()
    }

    /// Iterates over its lines with their numbers, counted from 1.
    pub fn lines(&self) -> impl DoubleEndedIterator<Item = (usize, &'a str)> {
        let lines: Vec<_> = self.text.lines().enumerate().map(|(index, line)| (index + 1, line)).collect();
        lines.into_iter()
    }

    /// Returns the last line that is not empty.
    pub fn last_line(&self) -> Option<&'a str> {
        self.text.lines().rev().map(str::trim).find(|line| !line.is_empty())
    }
}

/// Returns the heaviest line; of equals the last, as that is what ended the program.
fn decisive(text: &str) -> Option<Decisive<'_>> {
    let lines = text.lines().enumerate();
    let weighed = lines.filter_map(|(index, line)| {
        weigh(line).map(|weight| Decisive { line: line.trim(), number: index + 1, weight })
    });
    weighed.max_by_key(|decisive| decisive.weight)
}

fn weigh(line: &str) -> Option<Weight> {
    let lower = line.to_ascii_lowercase();
    let has = |words: &[&str]| words.iter().any(|word| lower.contains(word));
    if has(&["panic:", "panicked at", "unhandled exception", "caused by:", "uncaught "]) || is_exception(line) {
        return Some(Weight::Uncaught);
    }
    if has(&["fatal", "critical", "panic"]) {
        return Some(Weight::Fatal);
    }
    if has(&["error", "exception"]) {
        return Some(Weight::Error);
    }
    let complaint = [
        "failed",
        "cannot",
        "can't",
        "unable to",
        "refused",
        "denied",
        "not found",
        "not set",
        "missing",
        "no such",
        "invalid",
    ];
    has(&complaint).then_some(Weight::Complaint)
}

/// Returns whether a line is the head of an exception: `KeyError: 'DB_HOST'`, `java.lang.IllegalStateException: ...`.
fn is_exception(line: &str) -> bool {
    let Some((head, _)) = line.split_once(": ") else { return false };
    let class = head.rsplit(['.', ' ']).next().unwrap_or_default();
    let named = class.ends_with("Error") || class.ends_with("Exception");
    named && class.starts_with(|first: char| first.is_ascii_uppercase()) && !head.starts_with(char::is_whitespace)
}
