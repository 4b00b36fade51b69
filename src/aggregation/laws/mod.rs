//! Checks of the laws of an [`Aggregator`] and of its [`State`].

mod bytes;
mod forks;
mod shape;
mod shifts;

use std::fmt::{Debug, Display};

use serde::Serialize;

use super::merge_tree::merged;
use super::{Aggregator, MergeTree, State, canonical_bytes};
use shape::{Shape, SplitMix64};
pub use shifts::assert_shift_laws;

/// The largest number of partitions that are tried for each law.
const ROUNDS: usize = 64;
/// Number of scores that all partitions of one law may observe in total. If there would be more,
/// fewer partitions are tried, but at least [`FEWEST_ROUNDS`].
const OBSERVED: usize = 20_000;
/// The smallest number of partitions that are tried for each law.
const FEWEST_ROUNDS: usize = 4;

/// Number of bytes of each state that a message shows if two states differ.
const SHOWN: usize = 32;
/// Number of characters that a message shows on each side of the first difference if two answers
/// differ.
const SHOWN_TEXT: usize = 300;

// The names of the laws, phrased so that they follow "the aggregator is not".
const SETTLED: &str = "the same twice";
const ASSOCIATIVE: &str = "associative in index order";
const LEFT_ALONE: &str = "left alone by its identity";
const COMMUTATIVE: &str = "commutative";
const SLICED: &str = "the same in slices as one by one";
const WHOLE: &str = "whole when saved and loaded";
const STRICT: &str = "strict about what it loads";

/// Checks that an aggregator keeps the laws of [`Aggregator`] and [`State`] for these scores.
///
/// The reference is one plain loop. Its answer (as [canonical bytes](canonical_bytes)) and its
/// state (as [saved](State::save)) are compared with the answers and states of:
///
/// - many partitions (with empty parts) that are merged along many trees in index order, where some
///   states are saved as bytes and loaded by fresh states or by states that have observed records;
/// - one state that alternately observes parts and merges others;
/// - states with a fresh clone merged in before or after them;
/// - states that [observe slices](Aggregator::observe_slice), of all records at once and of parts;
/// - if the aggregator claims to be [commutative](Aggregator::COMMUTATIVE): states that observe
///   randomly distributed records and are merged in any order; and states that were
///   [forked](Aggregator::fork) from one state and merged into it, while clones of them are used
///   independently.
///
/// Bytes that were cut short, damaged or extended, and bytes of another kind of state, must be
/// refused. Bytes that were changed and given a valid checksum are also tried: they must be
/// refused, or load as a state that saves exactly these bytes and that observes, merges and answers
/// without a panic. These checks cannot find every number that `restore` should refuse, such as a
/// count that overflows with the next merge. All random choices follow from fixed seeds.
///
/// The laws are checked *only for the given scores*. Give scores that can reveal a violation:
/// scores that repeat, scores whose sums are rounded, and the special values. Give more than two,
/// in no particular order. [`assert_shift_laws`](super::assert_shift_laws) checks
/// [`Shift`](super::Shift).
///
/// # Panics
///
/// Panics if a law is broken. The message contains the law, the seed and the partition.
///
/// ```
/// use manyhands::aggregation::{Mean, assert_laws};
///
/// assert_laws(Mean::new(), &[0.1, 0.2, f64::MAX, -0.3, 5e-324]);
/// ```
///
/// A running sum in floating point breaks the first law, since it rounds at every step:
///
/// ```should_panic
/// use manyhands::aggregation::{Aggregator, Kind, State, StateError, assert_laws};
///
/// #[derive(Clone)]
/// struct Rounded(f64);
///
/// impl Aggregator<f64> for Rounded {
///     type Output = f64;
///     fn observe(&mut self, _index: u64, score: &f64) {
///         self.0 += score;
///     }
///     fn merge(&mut self, later: Self) {
///         self.0 += later.0;
///     }
///     fn finish(self) -> f64 {
///         self.0
///     }
/// }
///
/// impl State for Rounded {
///     type Plain = f64;
///     fn kind(&self) -> Kind {
///         Kind::new("rounded", 1)
///     }
///     fn into_plain(self) -> f64 {
///         self.0
///     }
///     fn restore(&self, sum: f64) -> Result<Rounded, StateError> {
///         Ok(Rounded(sum))
///     }
/// }
///
/// assert_laws(Rounded(0.0), &[0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7]);
/// ```
pub fn assert_laws<S, A>(aggregator: A, scores: &[S])
where
    A: Aggregator<S> + State,
    A::Output: Serialize + Debug,
{
    let laws = Laws::new(aggregator, scores);
    let again = laws.observed(0..scores.len());
    laws.compare(again, SETTLED, &"one loop and one more");
    laws.identity();
    laws.whole();
    laws.strict();
    laws.canonical();
    laws.robust();
    let rounds = rounds(scores.len());
    for seed in 0..rounds {
        laws.associative(seed);
        laws.in_turns(seed);
        if A::COMMUTATIVE {
            laws.commutative(seed);
        }
    }
    laws.in_order();
    // This check comes last, so that a violation of a law above is reported under the name of that
    // law.
    laws.in_one_slice();
    for seed in 0..rounds {
        laws.sliced(seed);
        if A::COMMUTATIVE {
            laws.forked(seed);
        }
    }
    if A::COMMUTATIVE {
        (0..FEWEST_ROUNDS as u64).for_each(|seed| laws.cloned(seed));
    }
}

/// Returns the number of partitions that are tried for each law if there are this many scores.
fn rounds(scores: usize) -> u64 {
    (OBSERVED / scores.max(1)).clamp(FEWEST_ROUNDS, ROUNDS) as u64
}

struct Laws<'a, S, A: Aggregator<S>> {
    fresh: A,
    scores: &'a [S],
    expected: A::Output,
    expected_bytes: Vec<u8>,
    expected_state: Vec<u8>,
}

impl<'a, S, A> Laws<'a, S, A>
where
    A: Aggregator<S> + State,
    A::Output: Serialize + Debug,
{
    fn new(fresh: A, scores: &'a [S]) -> Self {
        let mut state = fresh.clone();
        for (index, score) in (0..).zip(scores) {
            state.observe(index, score);
        }
        let expected_state = state.clone().save();
        let expected = state.finish();
        Laws {
            fresh,
            scores,
            expected_bytes: canonical_bytes(&expected),
            expected,
            expected_state,
        }
    }

    fn identity(&self) {
        let all = || self.observed(0..self.scores.len());
        let later = merged(all(), self.fresh.clone());
        self.compare(
            later,
            LEFT_ALONE,
            &"a fresh state merged in after all records",
        );
        let earlier = merged(self.fresh.clone(), all());
        self.compare(
            earlier,
            LEFT_ALONE,
            &"all records merged into a fresh state",
        );
    }

    fn in_one_slice(&self) {
        let mut state = self.fresh.clone();
        state.observe_slice(0, self.scores);
        self.compare(state, SLICED, &"all records in one slice");
    }

    /// Checks slices that are observed by one state, and slices that are observed by states that
    /// are merged.
    fn sliced(&self, seed: u64) {
        let mut random = SplitMix64(seed);
        let shape = Shape::cut(self.scores.len(), seed, &mut random);
        let states = shape.parts.iter().map(|part| {
            let mut state = self.fresh.clone();
            self.observe_slice(&mut state, part);
            state
        });
        let state = self.merge_all(states.collect(), &shape, false);
        self.compare(state, SLICED, &shape);

        let mut shape = shape.unmerged();
        if A::COMMUTATIVE {
            random.shuffle(&mut shape.parts);
        }
        let mut state = self.fresh.clone();
        for part in &shape.parts {
            self.observe_slice(&mut state, part);
        }
        self.compare(state, SLICED, &shape);
    }

    fn associative(&self, seed: u64) {
        let shape = Shape::cut(self.scores.len(), seed, &mut SplitMix64(seed));
        self.merge(&shape, ASSOCIATIVE);
    }

    fn commutative(&self, seed: u64) {
        let shape = Shape::deal(self.scores.len(), seed, &mut SplitMix64(!seed));
        self.merge(&shape, COMMUTATIVE);
    }

    /// Merges states in this shape, first without saving any state, then with some states saved and
    /// loaded.
    fn merge(&self, shape: &Shape, law: &str) {
        let parts = shape.parts.iter();
        let partials: Vec<A> = parts
            .map(|part| self.observed(part.iter().copied()))
            .collect();
        for (law, travel) in [(law, false), (WHOLE, true)] {
            let state = self.merge_all(partials.clone(), shape, travel);
            self.compare(state, law, shape);
        }
    }

    fn merge_all(&self, mut states: Vec<A>, shape: &Shape, travel: bool) -> A {
        for merge in &shape.merges {
            let later = states.remove(merge.from);
            let into = &mut states[merge.into];
            if travel {
                self.merge_travelled(into, later, merge);
            } else {
                into.merge(later);
            }
        }
        states.remove(0)
    }

    /// Checks one state that alternately observes parts and merges others.
    fn in_turns(&self, seed: u64) {
        let shape = Shape::cut(self.scores.len(), seed, &mut SplitMix64(seed));
        let mut state = self.fresh.clone();
        for (place, part) in shape.parts.iter().enumerate() {
            let part = part.iter().copied();
            if place % 2 == 0 {
                self.observe(&mut state, part);
            } else {
                state.merge(self.observed(part));
            }
        }
        let shape = format!("observed and merged in turns: {}", shape.unmerged());
        self.compare(state, ASSOCIATIVE, &shape);
    }

    /// Checks the tree that runs use. The parts arrive in reverse order, so that their partials
    /// wait in the tree.
    fn in_order(&self) {
        let shape = "parts of 3 records in a merge tree, one in four as bytes";
        let parts = self.scores.len().div_ceil(3);
        let tree = MergeTree::<S, A>::new();
        for part in (0..parts).rev() {
            let records = 3 * part..self.scores.len().min(3 * part + 3);
            let mut partial = self.observed(records);
            if part % 4 == 0 {
                partial = self.loaded(&self.fresh, &partial.save(), &shape);
            }
            tree.insert(part, partial);
        }
        let state = tree.finish(self.fresh.clone());
        self.compare(state, ASSOCIATIVE, &shape);
    }

    fn observed(&self, records: impl IntoIterator<Item = usize>) -> A {
        let mut state = self.fresh.clone();
        self.observe(&mut state, records);
        state
    }

    fn observe(&self, state: &mut A, records: impl IntoIterator<Item = usize>) {
        for record in records {
            state.observe(record as u64, &self.scores[record]);
        }
    }

    /// Observes the consecutive records of a part as a slice. An empty part gets the index after
    /// the last record, so that using this index is detected.
    fn observe_slice(&self, state: &mut A, part: &[usize]) {
        let first = part.first().copied().unwrap_or(self.scores.len());
        state.observe_slice(first as u64, &self.scores[first..first + part.len()]);
    }

    fn compare(&self, state: A, law: &str, shape: &dyn Display) {
        let (bytes, saved) = (&self.expected_state, state.clone().save());
        let output = state.finish();
        if canonical_bytes(&output) != self.expected_bytes {
            let [expected, found] = apart(&self.expected, &output);
            panic!(
                "the aggregator is not {law}: {shape}\n  one loop: {expected}\n  merged:   {found}"
            );
        }
        let same = bytes.iter().zip(&saved).take_while(|(a, b)| a == b).count();
        assert!(
            saved == *bytes,
            "what the aggregator saves is not {law}, though its answer is: {shape}\n  \
             one loop: {:02x?} from byte {same} on\n  merged:   {:02x?}",
            &bytes[same..bytes.len().min(same + SHOWN)],
            &saved[same..saved.len().min(same + SHOWN)],
        );
    }
}

/// Returns two answers as text, cut to the part near their first difference.
fn apart<T: Debug>(one: &T, other: &T) -> [String; 2] {
    let texts = [one, other].map(|answer| format!("{answer:?}"));
    let [one, other] = &texts;
    let same = one.chars().zip(other.chars()).take_while(|(a, b)| a == b);
    let from = same.count().saturating_sub(SHOWN_TEXT);
    if one == other {
        let text = one.chars().take(2 * SHOWN_TEXT).collect();
        return [text, "the same text, but different bits".into()];
    }
    texts.map(|text| {
        let near: String = text.chars().skip(from).take(2 * SHOWN_TEXT).collect();
        let (before, after) = (from > 0, text.chars().count() > from + 2 * SHOWN_TEXT);
        let dots = |cut| if cut { "…" } else { "" };
        format!("{}{near}{}", dots(before), dots(after))
    })
}
