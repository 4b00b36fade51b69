//! Kills runs at random moments.

use std::time::Duration;

use crate::case::Case;
use crate::scene::{Ended, Scene};

/// A moment of a run that takes about this long: anywhere, very early, or around the end.
pub(crate) fn moment(random: &mut fastrand::Rng, took: Duration) -> Duration {
    let share = match random.u8(..4) {
        0 => return Duration::from_micros(random.u64(..40_000)),
        1 => 0.8 + 0.4 * random.f64(),
        _ => random.f64(),
    };
    took.mul_f64(share)
}

/// Kills the command at random moments, at most `kills` times. Calls `after` after each run. Returns the last run that has
/// printed a report, and how many were killed. A run may print its report and be killed then.
pub(crate) fn killed(
    case: &Case,
    scene: &mut Scene,
    random: &mut fastrand::Rng,
    kills: usize,
    mut after: impl FnMut(&Scene, &Ended),
) -> (Option<Ended>, usize) {
    let mut killed = 0;
    let mut printed = None;
    for _ in 0..kills {
        let running = scene.start(&[], &case.command(true));
        let ended = running.killed_after(moment(random, case.calm.took));
        after(scene, &ended);
        let has_ended = ended.code.is_some();
        if !ended.out.is_empty() {
            printed = Some(ended);
        }
        if has_ended {
            break;
        }
        killed += 1;
    }
    (printed, killed)
}
