//! The pure core over generated namespaces: it takes its time linearly, and little of it.
//!
//! `cargo bench --bench analyse` prints the bytes that a pod takes and what `analyse` adds to them, then the time of
//! `analyse` for 1,250 to 10,000 pods with twice as many events and 200 faults.
#![expect(clippy::print_stdout, reason = "a benchmark prints")]

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput};
use kubectl_rca::analyse::analyse;
use kubectl_rca::policy::Policy;
use peak_alloc::PeakAlloc;

mod generate;

#[global_allocator]
static ALLOCATOR: PeakAlloc = PeakAlloc;

const FAULTS: usize = 200;

fn main() {
    memory(10_000);
    let mut criterion = Criterion::default().sample_size(20).configure_from_args();
    time(&mut criterion);
    criterion.final_summary();
}

fn memory(pods: usize) {
    let before = ALLOCATOR.current_usage();
    let snapshot = generate::snapshot(pods, FAULTS);
    let held = ALLOCATOR.current_usage() - before;
    ALLOCATOR.reset_peak_usage();
    let report = analyse(&snapshot, &Policy::default());
    let added = ALLOCATOR.peak_usage() - held - before;
    println!(
        "{pods} pods, {} events: {} bytes a pod with its events and share of the rest",
        snapshot.objects.events.len(),
        held / pods
    );
    println!("analyse adds {:.1} MB at its peak and finds {} incidents", added as f64 / 1e6, report.incidents.len());
}

fn time(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("analyse");
    for pods in [1_250, 2_500, 5_000, 10_000] {
        let snapshot = generate::snapshot(pods, FAULTS);
        group.throughput(Throughput::Elements(pods as u64));
        group.bench_with_input(BenchmarkId::from_parameter(pods), &snapshot, |bencher, snapshot| {
            bencher.iter(|| black_box(analyse(snapshot, &Policy::default())));
        });
    }
    group.finish();
}
