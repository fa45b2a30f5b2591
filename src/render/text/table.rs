//! A table that fits: names give way where the terminal is narrow.

use super::page::Page;
use crate::render::look::{Ink, columns};

/// A name is not cut to less.
const LEAST: usize = 10;
const GAP: usize = 2;

/// One field of a row. Its text is already safe.
#[derive(Clone, Debug)]
pub(super) struct Cell {
    ink: Ink,
    text: String,
    shrinks: bool,
}

impl Cell {
    pub(super) fn new(ink: Ink, text: &str) -> Self {
        Self { ink, text: text.to_owned(), shrinks: false }
    }

    /// Lets its column be cut where there is no room.
    pub(super) fn may_shrink(mut self) -> Self {
        self.shrinks = true;
        self
    }
}

/// Writes rows of equal length, the first of them the head.
pub(super) fn write(page: &mut Page, rows: &[Vec<Cell>]) {
    let widths = widths(rows, page.look.columns());
    for row in rows {
        let texts: Vec<String> = row
            .iter()
            .zip(&widths)
            .map(|(cell, width)| {
                let text = page.look.shorten(&cell.text, *width);
                let pad = width.saturating_sub(columns(&text)) + GAP;
                format!("{text}{}", " ".repeat(pad))
            })
            .collect();
        let spans: Vec<_> = row.iter().zip(&texts).map(|(cell, text)| (cell.ink, text.as_str())).collect();
        // What follows the last field is cut, and not the field.
        let spans: Vec<_> = spans
            .iter()
            .enumerate()
            .map(|(index, (ink, text))| (*ink, if index + 1 == row.len() { text.trim_end() } else { text }))
            .collect();
        page.put(&spans);
    }
}

/// Returns the widths of the columns: as the texts need, less for the widest names until all fit.
fn widths(rows: &[Vec<Cell>], room: usize) -> Vec<usize> {
    let Some(head) = rows.first() else { return Vec::new() };
    let mut widths: Vec<usize> =
        (0..head.len()).map(|at| rows.iter().map(|row| columns(&row[at].text)).max().unwrap_or_default()).collect();
    let shrinks: Vec<bool> = (0..head.len()).map(|at| rows.iter().any(|row| row[at].shrinks)).collect();
    let fixed = GAP * head.len().saturating_sub(1);
    while widths.iter().sum::<usize>() + fixed > room {
        let widest = (0..widths.len()).filter(|&at| shrinks[at] && widths[at] > LEAST).max_by_key(|&at| widths[at]);
        let Some(widest) = widest else { break };
        widths[widest] -= 1;
    }
    widths
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_give_way_and_numbers_stay() {
        let row = |name: &str| vec![Cell::new(Ink::Plain, name).may_shrink(), Cell::new(Ink::Plain, "64Mi/128Mi")];
        assert_eq!(widths(&[row("a-rather-long-name-of-something")], 40), [28, 10]);
        assert_eq!(widths(&[row("short")], 40), [5, 10]);
        assert_eq!(widths(&[row("a-rather-long-name-of-something")], 5), [10, 10]);
    }
}
