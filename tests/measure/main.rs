//! Comparisons of executors: measurements, analysis, baselines.

mod analysis;
mod baseline;
mod comparison;

use std::time::Duration;

use manyhands::measure::Options;

/// A few short rounds.
fn options() -> Options<'static> {
    Options::default().rounds(3).least_turn(Duration::ZERO)
}
