//! Rounds: in each, everything that is measured has its turn, in an order drawn anew.

use std::time::Duration;

use super::comparison::{Settings, Turn};
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

    /// Whether short runs are repeated to fill a turn.
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
    /// What the last run of each turn tells of its time.
    pub(super) timings: Vec<Timing>,
}

/// A subject whose answer was not the one expected, and in which round.
pub(super) struct Disagrees {
    pub(super) subject: usize,
    pub(super) round: usize,
    pub(super) digest: Digest,
}

/// Has the turns of all subjects, warm-ups before, until an answer is not the one expected.
pub(super) fn play(
    subjects: &mut [Box<dyn Subject + '_>],
    settings: &Settings,
    expected: Digest,
    progress: &dyn Fn(usize, usize),
) -> Result<Result<Vec<Turns>, Disagrees>, Error> {
    let mut random = fastrand::Rng::with_seed(settings.seed);
    let all = settings.warm_ups + settings.rounds;
    let mut runs = vec![1; subjects.len()];
    let mut played: Vec<Turns> = subjects.iter().map(|_| Turns::default()).collect();
    let mut order: Vec<usize> = (0..subjects.len()).collect();
    for number in 0..all {
        let round = number.checked_sub(settings.warm_ups);
        random.shuffle(&mut order);
        for (place, &subject) in order.iter().enumerate() {
            progress(number * order.len() + place, all * order.len());
            let every = subjects[subject].every().max(1);
            if round.is_some_and(|round| round % every > 0) {
                continue;
            }
            let turn = take_turn(&mut *subjects[subject], runs[subject])?;
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
                    runs[subject] = runs_in(settings.least_turn, turn.wall);
                }
                continue;
            };
            let played = &mut played[subject];
            played.timings.extend(turn.timing);
            played.turns.push(Turn {
                round,
                place,
                runs: runs[subject],
                wall: turn.wall,
                cpu: turn.cpu,
            });
        }
    }
    progress(all * order.len(), all * order.len());
    Ok(Ok(played))
}

/// How many runs it takes to fill a turn.
fn runs_in(least_turn: f64, wall: f64) -> u32 {
    /// A turn of runs that take no time at all still ends.
    const MOST: f64 = 100_000.0;
    (least_turn / wall.max(1e-9)).ceil().clamp(1.0, MOST) as u32
}

/// One turn: means over its runs.
struct Taken {
    wall: f64,
    cpu: Option<f64>,
    /// Of the first run that gave another answer than the run before, else of the last.
    digest: Option<Digest>,
    timing: Option<Timing>,
}

fn take_turn(subject: &mut (dyn Subject + '_), runs: u32) -> Result<Taken, Error> {
    let (mut wall, mut cpu) = (Duration::ZERO, Some(Duration::ZERO));
    let mut last: Option<Ran> = None;
    for _ in 0..runs {
        let ran = subject.run()?;
        wall += ran.wall;
        cpu = cpu.zip(ran.cpu).map(|(sum, one)| sum + one);
        let other = last.is_some_and(|last| last.digest != ran.digest);
        last = Some(ran);
        if other {
            break;
        }
    }
    let mean = |sum: Duration| sum.as_secs_f64() / f64::from(runs);
    let (digest, timing) = last.map(|last| (last.digest, last.timing)).unzip();
    Ok(Taken {
        wall: mean(wall),
        cpu: cpu.map(mean),
        digest: digest.flatten(),
        timing: timing.flatten(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

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
        assert!(played[1].turns.iter().all(|turn| turn.runs == 1));
    }
}
