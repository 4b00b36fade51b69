//! Scores records outside this process, in worker processes.
//!
//! The processes of a [`ProcessPool`] receive text and plain data, so a [`Plan`](crate::plan::Plan) can be sent to
//! them and a closure cannot. If a process dies while it scores a record (because memory or stack runs out, or
//! because it is killed), only that record fails.

// Records that are scored outside this process pass through one interface, the trait `Elsewhere`. `ScoredElsewhere`
// presents them as a dataset and knows only this trait. The process pool is one implementation of it.

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
