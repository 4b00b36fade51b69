//! Provides `.aggregate()` on rayon's parallel iterators, which runs in the pool of the caller.

use std::ops::Range;
use std::time::Instant;

use rayon::iter::IndexedParallelIterator;
use rayon::iter::plumbing::{Producer, ProducerCallback};

use crate::aggregation::{Aggregator, BlockPartition, MergeTree, observe_all};
use crate::execution::{InlineDecision, InlinePhase, Pace};
use crate::sync::{Mutex, MutexGuard, into_inner, lock};

/// Within the bounds of the pace, the work is cut into this many pieces for each thread, so that the
/// threads finish at about the same time.
const PIECES_A_THREAD: usize = 32;
/// There are at least this many pieces for each thread, no matter how cheap the records have been so far,
/// because later records may be slower.
const FEWEST_PIECES_A_THREAD: usize = 8;

/// Aggregates what a parallel iterator yields. This trait is implemented for every indexed parallel iterator.
pub trait ParallelAggregate: IndexedParallelIterator {
    /// Combines everything that the iterator yields, in the rayon pool of the calling thread. The answer has
    /// the same bits on any number of threads, and the same bits as the answer of a
    /// [`Pipeline`](crate::Pipeline) over a slice of the same records.
    ///
    /// The calling thread handles the first records itself, and the pool is woken only if the remaining
    /// records are worth it.
    ///
    /// Iterators that are not indexed, for example after `filter`, do not have this method. Use
    /// [`only`](Aggregator::only) to leave records out.
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
    /// Panics if the iterator or the aggregator panics, as rayon's own methods do. In contrast, a
    /// [`Pipeline`](crate::Pipeline) reports a panic of the task as the failure of its record. A closure that
    /// overflows the stack of a thread aborts the process; the stack size is that of the caller's pool.
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

/// Receives the producer of an iterator, and folds what the producer yields.
struct Fold<A> {
    length: usize,
    identity: A,
}

impl<S, A: Aggregator<S>> ProducerCallback<S> for Fold<A> {
    type Output = A;

    fn callback<P: Producer<Item = S>>(self, mut producer: P) -> A {
        let fold = ParallelFold::new(self.identity, self.length);
        let blocks = fold.partition.blocks();
        // This is a clone and not a fork, because the calling thread alone usually does too little to make
        // sharing worth it.
        let mut own = fold.root.clone();
        let mut inline = InlinePhase::new(blocks, fold.threads(), fold.threads() > 1);
        let began = Instant::now();
        loop {
            match inline.next(|| began.elapsed()) {
                InlineDecision::Run(blocks) => {
                    let records = fold.partition.parts(blocks.clone());
                    let (now, later) = producer.split_at(records.len());
                    fold.fold(blocks, now, &mut own);
                    producer = later;
                }
                InlineDecision::Share(blocks, pace) => {
                    let grain = fold.grain(blocks.len(), pace);
                    fold.share(blocks, producer, grain);
                    break;
                }
                InlineDecision::Finished => break,
            }
        }
        fold.finish(own)
    }
}

/// A fold that is shared among the threads of a pool.
struct ParallelFold<S, A> {
    /// The empty state. It observes no scores, and the other states are merged into it at the end.
    root: A,
    /// The blocks of records that a thread folds as a whole.
    partition: BlockPartition,
    /// The states of a commutative aggregator that are not in use. Each is kept with the thread that used it
    /// last, so that a thread finds its state in its own caches. A thread has more than one state if it
    /// starts another share of the work while it waits inside a task.
    idle: Vec<Mutex<Vec<A>>>,
    /// The partials of an aggregator that is not commutative.
    partials: MergeTree<S, A>,
}

impl<S, A: Aggregator<S>> ParallelFold<S, A> {
    fn new(root: A, length: usize) -> Self {
        // There is one list for each thread of the pool, and one for a calling thread that does not belong to
        // it.
        let idle = (0..=rayon::current_num_threads()).map(|_| Mutex::default());
        ParallelFold {
            root,
            partition: match A::COMMUTATIVE {
                true => BlockPartition::into_parts(length),
                false => BlockPartition::into_blocks(length),
            },
            idle: idle.collect(),
            partials: MergeTree::new(),
        }
    }

    /// The number of threads in the pool.
    fn threads(&self) -> usize {
        self.idle.len() - 1
    }

    /// The number of blocks that a thread folds without splitting them further.
    fn grain(&self, blocks: usize, pace: Pace) -> usize {
        let a_thread = blocks / self.threads();
        let fair = pace.portion(a_thread / PIECES_A_THREAD);
        fair.min(a_thread / FEWEST_PIECES_A_THREAD).max(1)
    }

    /// The idle states of the calling thread.
    fn idle(&self) -> MutexGuard<'_, Vec<A>> {
        let thread = rayon::current_thread_index().map_or(0, |thread| thread + 1);
        let idle = &self.idle[thread % self.idle.len()];
        lock(idle)
    }

    /// Folds blocks on the calling thread: into `state` if the aggregator is commutative, otherwise each
    /// block into a partial of its own.
    fn fold<P: Producer<Item = S>>(&self, blocks: Range<usize>, producer: P, state: &mut A) {
        if A::COMMUTATIVE {
            let first = self.partition.parts(blocks).start as u64;
            return observe_all(state, first, producer.into_iter());
        }
        let mut rest = producer;
        for block in blocks {
            let records = self.partition.parts(block..block + 1);
            let (now, later) = rest.split_at(records.len());
            rest = later;
            let mut partial = self.root.clone();
            observe_all(&mut partial, records.start as u64, now.into_iter());
            self.partials.insert(block, partial);
        }
    }

    /// Halves the blocks recursively, down to the grain, so that idle threads can take halves.
    fn share<P: Producer<Item = S>>(&self, blocks: Range<usize>, producer: P, grain: usize) {
        if blocks.len() <= grain {
            let idle = self.idle().pop();
            let mut state = idle.unwrap_or_else(|| self.state());
            self.fold(blocks, producer, &mut state);
            self.idle().push(state);
            return;
        }
        let middle = blocks.start + blocks.len() / 2;
        let records = self.partition.parts(blocks.start..middle);
        let (left, right) = producer.split_at(records.len());
        rayon::join(
            || self.share(blocks.start..middle, left, grain),
            || self.share(middle..blocks.end, right, grain),
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
