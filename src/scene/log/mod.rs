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

use foldhash::{HashMap, HashMapExt as _};

use crate::model::{ContainerLogs, Snapshot};

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

/// All logs, by pod and container.
#[derive(Debug)]
pub(super) struct LogIndex<'a> {
    /// Where the logs of a pod's containers are.
    pods: HashMap<(&'a str, &'a str), usize>,
    logs: Vec<Vec<(&'a str, Logs<'a>)>>,
}

impl<'a> LogIndex<'a> {
    /// Reads all logs.
    pub(super) fn new(snapshot: &'a Snapshot) -> Self {
        let mut index = Self { pods: HashMap::new(), logs: Vec::new() };
        for (container, logs) in &snapshot.logs {
            let pod = (container.namespace.as_str(), container.pod.as_str());
            let at = *index.pods.entry(pod).or_insert(index.logs.len());
            if at == index.logs.len() {
                index.logs.push(Vec::new());
            }
            index.logs[at].push((container.container.as_str(), Logs::new(logs)));
        }
        index
    }

    /// Returns whether a container of this pod has logs.
    pub(super) fn has(&self, namespace: &str, pod: &str) -> bool {
        self.pods.contains_key(&(namespace, pod))
    }

    /// Returns the logs of a container.
    pub(super) fn of(&self, namespace: &str, pod: &str, container: &str) -> Option<&Logs<'a>> {
        let &at = self.pods.get(&(namespace, pod))?;
        self.logs[at].iter().find(|(name, _)| *name == container).map(|(_, logs)| logs)
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

    /// Iterates over the lines that say what a line only announces: the one after a colon, those below a banner.
    pub fn announced(&self, line: &str, number: usize) -> impl Iterator<Item = (usize, &'a str)> {
        let message = line.trim_end();
        let most = match () {
            () if message.ends_with("***") => 3,
            () if message.ends_with(':') => 1,
            () => 0,
        };
        let below = self.text.lines().enumerate().skip(number).map(|(index, line)| (index + 1, line));
        below.filter(|(_, line)| !line.trim().is_empty()).take(most)
    }

    /// Returns the time of the last line that has one.
    pub fn last_time(&self) -> Option<jiff::Timestamp> {
        self.text.lines().rev().take(50).find_map(|line| line::parse(line).time)
    }
}
