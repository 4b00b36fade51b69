//! A dataset whose records have been scored elsewhere by the time they are visited.

use std::cell::Cell;
use std::ops::{ControlFlow, Range};
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::exchange::Exchange;
use super::process_pool::Supervised;
use crate::dataset::{At, Dataset, JsonLine, Reading};
use crate::error::{BadRecord, Cause, Died, Error, Interrupted, Place, TimedOut};

/// What is said to worker processes, and heard from them; the other side of
/// [`Worker`](super::Worker).
pub(crate) trait Terms: Sync {
    /// Goes before records.
    type Note: Serialize;
    /// What a record comes to.
    type Answer: DeserializeOwned;
    /// What they tell besides.
    type Account: DeserializeOwned;

    /// What goes before the next records.
    fn note(&self) -> Self::Note;

    /// Takes in what one of them tells besides.
    fn account(&self, account: Self::Account);
}

/// Why no worker process has answered about a record.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Unanswered {
    Died(Died),
    TimedOut(TimedOut),
    /// The run is to stop, so the record is not to be scored.
    Interrupted,
}

impl From<Unanswered> for Cause {
    fn from(why: Unanswered) -> Self {
        match why {
            Unanswered::Died(died) => died.into(),
            Unanswered::TimedOut(timed_out) => timed_out.into(),
            Unanswered::Interrupted => Interrupted.into(),
        }
    }
}

/// What a record has come to.
pub(crate) struct Answered<A> {
    /// Gone once it has been taken.
    outcome: Cell<Option<Result<A, Unanswered>>>,
    at: At,
    spent: Duration,
}

impl<A> Answered<A> {
    pub(super) fn new(at: At, outcome: Result<A, Unanswered>, spent: Duration) -> Self {
        Answered {
            outcome: Cell::new(Some(outcome)),
            at,
            spent,
        }
    }

    /// Which record of its dataset it is.
    pub(crate) fn at(&self) -> At {
        self.at
    }

    /// The answer, or why there is none. It can be taken once.
    pub(crate) fn take(&self) -> Result<A, Unanswered> {
        let outcome = self.outcome.take();
        outcome.unwrap_or(Err(Unanswered::Interrupted))
    }
}

/// So many parts are enough to have something to share out at the end, …
const PARTS_AIM: u64 = 1 << 10;
/// … and one is at most about so many bytes: as much as a process is sent at a time, twice over. Parts
/// of a few records would leave it with nothing to do while they are handed back and forth.
const PART_BYTES: u64 = 128 << 10;

/// The records of a dataset as what worker processes made of them.
pub(crate) struct ScoredElsewhere<'a, D, T> {
    records: &'a D,
    pool: &'a Supervised<'a>,
    terms: &'a T,
    /// How many parts of the dataset make one part here.
    together: usize,
}

impl<'a, D: Dataset, T> ScoredElsewhere<'a, D, T> {
    pub(crate) fn new(records: &'a D, pool: &'a Supervised<'a>, terms: &'a T) -> Self {
        let parts = records.parts();
        let together = if records.is_stream() {
            1
        } else {
            let bytes = records.extent(0..parts);
            let wanted = (bytes / PARTS_AIM).clamp(1, PART_BYTES);
            let each = (bytes / parts.max(1) as u64).max(1);
            usize::try_from(wanted / each).unwrap_or(usize::MAX).max(1)
        };
        ScoredElsewhere {
            records,
            pool,
            terms,
            together,
        }
    }

    /// Sends the records of these parts, and visits them with their answers.
    fn read_through<V>(&self, parts: Range<usize>, mut visit: V) -> Result<Reading, Error>
    where
        D: for<'r> Dataset<Record<'r> = JsonLine<'r>>,
        T: Terms,
        V: FnMut(At, Result<&Answered<T::Answer>, BadRecord>) -> ControlFlow<()>,
    {
        let mut exchange = Exchange::begin(self.pool, self.terms);
        let mut block = exchange.block();
        let mut sent = Ok(ControlFlow::Continue(()));
        let reading = self.records.read(self.inner(parts), |at, record| {
            block.push(at, record.map(JsonLine::as_str));
            if !exchange.is_full(&block) {
                return ControlFlow::Continue(());
            }
            let full = std::mem::replace(&mut block, exchange.block());
            sent = exchange.send(full, &mut visit);
            match sent {
                Ok(flow) => flow,
                Err(_) => ControlFlow::Break(()),
            }
        })?;
        if sent?.is_continue()
            && (block.is_empty() || exchange.send(block, &mut visit)?.is_continue())
        {
            let _ = exchange.finish(&mut visit)?;
        }
        Ok(reading)
    }

    /// The parts of the dataset that these parts are.
    fn inner(&self, parts: Range<usize>) -> Range<usize> {
        let all = self.records.parts();
        let inner = |part: usize| part.saturating_mul(self.together).min(all);
        inner(parts.start)..inner(parts.end)
    }
}

impl<D, T> Dataset for ScoredElsewhere<'_, D, T>
where
    D: for<'r> Dataset<Record<'r> = JsonLine<'r>>,
    T: Terms,
{
    type Record<'r> = Answered<T::Answer>;

    fn parts(&self) -> usize {
        self.records.parts().div_ceil(self.together)
    }

    fn is_stream(&self) -> bool {
        self.records.is_stream()
    }

    fn holds_back(&self) -> bool {
        self.records.holds_back()
    }

    fn close(&self) {
        self.records.close();
    }

    fn read<V>(&self, parts: Range<usize>, visit: V) -> Result<Reading, Error>
    where
        V: FnMut(At, Result<&Answered<T::Answer>, BadRecord>) -> ControlFlow<()>,
    {
        let reading = self.read_through(parts, visit);
        if reading.is_err() {
            // It ends the run, which must not wait for a process that is in the middle of a record.
            self.pool.stop();
        }
        reading
    }

    fn extent(&self, parts: Range<usize>) -> u64 {
        self.records.extent(self.inner(parts))
    }

    fn spent(&self, record: &Answered<T::Answer>) -> Option<Duration> {
        Some(record.spent)
    }

    fn place(&self, at: At) -> Option<Place> {
        self.records.place(at)
    }
}

/// What one text comes to, asked alone.
pub(crate) fn ask<T: Terms>(
    pool: &Supervised<'_>,
    terms: &T,
    text: &str,
) -> Result<Result<T::Answer, Unanswered>, Error> {
    let mut exchange = Exchange::begin(pool, terms);
    let mut answer = Err(Unanswered::Interrupted);
    let mut take = |_, answered: Result<&Answered<T::Answer>, BadRecord>| {
        if let Ok(answered) = answered {
            answer = answered.take();
        }
        ControlFlow::Continue(())
    };
    let mut block = exchange.block();
    block.push(At::default(), Ok(text));
    if exchange.send(block, &mut take)?.is_continue() {
        let _ = exchange.finish(&mut take)?;
    }
    Ok(answer)
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use crate::dataset::{JsonStream, LoadedLines};
    use crate::remote::frame::Frame;
    use crate::remote::process::GREETING;
    use crate::remote::scripted::{Numbers, Scripted};
    use crate::stop::Cancel;
    use std::io::Cursor;

    #[test]
    fn messages_grow_with_the_pace() {
        const RECORDS: u32 = 100;

        let scripted = Scripted::new();
        let numbers: Vec<[u32; 1]> = (0..RECORDS).map(|number| [number]).collect();
        let answers: Vec<&[u32]> = numbers.iter().map(<[u32; 1]>::as_slice).collect();
        scripted.says(1, &answers);
        let lines: String = (0..RECORDS)
            .map(|number| format!("{{\"n\":{number:02}}}\n"))
            .collect();
        let stream = JsonStream::new("made-up", Cursor::new(lines));
        let records = LoadedLines::of(&stream).expect("lines");
        let pool = scripted.pool(1);
        let service = pool.supervised(&Cancel::new(), None).expect("a thread");
        let elsewhere = ScoredElsewhere::new(&records, &service, &Numbers);
        let mut visited = Vec::new();
        let read = elsewhere.read(0..elsewhere.parts(), |at, record| {
            let answer = record.expect("it was sent").take();
            visited.push((at.index, answer.expect("an answer")));
            ControlFlow::Continue(())
        });
        read.expect("lines");
        let expected: Vec<_> = (0..RECORDS)
            .map(|number| (u64::from(number), number))
            .collect();
        assert_eq!(visited, expected);

        scripted.wait_until_heard(1, b"{\"n\":99}");
        let heard = scripted.heard(1);
        let mut heard = &heard[GREETING.len()..];
        let mut frame = Frame::new();
        assert!(frame.read(&mut heard).expect("what to make ready"));
        let mut sent = Vec::new();
        while frame.read(&mut heard).expect("records") {
            let ((), lengths) = frame.tail::<((), Vec<usize>)>().expect("a tail");
            sent.push(lengths.len());
        }
        // Three leave before the first answer comes; the next has eight times as many bytes.
        assert_eq!(sent[..4], [1, 1, 1, 8], "{sent:?}");
        assert_eq!(sent.iter().sum::<usize>(), RECORDS as usize);
    }
}
