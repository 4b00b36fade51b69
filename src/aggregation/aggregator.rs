//! The trait that combines scores.

use std::hash::Hash;

use super::{By, ByRef, Map, Of, OfRef, Only, Partial};

/// Combines scores.
///
/// The value handed to a run is the identity; clones of it start the partials. Laws, checked by
/// [`assert_laws`](super::assert_laws):
///
/// 1. **Associative in index order**: for records `a < b < c`, merging `(a, b)` with `c` equals
///    merging `a` with `(b, c)`, bit for bit.
/// 2. **Identity**: merging with a fresh clone, on either side, changes nothing.
/// 3. **Commutative**, only where [`COMMUTATIVE`](Aggregator::COMMUTATIVE) says so: the order of
///    observing and merging never shows in the output.
/// 4. **At once or one by one**: [`observe_slice`](Aggregator::observe_slice) does what observing
///    one score after the other does, and what [forks](Aggregator::fork) take in is not lost.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not aggregate scores of the type `{S}`",
    note = "look at one side of a score with `.of(|score: &Score| …)`; numbers are aggregated as `f64`",
    note = "numbers of other types want `.map(f64::from)` or `as f64`; those by reference, as \
            `par_iter()` alone gives them, `.copied()`, and pairs of them `.map(|(x, y)| (*x, *y))`",
    note = "tasks that return a `Result` want `fallible(task)`; where a score may be missing, \
            `.only(…)` leaves out what is `None`"
)]
pub trait Aggregator<S: ?Sized>: Clone + Send + Sync {
    /// What the scores come to. It can be sent, so that the answers of many groups are worked out
    /// in parallel.
    type Output: Send;

    /// Whether any order of observing and merging gives the same output, bit for bit.
    ///
    /// Where it does, each worker keeps one state for all the records it meets. Where it does not,
    /// each part of the data has a state of its own, and states merge in part order along a tree
    /// whose shape depends on the data alone.
    const COMMUTATIVE: bool = false;

    /// Takes in the score of the record at `index`, counted from 0.
    fn observe(&mut self, index: u64, score: &S);

    /// Takes in the scores of consecutive records, the first of which is at `first`: the same as
    /// observing one after the other, and where an aggregator can do better with many at once,
    /// faster.
    #[inline]
    fn observe_slice(&mut self, first: u64, scores: &[S])
    where
        S: Sized,
    {
        for (index, score) in (first..).zip(scores) {
            self.observe(index, score);
        }
    }

    /// A state for one more worker of the same run, from a state that has observed nothing. It is
    /// merged into that one before the end.
    ///
    /// Until then the two may share what they hold, which is how a million groups are kept once
    /// and not once for each worker. A clone, on the other hand, is always a state of its own.
    /// Only the states of [commutative](Aggregator::COMMUTATIVE) aggregators are forked.
    fn fork(&self) -> Self {
        self.clone()
    }

    /// Takes in what another state has observed. Where the aggregator is not commutative, every
    /// record `later` has seen comes after every record of `self`. The state may go on observing
    /// and merging after that.
    fn merge(&mut self, later: Self);

    /// The answer.
    fn finish(self) -> Self::Output;

    /// Looks at one side of a score: an aggregator of `R` that hands `look(score)` on.
    ///
    /// The closure names the type it takes: `&R`, and for records from `par_iter()`, which are
    /// references themselves, `&&Record`.
    ///
    /// ```
    /// use manyhands::aggregation::{Aggregator, Mean};
    ///
    /// let mut mean_length = Mean::new().of(|text: &str| text.len() as f64);
    /// mean_length.observe(0, "four");
    /// mean_length.observe(1, "eleven");
    /// assert_eq!(mean_length.finish(), 5.0);
    /// ```
    fn of<R: ?Sized, F>(self, look: F) -> Of<Self, F, S>
    where
        Self: Sized,
        S: Sized,
        F: Fn(&R) -> S + Clone + Send + Sync,
    {
        Of::new(self, look)
    }

    /// Looks at a part of a score that it holds: like [`of`](Aggregator::of), but what the closure
    /// returns is borrowed, and may be of a type without a size, such as `str`.
    ///
    /// ```
    /// use manyhands::aggregation::{Aggregator, Distinct};
    ///
    /// struct Review { city: String }
    ///
    /// let mut cities = Distinct::new().of_ref(|review: &Review| review.city.as_str());
    /// cities.observe(0, &Review { city: "Oslo".into() });
    /// cities.observe(1, &Review { city: "Rome".into() });
    /// assert_eq!(cities.finish().count, 2);
    /// ```
    fn of_ref<R: ?Sized, F>(self, look: F) -> OfRef<Self, F, S>
    where
        Self: Sized,
        F: Fn(&R) -> &S + Clone + Send + Sync,
    {
        OfRef::new(self, look)
    }

    /// Leaves out the scores for which `keep` is false.
    ///
    /// ```
    /// use manyhands::aggregation::{Aggregator, Mean};
    ///
    /// let mut mean = Mean::new().only(|score: &f64| !score.is_nan());
    /// mean.observe(0, &1.0);
    /// mean.observe(1, &f64::NAN);
    /// assert_eq!(mean.finish(), 1.0);
    /// ```
    fn only<F>(self, keep: F) -> Only<Self, F>
    where
        Self: Sized,
        F: Fn(&S) -> bool + Clone + Send + Sync,
    {
        Only::new(self, keep)
    }

    /// Groups scores by a key: one clone of this aggregator for each. The answer is a map in the
    /// order of the keys.
    ///
    /// ```
    /// use manyhands::aggregation::{Aggregator, Count};
    ///
    /// let mut by_sign = Count::new().by(|score: &f64| *score < 0.0);
    /// for (index, score) in [0.5, -0.25, 1.0].iter().enumerate() {
    ///     by_sign.observe(index as u64, score);
    /// }
    /// assert_eq!(by_sign.finish(), [(false, 2), (true, 1)].into());
    /// ```
    fn by<K, F>(self, key: F) -> By<Self, K, F>
    where
        Self: Sized,
        K: Hash + Eq + Ord + Clone + Send + Sync,
        F: Fn(&S) -> K + Clone + Send + Sync,
    {
        By::new::<S>(self, key)
    }

    /// Groups scores by a key that they hold: like [`by`](Aggregator::by), but the key is borrowed,
    /// and made owned only when its group is first seen.
    ///
    /// ```
    /// use manyhands::aggregation::{Aggregator, Count};
    ///
    /// let mut by_city = Count::new().by_ref(|city: &String| city.as_str());
    /// for (index, city) in ["Oslo", "Rome", "Oslo"].map(String::from).iter().enumerate() {
    ///     by_city.observe(index as u64, city);
    /// }
    /// assert_eq!(by_city.finish()["Oslo"], 2);
    /// ```
    ///
    /// Records from `par_iter()` are references:
    ///
    /// ```
    /// use manyhands::prelude::*;
    ///
    /// struct Visit { city: String, minutes: f64 }
    ///
    /// let visits = [("Oslo", 5.0), ("Rome", 9.0), ("Oslo", 6.0)]
    ///     .map(|(city, minutes)| Visit { city: city.into(), minutes });
    /// let by_city = visits.par_iter().aggregate(
    ///     Mean::new()
    ///         .of(|visit: &&Visit| visit.minutes)
    ///         .by_ref(|visit: &&Visit| visit.city.as_str()),
    /// );
    /// assert_eq!(by_city["Oslo"], 5.5);
    /// ```
    fn by_ref<Q, F>(self, key: F) -> ByRef<Self, Q::Owned, Q, F>
    where
        Self: Sized,
        Q: ToOwned<Owned: Hash + Eq + Ord + Clone + Send + Sync> + Hash + Eq + ?Sized,
        F: Fn(&S) -> &Q + Clone + Send + Sync,
    {
        ByRef::new(self, key)
    }

    /// Turns the answer into another.
    ///
    /// ```
    /// use manyhands::aggregation::{Aggregator, Mean};
    ///
    /// let mut percent = Mean::new().map(|mean| (mean * 100.0).round());
    /// percent.observe(0, &0.125);
    /// percent.observe(1, &0.625);
    /// assert_eq!(percent.finish(), 38.0);
    /// ```
    fn map<T, F>(self, turn: F) -> Map<Self, F>
    where
        Self: Sized,
        T: Send,
        F: Fn(Self::Output) -> T + Clone + Send + Sync,
    {
        Map::new(self, turn)
    }

    /// Answers with the state itself, of this aggregator as it is: what one process, or one file of
    /// many, has come to, to be [saved](super::State::save) there and merged with the others elsewhere.
    ///
    /// `first` is the index of the first record among the records of all. Those who report indices,
    /// such as [`Top`](super::Top) and [`Extrema`](super::Extrema), break ties by them, or draw by them, such as [`Sample`](super::Sample) and
    /// [`Frequent`](super::Frequent), come to the answer of a single run only if no two records share one. If `first`
    /// is not known yet, pass 0 and [shift](super::Shift::shift) the state later, which works for all but
    /// those that draw.
    ///
    /// ```
    /// use manyhands::aggregation::{Bottom, Mean, State};
    /// use manyhands::prelude::*;
    ///
    /// let scores = [0.5, -0.25, 1.0, 0.75];
    /// let summary = || (Mean::new(), Bottom::new(2));
    ///
    /// // One process for each half …
    /// let bytes: Vec<Vec<u8>> = [0, 2]
    ///     .map(|first: usize| {
    ///         let half = &scores[first..first + 2];
    ///         let partial = half.par_iter().copied().aggregate(summary().partial(first as u64));
    ///         partial.save()
    ///     })
    ///     .into();
    ///
    /// // … and one for the whole.
    /// let mut whole = summary();
    /// for bytes in &bytes {
    ///     whole.merge(summary().load(bytes)?);
    /// }
    /// assert_eq!(whole.finish(), scores.par_iter().copied().aggregate(summary()));
    /// # Ok::<(), manyhands::aggregation::StateError>(())
    /// ```
    fn partial(self, first: u64) -> Partial<Self>
    where
        Self: Sized,
    {
        Partial::new(self, first)
    }
}
