//! `.aggregate()` on rayon's parallel iterators, in the ambient pool.

use std::ops::Range;
use std::time::{Duration, Instant};

use rayon::iter::IndexedParallelIterator;
use rayon::iter::plumbing::{Producer, ProducerCallback};

use crate::aggregation::{Aggregator, MergeTree, observe_all};
use crate::sync::{Mutex, MutexGuard, into_inner, lock};

/// The calling thread begins alone for this long …
const ALONE: Duration = Duration::from_micros(10);
/// … and wakes the pool if what is left would take it at least this long.
const WORTH_WAKING: Duration = Duration::from_micros(50);
/// The calling thread goes on with this many times what it has done, and then looks at the clock
/// again: seldom enough that looking costs little beside ten records of 100 ns …
const GROWTH: usize = 3;
/// … but with at most so many, since those to come may be far dearer than those before, …
const UNSEEN: usize = 32;
/// … or this fraction of a thread's share of what is left, if that is more: so what turns out dear at
/// the worst moment takes at most a quarter longer for it, and what stays cheap is not made twice as
/// long by looks at the clock.
const UNSEEN_FRACTION: usize = 4;
/// How long the smallest share of the work should last: at least so long that sharing it costs
/// little beside it …
const LEAST: Duration = Duration::from_micros(10);
/// … and at most so long that a dear record holds up few neighbours.
const MOST: Duration = Duration::from_micros(100);
/// Within these, there are this many shares for each thread, so that the threads finish together.
const SHARES_A_THREAD: usize = 32;
/// And never fewer than this, however cheap the work has been so far.
const SHARES_AT_LEAST: usize = 8;
/// Partials of an aggregator that is not commutative: this many or fewer, fixing the tree along
/// which they merge by the number of records alone.
const PARTIALS: usize = 1024;

/// Aggregates what a parallel iterator yields. Implemented for every indexed parallel iterator.
pub trait ParallelAggregate: IndexedParallelIterator {
    /// Combines everything the iterator yields, in the pool the call is made in. The answer has
    /// the same bits on any number of threads.
    ///
    /// The calling thread begins alone, and the pool is woken only if what is left is worth it.
    ///
    /// Iterators that are not indexed, as after `filter`, do not have this method: leave records
    /// out with [`only`](Aggregator::only) instead.
    ///
    /// ```
    /// use manyhands::prelude::*;
    ///
    /// let reviews = ["A lovely film.", "Not good.", "It was the best!"];
    /// let sentiment = Sentiment::new();
    /// let (count, mean, worst) = reviews
    ///     .par_iter()
    ///     .map(|review| sentiment.score(review).compound)
    ///     .aggregate((Count::new(), Mean::new(), Bottom::new(1)));
    /// assert_eq!((count, worst[0].index), (3, 1));
    /// assert!(mean > 0.0);
    /// ```
    ///
    /// # Panics
    ///
    /// Where the iterator or the aggregator panics, as rayon's own methods do. A
    /// [`Pipeline`](crate::Pipeline) catches panics at the record.
    fn aggregate<A: Aggregator<Self::Item>>(self, aggregator: A) -> A::Output {
        let length = self.len();
        self.with_producer(Fold {
            length,
            identity: aggregator,
        })
        .finish()
    }
}

impl<I: IndexedParallelIterator> ParallelAggregate for I {}

/// Receives the producer behind an iterator, and folds what it yields.
struct Fold<A> {
    length: usize,
    identity: A,
}

impl<S, A: Aggregator<S>> ProducerCallback<S> for Fold<A> {
    type Output = A;

    fn callback<P: Producer<Item = S>>(self, mut producer: P) -> A {
        let leaf = if A::COMMUTATIVE {
            1
        } else {
            self.length.div_ceil(PARTIALS).max(1)
        };
        let leaves = self.length.div_ceil(leaf);
        let work = Work::new(self.identity, self.length, leaf);
        // Not a fork: what little the calling thread does alone is seldom worth sharing.
        let mut own = work.root.clone();
        let portion = if work.threads() == 1 { leaves } else { 1 };
        let (began, mut done, mut portion) = (Instant::now(), 0, portion);
        while done < leaves {
            let end = leaves.min(done + portion);
            let (now, later) = producer.split_at(work.records(done..end).len());
            work.fold(done..end, now, &mut own);
            let unseen = UNSEEN.max((leaves - end) / (UNSEEN_FRACTION * work.threads()));
            (done, producer, portion) = (end, later, unseen.min(end.saturating_mul(GROWTH)));
            if done == leaves {
                break;
            }
            let elapsed = began.elapsed();
            let left = elapsed.as_secs_f64() / done as f64 * (leaves - done) as f64;
            if elapsed >= ALONE && left >= WORTH_WAKING.as_secs_f64() {
                work.share(done..leaves, producer, work.grain(done, leaves, elapsed));
                break;
            }
        }
        work.finish(own)
    }
}

/// Work shared among the threads of a pool.
struct Work<S, A> {
    /// The identity: it observes nothing, and in the end takes in what the others have.
    root: A,
    length: usize,
    /// Records in a leaf, the smallest share.
    leaf: usize,
    /// States of a commutative aggregator that are not in use, by the thread that has used them:
    /// what it has touched lately is in its caches, and in no other's. A thread has more than one
    /// where it takes up another share while it waits inside a task.
    idle: Vec<Mutex<Vec<A>>>,
    /// Partials of any other.
    partials: MergeTree<S, A>,
}

impl<S, A: Aggregator<S>> Work<S, A> {
    fn new(root: A, length: usize, leaf: usize) -> Self {
        // One for the caller too, which may be no thread of the pool.
        let idle = (0..=rayon::current_num_threads()).map(|_| Mutex::default());
        Work {
            root,
            length,
            leaf,
            idle: idle.collect(),
            partials: MergeTree::new(),
        }
    }

    /// How many threads the pool has.
    fn threads(&self) -> usize {
        self.idle.len() - 1
    }

    fn records(&self, leaves: Range<usize>) -> Range<usize> {
        let first = |leaf: usize| leaf.saturating_mul(self.leaf).min(self.length);
        first(leaves.start)..first(leaves.end)
    }

    /// How many leaves one thread should fold in one go.
    fn grain(&self, done: usize, leaves: usize, elapsed: Duration) -> usize {
        let leaves_in =
            |time: Duration| (time.as_secs_f64() / elapsed.as_secs_f64() * done as f64) as usize;
        let a_thread = (leaves - done) / self.threads();
        let fair = (a_thread / SHARES_A_THREAD).clamp(leaves_in(LEAST), leaves_in(MOST));
        // Those done may have been far cheaper than the others.
        fair.min(a_thread / SHARES_AT_LEAST).max(1)
    }

    /// The idle states of this thread.
    fn idle(&self) -> MutexGuard<'_, Vec<A>> {
        let thread = rayon::current_thread_index().map_or(0, |thread| thread + 1);
        let idle = &self.idle[thread % self.idle.len()];
        lock(idle)
    }

    /// Folds leaves on this thread: into `state` if the aggregator is commutative, else each into
    /// a partial of its own.
    fn fold<P: Producer<Item = S>>(&self, leaves: Range<usize>, producer: P, state: &mut A) {
        if A::COMMUTATIVE {
            let first = self.records(leaves).start as u64;
            return observe_all(state, first, producer.into_iter());
        }
        let mut rest = producer;
        for leaf in leaves {
            let records = self.records(leaf..leaf + 1);
            let (now, later) = rest.split_at(records.len());
            rest = later;
            let mut partial = self.root.clone();
            observe_all(&mut partial, records.start as u64, now.into_iter());
            self.partials.insert(leaf, partial);
        }
    }

    /// Halves the leaves among the threads that have time, down to the grain.
    fn share<P: Producer<Item = S>>(&self, leaves: Range<usize>, producer: P, grain: usize) {
        if leaves.len() <= grain {
            let idle = self.idle().pop();
            let mut state = idle.unwrap_or_else(|| self.state());
            self.fold(leaves, producer, &mut state);
            self.idle().push(state);
            return;
        }
        let middle = leaves.start + leaves.len() / 2;
        let (left, right) = producer.split_at(self.records(leaves.start..middle).len());
        rayon::join(
            || self.share(leaves.start..middle, left, grain),
            || self.share(middle..leaves.end, right, grain),
        );
    }

    /// A state for one more thread.
    fn state(&self) -> A {
        if A::COMMUTATIVE && self.threads() > 1 {
            self.root.fork()
        } else {
            self.root.clone()
        }
    }

    fn finish(self, own: A) -> A {
        let mut root = self.root;
        if !A::COMMUTATIVE {
            return self.partials.finish(root);
        }
        root.merge(own);
        for idle in self.idle {
            for state in into_inner(idle) {
                root.merge(state);
            }
        }
        root
    }
}
