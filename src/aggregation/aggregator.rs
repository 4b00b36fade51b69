//! The trait that combines scores.

use std::hash::Hash;

use super::{By, ByRef, Map, Of, OfRef, Only, Partial};

/// Combines scores into one answer.
///
/// The value that is passed to a run is the identity: each partial starts as a clone of it. An
/// aggregator must keep these laws, which [`assert_laws`](super::assert_laws) checks:
///
/// 1. **Associative in index order**: for records `a < b < c`, merging `(a, b)` with `c` equals
///    merging `a` with `(b, c)`, bit for bit.
/// 2. **Identity**: merging with a fresh clone, on either side, changes nothing.
/// 3. **Commutative**, if [`COMMUTATIVE`](Aggregator::COMMUTATIVE) is true: the order of observing
///    and merging does not affect the output.
/// 4. **Slices and forks**: [`observe_slice`](Aggregator::observe_slice) equals observing one score
///    after the other, and nothing that a [fork](Aggregator::fork) observes is lost.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not aggregate scores of the type `{S}`",
    note = "aggregate one value of a score with `.of(|score: &Score| …)`; numbers are aggregated as `f64`",
    note = "convert numbers of other types with `.map(f64::from)` or `as f64`, references (which \
            `par_iter()` yields) with `.copied()`, and pairs of them with `.map(|(x, y)| (*x, *y))`",
    note = "wrap a task that returns a `Result` in `fallible(task)`; if a score may be missing, \
            leave out `None` with `.only(…)`"
)]
pub trait Aggregator<S: ?Sized>: Clone + Send + Sync {
    /// The type of the answer. It is `Send`, so that the answers of many groups can be computed in
    /// parallel.
    type Output: Send;

    /// Whether any order of observing and merging gives the same output, bit for bit.
    ///
    /// If true, each worker keeps one state for all records it observes. If false, each part of the
    /// data has its own state, and states merge in part order along a tree whose shape depends on
    /// the data alone.
    const COMMUTATIVE: bool = false;

    /// Adds the score of the record at `index`, counted from 0.
    fn observe(&mut self, index: u64, score: &S);

    /// Adds the scores of consecutive records; `first` is the index of the first record. The result
    /// equals that of observing one score after the other. Aggregators that are faster with many
    /// scores at once override this method.
    #[inline]
    fn observe_slice(&mut self, first: u64, scores: &[S])
    where
        S: Sized,
    {
        for (index, score) in (first..).zip(scores) {
            self.observe(index, score);
        }
    }

    /// Returns a state for one more worker of the same run, made from a state that has observed
    /// nothing. The new state must be merged into that state before [`finish`](Aggregator::finish)
    /// is called.
    ///
    /// Until the merge, the two states may share memory, so that a million groups are kept once
    /// instead of once per worker. A clone, by contrast, never shares anything. Only states of
    /// [commutative](Aggregator::COMMUTATIVE) aggregators are forked.
    fn fork(&self) -> Self {
        self.clone()
    }

    /// Adds everything that another state has observed. If the aggregator is not commutative, every
    /// record of `later` comes after every record of `self`. The merged state may observe more
    /// scores and merge more states.
    fn merge(&mut self, later: Self);

    /// Returns the answer.
    fn finish(self) -> Self::Output;

    /// Aggregates a value that is computed from each score. The result is an aggregator of `R` that
    /// passes `look(score)` to this aggregator.
    ///
    /// The closure must name the type of its argument: `&R`, or `&&Record` for records from
    /// `par_iter()`, which are references themselves.
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

    /// Aggregates a borrowed part of each score: like [`of`](Aggregator::of), but the closure
    /// returns a reference, possibly to an unsized type such as `str`.
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

    /// Leaves out the scores for which `keep` returns false.
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

    /// Groups scores by a key, with one clone of this aggregator per key. The answer is a map
    /// ordered by key.
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

    /// Groups scores by a key that each score contains. This is like [`by`](Aggregator::by), but
    /// the key is borrowed from the score, and is cloned only if its group is new.
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

    /// Converts the answer.
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

    /// Makes the state of this aggregator the answer. If the work is divided among several
    /// processes or files, the state of each is [saved](super::State::save), and the states are
    /// merged elsewhere.
    ///
    /// `first` is the index of this part's first record in the whole dataset. It matters to
    /// aggregators that report indices or break ties by them ([`Top`](super::Top),
    /// [`Extrema`](super::Extrema)) and to [`Sample`](super::Sample), which draws random numbers by
    /// them: their merged states equal the state of a single run only if no two records have the
    /// same index. If `first` is not known yet, pass 0 and [shift](super::Shift::shift) the state
    /// later. This works for all aggregators except `Sample`.
    ///
    /// ```
    /// use manyhands::aggregation::{Bottom, Mean, State};
    /// use manyhands::prelude::*;
    ///
    /// let scores = [0.5, -0.25, 1.0, 0.75];
    /// let summary = || (Mean::new(), Bottom::new(2));
    ///
    /// // One process per half saves its state.
    /// let bytes: Vec<Vec<u8>> = [0, 2]
    ///     .map(|first: usize| {
    ///         let half = &scores[first..first + 2];
    ///         let partial = half.par_iter().copied().aggregate(summary().partial(first as u64));
    ///         partial.save()
    ///     })
    ///     .into();
    ///
    /// // Another process merges them.
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
