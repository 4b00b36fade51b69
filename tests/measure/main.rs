//! These tests cover comparisons of executors: their measurements, their analysis and their baselines.

mod analysis;
mod baseline;
mod comparison;

use std::time::Duration;

use manyhands::measure::Options;

/// Returns options for a few short rounds.
fn options() -> Options<'static> {
    Options::default().rounds(3).least_turn(Duration::ZERO)
}
