//! These tests compare the measures of the scorer `match` with scores of RapidFuzz and with plain implementations,
//! and check its search in a reference.

mod facts;
mod plain;
mod properties;
mod search;
mod threads;
