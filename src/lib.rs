//! **manyhands** scores every record of a large dataset on every core and gives the same answer
//! every time.
#![forbid(unsafe_code)]
#![warn(missing_docs)]

pub mod aggregation;
pub mod dataset;
pub mod error;
pub mod execution;
mod par_iter;
mod pipeline;
pub mod plan;
pub mod report;
pub mod sink;
pub mod task;

pub use aggregation::Aggregator;
pub use dataset::Dataset;
pub use error::{Error, Failure, OnFailure};
pub use execution::{Executor, Sequential, WorkStealing};
pub use par_iter::ParallelAggregate;
pub use pipeline::Pipeline;
pub use report::Report;
pub use task::Task;

/// The traits and the few names of the quickstart.
pub mod prelude {
    pub use rayon::prelude::*;

    pub use crate::aggregation::{
        Bottom, Count, Extrema, Histogram, Mean, Moments, Quantiles, StdDev, Sum, Top, Variance,
    };
    pub use crate::dataset::{Dataset, JsonLine, JsonLines};
    pub use crate::task::sentiment::Sentiment;
    pub use crate::task::{Task, fallible};
    pub use crate::{Aggregator, Sequential, WorkStealing};
    pub use crate::{Error, Executor, OnFailure, ParallelAggregate, Pipeline, Report};
}
