//! What was seen, as a short frame an object: fields as an excerpt of the manifest, the rest as quoted lines.

use jiff::Timestamp;

use super::ago::ago;
use super::excerpt::{self, Line};
use super::page::{Page, width};
use crate::model::{Evidence, ObjectRef};
use crate::render::look::{Ink, columns};

/// How much is shown unless everything is wanted.
const MOST: usize = 6;
/// Lines of one long quote.
const LINES: usize = 3;

/// Where frames stand, and in what light.
#[derive(Clone, Copy, Debug)]
pub(super) struct Setting<'a> {
    pub(super) now: Timestamp,
    /// Columns to the left of the frames.
    pub(super) margin: usize,
    /// The object that the lines above name already.
    pub(super) subject: &'a ObjectRef,
}

/// Writes the frames.
pub(super) fn write(page: &mut Page, evidence: &[Evidence], setting: Setting<'_>) {
    let shown = if page.look.wide { evidence } else { &evidence[..evidence.len().min(MOST)] };
    let mut objects: Vec<&ObjectRef> = Vec::new();
    for item in shown {
        if !objects.contains(&&item.object) {
            objects.push(&item.object);
        }
    }
    for (index, object) in objects.into_iter().enumerate() {
        if index > 0 || object != setting.subject {
            let name = page.look.line(&format!("{object}:")).into_owned();
            page.prose(&[(Ink::Plain, &" ".repeat(setting.margin))], Ink::Dim, &name);
        }
        let about: Vec<&Evidence> = shown.iter().filter(|item| item.object == *object).collect();
        frame(page, &about, setting);
    }
    if shown.len() < evidence.len() {
        page.put(&[(Ink::Dim, &format!("  and {} more observations", evidence.len() - shown.len()))]);
    }
}

fn frame(page: &mut Page, evidence: &[&Evidence], setting: Setting<'_>) {
    let (fields, quotes): (Vec<&Evidence>, Vec<_>) = evidence.iter().partition(|item| excerpt::is_field(&item.path));
    let safe = |text: &str| page.look.line(text).into_owned();
    let fields: Vec<(String, String)> = fields.iter().map(|item| (safe(&item.path), safe(&item.value))).collect();
    let gutter = format!("{}{}", " ".repeat(setting.margin), page.look.sign("│ ", "| "));
    for line in excerpt::draw(fields.iter().map(|(path, value)| (path.as_str(), value.as_str())), !page.look.wide) {
        field(page, &gutter, &line);
    }
    for item in quotes {
        quote(page, &gutter, item, setting.now);
    }
}

/// A line of the manifest; what was seen is pointed at.
fn field(page: &mut Page, gutter: &str, line: &Line) {
    let Some(value) = &line.value else {
        return page.put(&[(Ink::Dim, gutter), (Ink::Dim, &line.text)]);
    };
    let mark = format!("{:>width$} ", '>', width = columns(gutter) - 1);
    let lead = [(Ink::Strong, mark.as_str()), (Ink::Plain, &line.text), (Ink::Plain, " ")];
    if !page.look.wide || width(&lead) + columns(value) <= page.look.columns() {
        let [mark, text, space] = lead;
        return page.put(&[mark, text, space, (Ink::Strong, value)]);
    }
    page.put(&lead);
    let rest = [(Ink::Dim, gutter), (Ink::Plain, "    ")];
    page.hang(&rest, &rest, Ink::Strong, value, usize::MAX);
}

/// A state, an event or lines of a log: in one line if it fits.
fn quote(page: &mut Page, gutter: &str, item: &Evidence, now: Timestamp) {
    let path = page.look.line(&item.path).into_owned();
    let lines = said(page, &item.value);
    let value = lines.join(" ");
    let time = item.time.map(|time| when(page, now, time)).unwrap_or_default();
    let separator = separator(page, &path);
    let taken = columns(gutter) + columns(separator) + columns(&value) + columns(&time);
    let room = page.look.columns().saturating_sub(taken);
    if lines.len() < 2
        && let Some(path) = label(page, &path, room)
    {
        let said = [(Ink::Dim, path.as_str()), (Ink::Dim, separator), (Ink::Plain, &value), (Ink::Dim, &time)];
        return page.put(&[&[(Ink::Dim, gutter)], &said[..]].concat());
    }
    page.prose(&[(Ink::Dim, gutter)], Ink::Dim, &format!("{path}{time}:"));
    let rest = [(Ink::Dim, gutter), (Ink::Plain, "  ")];
    if let [only] = &lines[..] {
        return page.hang(&rest, &rest, Ink::Plain, only, LINES);
    }
    for line in lines {
        // Wrapping would take away the indent, which traces need.
        if width(&rest) + columns(&line) <= page.look.columns() {
            page.put(&[&rest[..], &[(Ink::Plain, &line)]].concat());
        } else {
            page.hang(&rest, &rest, Ink::Plain, &line, 1);
        }
    }
}

/// The lines of a quote: of many, the first and the last, where traces name what was thrown.
fn said(page: &Page, value: &str) -> Vec<String> {
    let mut lines: Vec<String> =
        value.trim().lines().map(|line| page.look.line(line.trim_end()).into_owned()).collect();
    lines.retain(|line| !line.is_empty());
    if !page.look.wide && lines.len() > LINES + 1 {
        let hidden = lines.len() - LINES;
        lines.splice(1..=hidden, [format!("({hidden} lines more)")]);
    }
    lines
}

/// The path, without its first steps if that makes it fit: `…terminated.exitCode`.
fn label(page: &Page, path: &str, room: usize) -> Option<String> {
    if columns(path) <= room {
        return Some(path.to_owned());
    }
    if page.look.wide {
        return None;
    }
    let more = page.look.sign("…", "...");
    let tails = path.match_indices('.').map(|(at, _)| &path[at + 1..]).filter(|tail| tail.contains('.'));
    tails.map(|tail| format!("{more}{tail}")).find(|tail| columns(tail) <= room)
}

/// `status.phase: Pending` as in a manifest, `log.previous:17 │ KeyError` for what somebody wrote.
fn separator(page: &Page, path: &str) -> &'static str {
    let said = ["log", "event", "message", "reason"].iter().any(|root| path.starts_with(root));
    if said { page.look.sign(" │ ", " | ") } else { ": " }
}

fn when(page: &Page, now: Timestamp, time: Timestamp) -> String {
    let ago = ago(now, time);
    if page.look.wide { format!(" ({ago}, {time})") } else { format!(" ({ago})") }
}
