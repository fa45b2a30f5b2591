//! Names that a typing mistake away from each other.

/// Returns up to three candidates that differ from a name by a slip of the pen, nearest first, in a stable order.
///
/// A slip is one or two letters (one in short names), or a missing or added part: `app-config` and `app-config-v2`.
pub fn nearest<'c>(name: &str, candidates: impl Iterator<Item = &'c str>) -> Vec<&'c str> {
    let mut near: Vec<(usize, &str)> = candidates
        .filter(|candidate| *candidate != name)
        .filter_map(|found| Some((distance(name, found)?, found)))
        .collect();
    near.sort_unstable();
    near.dedup();
    near.into_iter().take(3).map(|(_, name)| name).collect()
}

/// Returns how far two names are from each other, if they are near.
fn distance(one: &str, other: &str) -> Option<usize> {
    let allowed = if one.len() < 5 { 1 } else { 2 };
    if one.len().abs_diff(other.len()) <= allowed {
        let distance = strsim::damerau_levenshtein(one, other);
        if distance <= allowed {
            return Some(distance);
        }
    }
    extends(one, other).then_some(allowed + 1)
}

/// Returns whether one name is the other with a part more: a number, a version, an environment.
fn extends(one: &str, other: &str) -> bool {
    let (short, long) = if one.len() < other.len() { (one, other) } else { (other, one) };
    let bounded = |rest: &str| rest.starts_with(['-', '_', '.']) || rest.ends_with(['-', '_', '.']);
    short.len() >= 4 && (long.strip_prefix(short).is_some_and(bounded) || long.strip_suffix(short).is_some_and(bounded))
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn slips_and_added_parts_are_near_and_others_are_not() {
        let names = ["db-mysql", "db-mysq1", "db-mysql-v2", "cart", "db-mysql1"];
        assert_eq!(nearest("db-mysq1", names.into_iter()), ["db-mysql", "db-mysql1"]);
        assert_eq!(nearest("db-mysql", ["db-mysql-v2", "web"].into_iter()), ["db-mysql-v2"]);
        assert_eq!(nearest("web", ["api", "wed"].into_iter()), ["wed"]);
    }
}
