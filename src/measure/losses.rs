//! Losses: where the time of a contender's threads goes.

use super::analysis::Losses;
use super::figures::Turn;
use super::round_results::TurnHistory;
use super::statistics::median;
use crate::report::Timing;

/// One turn of a contender, with what is needed to compute its losses.
pub(super) struct TurnSample<'t> {
    /// Duration of the fastest run, in seconds.
    wall: f64,
    /// The timing that the run reports.
    timing: &'t Timing,
    /// Time that `sequential` takes in the same round, in seconds.
    sequential: f64,
    /// Time that a copy of `sequential` takes if as many copies run as there are threads, as a multiple of its
    /// time alone; at least 1.
    slowdown: f64,
}

/// Shares of threads × time, which add up to 1. See [`Losses`].
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct LossShares {
    useful: f64,
    serial: f64,
    imbalance: f64,
    machine: f64,
    scheduling: f64,
}

/// The losses of a contender with this efficiency; `None` if no turn reports what the workers did.
pub(super) fn losses(
    executor: &str,
    threads: usize,
    efficiency: f64,
    turns: &[TurnSample<'_>],
) -> Option<Losses> {
    let turns: Vec<LossShares> = turns.iter().filter_map(LossShares::of_turn).collect();
    let shares = LossShares::typical(&turns, efficiency.clamp(0.0, 1.0))?;
    Some(Losses {
        executor: executor.to_owned(),
        threads,
        useful: shares.useful,
        serial: shares.serial,
        imbalance: shares.imbalance,
        machine: shares.machine,
        scheduling: shares.scheduling,
    })
}

/// Pairs each turn of a contender with the turn of `sequential` in the same round.
pub(super) fn with_sequential<'t>(
    history: &'t TurnHistory,
    sequential: &[Turn],
    slowdown: f64,
) -> Vec<TurnSample<'t>> {
    let turns = history.turns.iter().zip(&history.timings);
    let samples = turns.filter_map(|(turn, timing)| {
        let base = sequential.iter().find(|base| base.round == turn.round)?;
        Some(TurnSample {
            wall: turn.wall.as_secs_f64(),
            timing,
            sequential: base.wall.as_secs_f64(),
            slowdown: slowdown.max(1.0),
        })
    });
    samples.collect()
}

impl LossShares {
    /// The shares of one turn. Each share is at most what the shares before it leave.
    fn of_turn(turn: &TurnSample<'_>) -> Option<Self> {
        let timing = turn.timing;
        let workers = timing.workers.len() as f64;
        if timing.wall.is_zero() || timing.workers.is_empty() || turn.wall <= 0.0 {
            return None;
        }
        let shares = timing.shares();
        let idle = IdleShares::of(timing);
        let useful = turn.sequential / (workers * turn.wall);
        let mut left = 1.0;
        let mut take = |share: f64| {
            let taken = share.clamp(0.0, left);
            left -= taken;
            taken
        };
        let useful = take(useful);
        let serial = take(idle.serial);
        let imbalance = take(idle.imbalance);
        let waiting = idle.waking + shares.paused + shares.limited;
        let busy = 1.0 - idle.serial - idle.imbalance - waiting;
        let beyond_useful = (busy - useful).max(0.0);
        let slower = useful * (turn.slowdown - 1.0);
        let machine = take(beyond_useful.min(slower).max(shares.preempted));
        Some(LossShares {
            useful,
            serial,
            imbalance,
            machine,
            scheduling: take(1.0),
        })
    }

    /// The median of each loss over the turns. All losses are multiplied by one factor, so that they and
    /// `useful` add up to 1.
    fn typical(turns: &[LossShares], useful: f64) -> Option<Self> {
        if turns.is_empty() {
            return None;
        }
        let median_of =
            |share: fn(&LossShares) -> f64| median(&turns.iter().map(share).collect::<Vec<_>>());
        let serial = median_of(|shares| shares.serial);
        let imbalance = median_of(|shares| shares.imbalance);
        let machine = median_of(|shares| shares.machine);
        let scheduling = median_of(|shares| shares.scheduling);
        let losses = serial + imbalance + machine + scheduling;
        let factor = if losses > 0.0 {
            (1.0 - useful) / losses
        } else {
            0.0
        };
        let [serial, imbalance, machine] = [serial, imbalance, machine].map(|share| share * factor);
        Some(LossShares {
            useful,
            serial,
            imbalance,
            machine,
            scheduling: (1.0 - useful - serial - imbalance - machine).max(0.0),
        })
    }
}

/// The times in which workers had nothing to do, as shares of workers × time.
struct IdleShares {
    /// Time of all workers but one, before a second worker began and after the last one was done.
    serial: f64,
    /// Time of workers after their last record, while others still had records.
    imbalance: f64,
    /// Time of workers that had not begun yet, after a second worker had begun.
    waking: f64,
}

impl IdleShares {
    fn of(timing: &Timing) -> Self {
        let wall = timing.wall.as_secs_f64();
        let workers = timing.workers.len() as f64;
        let seconds = |time: std::time::Duration| time.as_secs_f64().min(wall);
        let mut spans: Vec<(f64, f64)> = timing
            .workers
            .iter()
            .filter(|worker| worker.began())
            .map(|worker| (seconds(worker.from), seconds(worker.until)))
            .collect();
        spans.sort_by(|one, other| one.0.total_cmp(&other.0));
        let last_end = spans.iter().map(|span| span.1).fold(0.0, f64::max);
        let second_start = spans.get(1).map_or(last_end, |span| span.0.min(last_end));
        let never_began = workers - spans.len() as f64;
        let waking: f64 = spans
            .iter()
            .skip(2)
            .map(|span| (span.0 - second_start).max(0.0))
            .sum();
        let done_early: f64 = spans.iter().map(|span| last_end - span.1).sum();
        let whole = workers * wall;
        IdleShares {
            serial: (workers - 1.0) * (second_start + wall - last_end) / whole,
            imbalance: (done_early + never_began * (last_end - second_start)) / whole,
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
        WorkerTiming::scoring(1, from, until)
    }

    fn shares(workers: &[WorkerTiming], sequential: f64, slowdown: f64) -> LossShares {
        let timing = Timing {
            wall: ms(100),
            workers: workers.to_vec(),
            ..Timing::default()
        };
        let sample = TurnSample {
            wall: 0.1,
            timing: &timing,
            sequential,
            slowdown,
        };
        let shares = LossShares::of_turn(&sample).unwrap();
        let all = [
            shares.useful,
            shares.serial,
            shares.imbalance,
            shares.machine,
            shares.scheduling,
        ];
        assert!((all.iter().sum::<f64>() - 1.0).abs() < 1e-12, "{shares:?}");
        assert!(all.iter().all(|share| *share >= 0.0), "{shares:?}");
        shares
    }

    fn assert_shares(found: LossShares, expected: [f64; 5]) {
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
    fn workers_that_are_always_busy_lose_nothing() {
        let all = [worker(0, 100); 4];
        assert_shares(shares(&all, 0.4, 1.0), [1.0, 0.0, 0.0, 0.0, 0.0]);
        // The run was faster than should be possible, because of caches or by chance.
        assert_shares(shares(&all, 0.5, 1.3), [1.0, 0.0, 0.0, 0.0, 0.0]);
    }

    #[test]
    fn one_long_record_is_imbalance() {
        let workers = [worker(0, 100), worker(0, 20), worker(0, 20), worker(0, 20)];
        assert_shares(shares(&workers, 0.16, 1.0), [0.4, 0.0, 0.6, 0.0, 0.0]);
        // The time of a worker that had no record counts as imbalance too.
        let workers = [worker(0, 100), worker(0, 100), WorkerTiming::default()];
        let third = 1.0 / 3.0;
        assert_shares(
            shares(&workers, 0.2, 1.0),
            [2.0 * third, 0.0, third, 0.0, 0.0],
        );
    }

    #[test]
    fn time_of_one_worker_alone_is_serial() {
        // Worker 0 is alone until 10 ms, and no worker is busy from 60 ms on. Worker 2 begins at 20 ms.
        let workers = [
            worker(0, 60),
            worker(10, 60),
            worker(20, 60),
            worker(10, 60),
        ];
        let serial = 3.0 * 50.0 / 400.0;
        let useful = (60.0 + 50.0 + 40.0 + 50.0 + 40.0) / 400.0;
        let waking = 10.0 / 400.0;
        let found = shares(&workers, useful * 0.4, 1.0);
        assert_shares(found, [useful, serial, 0.0, 0.0, waking]);
        // A run that was too short to share.
        let mut alone = [WorkerTiming::default(); 4];
        alone[0] = worker(0, 100);
        assert_shares(shares(&alone, 0.1, 1.0), [0.25, 0.75, 0.0, 0.0, 0.0]);
    }

    #[test]
    fn records_that_take_longer_in_parallel_are_the_machine_as_far_as_copies_do_too() {
        let all = [worker(0, 100); 2];
        // Two workers are busy for 200 ms with records that take 120 ms alone; copies take 1.5 times as long.
        assert_shares(shares(&all, 0.12, 1.5), [0.6, 0.0, 0.0, 0.3, 0.1]);
        assert_shares(shares(&all, 0.12, 2.0), [0.6, 0.0, 0.0, 0.4, 0.0]);
        // Without a ceiling of copies, the cause is unknown.
        assert_shares(shares(&all, 0.12, 1.0), [0.6, 0.0, 0.0, 0.0, 0.4]);
    }

    #[test]
    fn a_thread_without_a_core_is_the_machine() {
        let mut all = [worker(0, 100); 2];
        all[0].preempted = ms(40);
        all[0].task = ms(60);
        assert_shares(shares(&all, 0.16, 1.0), [0.8, 0.0, 0.0, 0.2, 0.0]);
        // The wait for a core and the slowdown of copies are not added up.
        assert_shares(shares(&all, 0.16, 1.25), [0.8, 0.0, 0.0, 0.2, 0.0]);
        assert_shares(shares(&all, 0.12, 1.25), [0.6, 0.0, 0.0, 0.2, 0.2]);
    }

    #[test]
    fn workers_that_wait_for_each_other_are_scheduling() {
        let mut all = [worker(0, 100); 2];
        all[1].busy = ms(50);
        all[1].task = ms(50);
        assert_shares(shares(&all, 0.15, 3.0), [0.75, 0.0, 0.0, 0.0, 0.25]);
    }

    #[test]
    fn shares_that_exceed_the_whole_are_cut_in_order() {
        // `sequential` was slow in that round: its time and the idle time are more than the whole.
        let workers = [worker(0, 100), worker(0, 20)];
        assert_shares(shares(&workers, 0.18, 1.5), [0.9, 0.0, 0.1, 0.0, 0.0]);
        let mut odd = worker(5, 900);
        odd.preempted = ms(2000);
        shares(&[odd, worker(0, 2000)], 0.01, 9.0);
        let nothing = Timing::default();
        let none = TurnSample {
            wall: 0.1,
            timing: &nothing,
            sequential: 0.1,
            slowdown: 1.0,
        };
        assert_eq!(LossShares::of_turn(&none), None);
        assert_eq!(losses("none", 2, 1.0, &[none]), None);
    }

    #[test]
    fn losses_are_medians_scaled_to_what_useful_leaves() {
        let part = |useful: f64, serial: f64, imbalance: f64| LossShares {
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
        // The medians of the losses are 0.1, 0.1, 0 and 0.
        let typical = LossShares::typical(&turns, 0.6).unwrap();
        assert_shares(typical, [0.6, 0.2, 0.2, 0.0, 0.0]);
        // If most turns lose nothing, the rest counts as scheduling.
        let turns = [
            part(0.9, 0.1, 0.0),
            part(0.9, 0.0, 0.1),
            part(0.9, 0.0, 0.0),
        ];
        let typical = LossShares::typical(&turns, 0.9).unwrap();
        assert_shares(typical, [0.9, 0.0, 0.0, 0.0, 0.1]);
    }
}
