//! **manyhands** scores every record of a large dataset on every core, and gives the same answer
//! every time: the same bits on any number of threads, on every executor, for every way of cutting
//! the data into parts.
//!
//! # One changed line
//!
//! For data in memory, end a rayon iterator in [`aggregate`](ParallelAggregate::aggregate):
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
//! | task definition: one independent unit of work | [`Task`]: record → score; every closure is one | [`task`] |
//! | task collection: all the inputs | [`Dataset`]: addressable parts of consecutive records | [`dataset`] |
//! | concurrency limiter: never more than so much at once | [`Limit`]: in flight, a second, by weight | [`limit`] |
//! | execution: by a pool of workers, or one after the other | [`Executor`]s | [`execution`] |
//! | aggregation: results combined into one | [`Aggregator`]s | [`aggregation`] |
//!
//! [`Pipeline`] joins them, one stage a line, and returns a [`Report`]: the value, what failed and
//! where, and where the time went.
//!
//! ```
//! use manyhands::prelude::*;
//!
//! let reviews = TextFiles::open(["data/reviews.jsonl"])?;
//! let fields = Fields::new("text", ["product"]);
//! let sentiment = Sentiment::new();
//! let task = fallible(|line: &TextRecord<'_>| {
//!     fields.of(line).map(|values| sentiment.score(&values.text).compound)
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
//! What a time should be read beside, [`Machine`] tells: cores, quota, load.
//!
//! A [`Plan`](plan::Plan) is a pipeline by names, as plain data; the command line is a thin shell
//! over it. A plan can also run in worker [processes](remote), which a closure cannot.
//!
//! # What holds
//!
//! 1. **Same bits.** If a task depends on its record alone, the value is the same bit for bit
//!    however the work was shared out. The built-in aggregators are exact; one's own need only be
//!    associative, see [`assert_laws`](aggregation::assert_laws).
//! 2. **Nothing lost.** `scored + failed` is the number of records, always. A task that panics
//!    costs its record, not the run.
//! 3. **Bounded.** Files are read in parts by every worker, and scores leave in order; memory does
//!    not grow with the input.
//! 4. **Honest base.** [`Sequential`] is a plain loop, not the parallel code on one thread.
//! 5. **Never slower than it need be.** The calling thread begins alone, and wakes the pool only if
//!    the rest is worth it.
//!
//! # Features
//!
//! `cli` (default) is what the command line needs; the library is whole without it. `html`, which it
//! brings, is the module `page`: reports as pages.

#![forbid(unsafe_code)]
#![warn(missing_docs)]
// No other build than the tests' sees it, so nothing else would tell.
#![cfg_attr(shuttle, deny(warnings))]

pub mod aggregation;
pub mod dataset;
pub mod error;
pub mod execution;
pub mod exit;
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
pub mod sink;
pub mod stop;
pub mod stream;
mod sync;
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

/// The traits, and the few names of the quickstart; rayon's own prelude with them.
pub mod prelude {
    pub use rayon::prelude::*;

    pub use crate::aggregation::{
        Aggregator, Bottom, Confidence, Correlation, Count, Covariance, Distinct, ExactQuantiles,
        Extrema, Frequent, Histogram, Mean, MeanInterval, Median, Moments, Quantiles, Sample,
        StdDev, Sum, Top, Variance,
    };
    pub use crate::dataset::{Dataset, Fields, TextFiles, TextRecord};
    pub use crate::execution::{Executor, Sequential, TaskQueue, WorkStealing};
    pub use crate::task::sentiment::Sentiment;
    pub use crate::task::{Task, fallible};
    pub use crate::{
        Cancel, Error, Limit, OnFailure, ParallelAggregate, Pipeline, Report, StopReason, stream,
    };
}
