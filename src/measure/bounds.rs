//! Bounds on every schedule, from the work and the span of the records.

use super::analysis::{Bound, RecordTimes};

/// Returns the bounds that the times of the records set for a number of threads.
pub(super) fn bound(records: &RecordTimes, threads: usize) -> Bound {
    let RecordTimes {
        work, span, serial, ..
    } = *records;
    let work_per_thread = work / threads.max(1) as f64;
    let least = work_per_thread.max(span) + serial;
    Bound {
        threads,
        least,
        speed_up: if least > 0.0 {
            (work + serial) / least
        } else {
            1.0
        },
        // A thread is idle only after the last record has been handed out.
        greedy: work_per_thread + span * (1.0 - 1.0 / threads.max(1) as f64) + serial,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_times_have_known_bounds() {
        let records = RecordTimes {
            work: 8.0,
            span: 3.0,
            serial: 1.0,
            ..RecordTimes::default()
        };
        let bounds = |threads| {
            let Bound {
                least,
                speed_up,
                greedy,
                ..
            } = bound(&records, threads);
            (least, speed_up, greedy)
        };
        assert_eq!(bounds(1), (9.0, 1.0, 9.0));
        assert_eq!(bounds(2), (5.0, 9.0 / 5.0, 6.5));
        // With three threads or more, the longest record determines the shortest time.
        assert_eq!(bounds(4), (4.0, 9.0 / 4.0, 5.25));
        assert_eq!(bounds(1024).0, 4.0);
        assert_eq!(bound(&RecordTimes::default(), 2).speed_up, 1.0);
    }
}
