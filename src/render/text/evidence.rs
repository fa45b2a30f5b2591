//! What was seen, as a short frame an object: fields as an excerpt of the manifest, the rest as quoted lines.

use jiff::Timestamp;

use super::ago::ago;
use super::excerpt::{self, Line};
use super::page::{Page, Span, width};
use crate::model::{Evidence, ObjectRef};
use crate::render::look::{Ink, columns};

/// How much is shown unless everything is wanted.
const MOST: usize = 6;
/// Lines of one long quote.
const LINES: usize = 3;

/// Writes the frames.
pub(super) fn write(page: &mut Page, evidence: &[Evidence], now: Timestamp) {
    let shown = if page.look.wide { evidence } else { &evidence[..evidence.len().min(MOST)] };
    let mut objects: Vec<&ObjectRef> = Vec::new();
    for item in shown {
        if !objects.contains(&&item.object) {
            objects.push(&item.object);
        }
    }
    for object in objects {
        let about: Vec<&Evidence> = shown.iter().filter(|item| item.object == *object).collect();
        frame(page, object, &about, now);
    }
    if shown.len() < evidence.len() {
        page.put(&[(Ink::Dim, &format!("  and {} more observations", evidence.len() - shown.len()))]);
    }
}

fn frame(page: &mut Page, object: &ObjectRef, evidence: &[&Evidence], now: Timestamp) {
    let name = page.look.line(&object.to_string()).into_owned();
    page.prose(&[(Ink::Plain, "  ")], Ink::Dim, &name);
    let (fields, quotes): (Vec<&Evidence>, Vec<_>) = evidence.iter().partition(|item| excerpt::is_field(&item.path));
    let safe = |text: &str| page.look.line(text).into_owned();
    let fields: Vec<(String, String)> = fields.iter().map(|item| (safe(&item.path), safe(&item.value))).collect();
    for line in excerpt::draw(fields.iter().map(|(path, value)| (path.as_str(), value.as_str()))) {
        field(page, &line);
    }
    for item in quotes {
        quote(page, item, now);
    }
}

/// A line of the manifest; what was seen is pointed at.
fn field(page: &mut Page, line: &Line) {
    let Some(value) = &line.value else {
        return page.put(&[gutter(page), (Ink::Dim, &line.text)]);
    };
    let lead = [(Ink::Strong, "  > "), (Ink::Plain, &line.text), (Ink::Plain, " ")];
    let fits = width(&lead) + columns(value) <= page.look.columns();
    if fits || !page.look.wide {
        let [mark, text, space] = lead;
        return page.put(&[mark, text, space, (Ink::Strong, value)]);
    }
    page.put(&lead);
    let rest = [gutter(page), (Ink::Plain, "    ")];
    page.hang(&rest, &rest, Ink::Strong, value, usize::MAX);
}

/// A state, an event or a line of a log: in one line if it fits.
fn quote(page: &mut Page, item: &Evidence, now: Timestamp) {
    let label = label(page, &item.path);
    let value = page.look.line(item.value.trim()).into_owned();
    let time = item.time.map(|time| when(page, now, time)).unwrap_or_default();
    let line = [gutter(page), (Ink::Dim, &label), (Ink::Plain, &value), (Ink::Dim, &time)];
    if width(&line) <= page.look.columns() {
        return page.put(&line);
    }
    page.put(&[gutter(page), (Ink::Dim, label.trim_end()), (Ink::Dim, &time)]);
    let rest = [gutter(page), (Ink::Plain, "  ")];
    page.hang(&rest, &rest, Ink::Plain, &value, LINES);
}

/// `status.phase: ` as in a manifest, `log.previous:17 │ ` for what somebody wrote.
fn label(page: &Page, path: &str) -> String {
    let said = ["log", "event", "message", "reason"].iter().any(|root| path.starts_with(root));
    let separator = if said { page.look.sign(" │ ", " | ") } else { ": " };
    format!("{}{separator}", page.look.line(path))
}

fn when(page: &Page, now: Timestamp, time: Timestamp) -> String {
    let ago = ago(now, time);
    if page.look.wide { format!("  ({ago}, {time})") } else { format!("  ({ago})") }
}

fn gutter(page: &Page) -> Span<'static> {
    (Ink::Dim, page.look.sign("  │ ", "  | "))
}
