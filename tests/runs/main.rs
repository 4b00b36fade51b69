//! Runs from a dataset to a report: the same bits from every executor, and every record accounted for, no matter how
//! a run ends.

mod executors;
mod halting;
mod order_sensitive;
mod par_iter;
mod pipeline;
mod sink;
mod steps;
mod stopping;
mod stream_calls;
