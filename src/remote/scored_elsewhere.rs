//! A dataset whose records have been scored elsewhere by the time they are visited.

use std::ops::{ControlFlow, Range};
use std::time::Duration;

use super::conversation::{Conversation as _, Elsewhere, RecordReply};
use crate::dataset::{Dataset, Position, ReadOutcome, TextRecord};
use crate::error::{BadRecord, Error, Place};

/// Number of parts to aim for, so that the last parts can be distributed evenly among the workers.
const PARTS_AIM: u64 = 1 << 10;

/// Approximate largest number of bytes in a part. It is twice the number of bytes that a worker process is sent at
/// a time. If parts had only a few records, the process would be idle between parts.
const PART_BYTES: u64 = 128 << 10;

/// The records of a dataset, each with its reply.
pub(crate) struct ScoredElsewhere<'a, D, E> {
    records: &'a D,
    elsewhere: &'a E,
    /// Number of parts of the dataset that form one part here.
    together: usize,
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
        }
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
        let reading = self.records.read(self.inner(parts), |at, record| {
            let json = record.and_then(TextRecord::to_json);
            let json = json.as_deref().map_err(BadRecord::clone);
            sent = conversation.send(at, json, &mut visit);
            match sent {
                Ok(flow) => flow,
                Err(_) => ControlFlow::Break(()),
            }
        })?;
        if sent?.is_continue() {
            let _ = conversation.finish(&mut visit)?;
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

    fn place(&self, at: Position) -> Option<Place> {
        self.records.place(at)
    }
}
