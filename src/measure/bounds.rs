//! What work and span allow: bounds on every schedule.

use super::why::{Bound, RecordTimes};

/// What these records allow so many threads.
pub(super) fn bound(records: &RecordTimes, threads: usize) -> Bound {
    let RecordTimes {
        work, span, serial, ..
    } = *records;
    let share = work / threads.max(1) as f64;
    let least = share.max(span) + serial;
    Bound {
        threads,
        least,
        speed_up: if least > 0.0 {
            (work + serial) / least
        } else {
            1.0
        },
        // All but the last record are handed out before the others could be idle.
        greedy: share + span * (1.0 - 1.0 / threads.max(1) as f64) + serial,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_of_known_times() {
        let records = RecordTimes {
            work: 8.0,
            span: 3.0,
            serial: 1.0,
            ..RecordTimes::default()
        };
        let told = |threads| {
            let Bound {
                least,
                speed_up,
                greedy,
                ..
            } = bound(&records, threads);
            (least, speed_up, greedy)
        };
        assert_eq!(told(1), (9.0, 1.0, 9.0));
        assert_eq!(told(2), (5.0, 9.0 / 5.0, 6.5));
        // From here on the longest record is what counts.
        assert_eq!(told(4), (4.0, 9.0 / 4.0, 5.25));
        assert_eq!(told(1024).0, 4.0);
        assert_eq!(bound(&RecordTimes::default(), 2).speed_up, 1.0);
    }
}
