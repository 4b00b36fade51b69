//! The aggregators against the laws, and against arithmetic that cannot round.

mod distinct;
mod exact;
mod frequent;
mod lawless;
mod laws;
mod median;
mod observing;
mod order;
mod sample;
mod scores;
mod states;
