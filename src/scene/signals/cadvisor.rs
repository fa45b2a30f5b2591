//! Lines of a kubelet's `/metrics/cadvisor`.

use crate::model::Snapshot;
use crate::scene::Scene;

/// One sample in the text format.
#[derive(Clone, Copy, Debug)]
pub struct Line<'t> {
    pub name: &'t str,
    labels: &'t str,
    pub value: f64,
    /// Milliseconds since the epoch, where the kubelet tells when it measured.
    pub millis: Option<i64>,
}

impl<'t> Line<'t> {
    /// Returns a label's value, or the empty string.
    pub fn label(self, name: &str) -> &'t str {
        self.labels
            .split("\",")
            .find_map(|pair| pair.trim_end_matches('"').split_once("=\"").filter(|(key, _)| *key == name))
            .map_or("", |(_, value)| value)
    }
}

/// Iterates over the samples of some names, of all nodes.
pub fn lines<'s>(scene: &'s Scene<'_>, names: &'static [&'static str]) -> impl Iterator<Item = Line<'s>> {
    of_snapshot(scene.snapshot, names)
}

/// Iterates over the samples of some names in a snapshot.
pub fn of_snapshot<'s>(snapshot: &'s Snapshot, names: &'static [&'static str]) -> impl Iterator<Item = Line<'s>> {
    let lines = snapshot.cadvisor.values().flat_map(|text| text.lines());
    lines.filter_map(move |line| parse(line, names))
}

/// Iterates over the samples of some names in the text of one node.
pub fn lines_in<'t>(text: &'t str, names: &'static [&'static str]) -> impl Iterator<Item = Line<'t>> {
    text.lines().filter_map(move |line| parse(line, names))
}

fn parse<'t>(line: &'t str, names: &[&str]) -> Option<Line<'t>> {
    let (name, rest) = line.split_once('{').filter(|(name, _)| names.contains(name))?;
    let (labels, numbers) = rest.rsplit_once('}')?;
    let mut numbers = numbers.split_ascii_whitespace();
    let value = numbers.next()?.parse().ok()?;
    Some(Line { name, labels, value, millis: numbers.next().and_then(|millis| millis.parse().ok()) })
}
