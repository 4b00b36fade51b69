//! How many records are sent to a process before it has answered them.
//!
//! A process that always has a record to read never waits. So as many records are sent ahead as it answers in a short
//! time. A program that buffers its output answers nothing until its buffer is full. So if it has read everything and
//! stays silent, more and more records are sent, and from then on as many as it answers together.

use std::time::{Duration, Instant};

/// The time for which a process has records. It is longer than a thread of a busy machine waits for a core, and short
/// enough that processes finish at about the same time.
const AHEAD: Duration = Duration::from_millis(20);

/// A process whose records take longer than this is sent one at a time, since sending ahead would gain nothing.
const SLOW: Duration = Duration::from_millis(50);

/// The shortest time after which a process is silent for the first time. The time grows by half with each time.
const FIRST_SILENCE: Duration = Duration::from_millis(10);

/// The same as a multiple of the time of a record, since a record that takes long is no silence.
const SILENT_RECORDS: u32 = 4;

/// The longest such time as long as the time of a record is not known, but only the time until the first answers. A program
/// may need long to start.
const SILENCE_AFTER_START: Duration = Duration::from_secs(1);

/// The shortest silence that may mean that a program has begun to buffer its answers.
const LONG_SILENCE: Duration = Duration::from_secs(1);

/// The longest such silence while the time of a record is not known, because the first answer came only after the start.
const LONGEST_UNKNOWN: Duration = Duration::from_secs(60);

/// The most records that are sent ahead.
const MOST: usize = 1 << 16;

/// The number of records that may be in flight, and what it is based on.
#[derive(Debug)]
pub(super) struct Window {
    /// The mean time of a record, in seconds; `None` before the first answer.
    time: Option<f64>,
    /// The time of a record according to the first answers of a process, which includes the start of the process.
    first_time: Duration,
    /// The number of records that were answered together, slowly forgotten.
    together: f64,
    /// The number of records while nothing is known, or while the process is silent.
    asked: usize,
    silence: Duration,
    /// Since when the process has answered nothing.
    silent_since: Instant,
}

impl Window {
    pub(super) fn new(now: Instant) -> Self {
        Window {
            time: None,
            first_time: Duration::ZERO,
            together: 0.0,
            asked: 1,
            silence: FIRST_SILENCE,
            silent_since: now,
        }
    }

    /// The number of records that may be in flight.
    pub(super) fn records(&self) -> usize {
        let Some(time) = self.time else {
            return self.asked;
        };
        let together = (2.0 * self.together) as usize;
        let ahead = (AHEAD.as_secs_f64() / time.max(1e-9)) as usize;
        let least = match time > SLOW.as_secs_f64() && together <= 2 {
            true => 1,
            false => 2.max(together),
        };
        least.max(ahead).max(self.asked).min(MOST)
    }

    /// The mean time that a record takes. `None` before the first answer.
    pub(super) fn time(&self) -> Option<Duration> {
        self.time.map(Duration::from_secs_f64)
    }

    /// The time that this number of records takes, as far as it is known.
    pub(super) fn expected(&self, records: usize) -> Duration {
        let time = self.time().unwrap_or(self.first_time);
        time.saturating_mul(u32::try_from(records).unwrap_or(u32::MAX))
    }

    /// Notes that records were answered together after this time.
    pub(super) fn answered(&mut self, records: usize, took: Duration, now: Instant) {
        let each = took.as_secs_f64() / records.max(1) as f64;
        // Many answers count more than one, which may have waited for another program.
        let weight = (records as f64 / (records as f64 + 8.0)).max(0.1);
        self.time = Some(match self.time {
            Some(time) => time + weight * (each - time),
            None => each,
        });
        self.together = (self.together * 0.9).max(records as f64);
        self.asked = 1;
        self.silence = self.first_silence();
        self.silent_since = now;
    }

    /// Notes the first answers of a process, and the time until they came. A record takes at most this time, but maybe
    /// much less.
    pub(super) fn has_started(&mut self, records: usize, took: Duration, now: Instant) {
        self.first_time = took / u32::try_from(records.max(1)).unwrap_or(u32::MAX);
        self.together = self.together.max(records as f64);
        self.asked = self.asked.min(2 * records).max(2);
        self.silence = self.first_silence();
        self.silent_since = now;
    }

    /// The time after which a process that has answered is silent for the first time.
    fn first_silence(&self) -> Duration {
        let silence = match self.time() {
            Some(time) => time.saturating_mul(SILENT_RECORDS),
            None => self
                .first_time
                .saturating_mul(SILENT_RECORDS)
                .min(SILENCE_AFTER_START),
        };
        silence.max(FIRST_SILENCE)
    }

    /// The time after which a program that has answered at once so far may have begun to buffer its answers, if it has
    /// this number of records.
    pub(super) fn long_silence(&self, in_flight: usize) -> Duration {
        let Some(time) = self.time else {
            let silence = self.first_time.saturating_mul(SILENT_RECORDS);
            return silence.clamp(LONG_SILENCE, LONGEST_UNKNOWN);
        };
        let expected = time * in_flight as f64;
        LONG_SILENCE.max(Duration::try_from_secs_f64(20.0 * expected).unwrap_or(Duration::MAX))
    }

    /// Notes that the process has been sent records after it had none.
    pub(super) fn begins(&mut self, now: Instant) {
        self.silent_since = now;
    }

    /// Whether the process has been silent for long, although it has read everything. It is then sent more records.
    pub(super) fn is_silent(&mut self, in_flight: usize, now: Instant) -> bool {
        if now - self.silent_since < self.silence {
            return false;
        }
        self.asked = (2 * in_flight).clamp(1, MOST);
        self.silence = self.silence.mul_f64(1.5);
        self.silent_since = now;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MILLI: Duration = Duration::from_millis(1);

    #[test]
    fn as_many_records_are_sent_as_take_some_time() {
        let now = Instant::now();
        let mut window = Window::new(now);
        assert_eq!(window.records(), 1, "nothing is known");
        for _ in 0..50 {
            window.answered(1, MILLI, now);
        }
        assert_eq!(window.records(), 20);
        for _ in 0..100 {
            window.answered(1, 100 * MILLI, now);
        }
        assert_eq!(window.records(), 1, "sending ahead gains nothing");
        for _ in 0..100 {
            window.answered(1, 30 * MILLI, now);
        }
        assert_eq!(window.records(), 2);
        for _ in 0..100 {
            window.answered(1000, MILLI, now);
        }
        assert_eq!(window.records(), 20_000);
    }

    #[test]
    fn a_process_that_answers_many_records_together_gets_twice_as_many() {
        let now = Instant::now();
        let mut window = Window::new(now);
        window.answered(500, 500 * MILLI, now);
        assert_eq!(window.records(), 1000);
        for _ in 0..100 {
            window.answered(1, MILLI, now);
        }
        assert_eq!(window.records(), 20, "it answers one at a time now");
    }

    #[test]
    fn a_silent_process_is_sent_more_and_more() {
        let mut now = Instant::now();
        let mut window = Window::new(now);
        let began = now;
        let mut in_flight = 1;
        while in_flight < 2048 {
            now += MILLI;
            if window.is_silent(in_flight, now) {
                in_flight = window.records();
            }
        }
        let took = now - began;
        assert!(took < Duration::from_secs(5), "{took:?}");
        window.answered(1600, took, now);
        assert_eq!(window.records(), 3200);
        assert!(!window.is_silent(1, now));
    }

    #[test]
    fn a_record_that_takes_long_is_no_silence() {
        for each in [20 * MILLI, 1000 * MILLI, 4000 * MILLI] {
            let mut now = Instant::now();
            let mut window = Window::new(now);
            now += each;
            window.has_started(1, each, now);
            assert_eq!(window.expected(3), 3 * each);
            assert!(window.long_silence(1) > 2 * each);
            if each < SILENCE_AFTER_START {
                assert!(!window.is_silent(1, now + each));
            }
            for _ in 0..3 {
                now += each;
                window.answered(1, each, now);
                assert!(!window.is_silent(1, now + 3 * each));
            }
            assert!(window.is_silent(1, now + 4 * each));
        }
    }

    #[test]
    fn a_process_that_needs_long_to_start_is_soon_silent() {
        let now = Instant::now();
        let mut window = Window::new(now);
        window.has_started(1, 60_000 * MILLI, now);
        assert!(!window.is_silent(1, now + 999 * MILLI));
        assert!(window.is_silent(1, now + SILENCE_AFTER_START));
        // The more records it has answered together, the less time each of them took.
        window.has_started(1000, 1000 * MILLI, now);
        assert!(window.is_silent(1, now + FIRST_SILENCE));
    }
}
