//! The aggregators against the laws, and against arithmetic that cannot round.

mod covariance;
mod exact;
mod lawless;
mod laws;
mod order;
mod rational;
mod scores;
mod states;
