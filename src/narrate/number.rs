//! Numbers with their units, so that `10Mi`, `10 MiB` and `10 mebibytes` are one.
#![warn(clippy::disallowed_methods, clippy::disallowed_types)]

/// A number; `5m` may be minutes or thousandths, so there may be several readings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Number {
    readings: Vec<(Unit, i128)>,
}

/// What is counted, in thousandths of its base.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Unit {
    /// Things: what they are is said by the words beside the number.
    Plain,
    Bytes,
    Seconds,
    Cpu,
    Percent,
}

/// Units as written behind a number, with what one of them is in thousandths of the base.
const UNITS: &[(Unit, i128, &[&str])] = &[
    (Unit::Bytes, 1_000, &["b", "byte", "bytes"]),
    (Unit::Bytes, 1_000_000, &["k", "kb", "kilobyte", "kilobytes"]),
    (Unit::Bytes, 1_000_000_000, &["M", "mb", "megabyte", "megabytes"]),
    (Unit::Bytes, 1_000_000_000_000, &["G", "gb", "gigabyte", "gigabytes"]),
    (Unit::Bytes, 1_000_000_000_000_000, &["T", "tb", "terabyte", "terabytes"]),
    (Unit::Bytes, 1_000 << 10, &["ki", "kib", "kibibyte", "kibibytes"]),
    (Unit::Bytes, 1_000 << 20, &["mi", "mib", "mebibyte", "mebibytes"]),
    (Unit::Bytes, 1_000 << 30, &["gi", "gib", "gibibyte", "gibibytes"]),
    (Unit::Bytes, 1_000 << 40, &["ti", "tib", "tebibyte", "tebibytes"]),
    (Unit::Seconds, 1, &["ms", "millisecond", "milliseconds"]),
    (Unit::Seconds, 1_000, &["s", "sec", "secs", "second", "seconds"]),
    (Unit::Seconds, 60_000, &["m", "min", "mins", "minute", "minutes"]),
    (Unit::Seconds, 3_600_000, &["h", "hr", "hrs", "hour", "hours"]),
    (Unit::Seconds, 86_400_000, &["d", "day", "days"]),
    (Unit::Seconds, 604_800_000, &["w", "week", "weeks"]),
    (Unit::Cpu, 1, &["m", "millicore", "millicores", "millicpu"]),
    (Unit::Percent, 1_000, &["%", "percent"]),
];

const WORDS: &[&str] = &[
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
    "twenty",
];

impl Number {
    /// Reads `5`, `five`, `10Mi`, `5m6s`, `99%`; not `one`, which is mostly no number.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let word = WORDS.iter().position(|word| text.eq_ignore_ascii_case(word)).filter(|number| *number != 1);
        if let Some(number) = word {
            return Some(Self { readings: vec![(Unit::Plain, i128::try_from(number).ok()? * 1_000)] });
        }
        if !text.starts_with(|c: char| c.is_ascii_digit()) {
            return None;
        }
        let (value, rest) = leading(text)?;
        if rest.is_empty() {
            return Some(Self { readings: vec![(Unit::Plain, value)] });
        }
        let single = readings(value, rest);
        if !single.is_empty() {
            return Some(Self { readings: single });
        }
        compound(text).map(|total| Self { readings: vec![(Unit::Seconds, total)] })
    }

    /// Joins a plain number with the unit in the next word, as in `10 MiB`.
    pub(super) fn with_unit(&self, word: &str) -> Option<Self> {
        let [(Unit::Plain, value)] = self.readings[..] else { return None };
        // A letter alone is more likely to be a name.
        let readings = if word == "%" || word.len() > 1 { readings(value, word) } else { Vec::new() };
        (!readings.is_empty()).then_some(Self { readings })
    }

    /// Returns whether both may mean the same.
    pub(super) fn agrees(&self, other: &Self) -> bool {
        self.readings.iter().any(|reading| other.readings.contains(reading))
    }
}

/// Splits off a leading decimal number, in thousandths.
fn leading(text: &str) -> Option<(i128, &str)> {
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, rest) = text.split_at(end);
    let (whole, part) = number.split_once('.').unwrap_or((number, ""));
    if whole.len() > 24 || part.len() > 3 || part.contains('.') || number.ends_with('.') {
        return None;
    }
    let whole: i128 = whole.parse().ok()?;
    let part: i128 = format!("{part:0<3}").parse().ok()?;
    Some((whole * 1_000 + part, rest))
}

fn readings(value: i128, unit: &str) -> Vec<(Unit, i128)> {
    let is_meant = |spelling: &&&str| match spelling.len() {
        // `M` is mega, `m` is milli or minutes.
        1 => **spelling == unit,
        _ => unit.eq_ignore_ascii_case(spelling),
    };
    let known = UNITS.iter().filter(|(_, _, spellings)| spellings.iter().any(|spelling| is_meant(&spelling)));
    known.map(|(unit, size, _)| (*unit, value * size / 1_000)).collect()
}

/// Reads `1h30m`.
fn compound(text: &str) -> Option<i128> {
    let mut rest = text;
    let mut total = 0;
    while !rest.is_empty() {
        let (value, after) = leading(rest)?;
        let end = after.find(|c: char| c.is_ascii_digit()).unwrap_or(after.len());
        let (unit, next) = after.split_at(end);
        let seconds = readings(value, unit).into_iter().find(|(unit, _)| *unit == Unit::Seconds)?;
        total += seconds.1;
        rest = next;
    }
    Some(total)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(text: &str) -> Number {
        Number::parse(text).unwrap_or_else(|| panic!("{text} is a number"))
    }

    #[test]
    fn spellings_of_one_amount_agree() {
        for (one, other) in [
            ("10Mi", "10MiB"),
            ("1Gi", "1024Mi"),
            ("5m", "300s"),
            ("1h30m", "90m"),
            ("5", "five"),
            ("99%", "99percent"),
            ("0.5Gi", "512Mi"),
        ] {
            assert!(number(one).agrees(&number(other)), "{one} and {other}");
        }
        assert!(number("10").with_unit("mebibytes").unwrap().agrees(&number("10Mi")));
        assert!(number("5").with_unit("minutes").unwrap().agrees(&number("5m")));
        assert!(number("1950").with_unit("millicores").unwrap().agrees(&number("1950m")));
    }

    #[test]
    fn other_amounts_and_units_do_not() {
        for (one, other) in [("10Mi", "10M"), ("10Mi", "10"), ("5m", "5s"), ("5", "5%"), ("10Mi", "11Mi"), ("1M", "1m")]
        {
            assert!(!number(one).agrees(&number(other)), "{one} and {other}");
        }
        for text in ["", "one", "1.2.3", "v1", "10.0.0.1", "1x", "5m-3", "1."] {
            assert_eq!(Number::parse(text), None, "{text}");
        }
    }
}
