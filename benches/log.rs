//! Reading logs: what a container wrote is taken apart at hundreds of megabytes a second.
//!
//! `cargo bench --bench log` prints the time for 10 MB of a healthy log, of one with errors, and of one that is nothing
//! but errors.

use std::hint::black_box;

use criterion::{Criterion, Throughput};
use kubectl_rca::scene::LogDigest;
use kubectl_rca::scene::log::trend;

const BYTES: usize = 10_000_000;

fn main() {
    let mut criterion = Criterion::default().sample_size(20).configure_from_args();
    let mut group = criterion.benchmark_group("log");
    for (name, every) in [("healthy", usize::MAX), ("an error in a hundred lines", 100), ("errors only", 1)] {
        let text = log(every);
        group.throughput(Throughput::Bytes(text.len() as u64));
        group.bench_with_input(name, &text, |bencher, text| bencher.iter(|| black_box(LogDigest::new(text))));
    }
    let text = log(100);
    group.throughput(Throughput::Bytes(text.len() as u64));
    group.bench_with_input("trend", &text, |bencher, text| {
        bencher.iter(|| black_box((trend::turn(text), trend::drifts(text))));
    });
    group.finish();
    criterion.final_summary();
}

/// Writes lines of three loggers in turn, each so many an error.
fn log(every: usize) -> String {
    let mut text = String::with_capacity(BYTES + 300);
    let mut number = 0_usize;
    while text.len() < BYTES {
        number += 1;
        let second = number % 60;
        let level = if number.is_multiple_of(every) { "ERROR" } else { "INFO" };
        let what = if number.is_multiple_of(every) {
            "dial tcp 10.0.0.7:5432: connection refused"
        } else {
            "served GET /cart"
        };
        let line = match number % 3 {
            0 => format!(
                "2026-01-01T12:00:{second:02}.123456Z {level} cart::http {what} id={number} took={}ms",
                number % 97
            ),
            1 => {
                format!(r#"{{"time":"2026-01-01T12:00:{second:02}Z","level":"{level}","msg":"{what}","id":{number}}}"#)
            }
            _ => format!("[2026-01-01 12:00:{second:02}] {level}: {what} ({number})"),
        };
        text.push_str(&line);
        text.push('\n');
    }
    text
}
