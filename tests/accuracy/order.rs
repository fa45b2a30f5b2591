//! Order: a shuffled state makes the same report, byte by byte.

use kubectl_rca::model::Report;
use kubectl_rca::render;

use super::Tally;
use super::document::Document;
use crate::support::world::Dice;

const SEEDS: [u64; 2] = [1, 2];

pub(super) fn try_all(document: &Document, report: &Report) -> Tally {
    let expected = render::json::render(report).unwrap();
    let mut tally = Tally::default();
    for seed in SEEDS {
        let found = render::json::render(&shuffled(document, seed).report()).unwrap();
        tally.check((found != expected).then(|| format!("another report with seed {seed}")));
    }
    tally
}

fn shuffled(document: &Document, seed: u64) -> Document {
    let mut document = document.clone();
    Dice(seed).shuffle(document.objects_mut());
    Dice(seed).shuffle(document.logs_mut());
    document
}
