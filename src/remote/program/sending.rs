//! Sends records to the process of a slot, as far ahead of its answers as is useful.

use std::time::{Duration, Instant};

use super::process::ProgramProcess;
use super::shared::ProgramShared;
use super::slot::{Careful, RecordNumber, UsedProcess, WorkerSlot};
use super::supply::{Supply, Taken};
use crate::error::Error;
use crate::sync::lock;

/// The most bytes of records in flight.
const MOST_BYTES: usize = 8 << 20;

/// The time that a program should spend on a list of records.
const LIST_TIME: Duration = Duration::from_millis(2);

/// The longest time after which answers are verified. To verify them, the process has to finish its records.
pub(super) const VERIFY_AFTER: Duration = Duration::from_millis(100);

impl WorkerSlot {
    /// Sends records, and takes them from the supply first. Starts a process if there is none. Returns the time until
    /// another record may be sent, if the rate of the run keeps it back.
    pub(super) fn send(
        &mut self,
        shared: &ProgramShared<'_>,
        supply: &Supply,
        now: Instant,
    ) -> Result<Option<Duration>, Error> {
        loop {
            let room = self.room(shared, now);
            if room == 0 {
                break;
            }
            let wants = self.waiting.len() < room && !self.is_last && !self.is_full();
            if self.careful.is_none() && wants {
                let most = room - self.waiting.len();
                let most_answered = self.room_for_answered(shared);
                let taken = supply.take(most, most_answered, |entry| self.add(entry));
                self.is_last = taken == Taken::Ended;
            }
            let has_next = match self.careful {
                Some(_) => !self.suspects.is_empty(),
                None => !self.waiting.is_empty(),
            };
            if !has_next {
                break;
            }
            if let Some(permits) = &shared.around.permits
                && let Err(wait) = permits.take_token()
            {
                return Ok(Some(wait));
            }
            if self.process.is_none() {
                let before = *lock(&shared.history);
                let pipes = ProgramProcess::new(shared.launch.start()?);
                self.process = Some(Box::new(UsedProcess::new(pipes, before, Instant::now())));
            }
            self.send_line(shared, room, now);
        }
        self.close_if_done(shared, now);
        Ok(None)
    }

    /// Number of records that may be sent now.
    fn room(&self, shared: &ProgramShared<'_>, now: Instant) -> usize {
        let in_flight = self.in_flight();
        let mut most = match self.careful {
            Some(careful) => careful.at_once,
            None => self.window.records(),
        };
        if let Some(process) = &self.process {
            if !process.pipes.is_open() || process.bytes >= MOST_BYTES {
                return 0;
            }
            if let Some(restart) = shared.limits.restart_after {
                let left = restart.saturating_sub(process.sent);
                most = most.min(in_flight + usize::try_from(left).unwrap_or(usize::MAX));
            }
            if self.is_draining(shared, now) {
                return 0;
            }
            // It is not known whether the program answers at once. It is, if the process answers all of these records.
            let is_unknown = !shared.is_prompt() && process.has_answered && !process.is_silent;
            if is_unknown && in_flight > 0 && self.careful.is_none() {
                return 0;
            }
        }
        most.saturating_sub(in_flight)
    }

    /// Whether the process is to finish its records, so that its answers can be verified.
    pub(super) fn is_draining(&self, shared: &ProgramShared<'_>, now: Instant) -> bool {
        self.process.as_ref().is_some_and(|process| {
            shared.is_prompt()
                && !process.unverified.is_empty()
                && now - process.unverified_since >= VERIFY_AFTER
        })
    }

    /// Sends the next line: a record, or a list of records.
    fn send_line(&mut self, shared: &ProgramShared<'_>, room: usize, now: Instant) {
        let most = match (shared.limits.list(), self.careful) {
            (None, _) => 1,
            // Each record of a list would need a permit.
            (Some(_), _) if shared.around.permits.is_some() => 1,
            (Some(list), Some(careful)) => careful.at_once.min(list),
            (Some(list), None) => list.min(self.records_in_list()).min(room),
        };
        let Some(mut process) = self.process.take() else {
            return;
        };
        let line = process.pipes.outgoing();
        let begin = line.len();
        let mut sent = 0;
        while sent < most
            && let Some(number) = self.next()
        {
            let entry = self.entry(number);
            let Ok(record) = &entry.record else {
                continue;
            };
            let before = line.len();
            if shared.limits.list().is_some() {
                line.push(if sent == 0 { b'[' } else { b',' });
            }
            if let Err(cause) = (shared.around.encode)(&record.record(), line) {
                line.truncate(before);
                entry.fail(cause);
                continue;
            }
            process.bytes += entry.bytes();
            process.in_flight.push_back(number);
            sent += 1;
        }
        if sent > 0 {
            if let Some(careful) = &mut self.careful {
                careful.has_begun = true;
            }
            if shared.limits.list().is_some() {
                line.push(b']');
            }
            // A line end within a line is only possible between two tokens of JSON.
            let mut from = begin;
            while let Some(place) = memchr::memchr2(b'\n', b'\r', &line[from..]) {
                from += place;
                line[from] = b' ';
            }
            line.push(b'\n');
            process.lines.push_back(sent);
            process.sent += sent as u64;
            process.has_read_since = None;
            if process.in_flight.len() == sent {
                process.front_since = now;
                self.window.begins(now);
            }
        }
        self.process = Some(process);
    }

    fn next(&mut self) -> Option<RecordNumber> {
        match self.careful {
            Some(_) => self.suspects.pop_front(),
            None => self.waiting.pop_front(),
        }
    }

    /// Number of records that a list should have, from the time that they take.
    fn records_in_list(&self) -> usize {
        match self.window.time() {
            None => 1,
            Some(time) => {
                let records = LIST_TIME.as_nanos() / time.as_nanos().max(1);
                usize::try_from(records).unwrap_or(usize::MAX).max(1)
            }
        }
    }

    /// Closes the input of the process if it is sent nothing more.
    fn close_if_done(&mut self, shared: &ProgramShared<'_>, now: Instant) {
        // If the last records may be tried again, the process is still needed.
        let may_retry = shared.limits.retries > 0 && shared.is_prompt() && !self.has_verified_all();
        let is_done = self.is_last && self.has_sent_all() && !may_retry;
        // A program may turn out to buffer its answers after it has seemed to answer at once.
        let closes = |careful: Careful| careful.closes || !shared.is_prompt();
        let closes = self.careful.is_some_and(closes);
        // A program that buffers its answers gives them only for further records, or at its end.
        let has_to_wait = self.waiting.is_empty() && self.ready(1) == 0 && !shared.is_prompt();
        let is_hurried = has_to_wait && self.waits_too_long(shared, now);
        let is_stuck = has_to_wait && self.is_full() || is_hurried;
        let has_memory = shared.around.memory.is_some();
        let Some(process) = &mut self.process else {
            return;
        };
        let is_worn = shared
            .limits
            .restart_after
            .is_some_and(|restart| process.sent >= restart);
        // Answers that are to be kept are certain only once such a program has ended.
        let is_uncertain = has_memory && !process.unverified.is_empty();
        let is_sent = (closes || is_stuck) && (is_uncertain || !process.in_flight.is_empty());
        if process.pipes.is_open() && (is_done || is_worn || is_sent) {
            process.hurried = is_hurried.then_some(now);
            process.pipes.close_input();
        }
    }
}
