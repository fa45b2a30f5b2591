//! What happened when: a lane an object, a sign a moment. The signs keep their size on any width, as only their places are
//! relative; every moment is also told in a list, as a phone shows no tooltips and paper none at all.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};

use crate::model::story::{Happening, Moment};
use crate::model::{Incident, ObjectRef, Report, Severity, State, Story};
use crate::render::markup::line;
use crate::render::text::ago::to_the_second;

/// Lanes that are drawn: those of the objects with the most to tell.
const LANES: usize = 14;
const LANE: usize = 40;
const TOP: usize = 22;
/// Moments in the list.
const LISTED: usize = 200;

/// The span that is drawn.
#[derive(Clone, Copy)]
struct Span {
    start: Timestamp,
    end: Timestamp,
}

impl Span {
    /// From shortly before the first trouble to the moment of the report: what happened long before is drawn at the edge.
    fn of(report: &Report, story: &Story) -> Self {
        let end = report.taken_at;
        let troubles = report.incidents.iter().filter(|incident| incident.severity > Severity::Info);
        let began = troubles.filter_map(|incident| incident.first_seen).min();
        let first = story.moments.iter().map(|moment| moment.since).min();
        let start = began.or(first).unwrap_or(end).min(end);
        let margin = (end.duration_since(start) / 8).max(SignedDuration::from_mins(1));
        Self { start: start.checked_sub(margin).unwrap_or(start), end }
    }

    /// Percent from the left, with two places.
    fn place(self, time: Timestamp) -> String {
        let whole = self.end.duration_since(self.start).as_millis().max(1);
        let passed = time.duration_since(self.start).as_millis().clamp(0, whole);
        let share = passed * 10_000 / whole;
        format!("{}.{:02}", share / 100, share % 100)
    }

    fn at(self, share: i32) -> Timestamp {
        self.start.checked_add(self.end.duration_since(self.start) * share / 4).unwrap_or(self.end)
    }

    /// The time of day, with the date if there is more than one.
    fn label(self, time: Timestamp) -> String {
        let text = time.to_string();
        let (date, clock) = text.split_once('T').unwrap_or(("", &text));
        let clock = clock.split(['.', 'Z']).next().unwrap_or_default();
        let is_long = self.end.duration_since(self.start) > SignedDuration::from_hours(20);
        if is_long {
            format!("{} {}", date.get(5..).unwrap_or(date), clock.get(..5).unwrap_or(clock))
        } else {
            clock.to_owned()
        }
    }
}

/// Draws the moments of a story; nothing if there are none.
pub(super) fn draw(report: &Report, story: &Story) -> String {
    if story.moments.is_empty() {
        return String::new();
    }
    let span = Span::of(report, story);
    let lanes = lanes(report, story);
    let height = TOP + lanes.len() * LANE + 4;
    let mut svg = format!(
        "<svg class=\"timeline\" width=\"100%\" height=\"{height}\" role=\"img\" aria-label=\"events, restarts and changes by object\">\n"
    );
    svg += &axis(span, height);
    for (row, object) in lanes.iter().enumerate() {
        svg += &lane(report, story, span, row, object);
    }
    svg += "</svg>\n";
    format!("<section>\n<h2>What happened when</h2>\n{LEGEND}<div class=\"pad\">{svg}</div>\n</section>\n")
}

const LEGEND: &str = "<p class=\"legend\"><svg width=\"12\" height=\"12\"><circle class=\"event\" cx=\"6\" cy=\"6\" r=\"4\"/></svg> event \
    <svg width=\"12\" height=\"12\"><circle class=\"warn\" cx=\"6\" cy=\"6\" r=\"4\"/></svg> warning \
    <svg width=\"12\" height=\"12\"><path class=\"restart\" d=\"M6 1L11 10L1 10Z\"/></svg> restart \
    <svg width=\"12\" height=\"12\"><path class=\"change\" d=\"M6 0L12 6L6 12L0 6Z\"/></svg> change \
    <svg width=\"20\" height=\"12\"><rect class=\"span\" y=\"3\" width=\"20\" height=\"6\" rx=\"3\"/></svg> the trouble</p>\n";

/// The causes first, then who has the most to tell, in the order of the story.
fn lanes<'a>(report: &'a Report, story: &'a Story) -> Vec<&'a ObjectRef> {
    let mut lanes: Vec<&ObjectRef> = Vec::new();
    let troubles = report.incidents.iter().filter(|incident| incident.severity > Severity::Info);
    let causes: Vec<&ObjectRef> = troubles.map(|incident| &incident.cause.subject.object).collect();
    let mut others: Vec<&ObjectRef> =
        story.moments.iter().map(|moment| &moment.object).collect::<BTreeSet<_>>().into_iter().collect();
    let count = |object: &ObjectRef| story.moments.iter().filter(|moment| moment.object == *object).count();
    others.sort_by_key(|object| std::cmp::Reverse(count(object)));
    for object in causes.into_iter().chain(others) {
        if !lanes.contains(&object) && lanes.len() < LANES {
            lanes.push(object);
        }
    }
    lanes
}

fn axis(span: Span, height: usize) -> String {
    let mut text = String::new();
    for (share, anchor) in [(0, "start"), (2, "middle"), (4, "end")] {
        let (x, label) = (share * 25, line(&span.label(span.at(share))));
        text += &format!(
            "<line class=\"grid\" x1=\"{x}%\" x2=\"{x}%\" y1=\"{}\" y2=\"{height}\"/><text class=\"tick\" x=\"{x}%\" y=\"12\" text-anchor=\"{anchor}\">{label}</text>\n",
            TOP - 6
        );
    }
    text
}

fn lane(report: &Report, story: &Story, span: Span, row: usize, object: &ObjectRef) -> String {
    let y = TOP + row * LANE;
    let mut text = format!(
        "<text x=\"0\" y=\"{}\">{}</text><line class=\"lane\" x1=\"0\" x2=\"100%\" y1=\"{m}\" y2=\"{m}\"/>\n",
        y + 13,
        line(&object.short()),
        m = y + 26
    );
    let causes = report.incidents.iter().filter(|incident| incident.cause.subject.object == *object);
    text += &causes.filter_map(|incident| trouble(incident, span, y + 26)).collect::<String>();
    let moments = story.moments.iter().filter(|moment| moment.object == *object);
    text + &moments.map(|moment| sign(moment, span, y + 26)).collect::<String>()
}

/// A bar for as long as the trouble lasts.
fn trouble(incident: &Incident, span: Span, y: usize) -> Option<String> {
    let start = incident.first_seen?;
    let is_past = incident.cause.state == State::Past;
    let end = if is_past { incident.last_seen.unwrap_or(start) } else { span.end };
    let (x1, x2) = (span.place(start), span.place(end.max(start)));
    let severity = incident.severity.as_str();
    Some(format!("<line class=\"span {severity}\" x1=\"{x1}%\" x2=\"{x2}%\" y1=\"{y}\" y2=\"{y}\"/>\n"))
}

fn sign(moment: &Moment, span: Span, y: usize) -> String {
    let x = span.place(moment.time);
    let title = line(&format!("{} {}", to_the_second(moment.time), moment.text));
    let shape = match moment.what {
        Happening::Event => "<circle class=\"event\" r=\"4\"/>",
        Happening::Warning => "<circle class=\"warn\" r=\"4.5\"/>",
        Happening::Restart => "<path class=\"restart\" d=\"M0 -6L6 5L-6 5Z\"/>",
        Happening::Change => "<path class=\"change\" d=\"M0 -6L6 0L0 6L-6 0Z\"/>",
    };
    let since = span.place(moment.since);
    let again = if since == x {
        String::new()
    } else {
        format!("<line class=\"again\" x1=\"{since}%\" x2=\"{x}%\" y1=\"{y}\" y2=\"{y}\"/>")
    };
    format!(
        "{again}<svg x=\"{x}%\" y=\"{y}\" width=\"1\" height=\"1\" overflow=\"visible\">{shape}<title>{title}</title></svg>\n"
    )
}

/// Tells every moment in words, for the end of the page.
pub(super) fn list(story: &Story) -> String {
    if story.moments.is_empty() {
        return String::new();
    }
    let skipped = story.moments.len().saturating_sub(LISTED);
    let told: String = story.moments.iter().skip(skipped).map(told).collect();
    let left_out = if skipped == 0 { String::new() } else { format!(", the last {LISTED}") };
    format!(
        "<section>\n<details class=\"list\"><summary>All {} moments as a list{left_out}</summary>\n<ol>\n{told}</ol></details>\n</section>\n",
        story.moments.len()
    )
}

fn told(moment: &Moment) -> String {
    let (word, class) = match moment.what {
        Happening::Event => ("event", "event"),
        Happening::Warning => ("warning", "warn"),
        Happening::Restart => ("restart", "restart"),
        Happening::Change => ("change", "change"),
    };
    let text = line(&format!("{}: {}", moment.object.short(), moment.text));
    format!("<li><time>{}</time> <b class=\"{class}\">{word}</b> {text}</li>\n", to_the_second(moment.time))
}
