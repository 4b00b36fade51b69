//! The scores must equal those of RapidFuzz 3.14.6 for pairs of texts that were made up for this test.

use std::collections::BTreeMap;
use std::fs;

use manyhands::task::matching::{Matching, Measure};

#[derive(serde::Deserialize)]
struct Pair {
    a: String,
    b: String,
    /// The score of the processed texts by the measure `wratio`.
    processed: f64,
    #[serde(flatten)]
    scores: BTreeMap<String, f64>,
}

fn pairs() -> Vec<Pair> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/data/matching/pairs.jsonl");
    let text = fs::read_to_string(path).expect("the committed file of pairs");
    let lines = text.lines().map(serde_json::from_str);
    lines.collect::<Result<_, _>>().expect("pairs")
}

fn score(matching: Matching, pair: &Pair) -> f64 {
    matching.against([&pair.b]).score(&pair.a)[0].score
}

#[test]
fn every_score_equals_rapidfuzz_bit_for_bit() {
    let pairs = pairs();
    assert!(pairs.len() > 100);
    for pair in &pairs {
        for measure in Measure::ALL {
            let expected = pair.scores[measure.name()];
            let found = score(Matching::by(measure), pair);
            assert_eq!(found, expected, "{measure} of {:?}, {:?}", pair.a, pair.b);
        }
        let matching = Matching::by(Measure::Wratio).process(true);
        assert_eq!(
            score(matching, pair),
            pair.processed,
            "{:?}, {:?}",
            pair.a,
            pair.b
        );
    }
}
