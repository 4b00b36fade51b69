//! The aggregators against the laws, and against arithmetic that cannot round.

mod accuracy;
mod covariance;
mod exact;
mod intervals;
mod lawless;
mod laws;
mod order;
mod rational;
mod scores;
mod slices;
mod states;
