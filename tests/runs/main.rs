//! These tests cover whole runs, from a dataset to a report. Every executor must give the same bits, and every record
//! must be accounted for, no matter how a run ends.

#[cfg(feature = "async")]
mod async_streams;
#[cfg(feature = "async")]
mod calls;
mod executors;
mod halting;
mod journalled;
mod order_sensitive;
mod par_iter;
mod pipeline;
mod shards;
mod sink;
mod steps;
mod stopping;
mod stream_calls;
