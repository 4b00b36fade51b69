//! Rounds: in each round, the contenders and the ceilings have their turns in a new random order.

use std::time::Duration;

use super::figures::{Settings, Turn};
use super::round_results::TurnHistory;
use super::statistics::median;
use crate::error::Error;
use crate::report::{Digest, Timing};

/// Something that has turns: a contender or a ceiling.
pub(super) trait Subject {
    /// Runs the subject once.
    fn run(&mut self) -> Result<SingleRun, Error>;

    /// Number of rounds from one turn of the subject to its next turn: 3 means that it has turns in rounds 0,
    /// 3, 6 and so on.
    fn round_interval(&self) -> usize {
        1
    }

    /// True if short runs are repeated until they fill a turn. Otherwise a turn has at most [`UNREPEATED_RUNS`]
    /// runs.
    fn fills_turns(&self) -> bool {
        true
    }
}

/// One run of a subject.
pub(super) struct SingleRun {
    pub(super) wall: Duration,
    pub(super) cpu: Option<Duration>,
    /// The digest of the answer, if there is one.
    pub(super) digest: Option<Digest>,
    /// The timing that the run itself reports.
    pub(super) timing: Option<Timing>,
}

/// An answer of a subject that differs from the expected answer.
pub(super) struct WrongAnswer {
    /// The index of the subject.
    pub(super) subject: usize,
    pub(super) round: usize,
    pub(super) digest: Digest,
}

/// Largest number of runs in a turn of a subject that does not fill its turns. The fastest of four runs is less
/// noisy than a single one.
const UNREPEATED_RUNS: u32 = 4;

/// Runs the warm-up rounds and the rounds of all subjects. Stops at the first answer that differs from
/// the expected one.
pub(super) fn run(
    subjects: &mut [Box<dyn Subject + '_>],
    settings: &Settings,
    expected: Digest,
    progress: &dyn Fn(usize, usize),
) -> Result<Result<Vec<TurnHistory>, WrongAnswer>, Error> {
    let mut random = fastrand::Rng::with_seed(settings.seed);
    let rounds = settings.warm_ups.saturating_add(settings.rounds);
    let total = rounds.saturating_mul(subjects.len());
    let mut runs = 1;
    let mut warm_up_times = Vec::new();
    let mut histories = vec![TurnHistory::default(); subjects.len()];
    let mut order: Vec<usize> = (0..subjects.len()).collect();
    for number in 0..rounds {
        // `None` in a warm-up round.
        let round = number.checked_sub(settings.warm_ups);
        random.shuffle(&mut order);
        if round == Some(0) && !warm_up_times.is_empty() {
            runs = runs_per_turn(settings.least_turn.as_secs_f64(), median(&warm_up_times));
        }
        for (position, &index) in order.iter().enumerate() {
            progress(number * order.len() + position, total);
            let subject = &mut *subjects[index];
            let interval = subject.round_interval().max(1);
            if round.is_some_and(|round| round % interval > 0) {
                continue;
            }
            let fills_turns = subject.fills_turns();
            let limit = if fills_turns { runs } else { UNREPEATED_RUNS };
            let runs = runs.min(limit);
            let turn = take_turn(subject, runs, expected)?;
            if let Some(digest) = turn.digest
                && digest != expected
            {
                return Ok(Err(WrongAnswer {
                    subject: index,
                    round: round.unwrap_or_default(),
                    digest,
                }));
            }
            let Some(round) = round else {
                if fills_turns {
                    warm_up_times.push(turn.wall.as_secs_f64());
                }
                continue;
            };
            let history = &mut histories[index];
            history.timings.extend(turn.timing);
            history.turns.push(Turn {
                round,
                position,
                runs,
                wall: turn.wall,
                cpu: turn.cpu,
            });
        }
    }
    progress(total, total);
    Ok(Ok(histories))
}

/// Number of runs that fill a turn of `least_turn` seconds of a subject whose run takes `wall` seconds.
///
/// The number is computed once, from the median time of the subjects, and holds for all of them: the minimum of
/// ten runs is smaller than the minimum of five, so a subject with more runs would look faster than it is.
fn runs_per_turn(least_turn: f64, wall: f64) -> u32 {
    /// Number of runs at which a turn ends, even if the runs take no measurable time.
    const MOST: f64 = 100_000.0;
    (least_turn / wall.max(1e-9)).ceil().clamp(1.0, MOST) as u32
}

/// One turn of a subject.
struct MeasuredTurn {
    /// Time of the fastest run. Other programs make a run longer, never shorter, and the delay is
    /// larger than the differences of interest. In rounds recorded on a busy machine, ratios of the fastest of
    /// eight runs scattered a sixth as much as ratios of the means of eight runs (Chen and Revels, *Robust
    /// benchmarking in noisy environments*, 2016, found the same).
    wall: Duration,
    /// Mean processor time of all runs. The mean is used because a thread may still work after the end of a run, and
    /// this work is counted in the next run.
    cpu: Option<Duration>,
    /// The digest of the first wrong answer, or of the last answer if none is wrong.
    digest: Option<Digest>,
    /// The timing of the fastest run.
    timing: Option<Timing>,
}

fn take_turn(
    subject: &mut (dyn Subject + '_),
    runs: u32,
    expected: Digest,
) -> Result<MeasuredTurn, Error> {
    let (mut fastest, mut cpu): (Option<SingleRun>, _) = (None, Some(Duration::ZERO));
    let mut digest = None;
    for _ in 0..runs {
        let run = subject.run()?;
        cpu = cpu.zip(run.cpu).map(|(sum, one)| sum + one);
        digest = run.digest;
        if digest.is_some_and(|digest| digest != expected) {
            break;
        }
        if fastest.as_ref().is_none_or(|other| run.wall < other.wall) {
            fastest = Some(run);
        }
    }
    let wall = fastest.as_ref().map_or(Duration::ZERO, |run| run.wall);
    Ok(MeasuredTurn {
        wall,
        cpu: cpu.map(|sum| sum / runs.max(1)),
        digest,
        timing: fastest.and_then(|run| run.timing),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::RefCell;

    /// A subject that logs its number for every run and gives prepared answers.
    struct Fake<'a> {
        number: usize,
        log: &'a RefCell<Vec<usize>>,
        wall: Duration,
        /// The answers of its runs, in order; the last one is repeated.
        answers: Vec<u32>,
    }

    impl Subject for Fake<'_> {
        fn run(&mut self) -> Result<SingleRun, Error> {
            self.log.borrow_mut().push(self.number);
            let answer = match self.answers.len() {
                0 | 1 => self.answers.first().copied(),
                _ => Some(self.answers.remove(0)),
            };
            Ok(SingleRun {
                wall: self.wall,
                cpu: Some(self.wall / 2),
                digest: answer.map(|answer| Digest::of(&answer)),
                timing: None,
            })
        }
    }

    fn fake<'a>(
        number: usize,
        log: &'a RefCell<Vec<usize>>,
        answers: &[u32],
    ) -> Box<dyn Subject + 'a> {
        let (wall, answers) = (Duration::from_millis(4), answers.to_vec());
        Box::new(Fake {
            number,
            log,
            wall,
            answers,
        })
    }

    fn settings(rounds: usize, warm_ups: usize, least_turn: u64) -> Settings {
        Settings {
            rounds,
            warm_ups,
            seed: 7,
            confidence: 0.95,
            least_turn: Duration::from_millis(least_turn),
        }
    }

    #[test]
    fn every_subject_has_one_turn_in_each_round_and_orders_differ() {
        let log = RefCell::default();
        let mut subjects: Vec<_> = (0..5).map(|number| fake(number, &log, &[1])).collect();
        let calls = RefCell::new(Vec::new());
        let progress = |done, total| calls.borrow_mut().push((done, total));
        let histories = run(
            &mut subjects,
            &settings(8, 2, 0),
            Digest::of(&1_u32),
            &progress,
        );
        let histories = histories.ok().and_then(Result::ok).expect("all agree");
        drop(subjects);
        let log = log.into_inner();
        assert_eq!(log.len(), 10 * 5);
        let mut orders = std::collections::BTreeSet::new();
        for (number, round) in log.chunks(5).enumerate() {
            let mut sorted = round.to_vec();
            sorted.sort_unstable();
            assert_eq!(sorted, [0, 1, 2, 3, 4], "round {number}");
            orders.insert(round.to_vec());
            for (position, &subject) in round.iter().enumerate() {
                let Some(counted) = number.checked_sub(2) else {
                    continue;
                };
                let turn = histories[subject].turns[counted];
                assert_eq!(
                    (turn.round, turn.position, turn.runs),
                    (counted, position, 1)
                );
                assert_eq!(
                    (turn.wall, turn.cpu),
                    (Duration::from_millis(4), Some(Duration::from_millis(2)))
                );
            }
        }
        assert!(orders.len() > 5, "{orders:?}");
        assert_eq!(
            (calls.borrow()[0], calls.borrow().last()),
            ((0, 50), Some(&(50, 50)))
        );
    }

    #[test]
    fn short_runs_are_repeated_within_a_turn() {
        let log = RefCell::default();
        let mut subjects = vec![fake(0, &log, &[])];
        let histories = run(
            &mut subjects,
            &settings(3, 1, 18),
            Digest::of(&1_u32),
            &|_, _| {},
        );
        let histories = histories.ok().and_then(Result::ok).expect("no answers");
        drop(subjects);
        // Five runs of 4 ms fill 18 ms. The warm-up turn is one run.
        assert_eq!(log.into_inner().len(), 1 + 3 * 5);
        assert!(
            histories[0]
                .turns
                .iter()
                .all(|turn| turn.runs == 5 && turn.wall == Duration::from_millis(4))
        );
    }

    #[test]
    fn a_wrong_answer_in_any_run_ends_the_rounds() {
        // Run 1 is the warm-up, runs 2 to 6 are the first turn, runs 7 to 11 the second.
        for wrong in 0..11 {
            let log = RefCell::default();
            let mut answers = vec![1; wrong];
            answers.extend([2, 1]);
            let mut subjects = vec![fake(0, &log, &[1]), fake(1, &log, &answers)];
            let settings = settings(2, 1, 18);
            let histories = run(&mut subjects, &settings, Digest::of(&1_u32), &|_, _| {});
            let wrong_answer = histories
                .ok()
                .and_then(Result::err)
                .expect("a wrong answer");
            let round = wrong.checked_sub(1).map_or(0, |run| run / 5);
            assert_eq!(
                (wrong_answer.subject, wrong_answer.round),
                (1, round),
                "run {wrong}"
            );
            assert_eq!(wrong_answer.digest, Digest::of(&2_u32));
        }
    }

    /// A subject with this round interval; it fills its turns if the interval is 1.
    struct EveryNth(usize);

    impl Subject for EveryNth {
        fn run(&mut self) -> Result<SingleRun, Error> {
            Ok(SingleRun {
                wall: Duration::from_millis(1),
                cpu: None,
                digest: None,
                timing: None,
            })
        }

        fn round_interval(&self) -> usize {
            self.0
        }

        fn fills_turns(&self) -> bool {
            self.0 == 1
        }
    }

    #[test]
    fn a_long_subject_has_turns_in_some_rounds_only() {
        let settings = Settings {
            rounds: 7,
            warm_ups: 1,
            least_turn: Duration::from_millis(10),
            ..Settings::default()
        };
        let mut subjects: Vec<Box<dyn Subject>> =
            vec![Box::new(EveryNth(1)), Box::new(EveryNth(3))];
        let histories = run(&mut subjects, &settings, Digest::of(&0), &|_, _| ());
        let histories = histories.ok().and_then(Result::ok).unwrap();
        let rounds = |subject: usize| -> Vec<usize> {
            let turns = histories[subject].turns.iter();
            turns.map(|turn| turn.round).collect()
        };
        assert_eq!(rounds(0), [0, 1, 2, 3, 4, 5, 6]);
        assert_eq!(rounds(1), [0, 3, 6]);
        assert!(histories[0].turns.iter().all(|turn| turn.runs == 10));
        assert!(
            histories[1]
                .turns
                .iter()
                .all(|turn| turn.runs == UNREPEATED_RUNS)
        );
    }
}
