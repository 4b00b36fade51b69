//! **manyhands** scores every record of a large dataset on every core, and gives the same answer
//! every time: the same bits on any number of threads, on every executor, and for every way of
//! cutting the data into parts.
//!
//! # One changed line
//!
//! For data in memory, end a rayon iterator with [`aggregate`](ParallelAggregate::aggregate):
//!
//! ```
//! use manyhands::prelude::*;
//!
//! struct Review { text: String }
//! let reviews = vec![
//!     Review { text: "A lovely, lovely film!".into() },
//!     Review { text: "Not good.".into() },
//! ];
//!
//! let sentiment = Sentiment::new();
//! let (count, mean, worst) = reviews
//!     .par_iter()
//!     .map(|review| sentiment.score(&review.text).compound)
//!     .aggregate((Count::new(), Mean::new(), Bottom::new(10)));
//!
//! assert_eq!((count, worst[0].index), (2, 1));
//! assert!(mean > 0.0);
//! ```
//!
//! # The whole pattern
//!
//! | the parallelization pattern | here | module |
//! |---|---|---|
//! | task definition: one independent unit of work | [`Task`]: record → score; every closure is a task | [`task`] |
//! | task collection: all the inputs | [`Dataset`]: addressable parts of consecutive records | [`dataset`] |
//! | concurrency limiter: a bound on the work in progress | [`Limit`]: in flight, per second, by weight | [`limit`] |
//! | execution: by a pool of workers, or sequentially | [`Executor`]s | [`execution`] |
//! | aggregation: results combined into one | [`Aggregator`]s | [`aggregation`] |
//!
//! A [`Pipeline`] joins them and returns a [`Report`]: the value, the failures with their places,
//! and how the time was spent.
//!
//! ```
//! use manyhands::prelude::*;
//!
//! let reviews = TextFiles::open(["data/reviews.jsonl"])?;
//! let fields = Fields::new(["text"], ["product"]);
//! let sentiment = Sentiment::new();
//! let task = fallible(|line: &TextRecord<'_>| {
//!     fields.of(line)?.text().map(|text| sentiment.score(&text).compound)
//! });
//! let report = Pipeline::new(&reviews, task)
//!     .executor(&WorkStealing::new(2))
//!     .on_failure(OnFailure::SKIP)
//!     .aggregate((Mean::new(), Histogram::new(-1.0, 1.0, 20)))?;
//!
//! let (mean, histogram) = report.value;
//! assert_eq!(report.scored, histogram.counts.iter().sum::<u64>());
//! assert!((-1.0..=1.0).contains(&mean));
//! # Ok::<(), manyhands::Error>(())
//! ```
//!
//! # Records that arrive one by one
//!
//! [`stream()`] scores the records of any iterator, and limits how many records it takes ahead of
//! the results:
//!
//! ```
//! use manyhands::prelude::*;
//!
//! let mut lengths = Vec::new();
//! stream(["many", "hands", "make", "light", "work"])
//!     .task(|word: &&str| word.len())
//!     .in_flight(64)
//!     .for_each(|length| lengths.push(length))?;
//! assert_eq!(lengths, [4, 5, 4, 5, 4]);
//! # Ok::<(), manyhands::Error>(())
//! ```
//!
//! # Records that wait for a service
//!
//! With the feature `async`, an async function scores the records, for example by calls to a service. The number of calls
//! in flight, the calls per second, the time of each call and its retries are limited; order, failures and the bits of
//! an aggregate are those of any other task:
//!
#![cfg_attr(
    feature = "async",
    doc = "
```
use std::time::Duration;
use manyhands::prelude::*;

let report = stream([\"many\", \"hands\", \"make\", \"light\", \"work\"])
    .task_async(async |word: &&str| {
        tokio::time::sleep(Duration::from_millis(5)).await; // a real task would wait for a service
        word.len() as f64
    })
    .in_flight(64)
    .timeout(Duration::from_secs(10))
    .retries(5)
    .aggregate(Mean::new())?;
assert_eq!(report.value, 4.4);
# Ok::<(), manyhands::Error>(())
```

The module [`calls`] explains how the calls are run. [`AsyncStream::then`](stream::AsyncStream::then) adds a step after each
call that needs a processor core.
"
)]
//!
//! # Every score written out
//!
//! A [`Sink`](sink::Sink) receives the score of every record in addition to the aggregator. Workers
//! render scores as bytes in parallel, and [`InOrder`](sink::InOrder) writes the bytes in the order
//! of the records:
//!
//! ```
//! use std::io::{self, Write};
//! use std::ops::Range;
//!
//! use manyhands::dataset::LentRecord;
//! use manyhands::prelude::*;
//! use manyhands::sink::{InOrder, RecordOutcome, Room, Sink};
//!
//! struct Lines(InOrder<Vec<u8>>);
//!
//! impl Sink<usize> for Lines {
//!     fn render(
//!         &self,
//!         _index: u64,
//!         outcome: RecordOutcome<'_, usize>,
//!         _record: Option<LentRecord<'_>>,
//!         bytes: &mut Vec<u8>,
//!     ) {
//!         let line = match outcome {
//!             RecordOutcome::Scored(score) => score.to_string(),
//!             RecordOutcome::Failed(failure) => failure.to_string(),
//!             RecordOutcome::Skipped(skipped) => skipped.to_string(),
//!         };
//!         bytes.extend(line.as_bytes());
//!         bytes.push(b'\n');
//!     }
//!     fn write(&self, records: Range<u64>, bytes: Vec<u8>) -> io::Result<Room> {
//!         self.0.write(records, bytes)
//!     }
//! }
//!
//! let words = vec!["many", "hands"];
//! let lines = Lines(InOrder::new(Vec::new()));
//! let report = Pipeline::new(&words, |word: &&str| word.len())
//!     .scores(&lines)
//!     .aggregate(Count::new())?;
//! assert_eq!(report.value, 2);
//! assert_eq!(lines.0.finish()?, b"4\n5\n");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Answers from several machines
//!
//! The [`State`](aggregation::State) of an aggregator can be saved as bytes, loaded elsewhere and
//! merged. The merged state gives the same answer, bit for bit, as a single run. If a machine does
//! not know the index of its first record, its state is [shifted](aggregation::Shift) later, when
//! this index is known.
//!
//! ```
//! use manyhands::aggregation::{Shift, State};
//! use manyhands::prelude::*;
//!
//! let summary = || (Mean::new(), Top::new(1));
//! let save = |scores: &[f64]| {
//!     scores.par_iter().copied().aggregate(summary().partial(0)).save()
//! };
//! let (first, second) = (save(&[0.5, 0.25]), save(&[1.0, 0.25]));
//!
//! let mut whole = summary().load(&first)?;
//! whole.merge(summary().load(&second)?.shift(2)?);
//! let (mean, top) = whole.finish();
//! assert_eq!((mean, top[0].index), (0.5, 2));
//! # Ok::<(), manyhands::aggregation::StateError>(())
//! ```
//!
//! # A run that goes on
//!
//! If a pipeline has a [journal](journal::AnswerJournal), its scores are kept on the disk as soon as they are known. After
//! a crash, the same program takes them over, scores only the other records, and gives the same answer, bit for bit.
//!
//! # Does it scale?
//!
//! [`measure::compare`] scores the same records on several executors in interleaved rounds, checks
//! that all answers are the same, and gives each speed-up with its confidence interval. [`Machine`]
//! describes what measured times depend on: the cores, the CPU quota and the load.
//!
//! ```
//! use manyhands::measure::{Options, compare};
//! use manyhands::prelude::*;
//!
//! let numbers: Vec<u64> = (0..200).collect();
//! let divisors = |n: &u64| (1..=*n).filter(|divisor| n % divisor == 0).count();
//! let executors: [&dyn Executor; 1] = [&WorkStealing::new(2)];
//! let comparison = compare(&numbers, divisors, &executors, &Options::default().rounds(3))?;
//! assert!(comparison.agrees());
//! # Ok::<(), manyhands::Error>(())
//! ```
//!
//! # A run as plain data
//!
//! A [`Plan`](plan::Plan) describes a pipeline by names; the command line is built on plans. Unlike
//! a closure, a plan can also run in worker [processes](remote).
//!
//! # Guarantees
//!
//! 1. **Same bits.** If a task depends on its record alone, the value of the report is the same,
//!    bit for bit, however the work was divided. The built-in aggregators are exact. An aggregator
//!    of your own only needs to be associative, see [`assert_laws`](aggregation::assert_laws).
//! 2. **Nothing lost.** `scored + failed + skipped` is always the number of records. A task that
//!    panics fails its record, not the run. A record is skipped only if the task returns
//!    [`Skipped`](error::Skipped).
//! 3. **Bounded memory.** Every worker reads files in parts, and scores are written in order; memory
//!    does not grow with the input.
//! 4. **Honest baseline.** [`Sequential`] is a plain loop, not the parallel code on one thread.
//! 5. **Never slower than necessary.** The calling thread begins alone, and wakes the pool only if
//!    the remaining work is large enough to gain from it.
//!
//! # Reading order
//!
//! 1. [`ParallelAggregate::aggregate`] for data in memory, and the table of aggregators in
//!    [`aggregation`].
//! 2. [`Pipeline`] for files, failures, limits and deadlines; [`dataset`] for inputs, [`task`] for
//!    built-in tasks.
//! 3. [`stream()`] for iterators, and [`sink`] for scores as output.
//! 4. [`execution`] and [`limit`] to control workers.
//! 5. [`measure`] to check a speed-up before you trust it.
//! 6. [`plan`], [`output`] and [`remote`] to build a tool like the command line.
//!
//! # Features
//!
//! `cli` (default) adds what the command line needs; the library is complete without it. It enables
//! `html`, which adds the module `page` for reports as HTML pages. `async` scores records with async
//! functions, and `http` by calls to a service over HTTP. `parquet` reads Parquet and Arrow
//! files, `bzip2` and `xz` read files that are compressed with these programs, and `full` has
//! every feature.

#![forbid(unsafe_code)]
#![warn(missing_docs)]
// Only the model tests build with this flag, so no other build would report these warnings.
#![cfg_attr(shuttle, deny(warnings))]

pub mod aggregation;
#[cfg(feature = "async")]
pub mod calls;
pub mod dataset;
pub mod error;
pub mod execution;
pub mod exit;
pub mod journal;
pub mod limit;
pub mod machine;
pub mod measure;
pub mod output;
#[cfg(feature = "html")]
pub mod page;
mod panics;
mod par_iter;
mod pipeline;
pub mod plan;
pub mod remote;
pub mod report;
mod similar;
pub mod sink;
pub mod stop;
pub mod stream;
mod sync;
mod synced;
pub mod task;
mod turns;
mod visible;

pub use aggregation::Aggregator;
pub use dataset::Dataset;
pub use error::{Error, Failure, OnFailure};
pub use execution::{Executor, Sequential, TaskQueue, WorkStealing};
pub use limit::Limit;
pub use machine::Machine;
pub use par_iter::ParallelAggregate;
pub use pipeline::Pipeline;
pub use report::Report;
pub use stop::{Cancel, StopReason};
pub use stream::stream;
pub use task::Task;

/// Internal types that the benchmarks of this repository measure. They are not part of the public
/// interface and may change in any release.
#[doc(hidden)]
pub mod internals {
    pub use crate::pipeline::Stopwatch;
}

/// The traits and the names that most programs need, together with rayon's prelude.
pub mod prelude {
    pub use rayon::prelude::*;

    pub use crate::aggregation::{
        Aggregator, Bottom, Confidence, Correlation, Count, Covariance, Distinct, ExactQuantiles,
        Extrema, Frequent, Histogram, Mean, MeanInterval, Median, Moments, Quantiles, Sample,
        StdDev, Sum, Top, Variance,
    };
    #[cfg(feature = "async")]
    pub use crate::calls::fallible_async;
    pub use crate::dataset::{Dataset, Fields, TextFiles, TextRecord};
    pub use crate::execution::{Executor, Sequential, TaskQueue, WorkStealing};
    pub use crate::task::sentiment::Sentiment;
    pub use crate::task::{Task, fallible};
    pub use crate::{
        Cancel, Error, Limit, OnFailure, ParallelAggregate, Pipeline, Report, StopReason, stream,
    };
}
