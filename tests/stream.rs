//! Streams: every record exactly once and under its own index, however many workers pull, and none
//! kept waiting while somebody is idle.
//!
//! The source is no part of the public API, so its files are compiled in here.

#[path = "../src/dataset/stream/mod.rs"]
mod stream;
#[allow(dead_code, unused_imports, reason = "not all of it is needed here")]
#[path = "../src/sync.rs"]
mod sync;

#[cfg(shuttle)]
#[path = "stream/model.rs"]
mod model;
#[cfg(not(shuttle))]
#[path = "stream/threads.rs"]
mod threads;
