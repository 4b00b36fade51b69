//! A dataset whose records have been scored elsewhere by the time they are visited.

use std::collections::VecDeque;
use std::ops::{ControlFlow, Range};
use std::time::Duration;

use super::conversation::{Conversation as _, Elsewhere, RecordReply};
use crate::dataset::{Dataset, LentRecord, OwnedRecord, Position, ReadOutcome, TextRecord};
use crate::error::{BadRecord, Error, Place};
use crate::journal::AnswerMemory;

/// Number of parts to aim for, so that the last parts can be distributed evenly among the workers.
const PARTS_AIM: u64 = 1 << 9;

/// Approximate largest number of bytes in a part. It is several times the number of bytes that a worker process is sent
/// at a time, since the process is idle between the parts.
const PART_BYTES: u64 = 1 << 20;

/// The records of a dataset, each with its reply.
pub(crate) struct ScoredElsewhere<'a, D, E: Elsewhere> {
    records: &'a D,
    elsewhere: &'a E,
    /// The scores of earlier runs. Records that have one are not sent.
    memory: Option<&'a dyn AnswerMemory<E::Score>>,
    /// Number of parts of the dataset that form one part here.
    together: usize,
    /// Whether a record is kept until it is visited with its reply.
    keeps_records: bool,
}

impl<'a, D: Dataset, E: Elsewhere> ScoredElsewhere<'a, D, E> {
    pub(crate) fn new(records: &'a D, elsewhere: &'a E) -> Self {
        let parts = records.parts();
        let together = if records.is_stream() {
            1
        } else {
            let bytes = records.size(0..parts);
            let wanted = (bytes / PARTS_AIM).clamp(1, PART_BYTES);
            let each = (bytes / parts.max(1) as u64).max(1);
            usize::try_from(wanted / each).unwrap_or(usize::MAX).max(1)
        };
        ScoredElsewhere {
            records,
            elsewhere,
            memory: None,
            together,
            keeps_records: false,
        }
    }

    /// Sets whether records can be [lent](Dataset::lend). If `keep` is true, each record in flight is copied.
    #[must_use]
    pub(crate) fn keeping_records(mut self, keep: bool) -> Self {
        self.keeps_records = keep;
        self
    }

    /// Takes scores over from this memory, and keeps scores in it.
    #[must_use]
    pub(crate) fn with_memory(mut self, memory: &'a dyn AnswerMemory<E::Score>) -> Self {
        self.memory = Some(memory);
        self
    }

    /// Sends the records of these parts, and visits them with their replies.
    fn read_through<V>(&self, parts: Range<usize>, mut visit: V) -> Result<ReadOutcome, Error>
    where
        D: for<'r> Dataset<Record<'r> = TextRecord<'r>>,
        E: Elsewhere,
        V: FnMut(Position, Result<&RecordReply<E::Score>, BadRecord>) -> ControlFlow<()>,
    {
        let mut conversation = self.elsewhere.open();
        let mut sent = Ok(ControlFlow::Continue(()));
        let keeps_records = self.keeps_records || self.memory.is_some();
        let mut visits = Visits {
            in_flight: VecDeque::new(),
            memory: self.memory,
            failed: None,
            visit: &mut visit,
        };
        let reading = self.records.read(self.inner(parts), |at, record| {
            let owned = record.as_ref().ok().filter(|_| keeps_records);
            let owned = owned.map(|record| OwnedRecord::of(record));
            match visits.take_over(at, &record, &owned) {
                Ok(None) => {}
                Ok(Some(flow)) => return flow,
                Err(error) => {
                    sent = Err(error);
                    return ControlFlow::Break(());
                }
            }
            let json = record.and_then(TextRecord::to_json);
            let json = json.map_err(|bad| match &owned {
                Some(record) => record.add_to(bad),
                None => bad,
            });
            visits.in_flight.push_back(NotVisited::Sent(owned));
            let json = json.as_deref().map_err(BadRecord::clone);
            sent = conversation.send(at, json, &mut |at, reply| visits.visit(at, reply));
            match sent {
                Ok(flow) => flow,
                Err(_) => ControlFlow::Break(()),
            }
        })?;
        if sent?.is_continue() {
            let _ = conversation.finish(&mut |at, reply| visits.visit(at, reply))?;
        }
        match visits.failed {
            Some(error) => Err(error),
            None => Ok(reading),
        }
    }

    /// The parts of the dataset that make up these parts.
    fn inner(&self, parts: Range<usize>) -> Range<usize> {
        let all = self.records.parts();
        let inner = |part: usize| part.saturating_mul(self.together).min(all);
        inner(parts.start)..inner(parts.end)
    }
}

/// A record that has not been visited.
enum NotVisited<S> {
    /// It was sent. `None` is a record that is not kept.
    Sent(Option<OwnedRecord>),
    /// Its score was taken over, and it waits for the records before it.
    Known(Position, RecordReply<S>),
}

/// The visits of the records of one conversation, in their order.
struct Visits<'v, S, V> {
    in_flight: VecDeque<NotVisited<S>>,
    memory: Option<&'v dyn AnswerMemory<S>>,
    /// The error of the memory, if it has failed.
    failed: Option<Error>,
    visit: &'v mut V,
}

impl<S, V> Visits<'_, S, V>
where
    V: FnMut(Position, Result<&RecordReply<S>, BadRecord>) -> ControlFlow<()>,
{
    /// Takes the score of a record over from the memory, if it has one. Returns `None` if it has none, so the record must be
    /// sent.
    fn take_over(
        &mut self,
        at: Position,
        record: &Result<&TextRecord<'_>, BadRecord>,
        owned: &Option<OwnedRecord>,
    ) -> Result<Option<ControlFlow<()>>, Error> {
        let (Some(memory), Ok(record), Some(owned)) = (self.memory, record, owned) else {
            return Ok(None);
        };
        let Some(score) = memory.find(record)? else {
            return Ok(None);
        };
        let reply = RecordReply::new(Ok(score), Duration::ZERO);
        reply.with_record(owned.clone());
        self.in_flight.push_back(NotVisited::Known(at, reply));
        Ok(Some(self.visit_known()))
    }

    /// Visits the records at the front whose scores were taken over.
    fn visit_known(&mut self) -> ControlFlow<()> {
        while let Some(NotVisited::Known(at, reply)) = self
            .in_flight
            .pop_front_if(|first| matches!(first, NotVisited::Known(..)))
        {
            (self.visit)(at, Ok(&reply))?;
        }
        ControlFlow::Continue(())
    }

    /// Visits the oldest record that was sent, with its reply, and those behind it whose scores are known. Keeps its score.
    /// Scores of worker processes can be computed again, so nothing waits until they are on the disk.
    fn visit(
        &mut self,
        at: Position,
        reply: Result<&RecordReply<S>, BadRecord>,
    ) -> ControlFlow<()> {
        let sent = self.in_flight.pop_front();
        if let (Some(NotVisited::Sent(Some(record))), Ok(reply)) = (sent, &reply) {
            let kept = self.memory.map_or(Ok(()), |memory| {
                reply.score(|score| memory.keep(&record.record(), score).map(|_| ()))
            });
            if let Err(error) = kept {
                self.failed = Some(error);
                return ControlFlow::Break(());
            }
            reply.with_record(record);
        }
        (self.visit)(at, reply)?;
        self.visit_known()
    }
}

impl<D, E> Dataset for ScoredElsewhere<'_, D, E>
where
    D: for<'r> Dataset<Record<'r> = TextRecord<'r>>,
    E: Elsewhere,
{
    type Record<'r> = RecordReply<E::Score>;

    fn parts(&self) -> usize {
        self.records.parts().div_ceil(self.together)
    }

    fn is_stream(&self) -> bool {
        self.records.is_stream()
    }

    fn may_wait_with_records(&self) -> bool {
        self.records.may_wait_with_records()
    }

    fn close(&self) {
        self.records.close();
    }

    fn read<V>(&self, parts: Range<usize>, visit: V) -> Result<ReadOutcome, Error>
    where
        V: FnMut(Position, Result<&RecordReply<E::Score>, BadRecord>) -> ControlFlow<()>,
    {
        let reading = self.read_through(parts, visit);
        if reading.is_err() {
            // The error ends the run, which must not wait for records that other threads have in flight.
            self.elsewhere.stop();
        }
        reading
    }

    fn size(&self, parts: Range<usize>) -> u64 {
        self.records.size(self.inner(parts))
    }

    fn time_elsewhere(&self, record: &RecordReply<E::Score>) -> Option<Duration> {
        Some(record.spent())
    }

    fn lend<'r>(&self, reply: &'r RecordReply<E::Score>) -> Option<LentRecord<'r>> {
        reply.record().map(LentRecord::Text)
    }

    fn place(&self, at: Position) -> Option<Place> {
        self.records.place(at)
    }

    fn index_in_input(&self, index: u64) -> u64 {
        self.records.index_in_input(index)
    }
}
