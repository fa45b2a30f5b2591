//! Amounts whose unit nobody can mean: `128m` of memory is an eighth of a byte.

use crate::quantity::Quantity;

/// No program runs in less memory, and no volume is smaller.
const LEAST: i64 = 1 << 20;
/// No machine has so many cores.
const MOST_CORES: i64 = 10_000;

/// An amount that cannot be meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slip {
    /// What it says, in words: `0.128 bytes`.
    pub says: String,
    /// What was probably meant, if that can be told.
    pub meant: Option<String>,
}

/// Returns what is wrong with an amount of a resource.
pub fn slip(resource: &str, literal: &str) -> Option<Slip> {
    let amount: Quantity = literal.parse().ok().filter(|amount| *amount > Quantity::ZERO)?;
    match resource {
        "memory" | "ephemeral-storage" => bytes(literal, amount),
        "cpu" => cores(literal, amount),
        _ => None,
    }
}

fn bytes(literal: &str, amount: Quantity) -> Option<Slip> {
    // Who writes `512Ki` thought of bytes.
    if amount >= Quantity::from_bytes(LEAST) || literal.ends_with(['k', 'i']) {
        return None;
    }
    let number = literal.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let whole: Option<i64> = number.parse().ok();
    let mebi = match literal.strip_prefix(number)? {
        "m" => whole,
        // `2` may be meant as gigabytes as well.
        "" => whole.filter(|number| *number >= 16),
        _ => None,
    };
    let says = match amount.milli() {
        milli if milli < 1000 => "less than one byte".to_owned(),
        1000 => "one byte".to_owned(),
        _ => format!("{} bytes", amount.value()),
    };
    Some(Slip { says, meant: mebi.map(|number| format!("{number}Mi")) })
}

fn cores(literal: &str, amount: Quantity) -> Option<Slip> {
    let number = literal.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let meant = (literal.strip_prefix(number)? == "M").then(|| format!("{number}m"));
    (amount > Quantity::from_milli(MOST_CORES * 1000))
        .then(|| Slip { says: format!("{} cores", amount.value()), meant })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn meant(resource: &str, literal: &str) -> Option<String> {
        slip(resource, literal).expect("a slip").meant
    }

    #[test]
    fn a_milli_byte_is_a_slip_for_a_mebibyte() {
        assert_eq!(meant("memory", "128m"), Some("128Mi".to_owned()));
        assert_eq!(meant("memory", "512"), Some("512Mi".to_owned()));
        assert_eq!(meant("memory", "2"), None);
        assert_eq!(meant("cpu", "500M"), Some("500m".to_owned()));
        assert_eq!(slip("memory", "128m").unwrap().says, "less than one byte");
    }

    #[test]
    fn what_may_be_meant_is_left_alone() {
        for (resource, literal) in
            [("memory", "128Mi"), ("memory", "4Mi"), ("memory", "512Ki"), ("memory", "0"), ("memory", "134217728")]
        {
            assert_eq!(slip(resource, literal), None, "{literal}");
        }
        assert_eq!(slip("cpu", "100m"), None);
        assert_eq!(slip("cpu", "64"), None);
        assert_eq!(slip("memory", "9999999999999999999999m"), None);
    }
}
