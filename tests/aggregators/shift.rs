//! If shards are each numbered from 0, saved, loaded, shifted and merged, the result is that of one run over all
//! records.

use std::panic::{AssertUnwindSafe, catch_unwind};

use manyhands::aggregation::{
    Aggregator, Bottom, Confidence, Correlation, Count, Covariance, Distinct, ExactQuantiles,
    Extrema, Frequent, Histogram, Kind, Mean, MeanInterval, Median, Moments, Quantiles, Shift,
    State, StateError, StdDev, Sum, Top, Variance, assert_laws, assert_shift_laws,
};
use proptest::collection::vec;
use proptest::prelude::*;

use crate::observing::observed;
use crate::scores::{any_bits, assorted};

/// Checks every aggregator that can be shifted, alone and combined.
fn check_all(scores: &[f64]) {
    check_plain(scores);
    check_combined(scores);
}

fn check_plain(scores: &[f64]) {
    let index_free = (
        (Count::new(), Sum::new(), Mean::new(), Moments::new()),
        (Variance::new(), StdDev::new()),
        MeanInterval::new(Confidence::Percent95),
        (Median::new(), ExactQuantiles::new(), Quantiles::new()),
        Histogram::new(-1.0, 1.0, 7),
        Distinct::new().of(|score: &f64| score.to_bits()),
        Frequent::above(0.5).of(|score: &f64| score.to_bits()),
        (),
    );
    assert_shift_laws(index_free, scores);
    let pair = |score: &f64| (*score, score.abs().min(1.0));
    assert_shift_laws((Covariance::new(), Correlation::new()).of(pair), scores);
    assert_shift_laws(Extrema::new(), scores);
    for places in [0, 1, 5, 1_000] {
        assert_shift_laws((Top::new(places), Bottom::new(places)), scores);
    }
    assert_shift_laws(Indices::default(), scores);
}

fn check_combined(scores: &[f64]) {
    let sign = |score: &f64| score.is_sign_negative();
    let ranked = || (Extrema::new(), Top::new(2), Indices::default());
    assert_shift_laws(vec![Some(ranked()), None], scores);
    assert_shift_laws(ranked().only(|score: &f64| *score < 0.5).by(sign), scores);
    assert_shift_laws(ranked().map(|(extremes, ..)| extremes), scores);
    assert_shift_laws(ranked().partial(7).map(Aggregator::<f64>::finish), scores);
    let nested = Bottom::new(1)
        .of(|score: &f64| score.fract())
        .by(|score: &f64| score.to_bits())
        .by(sign);
    assert_shift_laws(nested, scores);
    let texts: Vec<String> = scores.iter().map(|score| format!("{score:.1}")).collect();
    let by_text = (Top::new(1), Count::new())
        .of(|text: &String| text.len() as f64)
        .by_ref(|text: &String| text.as_str());
    assert_shift_laws(by_text, &texts);
    let borrowed = Distinct::new().of_ref(|text: &String| text.as_str());
    assert_shift_laws(borrowed, &texts);
}

#[test]
fn shards_equal_the_whole() {
    check_all(&assorted(80));
    check_all(&[0.5; 12]);
    check_all(&[f64::NAN, 1.0, f64::INFINITY, f64::NAN, -0.0, 0.0, f64::NAN]);
    check_all(&[0.25]);
    check_all(&[]);
    // The state of more than 1,024 scores has another form.
    assert_shift_laws(Quantiles::new(), &assorted(1_100));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2, ..ProptestConfig::default() })]

    #[test]
    fn shards_of_any_bits_equal_the_whole(scores in vec(any_bits(), 0..20)) {
        check_all(&scores);
    }

    #[test]
    fn shards_of_repeated_scores_equal_the_whole(scores in vec((-2_i32..2).prop_map(f64::from), 0..40)) {
        check_all(&scores);
    }
}

#[test]
fn groups_handed_over_by_forks_are_shifted() {
    let scores: Vec<f64> = (0..150_000_u32).map(f64::from).collect();
    let by_score = || Bottom::new(1).by(|score: &f64| score.to_bits());
    let mut root = by_score();
    let mut fork = root.fork();
    fork.observe_slice(0, &scores);
    root.merge(fork);
    let shifted = root.shift(1_000).expect("indices that fit").finish();
    assert_eq!(shifted.len(), scores.len());
    for (place, score) in scores.iter().enumerate() {
        assert_eq!(shifted[&score.to_bits()][0].index, 1_000 + place as u64);
    }
}

#[test]
fn an_index_that_would_not_fit_is_an_error() {
    fn refusal<A: Aggregator<f64> + Shift>(mut state: A) -> StateError {
        state.observe(5, &0.5);
        assert!(state.clone().shift(u64::MAX - 5).is_ok());
        state
            .shift(u64::MAX - 4)
            .err()
            .expect("an index beyond 2^64 - 1")
    }
    assert_eq!(refusal(Extrema::new()), StateError::IndexOverflow);
    assert_eq!(refusal(Top::new(1)), StateError::IndexOverflow);
    let combined = vec![(Count::new(), Bottom::new(1))].by(|_: &f64| ());
    assert_eq!(refusal(combined), StateError::IndexOverflow);
    // A state without records contains no index, so no shift can make an index too large.
    for fresh in [Extrema::new(), observed(Extrema::new(), &[f64::NAN])] {
        assert!(fresh.shift(u64::MAX).is_ok());
    }
    assert_eq!(
        StateError::IndexOverflow.to_string(),
        "a record's index would exceed 2^64 - 1 after the shift; shift by the number of records before the shard"
    );
}

/// An aggregator that a user could write. It lists the indices of all records in order, so it is associative in
/// index order only.
#[derive(Clone, Default)]
struct Indices(Vec<u64>);

impl Aggregator<f64> for Indices {
    type Output = Vec<u64>;
    fn observe(&mut self, index: u64, _score: &f64) {
        self.0.push(index);
    }
    fn merge(&mut self, later: Self) {
        self.0.extend(later.0);
    }
    fn finish(self) -> Vec<u64> {
        self.0
    }
}

impl State for Indices {
    type Plain = Vec<u64>;
    fn kind(&self) -> Kind {
        Kind::new("indices", 1)
    }
    fn into_plain(self) -> Vec<u64> {
        self.0
    }
    fn restore(&self, indices: Vec<u64>) -> Result<Self, StateError> {
        Ok(Indices(indices))
    }
}

impl Shift for Indices {
    fn shift(self, by: u64) -> Result<Self, StateError> {
        let shifted = self.0.into_iter().map(|index| index.checked_add(by));
        let shifted: Option<_> = shifted.collect();
        shifted.map(Indices).ok_or(StateError::IndexOverflow)
    }
}

/// [`Indices`] with a `shift` that breaks its law.
#[derive(Clone)]
struct Lawless {
    indices: Indices,
    /// Added to the index of every record that is observed.
    added: u64,
    shift: fn(&mut Lawless, u64) -> Result<(), StateError>,
}

impl Aggregator<f64> for Lawless {
    type Output = Vec<u64>;
    fn observe(&mut self, index: u64, score: &f64) {
        self.indices.observe(index + self.added, score);
    }
    fn merge(&mut self, later: Self) {
        self.indices.merge(later.indices);
    }
    fn finish(self) -> Vec<u64> {
        self.indices.finish()
    }
}

impl State for Lawless {
    type Plain = Vec<u64>;
    fn kind(&self) -> Kind {
        self.indices.kind()
    }
    fn into_plain(self) -> Vec<u64> {
        self.indices.into_plain()
    }
    fn restore(&self, plain: Vec<u64>) -> Result<Self, StateError> {
        let indices = self.indices.restore(plain)?;
        Ok(Lawless {
            indices,
            added: 0,
            shift: self.shift,
        })
    }
}

impl Shift for Lawless {
    fn shift(mut self, by: u64) -> Result<Self, StateError> {
        (self.shift)(&mut self, by)?;
        Ok(self)
    }
}

/// Returns the message with which the harness rejects such a `shift`.
fn message_of(shift: fn(&mut Lawless, u64) -> Result<(), StateError>) -> String {
    let (indices, added) = (Indices::default(), 0);
    let aggregator = Lawless {
        indices,
        added,
        shift,
    };
    let scores = assorted(40);
    assert_laws(aggregator.clone(), &scores);
    let outcome = catch_unwind(AssertUnwindSafe(|| assert_shift_laws(aggregator, &scores)));
    let panic = outcome.expect_err("the harness did not detect a broken law");
    *panic.downcast::<String>().expect("a message")
}

/// Adds `by` to every index, as a `shift` should.
fn add(state: &mut Lawless, by: u64) {
    for index in &mut state.indices.0 {
        *index += by;
    }
}

const LAW: &str = "not the same when shards are numbered from 0 and shifted: ";

#[test]
fn a_shift_by_nothing_that_changes_something_is_caught() {
    let message = message_of(|state, by| {
        add(state, by.max(1));
        Ok(())
    });
    assert!(
        message.contains(&format!("{LAW}all records, shifted by 0")),
        "{message}"
    );
}

#[test]
fn a_shift_that_affects_later_records_is_caught() {
    let message = message_of(|state, by| {
        add(state, by);
        state.added += by;
        Ok(())
    });
    assert!(
        message.contains(&format!(
            "{LAW}a fresh state that was shifted and then observed"
        )),
        "{message}"
    );
}

#[test]
fn a_shift_that_leaves_an_index_is_caught() {
    // This shift is correct for states of more than 15 records, such as the half that is shifted first.
    let message = message_of(|state, by| {
        add(state, by);
        if state.indices.0.len() <= 15
            && let Some(first) = state.indices.0.first_mut()
        {
            *first -= by;
        }
        Ok(())
    });
    assert!(message.contains(&format!("{LAW}seed ")), "{message}");
}

#[test]
fn a_shift_that_is_refused_without_need_is_caught() {
    let message = message_of(|state, by| {
        add(state, by);
        if by < 25 {
            Ok(())
        } else {
            Err(StateError::IndexOverflow)
        }
    });
    assert!(message.contains(&format!("{LAW}a shift by ")), "{message}");
}
