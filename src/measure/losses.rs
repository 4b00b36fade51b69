//! Losses: where the time of a cell's threads went, beside what has to be done.

use super::comparison::Turn;
use super::statistics::median;
use super::why::Losses;
use crate::report::Timing;

/// One turn of a cell, with what is needed to tell its losses.
pub(super) struct Spent<'t> {
    /// The time of a run.
    pub(super) wall: f64,
    /// What the run itself tells of it.
    pub(super) timing: &'t Timing,
    /// What `sequential` took in the same round.
    pub(super) sequential: f64,
    /// How many times as long each of as many copies of `sequential` takes as one alone; at least 1.
    pub(super) slowdown: f64,
}

/// Shares of threads × time, which add up to 1.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Parts {
    useful: f64,
    serial: f64,
    imbalance: f64,
    machine: f64,
    scheduling: f64,
}

/// The losses of a cell of such an efficiency: of an executor with so many threads, in these turns;
/// `None` of none, or where they do not tell what workers did.
pub(super) fn losses(
    executor: &str,
    threads: usize,
    efficiency: f64,
    turns: &[Spent<'_>],
) -> Option<Losses> {
    let parts: Vec<Parts> = turns.iter().filter_map(Parts::of).collect();
    let whole = Parts::typical(&parts, efficiency.clamp(0.0, 1.0))?;
    Some(Losses {
        executor: executor.to_owned(),
        threads,
        useful: whole.useful,
        serial: whole.serial,
        imbalance: whole.imbalance,
        machine: whole.machine,
        scheduling: whole.scheduling,
    })
}

/// Each turn of a cell with what `sequential` took in its round.
pub(super) fn with_sequential<'t>(
    turns: &'t [Turn],
    timings: &'t [Timing],
    sequential: &'t [Turn],
    slowdown: f64,
) -> Vec<Spent<'t>> {
    let turns = turns.iter().zip(timings);
    let spent = turns.filter_map(|(turn, timing)| {
        let base = sequential.iter().find(|base| base.round == turn.round)?;
        Some(Spent {
            wall: turn.wall,
            timing,
            sequential: base.wall,
            slowdown: slowdown.max(1.0),
        })
    });
    spent.collect()
}

impl Parts {
    /// What one turn tells, each share clipped to what those before it have left.
    fn of(spent: &Spent<'_>) -> Option<Self> {
        let timing = spent.timing;
        let workers = timing.workers.len() as f64;
        if timing.wall.is_zero() || timing.workers.is_empty() || spent.wall <= 0.0 {
            return None;
        }
        let shares = timing.shares();
        let idle = Idle::of(timing);
        let useful = spent.sequential / (workers * spent.wall);
        let mut left = 1.0;
        let mut take = |share: f64| {
            let taken = share.clamp(0.0, left);
            left -= taken;
            taken
        };
        let useful = take(useful);
        let serial = take(idle.serial);
        let imbalance = take(idle.imbalance);
        let waiting = idle.waking + shares.resting + shares.limited;
        let occupied = 1.0 - idle.serial - idle.imbalance - waiting;
        let beyond = (occupied - useful).max(0.0);
        let slower = useful * (spent.slowdown - 1.0);
        let machine = take(beyond.min(slower).max(shares.preempted));
        Some(Parts {
            useful,
            serial,
            imbalance,
            machine,
            scheduling: take(1.0),
        })
    }

    /// The medians, the losses as many times as they must be to make up 1 with what is useful.
    fn typical(parts: &[Parts], useful: f64) -> Option<Self> {
        if parts.is_empty() {
            return None;
        }
        let typical = |of: fn(&Parts) -> f64| median(&parts.iter().map(of).collect::<Vec<_>>());
        let (serial, imbalance) = (
            typical(|parts| parts.serial),
            typical(|parts| parts.imbalance),
        );
        let (machine, scheduling) = (
            typical(|parts| parts.machine),
            typical(|parts| parts.scheduling),
        );
        let losses = serial + imbalance + machine + scheduling;
        let times = if losses > 0.0 {
            (1.0 - useful) / losses
        } else {
            0.0
        };
        let (serial, imbalance, machine) = (serial * times, imbalance * times, machine * times);
        Some(Parts {
            useful,
            serial,
            imbalance,
            machine,
            scheduling: (1.0 - useful - serial - imbalance - machine).max(0.0),
        })
    }
}

/// When workers had nothing to do, as shares of workers × time.
struct Idle {
    /// All but one, before a second one began and after the last was done.
    serial: f64,
    /// After their last record, while others had some.
    imbalance: f64,
    /// After a second one had begun, before they began themselves.
    waking: f64,
}

impl Idle {
    fn of(timing: &Timing) -> Self {
        let wall = timing.wall.as_secs_f64();
        let workers = timing.workers.len() as f64;
        let until = |time: std::time::Duration| time.as_secs_f64().min(wall);
        let mut spans: Vec<(f64, f64)> = timing
            .workers
            .iter()
            .filter(|worker| worker.began())
            .map(|worker| (until(worker.from), until(worker.until)))
            .collect();
        spans.sort_by(|one, other| one.0.total_cmp(&other.0));
        let last = spans.iter().map(|span| span.1).fold(0.0, f64::max);
        let second = spans.get(1).map_or(last, |span| span.0.min(last));
        let never_began = workers - spans.len() as f64;
        let waking: f64 = spans
            .iter()
            .skip(2)
            .map(|span| (span.0 - second).max(0.0))
            .sum();
        let early: f64 = spans.iter().map(|span| last - span.1).sum();
        let whole = workers * wall;
        Idle {
            serial: (workers - 1.0) * (second + wall - last) / whole,
            imbalance: (early + never_began * (last - second)) / whole,
            waking: waking / whole,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::report::WorkerTiming;

    fn ms(time: u64) -> Duration {
        Duration::from_millis(time)
    }

    fn worker(from: u64, until: u64) -> WorkerTiming {
        WorkerTiming {
            records: 1,
            busy: ms(until - from),
            task: ms(until - from),
            from: ms(from),
            until: ms(until),
            ..WorkerTiming::default()
        }
    }

    fn parts(workers: &[WorkerTiming], sequential: f64, slowdown: f64) -> Parts {
        let timing = Timing {
            wall: ms(100),
            workers: workers.to_vec(),
            ..Timing::default()
        };
        let spent = Spent {
            wall: 0.1,
            timing: &timing,
            sequential,
            slowdown,
        };
        let parts = Parts::of(&spent).unwrap();
        let all = [
            parts.useful,
            parts.serial,
            parts.imbalance,
            parts.machine,
            parts.scheduling,
        ];
        assert!((all.iter().sum::<f64>() - 1.0).abs() < 1e-12, "{parts:?}");
        assert!(all.iter().all(|share| *share >= 0.0), "{parts:?}");
        parts
    }

    fn assert_parts(found: Parts, expected: [f64; 5]) {
        let found = [
            found.useful,
            found.serial,
            found.imbalance,
            found.machine,
            found.scheduling,
        ];
        let close = |(one, other): (&f64, &f64)| (one - other).abs() < 1e-9;
        assert!(
            found.iter().zip(&expected).all(close),
            "{found:?} {expected:?}"
        );
    }

    #[test]
    fn nothing_is_lost_where_all_work_all_the_time() {
        let all = [worker(0, 100); 4];
        assert_parts(parts(&all, 0.4, 1.0), [1.0, 0.0, 0.0, 0.0, 0.0]);
        // Faster than it can be: caches, or chance.
        assert_parts(parts(&all, 0.5, 1.3), [1.0, 0.0, 0.0, 0.0, 0.0]);
    }

    #[test]
    fn one_long_record_is_imbalance() {
        let workers = [worker(0, 100), worker(0, 20), worker(0, 20), worker(0, 20)];
        assert_parts(parts(&workers, 0.16, 1.0), [0.4, 0.0, 0.6, 0.0, 0.0]);
        // So is a worker for whom there was nothing at all.
        let workers = [worker(0, 100), worker(0, 100), WorkerTiming::default()];
        let third = 1.0 / 3.0;
        assert_parts(
            parts(&workers, 0.2, 1.0),
            [2.0 * third, 0.0, third, 0.0, 0.0],
        );
    }

    #[test]
    fn what_one_thread_does_alone_is_serial() {
        // Until a second begins at 10, and from 60 on; the third begins at 20.
        let workers = [
            worker(0, 60),
            worker(10, 60),
            worker(20, 60),
            worker(10, 60),
        ];
        let serial = 3.0 * 50.0 / 400.0;
        let useful = (60.0 + 50.0 + 40.0 + 50.0 + 40.0) / 400.0;
        let waking = 10.0 / 400.0;
        let found = parts(&workers, useful * 0.4, 1.0);
        assert_parts(found, [useful, serial, 0.0, 0.0, waking]);
        // A run that was not shared.
        let mut alone = [WorkerTiming::default(); 4];
        alone[0] = worker(0, 100);
        assert_parts(parts(&alone, 0.1, 1.0), [0.25, 0.75, 0.0, 0.0, 0.0]);
    }

    #[test]
    fn records_that_take_longer_are_the_machine_as_far_as_copies_do_too() {
        let all = [worker(0, 100); 2];
        // Occupied for 200 with what takes 120 alone; copies take 1.5 times as long.
        assert_parts(parts(&all, 0.12, 1.5), [0.6, 0.0, 0.0, 0.3, 0.1]);
        assert_parts(parts(&all, 0.12, 2.0), [0.6, 0.0, 0.0, 0.4, 0.0]);
        // Without such a ceiling nobody knows.
        assert_parts(parts(&all, 0.12, 1.0), [0.6, 0.0, 0.0, 0.0, 0.4]);
    }

    #[test]
    fn a_thread_without_a_core_is_the_machine() {
        let mut all = [worker(0, 100); 2];
        all[0].preempted = ms(40);
        all[0].task = ms(60);
        assert_parts(parts(&all, 0.16, 1.0), [0.8, 0.0, 0.0, 0.2, 0.0]);
        // It is not counted twice.
        assert_parts(parts(&all, 0.16, 1.25), [0.8, 0.0, 0.0, 0.2, 0.0]);
        assert_parts(parts(&all, 0.12, 1.25), [0.6, 0.0, 0.0, 0.2, 0.2]);
    }

    #[test]
    fn waiting_for_each_other_is_scheduling() {
        let mut all = [worker(0, 100); 2];
        all[1].busy = ms(50);
        all[1].task = ms(50);
        assert_parts(parts(&all, 0.15, 3.0), [0.75, 0.0, 0.0, 0.0, 0.25]);
    }

    #[test]
    fn where_clocks_disagree_the_first_shares_win() {
        // `sequential` was slow in that round: what it took and the idle time are more than the whole.
        let workers = [worker(0, 100), worker(0, 20)];
        assert_parts(parts(&workers, 0.18, 1.5), [0.9, 0.0, 0.1, 0.0, 0.0]);
        let mut odd = worker(5, 900);
        odd.preempted = ms(2000);
        parts(&[odd, worker(0, 2000)], 0.01, 9.0);
        let nothing = Timing::default();
        let none = Spent {
            wall: 0.1,
            timing: &nothing,
            sequential: 0.1,
            slowdown: 1.0,
        };
        assert_eq!(Parts::of(&none), None);
        assert_eq!(losses("none", 2, 1.0, &[none]), None);
    }

    #[test]
    fn of_several_turns_the_losses_are_medians_that_make_up_what_useful_leaves() {
        let part = |useful: f64, serial: f64, imbalance: f64| Parts {
            useful,
            serial,
            imbalance,
            machine: 0.0,
            scheduling: 1.0 - useful - serial - imbalance,
        };
        let turns = [
            part(0.5, 0.5, 0.0),
            part(0.6, 0.0, 0.4),
            part(0.7, 0.1, 0.1),
        ];
        // Medians: 0.1, 0.1, 0, 0.
        let typical = Parts::typical(&turns, 0.6).unwrap();
        assert_parts(typical, [0.6, 0.2, 0.2, 0.0, 0.0]);
        // Of no loss in most turns the rest is nobody's, so the executor's.
        let turns = [
            part(0.9, 0.1, 0.0),
            part(0.9, 0.0, 0.1),
            part(0.9, 0.0, 0.0),
        ];
        let typical = Parts::typical(&turns, 0.9).unwrap();
        assert_parts(typical, [0.9, 0.0, 0.0, 0.0, 0.1]);
    }
}
