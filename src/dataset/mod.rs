//! The task collection: records, addressable as parts.

pub mod synthetic;
