//! The aggregators against the laws, and against arithmetic that cannot round.

mod exact;
mod groups;
mod laws;
mod order;
mod scores;
