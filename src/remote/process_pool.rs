//! Worker processes that score records: the pool, the protocol over their pipes, and their supervision.

mod block;
mod conversation;
mod handle;
mod message;
mod pool;
mod process;
mod protocol;
#[cfg(all(test, unix))]
pub(super) mod scripted;
mod serve;
mod slot;
mod supervisor;
#[cfg(all(test, unix))]
mod tests;

pub use pool::ProcessPool;
pub(crate) use protocol::{Coordinator, WorkerProcess};
pub(crate) use serve::serve;
