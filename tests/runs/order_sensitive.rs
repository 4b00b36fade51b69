//! The answers of these aggregators show how the scores were distributed and merged.

use manyhands::aggregation::Aggregator;

/// An aggregator that lists the indices and the bits of the scores in order. It is not commutative.
#[derive(Clone, Default)]
pub struct List(Vec<(u64, u64)>);

impl Aggregator<f64> for List {
    type Output = Vec<(u64, u64)>;

    fn observe(&mut self, index: u64, score: &f64) {
        self.0.push((index, score.to_bits()));
    }

    fn merge(&mut self, later: Self) {
        self.0.extend(later.0);
    }

    fn finish(self) -> Self::Output {
        self.0
    }
}

/// A sum that rounds at every step. It is not exactly associative, so its last bits show how scores were grouped.
#[derive(Clone, Default)]
pub struct NaiveSum<const COMMUTATIVE: bool>(f64);

impl<const COMMUTATIVE: bool> Aggregator<f64> for NaiveSum<COMMUTATIVE> {
    type Output = f64;
    const COMMUTATIVE: bool = COMMUTATIVE;

    fn observe(&mut self, _: u64, score: &f64) {
        self.0 += score;
    }

    fn merge(&mut self, later: Self) {
        self.0 += later.0;
    }

    fn finish(self) -> f64 {
        self.0
    }
}
