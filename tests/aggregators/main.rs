//! The aggregators against the laws, and against arithmetic that cannot round.

mod distinct;
mod exact;
mod frequent;
mod laws;
mod median;
mod order;
mod sample;
mod scores;
mod states;
