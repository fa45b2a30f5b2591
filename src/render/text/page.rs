//! Writing lines that fit.

use super::wrap::{fitting, wrap};
use crate::render::look::{Ink, Look, columns};
use crate::render::safe;

/// Prose in longer lines than this is tiring, however wide the terminal is; what fits in one line stays there.
const PROSE: usize = 120;

/// A piece of a line in one colour. Its text is already safe.
pub(super) type Span<'a> = (Ink, &'a str);

/// Output in the making. Lines are never wider than the look allows, commands excepted.
#[derive(Debug)]
pub(super) struct Page {
    pub(super) look: Look,
    out: String,
}

impl Page {
    pub(super) fn new(look: Look) -> Self {
        Self { look, out: String::new() }
    }

    pub(super) fn finish(self) -> String {
        self.out
    }

    /// Leaves a blank line between blocks.
    pub(super) fn gap(&mut self) {
        if !self.out.is_empty() && !self.out.ends_with("\n\n") {
            self.out.push('\n');
        }
    }

    /// Writes one line, cut where the terminal ends.
    pub(super) fn put(&mut self, spans: &[Span<'_>]) {
        let mut room = self.look.columns();
        let mut wanted: usize = width(spans);
        for (ink, text) in spans {
            // A piece is cut only if what is left of the line does not fit.
            let shown = if wanted > room { self.look.shorten(text, room) } else { (*text).into() };
            wanted -= columns(text);
            room -= columns(&shown);
            self.out.push_str(&self.look.paint(*ink, &shown));
        }
        self.out.truncate(self.out.trim_end_matches(' ').len());
        self.out.push('\n');
    }

    /// Writes prose after `lead`, its further lines after `rest`; `most` lines unless everything is wanted.
    pub(super) fn hang(&mut self, lead: &[Span<'_>], rest: &[Span<'_>], ink: Ink, text: &str, most: usize) {
        let indent = width(lead).max(width(rest));
        let columns_all = self.look.columns();
        let one_line = indent + columns(text) <= columns_all;
        let room = if one_line { columns_all } else { columns_all.min(PROSE) }.saturating_sub(indent);
        let lines = self.clip(wrap(text, room), most, room);
        for (index, line) in lines.iter().enumerate() {
            let mut spans = if index == 0 { lead.to_vec() } else { rest.to_vec() };
            spans.push((ink, line));
            self.put(&spans);
        }
    }

    /// Writes prose after `lead`, all of it, its further lines under the first.
    pub(super) fn prose(&mut self, lead: &[Span<'_>], ink: Ink, text: &str) {
        let indent = " ".repeat(width(lead));
        self.hang(lead, &[(Ink::Plain, &indent)], ink, text, usize::MAX);
    }

    /// Writes a command as it is, on lines of its own, so that it can be copied.
    ///
    /// What would change under the hands of a terminal is not shown at all.
    pub(super) fn command(&mut self, command: &str) {
        if command.chars().any(|c| c != '\n' && is_altered(c)) {
            self.put(&[(Ink::Dim, "    (the command holds control characters: see -o json)")]);
            return;
        }
        // Within quotes of several lines an indent would be part of the command.
        let indent = if command.contains('\n') { "" } else { "    " };
        for line in command.lines() {
            self.out.push_str(indent);
            self.out.push_str(&self.look.paint(Ink::Command, line));
            self.out.push('\n');
        }
    }

    fn clip(&self, mut lines: Vec<String>, most: usize, room: usize) -> Vec<String> {
        if self.look.wide || lines.len() <= most {
            return lines;
        }
        lines.truncate(most);
        if let Some(last) = lines.last_mut() {
            let more = self.look.sign("…", "...");
            last.truncate(fitting(last, room.saturating_sub(columns(more))));
            last.push_str(more);
        }
        lines
    }
}

/// Counts the columns of a line.
pub(super) fn width(spans: &[Span<'_>]) -> usize {
    spans.iter().map(|(_, text)| columns(text)).sum()
}

/// Returns whether a terminal would not show this character as it is.
fn is_altered(c: char) -> bool {
    let mut buffer = [0; 4];
    let text: &str = c.encode_utf8(&mut buffer);
    safe::line(text) != text
}
