//! How many units a portion has, from the time that earlier units took.

use std::time::Duration;

/// A portion lasts at least this long, if its units cost what the units before them did: taking one
/// costs a few hundred nanoseconds.
const SHORTEST_PORTION: Duration = Duration::from_micros(10);
/// A portion lasts at most this long, if its units cost what the units before them did: a slow record
/// holds up the rest of its portion.
const LONGEST_PORTION: Duration = Duration::from_micros(250);
/// A portion has at most this many times the units of the portion it is estimated from, because later
/// records may be slower.
const GROWTH: usize = 8;

/// The bounds of a portion's length, in units.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Pace {
    least: usize,
    most: usize,
}

impl Pace {
    /// Portions of one unit, for units whose cost is unknown.
    pub(crate) fn one() -> Self {
        Pace { least: 1, most: 1 }
    }

    /// The pace that follows from `units` having taken `elapsed`.
    pub(crate) fn of(units: usize, elapsed: Duration) -> Self {
        let nanos_a_unit = (elapsed.as_nanos() / units.max(1) as u128).max(1);
        let units_in = |time: Duration| {
            let units_in = usize::try_from(time.as_nanos() / nanos_a_unit).unwrap_or(usize::MAX);
            units_in.clamp(1, units.saturating_mul(GROWTH))
        };
        Pace {
            least: units_in(SHORTEST_PORTION),
            most: units_in(LONGEST_PORTION),
        }
    }

    /// The length of a portion: the worker's fair share, kept within the bounds.
    pub(crate) fn portion(self, fair: usize) -> usize {
        fair.clamp(self.least, self.most)
    }
}
