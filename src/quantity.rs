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
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn nanos(literal: &str) -> i128 {
        literal.parse::<Quantity>().unwrap().0
    }

    fn quantity(literal: &str) -> Quantity {
        literal.parse().unwrap()
    }

    #[test]
    fn every_suffix_has_its_factor() {
        let decimal = ["n", "u", "m", "", "k", "M", "G", "T", "P", "E"];
        for (power, suffix) in (0..).zip(decimal) {
            assert_eq!(nanos(&format!("3{suffix}")), 3 * 1000_i128.pow(power), "{suffix}");
        }
        for (power, suffix) in (1..).zip(["Ki", "Mi", "Gi", "Ti", "Pi", "Ei"]) {
            assert_eq!(nanos(&format!("3{suffix}")), 3 * NANOS_A_UNIT * 1024_i128.pow(power), "{suffix}");
        }
    }

    #[test]
    fn exa_is_not_an_exponent() {
        assert_eq!(quantity("12E"), quantity("12e18"));
        assert_eq!(quantity("12E3"), quantity("12k"));
        assert_eq!(quantity("12E-3"), quantity("12m"));
        assert_eq!(quantity("12e+3"), quantity("12k"));
    }

    #[test]
    fn decimals_and_signs_are_exact() {
        assert_eq!(quantity("1.5Gi"), quantity("1536Mi"));
        assert_eq!(quantity("0.1"), quantity("100m"));
        assert_eq!(quantity(".5"), quantity("500m"));
        assert_eq!(quantity("5."), quantity("5"));
        assert_eq!(quantity("+1"), quantity("1"));
        assert_eq!(quantity("-1.5"), quantity("-1500m"));
        assert_eq!(nanos("0.1Ki"), 102_400_000_000);
        assert_eq!(nanos("0.0000000001Ki"), 103);
    }

    #[test]
    fn finer_than_nano_is_rounded_away_from_zero() {
        assert_eq!(nanos("0.1n"), 1);
        assert_eq!(nanos("-0.1n"), -1);
        assert_eq!(nanos("1e-40"), 1);
        assert_eq!(nanos("1.0000000001"), NANOS_A_UNIT + 1);
        assert_eq!(nanos("0e-40"), 0);
        assert_eq!(nanos(&format!("0.{}1Ei", "0".repeat(500))), 1);
    }

    #[test]
    fn what_the_api_server_refuses_is_an_error_that_names_it() {
        for literal in [
            "",
            " ",
            "-",
            "+",
            ".",
            "m",
            "Mi",
            "1K",
            "1Mb",
            "1mi",
            "1i",
            "1e",
            "1e-",
            "1.1.1",
            "1 ",
            " 1",
            "1Gi2",
            "0x1",
            "--1",
            "1e3Mi",
            "١",
            "1µ",
            "NaN",
            "inf",
            "1e99999999999999999999",
        ] {
            let error = literal.parse::<Quantity>().unwrap_err();
            assert!(error.to_string().starts_with(&format!("`{literal}`")), "{error}");
        }
    }

    #[test]
    fn absurd_input_saturates() {
        assert_eq!(quantity(&"9".repeat(4000)).value(), i64::MAX);
        assert_eq!(quantity(&format!("-{}Ei", "9".repeat(4000))).value(), i64::MIN);
        assert_eq!(quantity("1e9223372036854775807").value(), i64::MAX);
        assert_eq!(quantity("0e9223372036854775807"), Quantity::ZERO);
        assert_eq!(quantity("1e-9223372036854775808"), quantity("1n"));
        let most = quantity("1e99");
        assert_eq!(most.saturating_add(most), most);
        assert_eq!(most.saturating_mul(i64::MAX), most);
        assert_eq!(most.saturating_mul(-1).saturating_sub(most).saturating_sub(most).milli(), i64::MIN);
    }

    #[test]
    fn values_are_rounded_up() {
        assert_eq!(quantity("100m").value(), 1);
        assert_eq!(quantity("1.0001").milli(), 1001);
        assert_eq!(quantity("-1.5").value(), -1);
        assert_eq!(quantity("12345678n").milli(), 13);
    }

    #[test]
    fn fractions_and_multiples_are_rounded_as_they_say() {
        let unit = quantity("16Mi");
        assert_eq!(quantity("65Mi").ceil_to(unit), quantity("80Mi"));
        assert_eq!(quantity("80Mi").ceil_to(unit), quantity("80Mi"));
        assert_eq!(quantity("79Mi").floor_to(unit), quantity("64Mi"));
        assert_eq!(quantity("100").saturating_ratio(115, 100), quantity("115"));
        assert_eq!(quantity("1n").saturating_ratio(1, 3), quantity("1n"));
        assert_eq!(quantity("1").saturating_ratio(1, 0), quantity("1"));
        assert_eq!(quantity("1e99").ceil_to(unit).value(), i64::MAX);
        assert_eq!(quantity("96Mi").percent_of(quantity("128Mi")), Some(75));
        assert_eq!(quantity("96Mi").percent_of(Quantity::ZERO), None);
    }

    #[test]
    fn memory_reads_as_a_person_writes_it() {
        for (literal, shown) in [
            ("64Mi", "64Mi"),
            ("1.5Gi", "1536Mi"),
            ("1024Mi", "1Gi"),
            ("1000Mi", "1000Mi"),
            ("128M", "128M"),
            ("1e9", "1G"),
            ("73412608", "71692Ki"),
            ("1023", "1023"),
            ("100m", "100m"),
            ("0", "0"),
            ("-64Mi", "-64Mi"),
        ] {
            assert_eq!(quantity(literal).mem(), shown, "{literal}");
        }
    }

    #[test]
    fn cpu_reads_as_a_person_writes_it() {
        for (literal, shown) in
            [("0.25", "250m"), ("2", "2"), ("2.5", "2500m"), ("12345678n", "13m"), ("0", "0"), ("-1", "-1")]
        {
            assert_eq!(quantity(literal).cpu(), shown, "{literal}");
        }
    }

    proptest! {
        #[test]
        fn any_text_parses_or_not_without_panic(literal in ".*") {
            let _ = literal.parse::<Quantity>();
        }

        #[test]
        fn any_number_shaped_text_parses_without_panic(literal in "[+-]?[0-9]{1,60}(\\.[0-9]{0,60})?([numkMGTPE]|[KMGTPE]i|[eE][+-]?[0-9]{1,4})?") {
            let parsed = quantity(&literal);
            let _ = (parsed.value(), parsed.milli(), parsed.mem(), parsed.cpu());
        }

        #[test]
        fn shown_memory_parses_back(nanos in any::<i64>(), bytes in any::<i64>()) {
            for amount in [Quantity(nanos.into()), Quantity::from_bytes(bytes)] {
                prop_assert_eq!(quantity(&amount.mem()), amount);
            }
        }

        #[test]
        fn shown_cpu_parses_back(milli in any::<i64>()) {
            prop_assert_eq!(quantity(&Quantity::from_milli(milli).cpu()).milli(), milli);
        }

        #[test]
        fn order_is_that_of_the_amounts(one in any::<i64>(), other in any::<i64>()) {
            prop_assert_eq!(Quantity::from_bytes(one).cmp(&Quantity::from_bytes(other)), one.cmp(&other));
        }

        #[test]
        fn decimals_agree_with_milli(whole in 0_i64..1_000_000, milli in 0_i64..1000) {
            prop_assert_eq!(quantity(&format!("{whole}.{milli:03}")), Quantity::from_milli(whole * 1000 + milli));
        }
    }
}
