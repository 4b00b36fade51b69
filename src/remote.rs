//! Execution outside this process.
//!
//! [`ScoredElsewhere`] presents records that are scored outside this process as a dataset. It knows only the
//! trait [`Elsewhere`]. The worker processes of a [`ProcessPool`] are one implementation. They receive text
//! and plain data, so a [`Plan`](crate::plan::Plan) can be sent to them and a closure cannot. A record that
//! takes its worker process down (out of memory, out of stack, killed) costs that record and no other.

mod conversation;
#[cfg(test)]
pub(crate) mod in_process;
#[cfg(test)]
mod laws;
mod process_pool;
mod scored_elsewhere;

pub(crate) use conversation::{Elsewhere, RecordReply, ask};
pub use process_pool::ProcessPool;
pub(crate) use process_pool::{Coordinator, WorkerProcess, serve};
pub(crate) use scored_elsewhere::ScoredElsewhere;
