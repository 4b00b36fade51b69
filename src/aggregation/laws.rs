//! The laws of an [`Aggregator`], checked.

use std::fmt::{self, Debug};
use std::ops::Range;

use serde::Serialize;

use super::in_order::merged;
use super::{Aggregator, MergeTree, canonical_bytes};

/// How many partitions are tried for each law.
const ROUNDS: u64 = 64;
/// The names of the laws, as what an aggregator is that keeps them.
const ASSOCIATIVE: &str = "associative in index order";
const LEFT_ALONE: &str = "left alone by its identity";
const COMMUTATIVE: &str = "commutative";
/// The most parts in a partition: enough for trees of every small shape.
const MOST_PARTS: usize = 24;

/// Checks that an aggregator keeps the laws of [`Aggregator`] over these scores.
///
/// The answer of one plain loop is the reference. It is compared, as
/// [canonical bytes](canonical_bytes), with the answers of many partitions (empty parts among them)
/// merged along many trees in index order; with a fresh clone merged in on either side; and, where
/// the aggregator says it is [commutative](Aggregator::COMMUTATIVE), with records dealt out at
/// random, observed and merged in any order. All choices follow from fixed seeds.
///
/// The laws hold or fail *on the scores given*. Give scores that could tell: some that repeat, some
/// whose sums round, the special values; more than two, and in no particular order.
///
/// # Panics
///
/// Where a law is broken, saying which, by which seed, and how the records were shared out.
///
/// ```
/// use manyhands::aggregation::{Mean, assert_laws};
///
/// assert_laws(Mean::new(), &[0.1, 0.2, f64::MAX, -0.3, 5e-324]);
/// ```
///
/// A running mean in floating point is no aggregator, since it rounds at every step:
///
/// ```should_panic
/// use manyhands::aggregation::{Aggregator, assert_laws};
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
/// assert_laws(Rounded(0.0), &[0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7]);
/// ```
pub fn assert_laws<S, A>(aggregator: A, scores: &[S])
where
    A: Aggregator<S>,
    A::Output: Serialize + Debug,
{
    let laws = Laws::new(aggregator, scores);
    laws.identity();
    for seed in 0..ROUNDS {
        laws.associative(seed);
        if A::COMMUTATIVE {
            laws.commutative(seed);
        }
    }
    laws.in_order();
}

struct Laws<'a, S, A: Aggregator<S>> {
    fresh: A,
    scores: &'a [S],
    expected: A::Output,
    expected_bytes: Vec<u8>,
}

impl<'a, S, A> Laws<'a, S, A>
where
    A: Aggregator<S>,
    A::Output: Serialize + Debug,
{
    fn new(fresh: A, scores: &'a [S]) -> Self {
        let mut state = fresh.clone();
        for (index, score) in (0..).zip(scores) {
            state.observe(index, score);
        }
        let expected = state.finish();
        Laws {
            fresh,
            scores,
            expected_bytes: canonical_bytes(&expected),
            expected,
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

    fn associative(&self, seed: u64) {
        let mut random = Random(seed);
        let mut shape = Shape::cut(self.scores.len(), seed, &mut random);
        let mut states = self.partials(&shape);
        while states.len() > 1 {
            let at = random.below(states.len() - 1);
            let later = states.remove(at + 1);
            states[at].merge(later);
            shape.merges.push((at, at + 1));
        }
        self.compare_first(states, ASSOCIATIVE, &shape);
    }

    fn commutative(&self, seed: u64) {
        let mut random = Random(!seed);
        let mut shape = Shape::deal(self.scores.len(), seed, &mut random);
        let mut states = self.partials(&shape);
        while states.len() > 1 {
            let from = random.below(states.len());
            let later = states.swap_remove(from);
            let into = random.below(states.len());
            states[into].merge(later);
            shape.merges.push((into, from));
        }
        self.compare_first(states, COMMUTATIVE, &shape);
    }

    /// The tree that runs use, with parts arriving backwards, so that all of them wait.
    fn in_order(&self) {
        let parts = self.scores.len().div_ceil(3);
        let tree = MergeTree::<S, A>::new();
        for part in (0..parts).rev() {
            let records = 3 * part..self.scores.len().min(3 * part + 3);
            tree.insert(part, self.observed(records));
        }
        let state = tree.finish(self.fresh.clone());
        self.compare(state, ASSOCIATIVE, &"parts of 3 records in a merge tree");
    }

    fn partials(&self, shape: &Shape) -> Vec<A> {
        let parts = shape.parts.iter();
        parts.map(|part| self.observed_of(part)).collect()
    }

    fn observed(&self, records: Range<usize>) -> A {
        self.observed_of(&records.collect::<Vec<_>>())
    }

    fn observed_of(&self, records: &[usize]) -> A {
        let mut state = self.fresh.clone();
        for &record in records {
            state.observe(record as u64, &self.scores[record]);
        }
        state
    }

    fn compare_first(&self, states: Vec<A>, law: &str, shape: &dyn fmt::Display) {
        if let Some(state) = states.into_iter().next() {
            self.compare(state, law, shape);
        }
    }

    fn compare(&self, state: A, law: &str, shape: &dyn fmt::Display) {
        let output = state.finish();
        assert!(
            canonical_bytes(&output) == self.expected_bytes,
            "the aggregator is not {law}: {shape}\n  one loop: {expected:?}\n  merged:   {output:?}",
            expected = self.expected,
        );
    }
}

/// How records were shared out among states, and how those were merged.
struct Shape {
    seed: u64,
    parts: Vec<Vec<usize>>,
    /// Which place took in which, counted among the states left at that moment.
    merges: Vec<(usize, usize)>,
}

impl Shape {
    /// Runs of consecutive records, some of them empty.
    fn cut(records: usize, seed: u64, random: &mut Random) -> Shape {
        let parts = 1 + random.below(MOST_PARTS);
        let mut cuts: Vec<usize> = (1..parts).map(|_| random.below(records + 1)).collect();
        cuts.extend([0, records]);
        cuts.sort_unstable();
        let parts = cuts.windows(2).map(|cut| (cut[0]..cut[1]).collect());
        Shape {
            seed,
            parts: parts.collect(),
            merges: Vec::new(),
        }
    }

    /// Any records, in any order.
    fn deal(records: usize, seed: u64, random: &mut Random) -> Shape {
        let mut deck: Vec<usize> = (0..records).collect();
        for left in (1..records).rev() {
            deck.swap(left, random.below(left + 1));
        }
        let mut parts = vec![Vec::new(); 1 + random.below(MOST_PARTS)];
        for record in deck {
            let part = random.below(parts.len());
            parts[part].push(record);
        }
        Shape {
            seed,
            parts,
            merges: Vec::new(),
        }
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let records: usize = self.parts.iter().map(Vec::len).sum();
        write!(
            out,
            "seed {}, {records} records in {} parts",
            self.seed,
            self.parts.len()
        )?;
        // Longer than this, nobody reads it, and the seed says the same.
        if records <= 64 {
            write!(out, " {:?}, merged {:?}", self.parts, self.merges)?;
        }
        Ok(())
    }
}

/// SplitMix64 (Steele, Lea and Flood, *Fast splittable pseudorandom number generators*, 2014): five
/// lines, against a dependency for a test harness.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^ (bits >> 31)
    }

    /// A number from 0 up to, not including, `end`, which is not 0.
    fn below(&mut self, end: usize) -> usize {
        (self.next() % end as u64) as usize
    }
}
