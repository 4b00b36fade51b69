//! Receives the answers of a slot's process, and notices when something is wrong with it.

use std::thread;
use std::time::{Duration, Instant};

use super::certain::AT_HAND;
use super::launch::ProgramEnd;
use super::process::ProgramProcess;
use super::shared::{Fault, ProgramShared};
use super::slot::{RecordNumber, WorkerSlot};
use crate::error::{Cause, Error, Refused};
use crate::remote::answer::{BadAnswer, Said, parse, parse_list};
use crate::remote::blame::EndsAlone;

/// The longest answer for a record, in bytes.
const MOST_ANSWER_BYTES: usize = 1 << 20;

/// How long a process that has answered everything is watched for a line too many, unless it comes to rest before. On a
/// busy machine it may take a while until it gets a core and comes to rest.
const GRACE: Duration = Duration::from_millis(20);

/// The same for a process that has once not come to rest in this time, or on a system that does not tell.
const SHORT_GRACE: Duration = Duration::from_millis(1);

/// The number of bytes that the pipe to a program holds.
const PIPE_BYTES: usize = 64 << 10;

/// The longest time for which a thread sleeps while its process is busy.
const LONGEST_NAP: Duration = Duration::from_millis(1);
/// The shortest time for which a sleep is worth its own cost.
const SHORTEST_NAP: Duration = Duration::from_micros(100);

/// The time between two looks at such a process.
const LOOK: Duration = Duration::from_micros(50);

/// A process that has been silent this often, although it had records, counts as silent until it ends. Before, it may finish
/// its records after each answer, since a record may also have taken unusually long.
const MOST_SILENCES: u32 = 3;

/// Time between two checks of the memory of a process.
const MEMORY_CHECK: Duration = Duration::from_millis(50);

/// The first pause before a failed record is tried again. The pause doubles with each attempt.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
/// The longest pause before a failed record is tried again.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

impl WorkerSlot {
    /// Exchanges bytes with the process, and takes its answers. Waits up to `wait` if there is nothing to do.
    pub(super) fn exchange(
        &mut self,
        shared: &ProgramShared<'_>,
        wait: Duration,
    ) -> Result<(), Error> {
        let nap = self.nap().min(wait);
        let Some(process) = &mut self.process else {
            return Ok(());
        };
        let mut arrived = process.pipes.pump(Duration::ZERO);
        if !arrived && !nap.is_zero() {
            thread::sleep(nap);
            arrived = process.pipes.pump(Duration::ZERO);
        }
        if !arrived && !wait.is_zero() {
            arrived = process.pipes.pump(wait);
        }
        let taken = match arrived {
            true => self.take_answers(shared),
            false => Ok(()),
        };
        let fault = match taken {
            Ok(()) => self.check(shared, arrived)?,
            Err(fault) => Some(fault),
        };
        match fault {
            Some(fault) => self.recover(shared, fault),
            None => Ok(()),
        }
    }

    /// A time for which the process surely has records. If this thread sleeps in the meantime, many answers are read
    /// together. Otherwise, every answer would wake the thread, which takes longer than to read it.
    fn nap(&self) -> Duration {
        let Some((process, time)) = self.process.as_ref().zip(self.window.time()) else {
            return Duration::ZERO;
        };
        let in_flight = process.in_flight.len();
        // No more than these records are in the pipe, and the others are written by this thread.
        let in_pipe = PIPE_BYTES * in_flight / process.bytes.max(1);
        let records = u32::try_from(in_flight.min(in_pipe)).unwrap_or(u32::MAX);
        let nap = (time * records / 4).min(LONGEST_NAP);
        if nap >= SHORTEST_NAP {
            nap
        } else {
            Duration::ZERO
        }
    }

    /// Takes the answers that have arrived.
    fn take_answers(&mut self, shared: &ProgramShared<'_>) -> Result<(), Fault> {
        let Some(mut process) = self.process.take() else {
            return Ok(());
        };
        let mut answered: Vec<(RecordNumber, Said)> = Vec::new();
        let mut fault = None;
        while let Some(line) = process.pipes.take_line() {
            let Some(records) = process.lines.pop_front() else {
                fault = Some(Fault::TooManyAnswers);
                break;
            };
            let most = MOST_ANSWER_BYTES * records;
            if line.len() > most {
                process.lines.push_front(records);
                fault = Some(Fault::TooLong(most));
                break;
            }
            process.unverified_bytes += line.len();
            let in_flight = &mut process.in_flight;
            let read = match shared.limits.list() {
                None => {
                    parse(line).map(|said| answered.extend(in_flight.pop_front().zip(Some(said))))
                }
                Some(_) => parse_list(line, records)
                    .map(|said| answered.extend(in_flight.drain(..records).zip(said))),
            };
            if let Err(BadAnswer(message)) = read {
                process.lines.push_front(records);
                fault = Some(Fault::Garbage(message));
                break;
            }
        }
        let most = MOST_ANSWER_BYTES * process.lines.front().copied().unwrap_or(1);
        if fault.is_none() && process.pipes.bytes_left() > most {
            fault = Some(Fault::TooLong(most));
        }
        let now = Instant::now();
        if !answered.is_empty() {
            let took = now - process.front_since;
            process.front_since = now;
            if process.unverified.is_empty() {
                process.unverified_since = now;
            }
            let records = u32::try_from(answered.len()).unwrap_or(u32::MAX);
            let mut spent = took / records;
            process.has_read_since = None;
            process.is_silent &= process.silences >= MOST_SILENCES;
            let hurried = process.hurried.take();
            if hurried.is_some_and(|at| now - at < AT_HAND) {
                shared.set_buffering();
            }
            if process.has_answered {
                self.window.answered(answered.len(), took, now);
            } else {
                // This time is mostly the time that the program needed to start.
                process.has_answered = true;
                spent = Duration::ZERO;
                self.window.has_started(answered.len(), took, now);
                shared.has_started(process.started.elapsed());
            }
            for (number, said) in answered {
                let entry = self.entry(number);
                entry.spent = spent;
                process.bytes -= entry.bytes().min(process.bytes);
                let outcome = said.map_err(|reason| Cause::from(Refused { reason }));
                self.entry(number).outcome = Some(outcome);
                process.unverified.push(number);
            }
        }
        if process.in_flight.is_empty() && process.pipes.is_open() && process.has_answered {
            shared.set_prompt(true);
        }
        self.process = Some(process);
        fault.map_or(Ok(()), Err)
    }

    /// Whether a failed record is tried again, which is then arranged.
    pub(super) fn retries(
        &mut self,
        shared: &ProgramShared<'_>,
        number: RecordNumber,
        now: Instant,
    ) -> bool {
        let entry = self.entry(number);
        if entry.retries >= shared.limits.retries {
            return false;
        }
        let pause = FIRST_PAUSE.saturating_mul(1 << entry.retries.min(20));
        entry.retries += 1;
        entry.ends_alone = EndsAlone::default();
        self.retried.push((now + pause.min(LONGEST_PAUSE), number));
        true
    }

    /// Looks for what is wrong with the process, and verifies answers. `arrived` says whether output has just arrived.
    ///
    /// # Errors
    ///
    /// Returns an error if an answer cannot be kept.
    fn check(&mut self, shared: &ProgramShared<'_>, arrived: bool) -> Result<Option<Fault>, Error> {
        let now = Instant::now();
        self.trust(shared, now)?;
        let Some(process) = &mut self.process else {
            return Ok(None);
        };
        if process.pipes.has_ended() {
            return self.check_end(shared);
        }
        if process.in_flight.is_empty() {
            // A process whose input is closed exits, but what it has started may hold its output open.
            let may_exit = !process.pipes.is_open() && !arrived;
            return match may_exit && process.pipes.try_wait().is_some() {
                true => self.check_rest(shared),
                false => self.check_unverified(shared),
            };
        }
        if let Some(most) = shared.limits.max_memory
            && now - process.memory_checked >= MEMORY_CHECK
        {
            process.memory_checked = now;
            if process
                .pipes
                .resident_bytes()
                .is_some_and(|bytes| bytes > most)
            {
                return Ok(Some(Fault::TooMuchMemory(most)));
            }
        }
        if arrived {
            return Ok(None);
        }
        if process.pipes.try_wait().is_some() {
            return self.check_rest(shared);
        }
        let oldest = match shared.is_prompt() {
            true => process.lines.front().copied().unwrap_or(0),
            // A program that buffers its answers writes those of all records at once.
            false => process.in_flight.len(),
        };
        if let Some(allowed) = shared.allowed_time(process.has_answered, oldest)
            && now - process.front_since > allowed
        {
            return Ok(Some(Fault::Overdue(allowed)));
        }
        if !process.pipes.is_open() || !process.pipes.has_read_everything() {
            return Ok(None);
        }
        // The program waits for more records, or a record takes long.
        process.has_read_since.get_or_insert(now);
        let in_flight = process.in_flight.len();
        if !shared.is_prompt() {
            if self.window.is_silent(in_flight, now) && process.has_answered {
                process.silences += u32::from(!process.is_silent);
                process.is_silent = true;
            }
        } else if now - process.front_since > self.window.long_silence(in_flight) {
            if !process.has_answered && self.careful.is_none() {
                shared.set_prompt(false);
            } else if process.pipes.is_at_rest() != Some(false) {
                // Either the program has begun to buffer its answers, and writes them at the end of its input. Or it has
                // left out a line, and its answers since they were verified belong to other records than it seems.
                process.is_questioned = true;
                process.pipes.close_input();
            }
        }
        Ok(None)
    }

    /// Takes the last answers of a process that has exited, and checks it.
    fn check_rest(&mut self, shared: &ProgramShared<'_>) -> Result<Option<Fault>, Error> {
        if let Some(process) = &mut self.process {
            process.pipes.read_rest();
        }
        match self.take_answers(shared) {
            Ok(()) => self.check_end(shared),
            Err(fault) => Ok(Some(fault)),
        }
    }

    /// Checks a process whose output has ended, or that has exited.
    fn check_end(&mut self, shared: &ProgramShared<'_>) -> Result<Option<Fault>, Error> {
        let Some(process) = &mut self.process else {
            return Ok(None);
        };
        if process.in_flight.is_empty() && process.pipes.bytes_left() == 0 {
            if process.is_questioned {
                shared.add_late();
            }
            self.verify(shared)?;
            // The process may still need a moment to exit.
            if let Some(mut process) = self.process.take() {
                let _ = process.pipes.wait_for_end();
            }
            return Ok(None);
        }
        if process.in_flight.is_empty() {
            return Ok(Some(Fault::TooManyAnswers));
        }
        let end = process.pipes.wait_for_end();
        if end == Some(ProgramEnd::Exited(0)) && process.pipes.end_last_line() {
            return match self.take_answers(shared) {
                Ok(()) => self.check_end(shared),
                Err(fault) => Ok(Some(fault)),
            };
        }
        Ok(Some(end.map_or(Fault::ClosedOutput, Fault::Ended)))
    }

    /// Verifies the answers of a process that has answered everything, unless it writes a line too many.
    fn check_unverified(&mut self, shared: &ProgramShared<'_>) -> Result<Option<Fault>, Error> {
        let Some(process) = &mut self.process else {
            return Ok(None);
        };
        if process.unverified.is_empty() {
            process.trusted = 0;
            let is_left = process.pipes.bytes_left() > 0;
            return Ok(is_left.then_some(Fault::TooManyAnswers));
        }
        if shared.is_prompt() && process.pipes.bytes_left() == 0 {
            process.is_restless |= watch(&mut process.pipes, process.is_restless);
        }
        if process.pipes.bytes_left() > 0 {
            return Ok(Some(Fault::TooManyAnswers));
        }
        // A program that buffers its answers may hold a line too many back until its end.
        if shared.is_prompt() || shared.around.memory.is_none() {
            self.verify(shared)?;
        }
        Ok(None)
    }
}

/// Watches a process that has answered everything, until it waits for more records or writes a line too many. A process
/// that writes two lines for one record might be between the two of them, without a core.
///
/// Returns whether the process does not come to rest.
fn watch(pipes: &mut ProgramProcess, is_restless: bool) -> bool {
    let began = Instant::now();
    loop {
        let is_at_rest = pipes.is_at_rest();
        let rests = is_at_rest == Some(true);
        // What a process has written before it came to rest is in the pipe by now.
        let arrived = pipes.pump(if rests { Duration::ZERO } else { LOOK });
        if rests || arrived {
            return false;
        }
        let grace = match is_restless || is_at_rest.is_none() {
            true => SHORT_GRACE,
            false => GRACE,
        };
        if began.elapsed() >= grace {
            return true;
        }
    }
}
