//! Every aggregator obeys the laws.

use std::fmt::Debug;

use manyhands::aggregation::{
    Aggregator, Bottom, Count, Extrema, Histogram, Kind, Mean, Moments, Quantiles, State,
    StateError, StdDev, Sum, Top, Variance, assert_laws, canonical_bytes,
};
use proptest::collection::vec;
use proptest::prelude::*;
use serde::Serialize;

use crate::scores::{any_bits, assorted, finite_scores};

/// Returns all aggregators of `f64` in one tuple.
fn family() -> impl Aggregator<f64, Output = impl Serialize + Debug> + State {
    let histogram = Histogram::new(-1.0, 1.0, 7);
    let edges = vec![f64::NEG_INFINITY, -0.5, 0.0, 1e-300, f64::INFINITY];
    let uneven = Histogram::with_edges(edges).expect("edges that ascend");
    let exact = (Count::new(), Sum::new(), Mean::new());
    let spread = (
        Variance::new(),
        Variance::population(),
        StdDev::new(),
        StdDev::population(),
        Moments::new(),
    );
    let order = (Extrema::new(), Top::new(5), Bottom::new(5), Top::new(0));
    (exact, spread, order, histogram, uneven, Quantiles::new())
}

#[test]
fn the_family_keeps_the_laws() {
    assert_laws(family(), &assorted(300));
    let with_nan: Vec<f64> = assorted(50)
        .into_iter()
        .chain([f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -f64::NAN])
        .collect();
    assert_laws(family(), &with_nan);
    for infinite in [f64::INFINITY, f64::NEG_INFINITY] {
        assert_laws(family(), &[1.0, infinite, -0.0, infinite, f64::MIN]);
    }
    assert_laws(family(), &[-0.0; 9]);
    assert_laws(family(), &[]);
}

proptest! {
    // For each case, the harness divides the scores in about a hundred ways, so few cases are enough.
    #![proptest_config(ProptestConfig { cases: 4, ..ProptestConfig::default() })]

    #[test]
    fn the_family_keeps_the_laws_on_any_bits(scores in vec(any_bits(), 0..40)) {
        assert_laws(family(), &scores);
    }

    #[test]
    fn the_family_keeps_the_laws_on_finite_scores(scores in finite_scores(40)) {
        assert_laws(family(), &scores);
    }
}

/// Checks sums that are a tie except for one bit, and sums that cancel. Each run has more scores of one exponent
/// than the limbs can hold between two carries.
#[test]
fn the_family_keeps_the_laws_on_long_runs() {
    let half_ulp = f64::EPSILON / 2.0;
    let ties = [
        1.0,
        half_ulp,
        -5e-324,
        1.0 + f64::EPSILON,
        -half_ulp,
        5e-324,
    ];
    let huge = [f64::MAX, f64::MAX, f64::MIN, -1.0, f64::MAX, 1.0];
    let largest_significand = f64::from_bits(2.0_f64.to_bits() - 1);
    for (repeated, among) in [(largest_significand, ties), (-f64::MAX, huge)] {
        let mut scores = vec![repeated; 4_200];
        scores.splice(2_000..2_000, among);
        scores.extend([-repeated; 300]);
        assert_laws(family(), &scores);
    }
}

#[test]
fn adaptors_keep_the_laws() {
    let texts = [
        "a", "to", "", "tea", "ten", "i", "in", "inn", "to", "a", "ten", "tee",
    ];
    let length = |text: &&str| text.len() as f64;
    let initial = |text: &&str| text.chars().next();
    assert_laws(Mean::new().of(length), &texts);
    assert_laws(
        Top::new(3)
            .of(length)
            .only(|text: &&str| text.contains('t')),
        &texts,
    );
    assert_laws((Count::new(), Sum::new().of(length)).by(initial), &texts);
    assert_laws(
        Variance::new().of(length).by_ref(|text: &&str| *text),
        &texts,
    );
    assert_laws(
        Quantiles::new().of(length).map(|summary| summary.count),
        &texts,
    );
    let nested = Mean::new()
        .of(length)
        .by(|text: &&str| text.len())
        .by(initial);
    assert_laws(nested, &texts);
    let some = vec![Some(Sum::new().of(length)), None];
    assert_laws(some, &texts);
    assert_laws(Vec::<Count>::new(), &texts);
}

#[test]
fn slices_longer_than_a_block_are_observed_completely() {
    let scores: Vec<u32> = (0..2_000).map(|place| place * place % 1_009).collect();
    let number = |score: &u32| f64::from(*score);
    assert_laws((Top::new(9), Sum::new()).of(number), &scores);
    assert_laws(
        Texts::default().of(number).only(|score: &u32| *score < 60),
        &scores,
    );
}

/// Records whether it is a fork, and the lengths of the slices that it has observed.
#[derive(Clone, Default)]
struct Calls(bool, Vec<usize>);

impl Aggregator<f64> for Calls {
    type Output = (bool, Vec<usize>);
    fn observe(&mut self, _index: u64, _score: &f64) {}
    fn observe_slice(&mut self, _first: u64, scores: &[f64]) {
        self.1.push(scores.len());
    }
    fn fork(&self) -> Self {
        Calls(true, Vec::new())
    }
    fn merge(&mut self, _later: Self) {}
    fn finish(self) -> (bool, Vec<usize>) {
        (self.0, self.1)
    }
}

#[test]
fn adaptors_pass_slices_and_forks_on() {
    fn calls<A: Aggregator<f64>>(aggregator: A) -> A::Output {
        let mut state = aggregator.fork();
        state.observe_slice(0, &[0.5; 700]);
        state.finish()
    }
    let whole = || (true, vec![700]);
    assert_eq!(calls(Calls::default()), whole());
    assert_eq!(
        calls((Calls::default(), Calls::default())),
        (whole(), whole())
    );
    assert_eq!(calls(vec![Calls::default()]), [whole()]);
    assert_eq!(calls(Some(Calls::default())), Some(whole()));
    assert_eq!(calls(Calls::default().map(|calls| calls)), whole());
    let (forked, slices) = calls(Calls::default().of(|score: &f64| -score));
    assert!(forked && slices.len() > 1 && slices.iter().sum::<usize>() == 700);
    let (forked, _) = calls(Calls::default().only(|_: &f64| true));
    assert!(forked);
}

#[test]
fn a_combination_is_commutative_if_all_its_parts_are() {
    fn commutes<A: Aggregator<f64>>(_: &A) -> bool {
        A::COMMUTATIVE
    }
    let sign = |score: &f64| score.is_sign_negative();
    assert!(commutes(
        &(Sum::new(), Count::new(), ()).by(sign).only(|_: &f64| true)
    ));
    assert!(!commutes(&(Sum::new(), Texts::default())));
    assert!(!commutes(
        &Texts::default().by(sign).map(|groups| groups.len())
    ));
}

#[test]
fn an_ordered_aggregator_keeps_the_laws() {
    assert_laws(Texts::default(), &assorted(40));
    assert_laws(
        Texts::default().by(|score: &f64| *score > 0.0),
        &assorted(40),
    );
}

#[test]
fn groups_equal_those_of_a_plain_loop() {
    let words = ["tea", "to", "tea", "a", "to", "tea"].map(String::from);
    let mut counts = Count::new().by_ref(|word: &String| word.as_str());
    let mut places = Texts::default()
        .of(|word: &String| word.len() as f64)
        .by(|word: &String| word.clone());
    for (index, word) in (0..).zip(&words) {
        counts.observe(index, word);
        places.observe(index, word);
    }
    let counts: Vec<(String, u64)> = counts.finish().into_iter().collect();
    assert_eq!(
        counts,
        [("a".into(), 1), ("tea".into(), 3), ("to".into(), 2)]
    );
    assert_eq!(places.finish()["tea"], "0:3 2:3 5:3 ");
}

/// An aggregator that a user could write. It concatenates its records in order, so it is associative in index order
/// only.
#[derive(Clone, Default)]
struct Texts(String);

impl Aggregator<f64> for Texts {
    type Output = String;
    fn observe(&mut self, index: u64, score: &f64) {
        self.0 += &format!("{index}:{score} ");
    }
    fn merge(&mut self, later: Self) {
        self.0 += &later.0;
    }
    fn finish(self) -> String {
        self.0
    }
}

impl State for Texts {
    type Plain = String;
    fn kind(&self) -> Kind {
        Kind::new("texts", 1)
    }
    fn into_plain(self) -> String {
        self.0
    }
    fn restore(&self, texts: String) -> Result<Self, StateError> {
        Ok(Texts(texts))
    }
}

#[test]
fn canonical_bytes_differ_if_bits_differ() {
    assert_eq!(
        canonical_bytes(&(1_u64, "a")),
        canonical_bytes(&(1_u64, "a"))
    );
    assert_ne!(canonical_bytes(&0.0), canonical_bytes(&-0.0));
    assert_eq!(canonical_bytes(&()), b"mh1");
}
