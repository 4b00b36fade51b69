//! The records of a dataset, each with the answer of a program.

use std::ops::{ControlFlow, Range};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::time::{Duration, Instant};

use super::entry::Entry;
use super::finishing::finish;
use super::shared::ProgramShared;
use super::slot::WorkerSlot;
use super::supply::Supply;
use crate::dataset::{Dataset, LentRecord, Position, ReadOutcome, TextRecord};
use crate::error::{BadRecord, Cause, Error, Interrupted, Place};
use crate::remote::ProgramAnswer;
use crate::remote::conversation::RecordReply;
use crate::remote::kinds::ColumnKinds;
use crate::sync::{Condvar, Mutex, lock, wait_at_most};

/// The longest time for which a worker waits without looking whether the run was stopped, or its process has ended.
const TICK: Duration = Duration::from_millis(10);

/// The time between two looks whether a failed record may be visited.
const BLOCKED_WAIT: Duration = Duration::from_millis(1);

/// The most records that are visited together. If they were more, their memory would be requested from the system and
/// given back each time.
const MOST_TOGETHER: usize = 256;

/// The records of a dataset, each with the answer of a program. It is a stream: a worker that reads from it takes
/// records, sends them to its own process, and visits the records that the process has answered.
pub struct Answered<'a, D> {
    records: &'a D,
    shared: ProgramShared<'a>,
    supply: Supply,
    kinds: ColumnKinds,
    slots: Mutex<Slots>,
    changed: Condvar,
}

/// The slots that no worker uses, and the number of the others.
#[derive(Debug, Default)]
struct Slots {
    idle: Vec<WorkerSlot>,
    in_use: usize,
    /// The earliest record of each slot, and the first records that are being visited.
    earliest: Vec<Arc<AtomicU64>>,
    visited: Vec<u64>,
    /// Whether the supply has no more records.
    ended: bool,
    /// Whether the run ends with an error of a slot.
    has_failed: bool,
}

impl<'a, D> Answered<'a, D>
where
    D: for<'r> Dataset<Record<'r> = TextRecord<'r>>,
{
    /// Calls `run` with the answers for these records, while a thread reads the records. If `run` returns before the end of
    /// the records, the answers of records in progress are still kept.
    pub(super) fn while_fed<R>(
        records: &'a D,
        shared: ProgramShared<'a>,
        run: impl FnOnce(&Self) -> R,
    ) -> Result<R, Error> {
        /// Ends the supply, also if `run` panics, so that the thread ends.
        struct Closing<'c, D: Dataset>(&'c Supply, &'c D);

        impl<D: Dataset> Drop for Closing<'_, D> {
            fn drop(&mut self) {
                self.0.close();
                self.1.close();
            }
        }

        shared.launch.check()?;
        let answered = Answered {
            records,
            shared,
            supply: Supply::default(),
            kinds: ColumnKinds::default(),
            slots: Mutex::default(),
            changed: Condvar::new(),
        };
        std::thread::scope(|scope| {
            let answered = &answered;
            let feeder = std::thread::Builder::new().name("manyhands-reader".to_owned());
            let memory = answered.shared.around.memory;
            let feeder = feeder.spawn_scoped(scope, move || {
                answered.supply.feed(answered.records, memory)
            });
            feeder.map_err(Error::no_thread)?;
            let closing = Closing(&answered.supply, answered.records);
            let done = run(answered);
            drop(closing);
            answered.finish_slots()?;
            Ok(done)
        })
    }

    /// Finishes the records in progress of a run that has ended early, if it keeps answers.
    fn finish_slots(&self) -> Result<(), Error> {
        let mut slots = lock(&self.slots);
        if self.shared.around.memory.is_none() || slots.has_failed {
            return Ok(());
        }
        let idle = std::mem::take(&mut slots.idle);
        drop(slots);
        finish(idle, &self.shared)
    }

    /// The kinds of the columns of the answers.
    pub(crate) fn kinds(&self) -> &ColumnKinds {
        &self.kinds
    }

    /// Takes the slot with the earliest record, or a new one. Returns `None` at the end of the records.
    fn check_out(&self) -> Option<WorkerSlot> {
        let mut slots = lock(&self.slots);
        loop {
            if self.shared.is_stopped() {
                return None;
            }
            let pending = slots.idle.iter().enumerate();
            let pending = pending.filter_map(|(place, slot)| Some((slot.first_index()?, place)));
            let place = pending.min().map(|(_, place)| place);
            // A slot that has no record may get further records, or has a process that is about to exit.
            let place = place.or_else(|| slots.idle.len().checked_sub(1));
            if let Some(place) = place {
                slots.in_use += 1;
                return Some(slots.idle.swap_remove(place));
            }
            if !slots.ended {
                slots.in_use += 1;
                let slot = WorkerSlot::new();
                slots.earliest.push(Arc::clone(slot.earliest()));
                return Some(slot);
            }
            if slots.in_use == 0 {
                return None;
            }
            slots = wait_at_most(&self.changed, slots, TICK);
        }
    }

    /// Gives a slot back whose records from `visited` on, if there are some, are about to be visited.
    fn check_in(&self, slot: WorkerSlot, visited: Option<u64>) {
        let mut slots = lock(&self.slots);
        slots.in_use -= 1;
        slots.visited.extend(visited);
        slots.ended |= slot.is_last;
        if !slot.is_finished() {
            slots.idle.push(slot);
        }
        drop(slots);
        self.changed.notify_all();
    }

    /// Of the first `ready` records of a slot, the number of those that can be visited. A record that has failed may halt the run,
    /// and then no further record is visited. So it is visited only when all records before it have been.
    fn until_failure(&self, slot: &WorkerSlot, ready: usize) -> usize {
        let has_answer = |entry: &&Entry| !entry.has_failed();
        let before = slot.first_entries(ready).take_while(has_answer).count();
        match slot.first_index() {
            Some(failed) if before == 0 && ready > 0 => {
                let slots = lock(&self.slots);
                let first = slots.earliest.iter().map(|first| first.load(SeqCst));
                let mut others = first.chain(slots.visited.iter().copied());
                usize::from(others.all(|first| first >= failed))
            }
            _ => before,
        }
    }

    /// Works until records of the slot can be visited, but not more than `most`. Returns their number; 0 if the slot has
    /// no more records, or the run was stopped. Adds the time without a record, and the time in which a process starts, to
    /// `waited`.
    fn advance(
        &self,
        slot: &mut WorkerSlot,
        most: usize,
        waited: &mut Duration,
    ) -> Result<usize, Error> {
        let mut awaited = None;
        loop {
            self.supply.check()?;
            if self.shared.is_stopped() {
                return Ok(0);
            }
            let now = Instant::now();
            slot.settle(&self.shared)?;
            let retry = slot.release_retried(now);
            let token = slot.send(&self.shared, &self.supply, now)?;
            let done = slot.ready(most);
            let ready = self.until_failure(slot, done);
            if done > 0 && ready == 0 {
                // The records before may be in a slot that no worker uses.
                match &slot.process {
                    Some(_) => slot.exchange(&self.shared, BLOCKED_WAIT)?,
                    None => std::thread::sleep(BLOCKED_WAIT),
                }
                return Ok(0);
            }
            if ready > 0 {
                // Answers that have arrived are taken later, but the program must not wait to be sent records.
                slot.exchange(&self.shared, Duration::ZERO)?;
                let on_disk = slot.wait_for_disk(&self.shared, ready, &mut awaited, TICK)?;
                if on_disk > 0 {
                    return Ok(on_disk);
                }
                continue;
            }
            if slot.is_finished() {
                return Ok(0);
            }
            let wait = [retry, token]
                .into_iter()
                .flatten()
                .fold(TICK, Duration::min);
            let is_idle = slot.in_flight() == 0 && slot.is_empty();
            let is_starting = slot.is_starting();
            match &slot.process {
                Some(_) => slot.exchange(&self.shared, wait)?,
                None if is_idle => self.supply.wait(wait),
                None => std::thread::sleep(wait),
            }
            // The time that a program needs to start is no time of a record.
            if is_idle || is_starting {
                *waited += now.elapsed();
            }
        }
    }

    /// Visits records that are ready.
    fn visit<V>(&self, ready: Vec<Entry>, mut visit: V)
    where
        V: FnMut(Position, Result<&RecordReply<ProgramAnswer>, BadRecord>) -> ControlFlow<()>,
    {
        let Some(first) = ready.first().map(|entry| entry.at.index) else {
            return;
        };
        let mut ready = ready;
        let outcome = |entry: &mut Entry| {
            let interrupted = || Err(Cause::from(Interrupted));
            entry.outcome.take().unwrap_or_else(interrupted)
        };
        let mut outcomes: Vec<_> = ready.iter_mut().map(outcome).collect();
        self.kinds
            .check(first, &mut outcomes, || self.shared.is_stopped());
        // A line end follows each record.
        let bytes = ready.iter().map(|entry| entry.bytes() as u64 + 1).sum();
        (self.shared.around.progress)(bytes);
        for (entry, outcome) in ready.into_iter().zip(outcomes) {
            let flow = match entry.record {
                Ok(record) => {
                    let reply = RecordReply::new(outcome, entry.spent);
                    reply.with_record(record);
                    visit(entry.at, Ok(&reply))
                }
                Err(bad) => visit(entry.at, Err(*bad)),
            };
            if flow.is_break() {
                return;
            }
        }
    }
}

impl<D> Dataset for Answered<'_, D>
where
    D: for<'r> Dataset<Record<'r> = TextRecord<'r>>,
{
    type Record<'r> = RecordReply<ProgramAnswer>;

    fn parts(&self) -> usize {
        usize::MAX
    }

    fn is_stream(&self) -> bool {
        true
    }

    fn close(&self) {
        self.supply.close();
        self.kinds.interrupt();
        self.records.close();
    }

    fn read<V>(&self, parts: Range<usize>, visit: V) -> Result<ReadOutcome, Error>
    where
        V: FnMut(Position, Result<&RecordReply<ProgramAnswer>, BadRecord>) -> ControlFlow<()>,
    {
        let mut waited = Duration::ZERO;
        let mut ready = Vec::new();
        let mut ended = true;
        while let Some(mut slot) = self.check_out() {
            let most = parts.len().clamp(1, MOST_TOGETHER);
            let advanced = self.advance(&mut slot, most, &mut waited);
            let count = match advanced {
                Ok(count) => count,
                Err(error) => {
                    let mut slots = lock(&self.slots);
                    slots.in_use -= 1;
                    slots.has_failed = true;
                    drop(slots);
                    self.shared.stop.cancel();
                    self.close();
                    return Err(error);
                }
            };
            ready = slot.take(count);
            self.check_in(slot, ready.first().map(|entry| entry.at.index));
            if count > 0 {
                ended = false;
                break;
            }
        }
        if ended && self.shared.is_stopped() {
            // The thread that reads the records may wait for an input that is silent, and holds its lock in the meantime.
            self.close();
        }
        if ended && let Some(error) = self.supply.take_error() {
            return Err(error);
        }
        let visited = ready.first().map(|entry| entry.at.index);
        self.visit(ready, visit);
        if let Some(visited) = visited {
            lock(&self.slots).visited.retain(|first| *first != visited);
        }
        Ok(ReadOutcome { waited, ended })
    }

    fn time_elsewhere(&self, record: &RecordReply<ProgramAnswer>) -> Option<Duration> {
        Some(record.spent())
    }

    fn lend<'r>(&self, reply: &'r RecordReply<ProgramAnswer>) -> Option<LentRecord<'r>> {
        reply.record().map(LentRecord::Text)
    }

    fn place(&self, at: Position) -> Option<Place> {
        self.records.place(at)
    }

    fn index_in_input(&self, index: u64) -> u64 {
        self.records.index_in_input(index)
    }
}
