//! Names that may have been meant.

/// Returns whether two names are so near that one may be a slip or a variant of the other.
pub fn is_near(a: &str, b: &str) -> bool {
    if a == b {
        return true;
    }
    let (short, long) = if a.len() <= b.len() { (a, b) } else { (b, a) };
    let variant =
        short.len() >= 3 && long.split(['-', '_', '.', '/']).any(|part| part == short) || is_prefix(short, long);
    variant || slips(a, b, long.len().div_ceil(4).min(3)).is_some()
}

/// Returns how many slips there are between two names, if they are at most so many.
pub fn slips(a: &str, b: &str, most: usize) -> Option<usize> {
    if a.chars().count().abs_diff(b.chars().count()) > most {
        return None;
    }
    let (a, b) = middles(a, b);
    if strangers(a, b).max(strangers(b, a)) > most {
        return None;
    }
    let found = strsim::damerau_levenshtein(a, b);
    (found <= most).then_some(found)
}

/// Leaves out what two names share at their beginning and end: that of a family is most of the work of a comparison, and
/// adds no slip.
fn middles<'n>(a: &'n str, b: &'n str) -> (&'n str, &'n str) {
    let same = |(x, y): &(char, char)| x == y;
    let head: usize = a.chars().zip(b.chars()).take_while(same).map(|(x, _)| x.len_utf8()).sum();
    let (a, b) = (&a[head..], &b[head..]);
    let tail: usize = a.chars().rev().zip(b.chars().rev()).take_while(same).map(|(x, _)| x.len_utf8()).sum();
    (&a[..a.len() - tail], &b[..b.len() - tail])
}

fn distance(a: &str, b: &str) -> usize {
    let (a, b) = middles(a, b);
    strsim::damerau_levenshtein(a, b)
}

/// Counts the letters of one name that the other does not have at all: each is a slip at least, and cheaper to find.
fn strangers(a: &str, b: &str) -> usize {
    a.chars().filter(|letter| !b.contains(*letter)).count()
}

fn is_prefix(short: &str, long: &str) -> bool {
    short.len() >= 3 && long.strip_prefix(short).is_some_and(|rest| rest.starts_with(['-', '_', '.']))
}

/// Returns up to three of the names that are near, nearest first.
pub fn nearest<'n>(name: &str, candidates: impl Iterator<Item = &'n str>) -> Vec<&'n str> {
    let mut near: Vec<(usize, &str)> = candidates
        .filter(|candidate| *candidate != name && is_near(name, candidate))
        .map(|candidate| (distance(name, candidate), candidate))
        .collect();
    near.sort_unstable();
    near.dedup();
    near.into_iter().take(3).map(|(_, candidate)| candidate).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_and_variants_are_near() {
        assert!(is_near("cart", "cart-v2"));
        assert!(is_near("redis-cart", "redis-crat"));
        assert!(!is_near("cart", "orders"));
        assert_eq!(nearest("card", ["cart", "orders", "mail"].into_iter()), ["cart"]);
    }

    #[test]
    fn slips_are_counted_up_to_a_limit() {
        for (a, b) in [
            ("redis-cart", "redis-crat"),
            ("cart", "carrt"),
            ("aab", "ab"),
            ("é-cart", "e-cart"),
            ("", "x"),
            ("ca", "abc"),
        ] {
            assert_eq!(slips(a, b, 3), Some(strsim::damerau_levenshtein(a, b)), "{a} {b}");
        }
        assert_eq!(slips("app-0001", "app-0234", 2), None);
    }
}
