//! The task: what is done to one record.

pub mod sentiment;
