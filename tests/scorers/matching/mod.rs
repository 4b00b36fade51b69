//! The scorer `match`: its measures against RapidFuzz's scores and against plain ones, and what it
//! finds in a reference.

mod facts;
mod plain;
mod properties;
mod search;
mod threads;
