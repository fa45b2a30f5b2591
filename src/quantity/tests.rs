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
