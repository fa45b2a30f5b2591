//! Label selectors.

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{LabelSelector, LabelSelectorRequirement};

/// Labels as Kubernetes keeps them.
pub type Labels = BTreeMap<String, String>;

/// Returns whether all pairs of a plain selector are among the labels; an empty selector matches everything.
pub fn matches_pairs(selector: &Labels, labels: Option<&Labels>) -> bool {
    selector.iter().all(|(key, value)| labels.is_some_and(|labels| labels.get(key) == Some(value)))
}

/// Returns whether a label selector matches; an empty one matches everything.
pub fn matches(selector: &LabelSelector, labels: Option<&Labels>) -> bool {
    let pairs = selector.match_labels.as_ref().is_none_or(|pairs| matches_pairs(pairs, labels));
    pairs && selector.match_expressions.iter().flatten().all(|requirement| meets(requirement, labels))
}

fn meets(requirement: &LabelSelectorRequirement, labels: Option<&Labels>) -> bool {
    let value = labels.and_then(|labels| labels.get(&requirement.key));
    let listed = || value.is_some_and(|value| requirement.values.iter().flatten().any(|allowed| allowed == value));
    match requirement.operator.as_str() {
        "In" => listed(),
        "NotIn" => !listed(),
        "Exists" => value.is_some(),
        "DoesNotExist" => value.is_none(),
        _ => false,
    }
}

/// Reads a selector as kubectl's `-l` takes it: `app=cart,tier!=db,zone in (a, b),!canary`; `None` if it makes no sense.
pub fn parse(text: &str) -> Option<LabelSelector> {
    let mut expressions = Vec::new();
    let mut rest = text.trim();
    while !rest.is_empty() {
        let end = end_of_requirement(rest);
        expressions.push(requirement(rest[..end].trim())?);
        rest = rest[end..].strip_prefix(',').unwrap_or_default().trim();
    }
    Some(LabelSelector { match_labels: None, match_expressions: Some(expressions) })
}

/// Finds the comma behind a requirement: those in parentheses part values.
fn end_of_requirement(text: &str) -> usize {
    let mut depth = 0_i32;
    for (at, c) in text.char_indices() {
        match c {
            '(' => depth += 1,
            ')' => depth -= 1,
            ',' if depth == 0 => return at,
            _ => {}
        }
    }
    text.len()
}

fn requirement(text: &str) -> Option<LabelSelectorRequirement> {
    let make = |key: &str, operator: &str, values: Option<Vec<String>>| {
        let key = key.trim();
        let is_key = !key.is_empty() && !key.contains(|c: char| c.is_whitespace() || "=!()".contains(c));
        is_key.then(|| LabelSelectorRequirement { key: key.to_owned(), operator: operator.to_owned(), values })
    };
    if let Some(key) = text.strip_prefix('!') {
        return make(key, "DoesNotExist", None);
    }
    for (sign, operator) in [("!=", "NotIn"), ("==", "In"), ("=", "In")] {
        if let Some((key, value)) = text.split_once(sign) {
            return make(key, operator, Some(vec![value.trim().to_owned()]));
        }
    }
    for (word, operator) in [(" notin ", "NotIn"), (" in ", "In")] {
        if let Some((key, values)) = text.split_once(word) {
            let values = values.trim().strip_prefix('(')?.strip_suffix(')')?;
            return make(key, operator, Some(values.split(',').map(|value| value.trim().to_owned()).collect()));
        }
    }
    make(text, "Exists", None)
}

/// Prints pairs as kubectl's `-l` takes them: `app=cart,tier=web`.
pub fn print(pairs: &Labels) -> String {
    pairs.iter().map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn selects(selector: &str) -> bool {
        let pairs = [("app", "cart"), ("tier", "web")].map(|(key, value)| (key.to_owned(), value.to_owned()));
        matches(&parse(selector).unwrap(), Some(&Labels::from(pairs)))
    }

    #[test]
    fn selectors_are_read_as_kubectl_reads_them() {
        for selector in
            ["app=cart", "app==cart,tier=web", "app in (cart, db),tier", "tier!=db", "!canary", "x notin (y)", ""]
        {
            assert!(selects(selector), "{selector}");
        }
        for selector in ["app=db", "app!=cart", "app in (db)", "!app", "app notin (cart,db)", "canary"] {
            assert!(!selects(selector), "{selector}");
        }
    }

    #[test]
    fn what_is_no_selector_is_refused() {
        for selector in ["=x", "a b", "app in cart", ",", "app=cart,,tier=web"] {
            assert!(parse(selector).is_none(), "{selector}");
        }
    }
}
