//! These tests check that the aggregators obey the laws, and compare them with arithmetic that cannot round.

mod accuracy;
mod broken_laws;
mod covariance;
mod distinct;
mod exact;
mod frequent;
mod groups;
mod intervals;
mod laws;
mod median;
mod observing;
mod order;
mod quantiles;
mod rational;
mod sample;
mod scores;
mod shift;
mod slices;
mod states;
