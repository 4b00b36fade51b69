//! The beginning of a piece of work: the calling thread by itself.

use std::ops::Range;
use std::time::{Duration, Instant};

use super::handout::Pace;
use super::{Flow, Work};

/// The calling thread begins alone for this long …
const ALONE: Duration = Duration::from_micros(20);
/// … and wakes the others if what is left would take it at least this long: waking costs some ten
/// microseconds on each side, and halves the rest at best if there are two.
const WORTH_WAKING: Duration = Duration::from_micros(50);
/// The calling thread goes on with at most this many times what it has done before it looks at the
/// clock again …
const GROWTH: usize = 3;
/// … and with at most so many units, since those to come may be far dearer than those before, …
const UNSEEN: usize = 32;
/// … or this fraction of a worker's share of what is left, if that is more: so a run that turns out
/// dear at the worst moment is at most a quarter longer for it, and one that stays cheap is not made
/// twice as long by looks at the clock.
const UNSEEN_FRACTION: usize = 4;

/// Runs units as worker 0, until the rest is worth sharing among so many workers; returns that rest,
/// and its pace. With `one_worker` it never is, and nobody need look at the clock. Where units may wait
/// all of them are: to call a service ten times should take as long as to call it once, and who is
/// alone cannot tell before the first call is over.
pub(super) fn begin(
    work: &Work<'_>,
    workers: usize,
    one_worker: bool,
) -> Option<(Range<usize>, Pace)> {
    let units = work.units();
    if one_worker {
        if units > 0 {
            let _ = work.run(0, 0..units);
        }
        return None;
    }
    if work.waits() && units > 1 {
        return Some((0..units, Pace::one()));
    }
    let (began, mut done, mut portion) = (Instant::now(), 0, 1);
    while done < units {
        let end = units.min(done.saturating_add(portion));
        // Alone there is nothing ahead of its turn, and no cause to rest.
        if work.run(0, done..end) == Flow::Stop || end == units {
            return None;
        }
        done = end;
        let elapsed = began.elapsed();
        let pace = Pace::of(done, elapsed);
        let left = elapsed.as_secs_f64() / done as f64 * (units - done) as f64;
        if elapsed >= ALONE && left >= WORTH_WAKING.as_secs_f64() {
            return Some((done..units, pace));
        }
        let unseen = (units - done) / (UNSEEN_FRACTION * workers);
        portion = pace
            .portion(usize::MAX)
            .min(unseen.max(UNSEEN))
            .min(done.saturating_mul(GROWTH));
    }
    None
}
