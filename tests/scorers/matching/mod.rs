//! The scorer `match`: its measures against scores of RapidFuzz and against plain implementations, and its
//! search in a reference.

mod facts;
mod plain;
mod properties;
mod search;
mod threads;
