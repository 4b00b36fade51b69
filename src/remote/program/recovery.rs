//! What happens to the records of a process that gives no more answers.
//!
//! The program cannot be asked which record it was working on. So every record that it was sent and has not answered is
//! suspected, and sent again to a new process. If the program answers each record at once, the record that was next to be
//! answered is sent first and alone, and then more and more records at once. Otherwise, they are sent by halves, each to
//! a process whose input is then closed, since a program that buffers its answers writes them only at its end. A record
//! on which several processes end alone fails.

use std::time::Instant;

use super::last_words::LastWords;
use super::launch::ProgramEnd;
use super::shared::{Fault, ProgramShared};
use super::slot::{Careful, RecordNumber, WorkerSlot};
use crate::error::{Cause, Died, Error, TimedOut};
use crate::remote::blame::SIGKILL;

impl WorkerSlot {
    /// Ends the process, and arranges that its records are sent again.
    ///
    /// # Errors
    ///
    /// Returns an error if the program does not work at all.
    pub(super) fn recover(
        &mut self,
        shared: &ProgramShared<'_>,
        fault: Fault,
    ) -> Result<(), Error> {
        let Some(mut process) = self.process.take() else {
            return Ok(());
        };
        let mut suspects: Vec<RecordNumber> = Vec::new();
        // The program could read to its end, but has not answered every record. It may have left out any of the lines.
        let is_short =
            matches!(fault, Fault::Ended(ProgramEnd::Exited(_))) && !process.pipes.is_open();
        // The process may have written a line too many, or one too few, since its answers were last verified. Then the
        // answers belong to other records than it seems.
        suspects.append(&mut process.unverified);
        let front = process.in_flight.front().copied();
        suspects.extend(process.in_flight.drain(..));
        let was_closed = !process.pipes.is_open();
        let last_words = process.pipes.end();
        if is_short && process.trusted > 0 && matches!(fault, Fault::Ended(ProgramEnd::Exited(0))) {
            self.unexplained = Some(fault.describe(&last_words));
        }
        if !process.has_answered {
            shared.add_death(process.before, &fault.describe(&last_words))?;
        }
        // Those that are tried again later anyway are not tried now.
        suspects.retain(|number| self.retried.iter().all(|(_, retried)| retried != number));
        suspects.sort_unstable();
        for number in &suspects {
            self.entry(*number).outcome = None;
        }
        match *suspects {
            // A program that was sent nothing may write something at the end of its input, such as a total.
            [] if matches!(fault, Fault::TooManyAnswers) && process.sent > 0 => {
                Err(out_of_step(shared, &fault.describe(&last_words)))
            }
            [] => Ok(()),
            [number] => {
                self.blame(shared, number, &fault, was_closed, &last_words);
                Ok(())
            }
            _ => {
                let is_prompt = shared.is_prompt();
                // A program that answers each record at once was working on the one that it was sent first. This need not
                // be the first one of the slot, because a record that is retried is sent after later ones.
                let place = suspects.iter().position(|number| Some(*number) == front);
                let place = place.filter(|_| is_prompt);
                let is_overdue = matches!(fault, Fault::Overdue(_));
                if let Some(place) = place
                    && is_overdue
                    && shared.limits.list().is_none()
                {
                    let guilty = suspects.remove(place);
                    self.suspects.extend(suspects);
                    self.blame(shared, guilty, &fault, was_closed, &last_words);
                    return Ok(());
                }
                let at_once = match is_prompt {
                    true => 1,
                    false => suspects.len().div_ceil(2),
                };
                let mut careful = Careful::new(at_once, !is_prompt);
                if is_prompt && !is_short && !matches!(fault, Fault::TooManyAnswers) {
                    // If the record that it was working on is innocent, so are probably all of them.
                    careful.grows = true;
                    if let Some(place) = place {
                        suspects[..=place].rotate_right(1);
                    }
                }
                for number in suspects.into_iter().rev() {
                    self.suspects.push_front(number);
                }
                self.careful = Some(careful);
                Ok(())
            }
        }
    }

    /// Counts the end of a process that had only this record. The record fails, or is sent again alone.
    fn blame(
        &mut self,
        shared: &ProgramShared<'_>,
        number: RecordNumber,
        fault: &Fault,
        was_closed: bool,
        last_words: &LastWords,
    ) {
        let entry = self.entry(number);
        let is_guilty = match fault {
            // While its input is open, a program that buffers its answers may be waiting for more records.
            Fault::Overdue(_) => shared.is_prompt() || was_closed,
            fault => {
                let was_killed = matches!(fault, Fault::Ended(ProgramEnd::Killed(SIGKILL)));
                entry.ends_alone.add(was_killed)
            }
        };
        if !is_guilty {
            self.suspects.push_front(number);
            self.careful = Some(Careful {
                grows: shared.is_prompt(),
                ..Careful::new(1, !shared.is_prompt())
            });
            return;
        }
        if !self.retries(shared, number, Instant::now()) {
            self.entry(number).fail(fault.cause(last_words));
        }
        // The record is found, so the others are sent as usual.
        self.unexplained = None;
        self.end_care();
    }

    /// Sends the remaining suspects as usual.
    fn end_care(&mut self) {
        self.careful = None;
        while let Some(number) = self.suspects.pop_back() {
            self.waiting.push_front(number);
        }
    }

    /// Ends the careful sending if no suspect is left, or changes it if the program has turned out to buffer its answers.
    ///
    /// # Errors
    ///
    /// Returns an error if answers that were used may belong to other records. The program buffers its answers and has
    /// left one out, but it was none of the last records that it left out.
    pub(super) fn settle(&mut self, shared: &ProgramShared<'_>) -> Result<(), Error> {
        if self.in_flight() > 0 {
            return Ok(());
        }
        let suspects = self.suspects.len();
        if let Some(careful) = &mut self.careful
            && suspects > 1
            && !careful.closes
            && !shared.is_prompt()
        {
            // One by one, each of these records would take a process of its own.
            *careful = Careful::new(suspects.div_ceil(2), true);
        }
        if let Some(careful) = &mut self.careful
            && careful.grows
            && careful.has_begun
        {
            careful.at_once = careful.at_once.saturating_mul(2);
            careful.has_begun = false;
        }
        if self.careful.is_some() && suspects == 0 {
            self.end_care();
            if let Some(how) = self.unexplained.take() {
                let how = format!("it wrote fewer lines than it was sent ({how})");
                return Err(out_of_step(shared, &how));
            }
        }
        Ok(())
    }
}

/// The error of a program whose answers may belong to other records than they seem to.
fn out_of_step(shared: &ProgramShared<'_>, how: &str) -> Error {
    let program = shared.launch.program.display();
    let mut message = format!(
        "{program}: {how}, so it is not known which answer belongs to which record; it must write one line for each line \
         that it reads, and flush it at once"
    );
    if shared.around.memory.is_some() {
        message +=
            "; the answers that this run has kept may be wrong too, so they must not be taken over";
    }
    Error::Program { message }
}

impl Fault {
    /// Describes the fault for a message, with the last words of the program.
    pub(super) fn describe(&self, last_words: &LastWords) -> String {
        let killed = |why: &str| format!("it was killed because {why}");
        let fault = match self {
            Fault::Ended(ProgramEnd::Exited(0)) => "exit status 0, without an answer".to_owned(),
            Fault::Ended(end) => end.to_string(),
            Fault::ClosedOutput => killed("it closed its output and did not exit"),
            Fault::Garbage(message) => killed(&format!("of what it wrote: {message}")),
            Fault::TooManyAnswers => killed("it wrote more lines than it was sent"),
            Fault::TooLong(bytes) => killed(&format!("it wrote a line of more than {bytes} bytes")),
            Fault::TooMuchMemory(bytes) => {
                killed(&format!("it held more than {bytes} bytes of memory"))
            }
            Fault::Overdue(time) => format!("no answer within {} s", time.as_secs_f64()),
        };
        fault + &last_words.quoted()
    }

    /// The failure of a record.
    fn cause(&self, last_words: &LastWords) -> Cause {
        match self {
            Fault::Overdue(after) => TimedOut { after: *after }.into(),
            _ => Died {
                how: self.describe(last_words),
            }
            .into(),
        }
    }
}
