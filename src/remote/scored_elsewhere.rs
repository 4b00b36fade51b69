//! A dataset whose records have been scored elsewhere by the time they are visited.

use std::collections::VecDeque;
use std::ops::{ControlFlow, Range};
use std::time::Duration;

use super::conversation::{Conversation as _, Elsewhere, RecordReply};
use crate::dataset::{Dataset, LentRecord, OwnedRecord, Position, ReadOutcome, TextRecord};
use crate::error::{BadRecord, Error, Place};

/// Number of parts to aim for, so that the last parts can be distributed evenly among the workers.
const PARTS_AIM: u64 = 1 << 9;

/// Approximate largest number of bytes in a part. It is several times the number of bytes that a worker process is sent
/// at a time, since the process is idle between the parts.
const PART_BYTES: u64 = 1 << 20;

/// The records of a dataset, each with its reply.
pub(crate) struct ScoredElsewhere<'a, D, E> {
    records: &'a D,
    elsewhere: &'a E,
    /// Number of parts of the dataset that form one part here.
    together: usize,
    /// Whether a record is kept until it is visited with its reply.
    keeps_records: bool,
}

impl<'a, D: Dataset, E> ScoredElsewhere<'a, D, E> {
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

    /// Sends the records of these parts, and visits them with their replies.
    fn read_through<V>(&self, parts: Range<usize>, mut visit: V) -> Result<ReadOutcome, Error>
    where
        D: for<'r> Dataset<Record<'r> = TextRecord<'r>>,
        E: Elsewhere,
        V: FnMut(Position, Result<&RecordReply<E::Score>, BadRecord>) -> ControlFlow<()>,
    {
        let mut conversation = self.elsewhere.open();
        let mut sent = Ok(ControlFlow::Continue(()));
        // The records in flight, in their order. `None` is a record that is not kept.
        let mut in_flight: VecDeque<Option<OwnedRecord>> = VecDeque::new();
        let reading = self.records.read(self.inner(parts), |at, record| {
            let owned = record.as_ref().ok().filter(|_| self.keeps_records);
            let owned = owned.map(|record| OwnedRecord::of(record));
            let json = record.and_then(TextRecord::to_json);
            let json = json.map_err(|bad| match &owned {
                Some(record) => record.add_to(bad),
                None => bad,
            });
            if self.keeps_records {
                in_flight.push_back(owned);
            }
            let json = json.as_deref().map_err(BadRecord::clone);
            let mut visit = with_records(&mut in_flight, &mut visit);
            sent = conversation.send(at, json, &mut visit);
            match sent {
                Ok(flow) => flow,
                Err(_) => ControlFlow::Break(()),
            }
        })?;
        if sent?.is_continue() {
            let _ = conversation.finish(&mut with_records(&mut in_flight, &mut visit))?;
        }
        Ok(reading)
    }

    /// The parts of the dataset that make up these parts.
    fn inner(&self, parts: Range<usize>) -> Range<usize> {
        let all = self.records.parts();
        let inner = |part: usize| part.saturating_mul(self.together).min(all);
        inner(parts.start)..inner(parts.end)
    }
}

/// Returns a visitor that adds the oldest record in flight to each reply before it passes the reply to `visit`.
fn with_records<'v, S, V>(
    in_flight: &'v mut VecDeque<Option<OwnedRecord>>,
    visit: &'v mut V,
) -> impl FnMut(Position, Result<&RecordReply<S>, BadRecord>) -> ControlFlow<()> + 'v
where
    V: FnMut(Position, Result<&RecordReply<S>, BadRecord>) -> ControlFlow<()>,
{
    move |at, reply| {
        let record = in_flight.pop_front().flatten();
        if let (Some(record), Ok(reply)) = (record, &reply) {
            reply.with_record(record);
        }
        visit(at, reply)
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
