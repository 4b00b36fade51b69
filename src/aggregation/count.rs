//! The number of scores.

use super::state::counted;
use super::{Aggregator, Kind, State, StateError};

/// Counts scores of any type. Answer: `u64`, exact.
///
/// ```
/// use manyhands::aggregation::{Aggregator, Count};
///
/// let mut positive = Count::new().only(|score: &f64| *score > 0.0);
/// for (index, score) in [0.5, -0.25, 1.0].iter().enumerate() {
///     positive.observe(index as u64, score);
/// }
/// assert_eq!(positive.finish(), 2);
/// ```
#[derive(Debug, Clone, Default)]
#[must_use]
pub struct Count {
    count: u64,
}

impl Count {
    /// Creates a count of 0.
    pub fn new() -> Count {
        Count::default()
    }

    /// Returns the same answer as [`Aggregator::finish`], without the need to name the type of the
    /// scores.
    #[must_use]
    pub fn finish(self) -> u64 {
        self.count
    }
}

impl<S: ?Sized> Aggregator<S> for Count {
    type Output = u64;
    const COMMUTATIVE: bool = true;

    #[inline]
    fn observe(&mut self, _index: u64, _score: &S) {
        self.count += 1;
    }

    #[inline]
    fn observe_slice(&mut self, _first: u64, scores: &[S])
    where
        S: Sized,
    {
        self.count += scores.len() as u64;
    }

    fn merge(&mut self, later: Count) {
        self.count += later.count;
    }

    fn finish(self) -> u64 {
        self.count
    }
}

impl State for Count {
    type Plain = u64;

    fn kind(&self) -> Kind {
        Kind::new("count", 1)
    }

    fn into_plain(self) -> u64 {
        self.count
    }

    fn restore(&self, count: u64) -> Result<Count, StateError> {
        counted([count])?;
        Ok(Count { count })
    }
}
