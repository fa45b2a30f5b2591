//! What a container's log says: the decisive line rather than the last, and the errors that it repeats.

pub mod auth;
pub mod decisive;
pub mod descriptors;
pub mod entities;
pub mod line;
pub mod reach;
pub mod template;
#[cfg(test)]
mod tests;
pub mod traceback;
pub mod trend;

use crate::model::ContainerLogs;

pub use decisive::{Decisive, Weight};
pub use template::Template;

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

/// A log, read once.
#[derive(Debug)]
pub struct LogDigest<'a> {
    pub text: &'a str,
    /// The line that tells why the program ended.
    pub decisive: Option<Decisive<'a>>,
    /// The root of the decisive line's exception chain, where that is another line.
    pub cause: Option<Decisive<'a>>,
    /// What it complains of, each distinct complaint once, in the order of their first lines.
    pub templates: Vec<Template<'a>>,
    /// How many lines it has.
    pub count: usize,
}

impl<'a> LogDigest<'a> {
    /// Reads a log; linear.
    pub fn new(text: &'a str) -> Self {
        decisive::read(text)
    }

    /// Returns whether it holds no line of the program: the kubelet's excuse for having none is not one.
    pub fn is_empty(&self) -> bool {
        let text = self.text.trim();
        text.is_empty() || (text.starts_with("unable to retrieve container logs for ") && !text.contains('\n'))
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

    /// Returns the line of a number, counted from 1.
    pub fn line(&self, number: usize) -> Option<&'a str> {
        self.text.lines().nth(number.checked_sub(1)?)
    }

    /// Returns the time of the last line that has one.
    pub fn last_time(&self) -> Option<jiff::Timestamp> {
        self.text.lines().rev().take(50).find_map(|line| line::parse(line).time)
    }
}
