//! **manyhands** scores every record of a large dataset on every core and gives the same answer
//! every time.
#![forbid(unsafe_code)]
#![warn(missing_docs)]

pub mod aggregation;
pub mod dataset;
pub mod task;
