//! Who depends on whom: the cause on top, below each object those that depend on it.
//!
//! One object a line, as a phone is narrow; what does not follow the tree is a dashed line on the right.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::story::Dependency;
use crate::model::{Incident, ObjectRef};
use crate::render::markup::line;
use crate::render::safe;

/// Objects that are drawn; the sum of the others is told.
const MOST: usize = 24;
const ROW: usize = 52;
const BOX: usize = 40;
const WIDTH: usize = 250;
const INDENT: usize = 22;
/// Columns of text in a box.
const TEXT: usize = 32;

/// One box.
struct Node<'a> {
    object: &'a ObjectRef,
    depth: usize,
    /// The row of what it depends on, and how; none for the cause.
    parent: Option<(usize, &'a str)>,
}

/// Draws the graph of an incident; nothing if there is only the cause.
pub(super) fn draw(incident: &Incident, dependencies: &[Dependency]) -> String {
    let nodes = nodes(incident, dependencies);
    if nodes.len() < 2 {
        return String::new();
    }
    let shown = &nodes[..nodes.len().min(MOST)];
    let deepest = shown.iter().map(|node| node.depth).max().unwrap_or_default();
    let crossing = crossing(shown, dependencies);
    let width = deepest * INDENT + WIDTH + 10 + crossing.len().min(4) * 8;
    let height = shown.len() * ROW;
    let mut svg = format!(
        "<svg class=\"graph\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" height=\"{height}\" role=\"img\" aria-label=\"dependency graph\">\n"
    );
    shown.iter().enumerate().for_each(|(row, node)| svg += &elbow(shown, row, node));
    crossing.iter().enumerate().for_each(|(at, edge)| svg += &around(shown, at, edge));
    shown.iter().enumerate().for_each(|(row, node)| svg += &boxed(incident, shown, row, node));
    svg += "</svg>\n";
    if nodes.len() > MOST {
        svg += &format!("<p class=\"dim\">and {} more</p>\n", nodes.len() - MOST);
    }
    format!("<div class=\"scroll\">{svg}</div>\n")
}

/// Lays the objects out: the cause, then depth first those that depend on it, each where the shortest way leads.
fn nodes<'a>(incident: &'a Incident, dependencies: &'a [Dependency]) -> Vec<Node<'a>> {
    let cause = &incident.cause.subject.object;
    let mut parents: BTreeMap<&ObjectRef, (&ObjectRef, &str)> = BTreeMap::new();
    let mut level = vec![cause];
    while !level.is_empty() {
        let mut next = Vec::new();
        for edge in dependencies.iter().filter(|edge| level.contains(&&edge.to)) {
            if edge.from != *cause && !parents.contains_key(&edge.from) {
                parents.insert(&edge.from, (&edge.to, edge.verb));
                next.push(&edge.from);
            }
        }
        level = next;
    }
    // What the cause explains without a way that is known.
    for effect in incident.effects.iter().map(|effect| &effect.subject.object).filter(|object| *object != cause) {
        parents.entry(effect).or_insert((cause, "suffers from"));
    }
    let mut nodes = vec![Node { object: cause, depth: 0, parent: None }];
    below(&parents, 0, &mut nodes);
    nodes
}

fn below<'a>(parents: &BTreeMap<&'a ObjectRef, (&'a ObjectRef, &'a str)>, row: usize, nodes: &mut Vec<Node<'a>>) {
    let (object, depth) = (nodes[row].object, nodes[row].depth + 1);
    for (&child, &(_, verb)) in parents.iter().filter(|(_, (parent, _))| *parent == object) {
        nodes.push(Node { object: child, depth, parent: Some((row, verb)) });
        below(parents, nodes.len() - 1, nodes);
    }
}

/// The dependencies that are not in the tree, as rows.
fn crossing<'d>(nodes: &[Node<'_>], dependencies: &'d [Dependency]) -> Vec<(usize, usize, &'d str)> {
    let row = |object: &ObjectRef| nodes.iter().position(|node| node.object == object);
    let edges = dependencies.iter().filter_map(|edge| Some((row(&edge.from)?, row(&edge.to)?, edge.verb)));
    let crossing: BTreeSet<_> =
        edges.filter(|(from, to, _)| nodes[*from].parent.is_none_or(|(parent, _)| parent != *to)).collect();
    crossing.into_iter().collect()
}

fn left(node: &Node<'_>) -> usize {
    node.depth * INDENT + 2
}

fn middle(row: usize) -> usize {
    row * ROW + BOX / 2 + 2
}

/// The line from what it depends on: down, then right.
fn elbow(nodes: &[Node<'_>], row: usize, node: &Node<'_>) -> String {
    let Some((parent, _)) = node.parent else { return String::new() };
    let x = left(&nodes[parent]) + INDENT / 2;
    let top = parent * ROW + BOX + 2;
    format!("<path class=\"edge\" d=\"M{x} {top}V{}H{}\"/>\n", middle(row), left(node))
}

/// A dashed line along the right side.
fn around(nodes: &[Node<'_>], at: usize, &(from, to, verb): &(usize, usize, &str)) -> String {
    let right = |row: usize| left(&nodes[row]) + WIDTH;
    let far = right(from).max(right(to)) + 6 + (at % 4) * 8;
    let title = line(&format!("{} {verb} {}", nodes[from].object.short(), nodes[to].object.short()));
    format!(
        "<path class=\"edge dashed\" d=\"M{} {}H{far}V{}H{}\"><title>{title}</title></path>\n",
        right(from),
        middle(from) + 6,
        middle(to) - 6,
        right(to)
    )
}

fn boxed(incident: &Incident, nodes: &[Node<'_>], row: usize, node: &Node<'_>) -> String {
    let is_effect = incident.effects.iter().any(|effect| effect.subject.object == *node.object);
    let (class, below) = match node.parent {
        None => ("cause", format!("the cause: {}", incident.cause.rule.id)),
        Some((parent, verb)) => {
            (if is_effect { "effect" } else { "through" }, format!("{verb} {}", nodes[parent].object.short()))
        }
    };
    let (x, y) = (left(node), row * ROW + 2);
    let short = |text: &str| line(&safe::shorten(&safe::line(text), TEXT));
    format!(
        "<g class=\"{class}\"><title>{}</title><rect x=\"{x}\" y=\"{y}\" width=\"{WIDTH}\" height=\"{BOX}\" rx=\"6\"/>\
         <text x=\"{}\" y=\"{}\" class=\"name\">{}</text><text x=\"{}\" y=\"{}\">{}</text></g>\n",
        line(&node.object.to_string()),
        x + 10,
        y + 17,
        short(&node.object.short()),
        x + 10,
        y + 32,
        short(&below)
    )
}
