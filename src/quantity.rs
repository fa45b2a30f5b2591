//! Exact arithmetic on Kubernetes quantities: `128Mi`, `250m`, `1e3`.
#![warn(clippy::disallowed_methods, clippy::disallowed_types)]

use std::str::FromStr;

const NANOS_A_UNIT: i128 = 1_000_000_000;
const NANOS_A_MILLI: i128 = 1_000_000;

/// An amount of a resource, exact to a billionth of its unit (a byte, a core, a piece).
///
/// Arithmetic saturates instead of overflowing, at about 1.7e29 units.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Quantity(i128);

/// Tells which literal is not a Kubernetes quantity.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{literal}` is not a Kubernetes quantity such as `64Mi`, `250m` or `2`")]
pub struct ParseQuantityError {
    /// What was to be parsed, as it was written.
    pub literal: String,
}

impl Quantity {
    /// Nothing at all.
    pub const ZERO: Self = Self(0);

    /// Makes a quantity of whole bytes.
    pub const fn from_bytes(bytes: i64) -> Self {
        Self(bytes as i128 * NANOS_A_UNIT)
    }

    /// Makes a quantity of thousandths, as in 250 for `250m`.
    pub const fn from_milli(milli: i64) -> Self {
        Self(milli as i128 * NANOS_A_MILLI)
    }

    /// Gives whole units (bytes, cores), rounded up as the API server does.
    pub fn value(self) -> i64 {
        saturated(div_ceil(self.0, NANOS_A_UNIT))
    }

    /// Gives thousandths, rounded up.
    pub fn milli(self) -> i64 {
        saturated(div_ceil(self.0, NANOS_A_MILLI))
    }

    /// Tells whether this is exactly zero.
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }

    /// Adds, stopping at the largest or smallest quantity.
    #[must_use]
    pub const fn saturating_add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }

    /// Subtracts, stopping at the largest or smallest quantity; the result may be negative.
    #[must_use]
    pub const fn saturating_sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }

    /// Multiplies by a whole number, such as a count of replicas.
    #[must_use]
    pub const fn saturating_mul(self, times: i64) -> Self {
        Self(self.0.saturating_mul(times as i128))
    }

    /// Multiplies by a fraction, such as 115 hundredths; the result is rounded up. `over` counts as 1 if it is not positive.
    #[must_use]
    pub fn saturating_ratio(self, times: i64, over: i64) -> Self {
        Self(div_ceil(self.0.saturating_mul(times.into()), over.max(1).into()))
    }

    /// Rounds up to a multiple of a unit, if that can be told.
    #[must_use]
    pub fn ceil_to(self, unit: Self) -> Self {
        if unit.0 <= 0 { self } else { Self(div_ceil(self.0, unit.0).saturating_mul(unit.0)) }
    }

    /// Rounds down to a multiple of a unit.
    #[must_use]
    pub fn floor_to(self, unit: Self) -> Self {
        if unit.0 <= 0 { self } else { Self(self.0.div_euclid(unit.0).saturating_mul(unit.0)) }
    }

    /// Returns how many hundredths of another amount this is, rounded down; `None` of nothing.
    pub fn percent_of(self, whole: Self) -> Option<i64> {
        (whole.0 > 0).then(|| saturated(self.0.saturating_mul(100).div_euclid(whole.0)))
    }

    /// Writes an amount of memory as a person would: `64Mi`, `1536Mi`, `128M`.
    ///
    /// The text is exact. It is binary unless a decimal suffix is shorter, so `128M` does not become `125000Ki`. Parts
    /// of a byte keep their suffix, because `100m` of memory is a mistake that must stay visible.
    pub fn mem(self) -> String {
        if self.0 % NANOS_A_UNIT != 0 {
            return suffixed(self.0, &[(NANOS_A_MILLI, "m"), (1_000, "u"), (1, "n")]);
        }
        let bytes = self.0 / NANOS_A_UNIT;
        let binary = suffixed(bytes, &BINARY_UNITS);
        let decimal = suffixed(bytes, &DECIMAL_UNITS);
        if decimal.len() < binary.len() { decimal } else { binary }
    }

    /// Writes an amount of processor time: `250m`, `2`; anything finer is rounded up to a thousandth.
    pub fn cpu(self) -> String {
        suffixed(div_ceil(self.0, NANOS_A_MILLI), &[(1_000, ""), (1, "m")])
    }
}

const BINARY_UNITS: [(i128, &str); 7] =
    [(1 << 60, "Ei"), (1 << 50, "Pi"), (1 << 40, "Ti"), (1 << 30, "Gi"), (1 << 20, "Mi"), (1 << 10, "Ki"), (1, "")];

const DECIMAL_UNITS: [(i128, &str); 7] = [
    (1_000_000_000_000_000_000, "E"),
    (1_000_000_000_000_000, "P"),
    (1_000_000_000_000, "T"),
    (1_000_000_000, "G"),
    (1_000_000, "M"),
    (1_000, "k"),
    (1, ""),
];

/// Writes `amount` in the first unit that divides it; the last unit must be 1.
fn suffixed(amount: i128, units: &[(i128, &str)]) -> String {
    let exact = units.iter().find(|(size, _)| amount % size == 0);
    match exact {
        Some((size, suffix)) if amount != 0 => format!("{}{suffix}", amount / size),
        _ => "0".to_owned(),
    }
}

fn div_ceil(amount: i128, divisor: i128) -> i128 {
    amount.div_euclid(divisor) + i128::from(amount.rem_euclid(divisor) != 0)
}

fn saturated(amount: i128) -> i64 {
    i64::try_from(amount).unwrap_or(if amount < 0 { i64::MIN } else { i64::MAX })
}

impl FromStr for Quantity {
    type Err = ParseQuantityError;

    /// Parses what the API server accepts; what is finer than nano is rounded away from zero.
    fn from_str(literal: &str) -> Result<Self, Self::Err> {
        parse(literal).ok_or_else(|| ParseQuantityError { literal: literal.to_owned() })
    }
}

fn parse(literal: &str) -> Option<Quantity> {
    let (negative, unsigned) = match literal.as_bytes().first()? {
        b'-' => (true, &literal[1..]),
        b'+' => (false, &literal[1..]),
        _ => (false, literal),
    };
    let end = unsigned.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(unsigned.len());
    let (number, suffix) = unsigned.split_at(end);
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if fraction.contains('.') || (whole.is_empty() && fraction.is_empty()) {
        return None;
    }
    let digits: Vec<u8> = whole.bytes().chain(fraction.bytes()).map(|digit| digit - b'0').collect();
    let (shift, factor) = scale(suffix)?;
    let nanos = scaled(&digits, i64::try_from(whole.len()).ok()?.saturating_add(shift), factor);
    let nanos = i128::try_from(nanos).unwrap_or(i128::MAX);
    Some(Quantity(if negative { -nanos } else { nanos }))
}

/// Reads a suffix as a shift of the decimal point and a factor that leads to nano-units.
fn scale(suffix: &str) -> Option<(i64, u128)> {
    let decimal = |exponent| Some((exponent, NANOS_A_UNIT.unsigned_abs()));
    let binary = |bits: u32| Some((0, NANOS_A_UNIT.unsigned_abs() << bits));
    match suffix {
        "n" => decimal(-9),
        "u" => decimal(-6),
        "m" => decimal(-3),
        "" => decimal(0),
        "k" => decimal(3),
        "M" => decimal(6),
        "G" => decimal(9),
        "T" => decimal(12),
        "P" => decimal(15),
        "E" => decimal(18),
        "Ki" => binary(10),
        "Mi" => binary(20),
        "Gi" => binary(30),
        "Ti" => binary(40),
        "Pi" => binary(50),
        "Ei" => binary(60),
        _ => decimal(suffix.strip_prefix(['e', 'E'])?.parse().ok()?),
    }
}

/// Multiplies the decimal number `digits`, its point before index `point`, by `factor`; the result is rounded up.
///
/// Exact for any number of digits: a fraction is summed from its last digit on, `(digit × factor + rest) / 10`, where
/// dropping the remainder at each step drops no more than dropping it at the end.
fn scaled(digits: &[u8], point: i64, factor: u128) -> u128 {
    let split = usize::try_from(point.max(0)).unwrap_or(usize::MAX).min(digits.len());
    let (whole, fraction) = digits.split_at(split);

    let mut units: u128 =
        whole.iter().fold(0, |sum: u128, digit| sum.saturating_mul(10).saturating_add((*digit).into()));
    let mut zeros = usize::try_from(point.max(0)).unwrap_or(usize::MAX) - split;
    while zeros > 0 && units != 0 && units != u128::MAX {
        units = units.saturating_mul(10);
        zeros -= 1;
    }

    let (mut rest, mut inexact) = (0, false);
    for digit in fraction.iter().rev() {
        let sum = u128::from(*digit) * factor + rest;
        inexact |= !sum.is_multiple_of(10);
        rest = sum / 10;
    }
    let mut zeros = point.min(0);
    while zeros < 0 && rest != 0 {
        inexact |= !rest.is_multiple_of(10);
        rest /= 10;
        zeros += 1;
    }
    units.saturating_mul(factor).saturating_add(rest).saturating_add(inexact.into())
}

#[cfg(test)]
mod tests;
