//! These tests check columnar files: Parquet and Arrow IPC.

mod file;
mod scores;
