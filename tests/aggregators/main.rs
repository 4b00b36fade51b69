//! The aggregators against the laws, and against arithmetic that cannot round.

mod exact;
mod lawless;
mod laws;
mod order;
mod scores;
mod states;
