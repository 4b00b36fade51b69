//! Execution outside this process: worker processes that are sent records and answer with scores.
//!
//! A record that takes its process down with it (out of memory, out of stack, killed) costs that record
//! and no other. What is sent is text and plain data, so no closure can go: a [`Plan`](crate::plan::Plan)
//! can.

mod block;
mod elsewhere;
mod exchange;
mod frame;
mod handle;
mod process;
mod process_pool;
#[cfg(all(test, unix))]
mod scripted;
mod serve;
mod slot;
mod starts;
mod supervisor;

pub(crate) use elsewhere::{Answered, ScoredElsewhere, Terms, Unanswered, ask};
pub use process_pool::ProcessPool;
pub(crate) use process_pool::Supervised;
pub(crate) use serve::{Worker, serve};
