//! Estimates from plain facts: what a series of them leads to, and what absurd facts do.

use jiff::SignedDuration;
use proptest::prelude::*;

use crate::quantity::Quantity;
use crate::recommend::facts::{Bound, Facts, Heap, Kill, Peak, Point, Workers};
use crate::recommend::{growth, memory};
use crate::scene::pods::memory::How;

const MEBI: i64 = 1 << 20;

/// A container that was killed once, and of which nothing else is known.
fn killed(limit: Quantity, seconds: i64, earlier: Vec<Quantity>) -> Facts {
    Facts {
        limit,
        literal: limit.mem(),
        how: How::Container,
        kills: vec![Kill { limit, lasted: Some(SignedDuration::from_secs(seconds)), restarts: 1 }],
        earlier,
        points: Vec::new(),
        peak: None,
        heap: None,
        workers: None,
        files: None,
        advised: None,
        counted: false,
        lives: Vec::new(),
        node_ran_out: false,
    }
}

/// Follows the advice until it lives: the number of tries, and the last limit in hundredths of the need.
fn follow(need: Quantity, start: Quantity, seconds: i64) -> (usize, i64) {
    let mut limits = vec![start];
    while let Some(limit) = limits.last().copied().filter(|limit| *limit < need) {
        let earlier = limits[..limits.len() - 1].to_vec();
        let next = memory::estimate(&killed(limit, seconds, earlier)).limit;
        limits.push(next.unwrap_or_else(|| panic!("no advice for {need:?} after {limits:?}")));
    }
    (limits.len() - 1, limits[limits.len() - 1].percent_of(need).expect("a need"))
}

#[test]
fn following_the_advice_ends_after_few_tries_not_far_above_the_need() {
    let mut tries = Vec::new();
    for megabytes in [40, 80, 150, 300, 700, 3000] {
        for percent in [10, 20, 30, 40, 50, 60, 90] {
            for seconds in [1, 5, 300] {
                let need = Quantity::from_bytes(megabytes * 1_000_000);
                let start = need.saturating_ratio(percent, 100).floor_to(Quantity::from_bytes(MEBI));
                let (steps, share) = follow(need, start, seconds);
                assert!(steps <= 4, "{megabytes} MB from {percent} %, killed after {seconds} s: {steps} tries");
                assert!(share <= 220, "{megabytes} MB from {percent} %, killed after {seconds} s: {share} %");
                tries.push(steps);
            }
        }
    }
    tries.sort_unstable();
    assert!(tries[tries.len() / 2] <= 2, "{tries:?}");
}

/// A program that starts with so much and gains so many bytes a second until it is killed.
fn growing(limit: Quantity, base: f64, slope: f64) -> Facts {
    #[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "a test's numbers are small")]
    let life = ((limit.value() as f64 - base) / slope) as i64;
    let points = (1..=8).map(|step| {
        #[expect(clippy::cast_precision_loss, reason = "a test's numbers are small")]
        let seconds = (life * step / 9) as f64;
        Point { seconds, bytes: base + slope * seconds }
    });
    Facts { points: points.collect(), ..killed(limit, life, Vec::new()) }
}

#[test]
fn the_time_that_more_memory_buys_is_known_to_a_quarter() {
    for slope in [10_000.0, 100_000.0, 400_000.0] {
        let facts = growing(Quantity::from_bytes(128 * MEBI), 20e6, slope);
        let more = Quantity::from_bytes(64 * MEBI);
        let lasts = growth::of(&facts).expect("a leak").lasts(more).as_secs_f64();
        let truth = 64.0 * 1_048_576.0 / slope;
        assert!((lasts - truth).abs() <= 0.25 * truth, "{lasts} for {truth}");
    }
}

#[test]
fn a_start_up_that_flattens_is_no_leak() {
    let limit = Quantity::from_bytes(128 * MEBI);
    let points = (1..=20).map(|minute| {
        let seconds = f64::from(minute) * 60.0;
        Point { seconds, bytes: 120e6 * (1.0 - (-seconds / 200.0).exp()) }
    });
    assert_eq!(growth::of(&Facts { points: points.collect(), ..killed(limit, 1300, Vec::new()) }), None);
}

#[test]
fn a_peak_out_of_the_flat_is_no_leak() {
    let limit = Quantity::from_bytes(128 * MEBI);
    let points = (1..=20).map(|minute| Point { seconds: f64::from(minute) * 60.0, bytes: 30e6 });
    assert_eq!(growth::of(&Facts { points: points.collect(), ..killed(limit, 1300, Vec::new()) }), None);
}

fn quantities() -> impl Strategy<Value = Quantity> {
    let literals = "[0-9]{1,40}(m|n|k|Ki|Mi|Gi|Ti|Ei|E|e9|e99)?";
    prop_oneof![
        literals.prop_map(|literal| literal.parse().unwrap_or_default()),
        any::<i64>().prop_map(Quantity::from_bytes)
    ]
}

fn heaps() -> impl Strategy<Value = Heap> {
    let bound = prop_oneof![quantities().prop_map(Bound::Fixed), any::<i64>().prop_map(Bound::Percent)];
    bound.prop_map(|bound| Heap { flag: "-Xmx", value: "x".to_owned(), bound })
}

fn workers() -> impl Strategy<Value = Workers> {
    let measured = prop::option::of((quantities(), any::<i64>()));
    (2_i64..2000, measured).prop_map(|(count, measured)| Workers { program: "gunicorn", count, measured })
}

fn kills() -> impl Strategy<Value = Kill> {
    let lasted = prop::option::of(any::<i64>().prop_map(SignedDuration::from_secs));
    (quantities(), lasted, any::<i32>()).prop_map(|(limit, lasted, restarts)| Kill { limit, lasted, restarts })
}

fn facts() -> impl Strategy<Value = Facts> {
    let numbers = (quantities(), prop::collection::vec(quantities(), 0..7), prop::option::of(quantities()));
    let seen = (
        prop::collection::vec((any::<f64>(), any::<f64>()), 0..9),
        prop::collection::vec(kills(), 0..4),
        prop::option::of((quantities(), any::<i64>())),
    );
    let told = (prop::option::of(heaps()), prop::option::of(workers()), prop::option::of(quantities()));
    let how = prop_oneof![Just(How::Container), Just(How::Child), Just(How::Worker), Just(How::Start)];
    (numbers, seen, told, how, any::<bool>()).prop_map(
        |((limit, earlier, files), (points, kills, peak), (heap, workers, advised), how, counted)| Facts {
            limit,
            literal: limit.mem(),
            how,
            kills,
            earlier,
            points: points.into_iter().map(|(seconds, bytes)| Point { seconds, bytes }).collect(),
            peak: peak.map(|(amount, window)| Peak { amount, window: SignedDuration::from_secs(window) }),
            heap,
            workers,
            files,
            advised,
            counted,
            lives: Vec::new(),
            node_ran_out: false,
        },
    )
}

proptest! {
    #[test]
    fn absurd_facts_make_no_absurd_numbers(facts in facts()) {
        let estimate = memory::estimate(&facts);
        if let Some(limit) = estimate.limit {
            prop_assert!(limit > facts.limit && limit > Quantity::ZERO);
            prop_assert!(limit.mem().parse::<Quantity>().is_ok());
        }
        prop_assert!(!estimate.formula.is_empty());
        prop_assert!(estimate.inputs.contains_key("limit"));
        let words = format!("{} {:?} {:?}", estimate.formula, estimate.inputs, estimate.instead);
        prop_assert!(!words.contains("NaN") && !words.contains("inf"), "{}", words);
    }
}
