//! Requirements in the words of a message.

use k8s_openapi::api::core::v1::{NodeSelectorRequirement, NodeSelectorTerm};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;

/// Prints a label selector: `app=cart,tier in (web, api)`; nothing at all is `all pods`.
pub fn label_selector(selector: &LabelSelector) -> String {
    let pairs = selector.match_labels.iter().flatten().map(|(key, value)| format!("{key}={value}"));
    let expressions = selector.match_expressions.iter().flatten();
    let expressions = expressions.map(|one| expression(&one.key, &one.operator, one.values.as_deref().unwrap_or_default()));
    let parts: Vec<_> = pairs.chain(expressions).collect();
    if parts.is_empty() { "all pods".to_owned() } else { parts.join(",") }
}

/// Prints a term of a node selector: `zone=a,disk in (ssd, nvme)`.
pub fn node_term(term: &NodeSelectorTerm) -> String {
    let all = term.match_expressions.iter().flatten().chain(term.match_fields.iter().flatten());
    all.map(requirement).collect::<Vec<_>>().join(",")
}

/// Prints one requirement: `disk=ssd`, `disk in (ssd, nvme)`, `disk exists`.
pub fn requirement(requirement: &NodeSelectorRequirement) -> String {
    expression(&requirement.key, &requirement.operator, requirement.values.as_deref().unwrap_or_default())
}

fn expression(key: &str, operator: &str, values: &[String]) -> String {
    let listed = values.join(", ");
    match (operator, values) {
        ("In", [value]) => format!("{key}={value}"),
        ("NotIn", [value]) => format!("{key}!={value}"),
        ("In", _) => format!("{key} in ({listed})"),
        ("NotIn", _) => format!("{key} not in ({listed})"),
        ("Exists", _) => format!("{key} exists"),
        ("DoesNotExist", _) => format!("{key} does not exist"),
        ("Gt", _) => format!("{key}>{listed}"),
        ("Lt", _) => format!("{key}<{listed}"),
        _ => format!("{key} {operator} ({listed})"),
    }
}

/// Joins names for a sentence, at most three: `a, b and 4 more`.
pub fn names<'n>(names: impl IntoIterator<Item = &'n str>) -> String {
    let names: Vec<_> = names.into_iter().collect();
    match names.as_slice() {
        [] => "none".to_owned(),
        [one] => (*one).to_owned(),
        [one, two] => format!("{one} and {two}"),
        [one, two, three] => format!("{one}, {two} and {three}"),
        [one, two, rest @ ..] => format!("{one}, {two} and {} more", rest.len()),
    }
}

/// Returns the candidates that look like a name, nearest first, at most three: those a few typing errors away, or that
/// contain it or are contained in it.
pub fn similar<'n>(name: &str, candidates: impl IntoIterator<Item = &'n str>) -> Vec<&'n str> {
    let plain = |text: &str| text.chars().filter(|letter| letter.is_alphanumeric()).flat_map(char::to_lowercase).collect::<String>();
    let wanted = plain(name);
    let distance = |other: &str| {
        let other = plain(other);
        let holds = |long: &str, short: &str| short.len() >= 3 && long.contains(short);
        let contained = holds(&other, &wanted) || holds(&wanted, &other);
        let typing = edits(&wanted, &other);
        if contained { Some(typing.min(2)) } else { Some(typing).filter(|typing| *typing <= 1 + wanted.len() / 5) }
    };
    let mut near: Vec<_> = candidates.into_iter().filter_map(|one| Some((distance(one)?, one))).collect();
    near.sort_unstable();
    near.dedup();
    near.truncate(3);
    near.into_iter().map(|(_, one)| one).collect()
}

/// Counts the insertions, deletions and replacements between two words.
fn edits(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (index, letter) in one.chars().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], index + 1);
        for (column, against) in other.iter().enumerate() {
            let replaced = diagonal + usize::from(letter != *against);
            diagonal = row[column + 1];
            row[column + 1] = replaced.min(diagonal + 1).min(row[column] + 1);
        }
    }
    row.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_looks_alike_is_near() {
        assert_eq!(similar("data", ["data-1", "logs", "date", "cart"]), ["date", "data-1"]);
        assert_eq!(similar("disktype", ["disk-type", "zone"]), ["disk-type"]);
        assert_eq!(similar("fast-ssd", ["standard", "fast"]), ["fast"]);
        assert_eq!(similar("", ["a"]), ["a"]);
    }

    #[test]
    fn lists_of_names_are_short() {
        assert_eq!(names(["a", "b", "c", "d"]), "a, b and 2 more");
        assert_eq!(names(["a", "b"]), "a and b");
    }
}
