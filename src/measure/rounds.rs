//! Rounds: in each, everything that is measured has its turn, in an order drawn anew.

use std::time::Duration;

use super::comparison::{Settings, Turn};
use super::statistics::median;
use crate::error::Error;
use crate::report::{Digest, Timing};

/// Something that has a turn in each round: a cell, or a ceiling.
pub(super) trait Subject {
    /// Runs once.
    fn run(&mut self) -> Result<Ran, Error>;

    /// It has a turn in every so-many-th round, the first among them.
    fn every(&self) -> usize {
        1
    }

    /// Whether short runs are repeated to fill a turn; else there are a few, the fastest of which is
    /// less blurred than one.
    fn repeats(&self) -> bool {
        true
    }
}

/// What one run of a subject came to.
pub(super) struct Ran {
    pub(super) wall: Duration,
    pub(super) cpu: Option<Duration>,
    /// Of the answer, if it has one.
    pub(super) digest: Option<Digest>,
    /// What the run itself tells of its time.
    pub(super) timing: Option<Timing>,
}

/// What a subject has done in all rounds.
#[derive(Default)]
pub(super) struct Turns {
    pub(super) turns: Vec<Turn>,
    /// What the fastest run of each turn tells of its time.
    pub(super) timings: Vec<Timing>,
}

/// A subject whose answer was not the one expected, and in which round.
pub(super) struct Disagrees {
    pub(super) subject: usize,
    pub(super) round: usize,
    pub(super) digest: Digest,
}

/// So many runs are a few.
const FEW: u32 = 4;

/// Has the turns of all subjects, warm-ups before, until an answer is not the one expected.
pub(super) fn play(
    subjects: &mut [Box<dyn Subject + '_>],
    settings: &Settings,
    expected: Digest,
    progress: &dyn Fn(usize, usize),
) -> Result<Result<Vec<Turns>, Disagrees>, Error> {
    let mut random = fastrand::Rng::with_seed(settings.seed);
    let all = settings.warm_ups.saturating_add(settings.rounds);
    let turns = all.saturating_mul(subjects.len());
    let mut runs = 1;
    let mut warmed = Vec::new();
    let mut played: Vec<Turns> = subjects.iter().map(|_| Turns::default()).collect();
    let mut order: Vec<usize> = (0..subjects.len()).collect();
    for number in 0..all {
        let round = number.checked_sub(settings.warm_ups);
        random.shuffle(&mut order);
        if round == Some(0) && !warmed.is_empty() {
            runs = runs_in(settings.least_turn, median(&warmed));
        }
        for (place, &subject) in order.iter().enumerate() {
            progress(number * order.len() + place, turns);
            let every = subjects[subject].every().max(1);
            if round.is_some_and(|round| round % every > 0) {
                continue;
            }
            let runs = if subjects[subject].repeats() {
                runs
            } else {
                runs.min(FEW)
            };
            let turn = take_turn(&mut *subjects[subject], runs, expected)?;
            if let Some(digest) = turn.digest
                && digest != expected
            {
                return Ok(Err(Disagrees {
                    subject,
                    round: round.unwrap_or_default(),
                    digest,
                }));
            }
            let Some(round) = round else {
                if subjects[subject].repeats() {
                    warmed.push(turn.wall);
                }
                continue;
            };
            let played = &mut played[subject];
            played.timings.extend(turn.timing);
            played.turns.push(Turn {
                round,
                place,
                runs,
                wall: turn.wall,
                cpu: turn.cpu,
            });
        }
    }
    progress(turns, turns);
    Ok(Ok(played))
}

/// How many runs it takes to fill a turn of a subject neither fast nor slow. All have as many: the
/// least of ten is less than the least of five, and who has more must not seem faster by it.
fn runs_in(least_turn: f64, wall: f64) -> u32 {
    /// A turn of runs that take no time at all still ends.
    const MOST: f64 = 100_000.0;
    (least_turn / wall.max(1e-9)).ceil().clamp(1.0, MOST) as u32
}

/// One turn.
struct Taken {
    /// Of its fastest run: others at work on the machine only ever make a run longer, and by more than
    /// what is to be told. Over rounds recorded on a busy machine the ratios of the least of eight runs
    /// were spread a sixth as far as those of the means (Chen and Revels, *Robust benchmarking in noisy
    /// environments*, 2016, found the same).
    wall: f64,
    /// The mean over its runs: what a thread does behind the end of its run counts for the next one.
    cpu: Option<f64>,
    /// Of the first run that gave another answer than the one expected, else of the last.
    digest: Option<Digest>,
    /// Of its fastest run.
    timing: Option<Timing>,
}

fn take_turn(
    subject: &mut (dyn Subject + '_),
    runs: u32,
    expected: Digest,
) -> Result<Taken, Error> {
    let (mut fastest, mut cpu): (Option<Ran>, _) = (None, Some(Duration::ZERO));
    let mut digest = None;
    for _ in 0..runs {
        let ran = subject.run()?;
        cpu = cpu.zip(ran.cpu).map(|(sum, one)| sum + one);
        digest = ran.digest;
        if digest.is_some_and(|digest| digest != expected) {
            break;
        }
        if fastest.as_ref().is_none_or(|other| ran.wall < other.wall) {
            fastest = Some(ran);
        }
    }
    let wall = fastest.as_ref().map_or(0.0, |ran| ran.wall.as_secs_f64());
    Ok(Taken {
        wall,
        cpu: cpu.map(|sum| sum.as_secs_f64() / f64::from(runs)),
        digest,
        timing: fastest.and_then(|ran| ran.timing),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::RefCell;

    /// A subject that writes down its turns, and answers what it is told to.
    struct Fake<'a> {
        number: usize,
        log: &'a RefCell<Vec<usize>>,
        wall: Duration,
        /// Its answers, the last one for ever.
        answers: Vec<u32>,
    }

    impl Subject for Fake<'_> {
        fn run(&mut self) -> Result<Ran, Error> {
            self.log.borrow_mut().push(self.number);
            let answer = match self.answers.len() {
                0 | 1 => self.answers.first().copied(),
                _ => Some(self.answers.remove(0)),
            };
            Ok(Ran {
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

    fn settings(rounds: usize, warm_ups: usize, least_turn: f64) -> Settings {
        Settings {
            rounds,
            warm_ups,
            seed: 7,
            confidence: 0.95,
            least_turn,
        }
    }

    #[test]
    fn every_subject_has_one_turn_in_each_round_and_orders_differ() {
        let log = RefCell::default();
        let mut subjects: Vec<_> = (0..5).map(|number| fake(number, &log, &[1])).collect();
        let told = RefCell::new(Vec::new());
        let progress = |done, of| told.borrow_mut().push((done, of));
        let played = play(
            &mut subjects,
            &settings(8, 2, 0.0),
            Digest::of(&1_u32),
            &progress,
        );
        let played = played.ok().and_then(Result::ok).expect("all agree");
        drop(subjects);
        let log = log.into_inner();
        assert_eq!(log.len(), 10 * 5);
        let mut orders = std::collections::BTreeSet::new();
        for (number, round) in log.chunks(5).enumerate() {
            let mut sorted = round.to_vec();
            sorted.sort_unstable();
            assert_eq!(sorted, [0, 1, 2, 3, 4], "round {number}");
            orders.insert(round.to_vec());
            for (place, &subject) in round.iter().enumerate() {
                let Some(counted) = number.checked_sub(2) else {
                    continue;
                };
                let turn = played[subject].turns[counted];
                assert_eq!((turn.round, turn.place, turn.runs), (counted, place, 1));
                assert_eq!((turn.wall, turn.cpu), (0.004, Some(0.002)));
            }
        }
        assert!(orders.len() > 5, "{orders:?}");
        assert_eq!(
            (told.borrow()[0], told.borrow().last()),
            ((0, 50), Some(&(50, 50)))
        );
    }

    #[test]
    fn short_runs_are_repeated_within_a_turn() {
        let log = RefCell::default();
        let mut subjects = vec![fake(0, &log, &[])];
        let played = play(
            &mut subjects,
            &settings(3, 1, 0.018),
            Digest::of(&1_u32),
            &|_, _| {},
        );
        let played = played.ok().and_then(Result::ok).expect("no answers");
        drop(subjects);
        // Four milliseconds each: five runs fill eighteen. The turn to warm up was one run.
        assert_eq!(log.into_inner().len(), 1 + 3 * 5);
        assert!(
            played[0]
                .turns
                .iter()
                .all(|turn| turn.runs == 5 && (turn.wall - 0.004).abs() < 1e-12)
        );
    }

    #[test]
    fn another_answer_ends_the_rounds_wherever_it_comes() {
        // In the middle of a turn of five runs as well: runs 1, then 2 to 6, then 7 to 11.
        for wrong in 0..11 {
            let log = RefCell::default();
            let mut answers = vec![1; wrong];
            answers.extend([2, 1]);
            let mut subjects = vec![fake(0, &log, &[1]), fake(1, &log, &answers)];
            let settings = settings(2, 1, 0.018);
            let played = play(&mut subjects, &settings, Digest::of(&1_u32), &|_, _| {});
            let disagrees = played.ok().and_then(Result::err).expect("a disagreement");
            let round = wrong.checked_sub(1).map_or(0, |run| run / 5);
            assert_eq!(
                (disagrees.subject, disagrees.round),
                (1, round),
                "run {wrong}"
            );
            assert_eq!(disagrees.digest, Digest::of(&2_u32));
        }
    }

    /// Takes no time, and has a turn in every so-many-th round.
    struct Seldom(usize);

    impl Subject for Seldom {
        fn run(&mut self) -> Result<Ran, Error> {
            Ok(Ran {
                wall: Duration::from_millis(1),
                cpu: None,
                digest: None,
                timing: None,
            })
        }

        fn every(&self) -> usize {
            self.0
        }

        fn repeats(&self) -> bool {
            self.0 == 1
        }
    }

    #[test]
    fn what_takes_long_has_a_turn_in_some_rounds_only() {
        let settings = Settings {
            rounds: 7,
            warm_ups: 1,
            least_turn: 0.01,
            ..Settings::default()
        };
        let mut subjects: Vec<Box<dyn Subject>> = vec![Box::new(Seldom(1)), Box::new(Seldom(3))];
        let played = play(&mut subjects, &settings, Digest::of(&0), &|_, _| ());
        let played = played.ok().and_then(Result::ok).unwrap();
        let rounds = |subject: usize| -> Vec<usize> {
            let turns = played[subject].turns.iter();
            turns.map(|turn| turn.round).collect()
        };
        assert_eq!(rounds(0), [0, 1, 2, 3, 4, 5, 6]);
        assert_eq!(rounds(1), [0, 3, 6]);
        assert!(played[0].turns.iter().all(|turn| turn.runs == 10));
        assert!(played[1].turns.iter().all(|turn| turn.runs == FEW));
    }
}
