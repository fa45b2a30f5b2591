//! Requirements in the words of a message.

use k8s_openapi::api::core::v1::{NodeSelectorRequirement, NodeSelectorTerm};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;

/// Prints a label selector: `app=cart,tier in (web, api)`; nothing at all is `all pods`.
pub fn label_selector(selector: &LabelSelector) -> String {
    let pairs = selector.match_labels.iter().flatten().map(|(key, value)| format!("{key}={value}"));
    let expressions = selector.match_expressions.iter().flatten();
    let expressions =
        expressions.map(|one| expression(&one.key, &one.operator, one.values.as_deref().unwrap_or_default()));
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_of_names_are_short() {
        assert_eq!(names(["a", "b", "c", "d"]), "a, b and 2 more");
        assert_eq!(names(["a", "b"]), "a and b");
    }
}
