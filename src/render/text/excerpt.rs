//! Field paths drawn as the manifest in which a person will look for them.

#[cfg(test)]
mod tests;

/// A line of a manifest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Line {
    /// With its indent: `    limits:`.
    pub(super) text: String,
    /// The value, if this is a field that was seen.
    pub(super) value: Option<String>,
}

/// One step of a field path.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Step {
    /// A key of a map.
    Key(String),
    /// An item of a list, by its name or its number.
    Item { list: String, name: String },
}

#[derive(Debug)]
struct Node {
    step: Step,
    value: Option<String>,
    children: Vec<Node>,
}

/// Where manifests hold what people wrote, as opposed to a status or the pseudo-paths of logs and events.
const ROOTS: &[&str] = &[
    "spec",
    "data",
    "binaryData",
    "stringData",
    "metadata",
    "webhooks",
    "rules",
    "roleRef",
    "subjects",
    "parameters",
    "endpoints",
    "subsets",
    "provisioner",
    "secrets",
    "imagePullSecrets",
    "automountServiceAccountToken",
];

/// Maps whose keys are free, so that paths write them in brackets.
const MAPS: &[&str] = &[
    "data",
    "binaryData",
    "stringData",
    "annotations",
    "labels",
    "matchLabels",
    "selector",
    "nodeSelector",
    "limits",
    "requests",
    "hard",
    "used",
    "parameters",
    "default",
    "defaultRequest",
    "max",
    "min",
    "capacity",
    "allocatable",
];

/// Returns whether a path leads to a field that stands in a manifest.
pub(super) fn is_field(path: &str) -> bool {
    let root = path.split(['.', '[']).next().unwrap_or_default();
    ROOTS.contains(&root)
}

/// Draws fields of one object, given as safe paths and values, as lines of its manifest; if `short`, keys that lead to
/// one field only share a line: `resources.limits.memory: 64Mi`.
pub(super) fn draw<'a>(fields: impl Iterator<Item = (&'a str, &'a str)>, short: bool) -> Vec<Line> {
    let mut nodes = Vec::new();
    for (path, value) in fields {
        insert(&mut nodes, &steps(path), value);
    }
    let mut lines = Vec::new();
    for node in nodes {
        let node = if short { node.shortened() } else { node };
        node.draw("", "", &mut lines);
    }
    lines
}

/// Reads `spec.containers[main].resources`; within brackets, dots mean nothing.
fn steps(path: &str) -> Vec<Step> {
    let mut steps = Vec::new();
    let mut key = String::new();
    let mut rest = path;
    while let Some(c) = rest.chars().next() {
        rest = &rest[c.len_utf8()..];
        match (c, rest.split_once(']')) {
            ('.', _) => push_key(&mut steps, &mut key),
            ('[', Some((name, after))) => {
                push_key(&mut steps, &mut key);
                steps.push(bracket(&steps, name));
                rest = after;
            }
            _ => key.push(c),
        }
    }
    push_key(&mut steps, &mut key);
    steps
}

fn push_key(steps: &mut Vec<Step>, key: &mut String) {
    if !key.is_empty() {
        steps.push(Step::Key(std::mem::take(key)));
    }
}

fn bracket(before: &[Step], name: &str) -> Step {
    match before.last() {
        Some(Step::Key(list)) if !MAPS.contains(&list.as_str()) => {
            Step::Item { list: list.clone(), name: name.to_owned() }
        }
        _ => Step::Key(name.to_owned()),
    }
}

fn insert(nodes: &mut Vec<Node>, steps: &[Step], value: &str) {
    let Some((step, rest)) = steps.split_first() else { return };
    let known = nodes.iter().position(|node| node.step == *step);
    let at = known.unwrap_or_else(|| {
        nodes.push(Node { step: step.clone(), value: None, children: Vec::new() });
        nodes.len() - 1
    });
    if rest.is_empty() {
        nodes[at].value = Some(value.to_owned());
    } else {
        insert(&mut nodes[at].children, rest, value);
    }
}

impl Node {
    /// Joins keys that hold one key and nothing else.
    fn shortened(mut self) -> Node {
        while self.value.is_none()
            && let [Node { step: Step::Key(inner), .. }] = &self.children[..]
            && let Step::Key(outer) = &self.step
            && is_plain(inner)
        {
            let step = Step::Key(format!("{outer}.{inner}"));
            let only = self.children.pop().expect("one child");
            self = Node { step, ..only };
        }
        self.children = self.children.into_iter().map(Node::shortened).collect();
        self
    }

    /// `lead` is what stands before the first line, a list's dash perhaps; `indent` what stands before the others.
    fn draw(&self, lead: &str, indent: &str, lines: &mut Vec<Line>) {
        let label = match &self.step {
            Step::Key(key) => format!("{key}:"),
            Step::Item { list, name } => return self.draw_item(list, name, indent, lines),
        };
        lines.push(Line { text: format!("{lead}{label}"), value: self.value.clone() });
        for child in &self.children {
            // As kubectl prints it, a list's dashes stand under their key.
            let deeper =
                if matches!(child.step, Step::Item { .. }) { indent.to_owned() } else { format!("{indent}  ") };
            child.draw(&deeper, &deeper, lines);
        }
    }

    fn draw_item(&self, list: &str, name: &str, indent: &str, lines: &mut Vec<Line>) {
        let deeper = format!("{indent}  ");
        if is_number(name) && item_key(list, name) == "name" {
            return self.draw_numbered(indent, lines);
        }
        let text = format!("{indent}- {}: {name}", item_key(list, name));
        lines.push(Line { text, value: self.value.as_ref().map(|value| format!("# {value}")) });
        for child in &self.children {
            child.draw(&deeper, &deeper, lines);
        }
    }

    /// An item that is known by its number only starts with its first field.
    fn draw_numbered(&self, indent: &str, lines: &mut Vec<Line>) {
        let (dash, deeper) = (format!("{indent}- "), format!("{indent}  "));
        if self.value.is_some() || self.children.is_empty() {
            lines.push(Line { text: format!("{indent}-"), value: self.value.clone() });
        }
        for (index, child) in self.children.iter().enumerate() {
            let lead = if index == 0 && self.value.is_none() { &dash } else { &deeper };
            child.draw(lead, &deeper, lines);
        }
    }
}

/// Returns whether an item has a number at most: `0`, or `*` and nothing for any.
fn is_number(name: &str) -> bool {
    name == "*" || name.bytes().all(|byte| byte.is_ascii_digit())
}

/// Returns whether a dot before a key does not mislead about where the key begins.
fn is_plain(key: &str) -> bool {
    key.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

/// The field by which people find an item of this list.
fn item_key(list: &str, name: &str) -> &'static str {
    match list {
        "conditions" => "type",
        "taints" | "tolerations" => "key",
        "rules" => "host",
        "paths" => "path",
        // Not an index: paths name ports by their number.
        "ports" if name.len() > 1 && is_number(name) => "port",
        "volumeMounts" if name.starts_with('/') => "mountPath",
        _ => "name",
    }
}
