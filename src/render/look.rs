//! How output for people looks: its width, its colours, its signs.

use std::borrow::Cow;

use anstyle::{AnsiColor, Style};
use unicode_width::UnicodeWidthChar as _;

use super::safe;

/// The width where the terminal does not tell its own.
const DEFAULT_WIDTH: usize = 100;
/// Below this nothing can be laid out; a terminal that is narrower wraps by itself.
const LEAST_WIDTH: usize = 40;

/// What the terminal can show and the user wants to see.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Look {
    /// Columns of the terminal; 0 if unknown.
    pub width: usize,
    /// Whether to colour. Without colour it is as understandable.
    pub color: bool,
    /// Everything, nothing shortened.
    pub wide: bool,
    /// Whether signs beyond ASCII may be drawn.
    pub unicode: bool,
}

/// What a piece of a line is, and so how it is coloured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ink {
    Plain,
    Strong,
    /// Frames, labels, times.
    Dim,
    Critical,
    Error,
    Warning,
    Info,
    /// What may be pasted into a shell.
    Command,
}

impl Look {
    /// Returns the columns to lay out for.
    pub(super) fn columns(&self) -> usize {
        if self.width == 0 { DEFAULT_WIDTH } else { self.width.max(LEAST_WIDTH) }
    }

    /// Returns the sign, or its replacement where only ASCII can be shown.
    pub(super) fn sign(&self, sign: &'static str, ascii: &'static str) -> &'static str {
        if self.unicode { sign } else { ascii }
    }

    /// Makes untrusted text safe to print within one line.
    pub(super) fn line<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let safe = safe::line(text);
        if self.unicode || !safe.contains('⏎') { safe } else { Cow::Owned(safe.replace('⏎', "\\n")) }
    }

    /// Cuts safe text to so many columns.
    pub(super) fn shorten<'a>(&self, text: &'a str, width: usize) -> Cow<'a, str> {
        if self.unicode || columns(text) <= width {
            return safe::shorten(text, width);
        }
        let kept = safe::shorten(text, width.saturating_sub(2));
        // Only the sign of the cut is ours: others in the text would make it longer than there is room.
        Cow::Owned(kept.strip_suffix('…').map_or_else(|| kept.clone().into_owned(), |kept| format!("{kept}...")))
    }

    /// Colours safe text, if colours are wanted.
    pub(super) fn paint(&self, ink: Ink, text: &str) -> String {
        if !self.color || ink == Ink::Plain || text.trim().is_empty() {
            return text.to_owned();
        }
        let style = ink.style();
        format!("{style}{text}{style:#}")
    }
}

impl Ink {
    fn style(self) -> Style {
        let color = |color: AnsiColor| Style::new().fg_color(Some(color.into()));
        match self {
            Self::Plain => Style::new(),
            Self::Strong => Style::new().bold(),
            Self::Dim => Style::new().dimmed(),
            Self::Critical => color(AnsiColor::Red).bold(),
            Self::Error => color(AnsiColor::Red),
            Self::Warning => color(AnsiColor::Yellow),
            Self::Info => color(AnsiColor::Cyan),
            Self::Command => color(AnsiColor::Green),
        }
    }
}

/// Counts the terminal columns of safe text.
pub(super) fn columns(text: &str) -> usize {
    text.chars().map(|c| c.width().unwrap_or(0)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: Look = Look { width: 0, color: false, wide: false, unicode: false };

    #[test]
    fn an_unknown_width_is_a_hundred_columns() {
        assert_eq!(PLAIN.columns(), 100);
        assert_eq!(Look { width: 7, ..PLAIN }.columns(), 40);
    }

    #[test]
    fn ascii_shows_no_other_signs() {
        assert_eq!(PLAIN.line("a\nb"), "a \\n b");
        assert_eq!(PLAIN.shorten("out of memory", 8), "out o...");
        assert_eq!(PLAIN.shorten("out of memory", 13), "out of memory");
        assert_eq!(PLAIN.shorten("out", 2), "");
        assert_eq!(PLAIN.shorten("… of memory", 6), "… o...");
        assert_eq!(PLAIN.sign("→", "->"), "->");
    }

    #[test]
    fn colour_is_added_only_where_it_is_wanted() {
        let colored = Look { color: true, ..PLAIN };
        assert_eq!(PLAIN.paint(Ink::Critical, "x"), "x");
        assert_eq!(colored.paint(Ink::Plain, "x"), "x");
        assert_eq!(colored.paint(Ink::Warning, "x"), "\u{1b}[33mx\u{1b}[0m");
    }
}
