//! Shifts the record indices in a state, for shards that were each numbered from 0.

use super::{
    Correlation, Count, Covariance, Distinct, ExactQuantiles, Frequent, Histogram, Mean,
    MeanInterval, Median, Moments, Quantiles, StateError, StdDev, Sum, Variance,
};

/// A state whose record indices can be shifted after the records were observed.
///
/// A shard of a dataset (for example, a file or the records of one machine) can be numbered from 0
/// if the number of records before it is not known yet. Once this number is known, `shift` adds it
/// to every index in the state, and the state can be merged with the states of the other shards.
/// The law of `shift` is checked by [`assert_shift_laws`](super::assert_shift_laws): a state that
/// observed records at indices `i`, `j`, … and is shifted by `n` equals a state that observed the
/// same records at `i + n`, `j + n`, …, with the same answer and the same
/// [bytes](super::State::save). Therefore, for every way of cutting a dataset into shards, shifting
/// each shard by the number of records before it and merging the shards in order equals one run
/// over all records.
///
/// | aggregator | `shift` |
/// |---|---|
/// | [`Extrema`](super::Extrema), [`Top`](super::Top), [`Bottom`](super::Bottom) | adds to the indices; ties keep their order |
/// | [`Sample`](super::Sample) | **not implemented**, see below |
/// | the other built-in aggregators | changes nothing: they ignore the index |
/// | tuples, vectors, options, groups and the adaptors | shifts what they contain |
///
/// `Sample` keeps the records whose indices draw the lowest random numbers. Records that were
/// dropped under one numbering are gone, although some of them would be kept under another
/// numbering, so such a state cannot be renumbered. A program that calls `shift` on such a state
/// does not compile. Give the records of such shards the right indices from the start, with
/// [`partial`](super::Aggregator::partial), after counting the records before them.
///
/// ```
/// use manyhands::aggregation::{Aggregator, Mean, Shift, State, Top};
///
/// let fresh = (Mean::new(), Top::new(2));
/// let shards: [&[f64]; 2] = [&[0.5, 0.25, 0.75], &[1.0, 0.5]];
///
/// let mut whole = fresh.clone();
/// let mut records_before = 0;
/// for scores in shards {
///     // On another machine: the records of each shard are counted from 0.
///     let mut shard = fresh.clone();
///     shard.observe_slice(0, scores);
///     let bytes = shard.save();
///
///     // Here, the number of records before this shard is known.
///     whole.merge(fresh.load(&bytes)?.shift(records_before)?);
///     records_before += scores.len() as u64;
/// }
/// let (mean, top) = whole.finish();
/// assert_eq!(mean, 0.6);
/// assert_eq!([top[0].index, top[1].index], [3, 2]);
/// # Ok::<(), manyhands::aggregation::StateError>(())
/// ```
///
/// A state that draws by index has no `shift`:
///
/// ```compile_fail,E0277
/// use manyhands::aggregation::{Mean, Sample, Shift};
///
/// let state = (Mean::new(), Sample::<f64>::new(10, 42));
/// let shifted = Shift::shift(state, 1_000);
/// ```
#[diagnostic::on_unimplemented(
    message = "the record indices in a `{Self}` cannot be moved after the records were observed",
    note = "`Sample` chooses records by their index: observe each shard with `.partial(first)`, \
            where `first` is the number of records before it",
    note = "an aggregator of your own implements `Shift`; if it ignores the index, `shift` returns \
            the state unchanged"
)]
pub trait Shift: Sized {
    /// Returns this state with `by` added to the index of every record that it has observed. The
    /// indices of records that it observes later are not affected.
    ///
    /// # Errors
    ///
    /// Returns [`StateError::IndexOverflow`] if an index would exceed `u64::MAX`.
    fn shift(self, by: u64) -> Result<Self, StateError>;
}

/// Returns the index of a record, shifted by `by`.
pub(super) fn shifted(index: u64, by: u64) -> Result<u64, StateError> {
    index.checked_add(by).ok_or(StateError::IndexOverflow)
}

/// Implements [`Shift`] for aggregators whose states hold no index.
macro_rules! ignores_the_index {
    ($($aggregator:ident $(<$key:ident>)?),+ $(,)?) => {
        $(
            impl $(<$key>)? Shift for $aggregator $(<$key>)? {
                /// Returns the state unchanged: it holds no index.
                fn shift(self, _by: u64) -> Result<Self, StateError> {
                    Ok(self)
                }
            }
        )+
    };
}

ignores_the_index!(
    Correlation,
    Count,
    Covariance,
    Distinct,
    ExactQuantiles,
    Frequent<K>,
    Histogram,
    Mean,
    MeanInterval,
    Median,
    Moments,
    Quantiles,
    StdDev,
    Sum,
    Variance,
);

impl Shift for () {
    /// Returns the state unchanged: it is empty.
    fn shift(self, _by: u64) -> Result<Self, StateError> {
        Ok(self)
    }
}
