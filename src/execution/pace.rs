//! Computes how many units a portion has from the time that earlier units took.

use std::time::Duration;

/// The minimum duration of a portion whose units take as long as the units before them. A shorter portion is
/// not worth the few hundred nanoseconds that taking a portion costs.
const SHORTEST_PORTION: Duration = Duration::from_micros(10);
/// The maximum duration of a portion whose units take as long as the units before them. It is limited because
/// a slow record holds up the rest of its portion.
const LONGEST_PORTION: Duration = Duration::from_micros(250);
/// Like [`LONGEST_PORTION`], for records that another process scores. It is longer because the worker waits
/// for the replies to the last records of each portion. Such a wait takes two switches between the threads of
/// the two processes, which cost up to 100 µs if the machine is busy.
const LONGEST_PORTION_ELSEWHERE: Duration = Duration::from_millis(1);
/// A portion has at most this many times as many units as the portion from which its length is estimated,
/// because later records may be slower.
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

    /// The pace of a worker whose last `units` units took `elapsed`.
    pub(crate) fn of(units: usize, elapsed: Duration) -> Self {
        Self::within(units, elapsed, LONGEST_PORTION)
    }

    /// The pace of a worker whose last `units` units were scored by another process in the time `spent`. `spent`
    /// includes neither the time that the worker waited nor the time in which the process had nothing to do.
    pub(crate) fn elsewhere(units: usize, spent: Duration) -> Self {
        Self::within(units, spent, LONGEST_PORTION_ELSEWHERE)
    }

    fn within(units: usize, elapsed: Duration, longest: Duration) -> Self {
        let nanos_a_unit = (elapsed.as_nanos() / units.max(1) as u128).max(1);
        let units_in = |time: Duration| {
            let units_in = usize::try_from(time.as_nanos() / nanos_a_unit).unwrap_or(usize::MAX);
            units_in.clamp(1, units.saturating_mul(GROWTH))
        };
        Pace {
            least: units_in(SHORTEST_PORTION),
            most: units_in(longest),
        }
    }

    /// The length of a portion in units: the worker's fair share `fair`, limited to the bounds.
    pub(crate) fn portion(self, fair: usize) -> usize {
        fair.clamp(self.least, self.most)
    }
}
