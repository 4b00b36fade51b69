//! A dataset whose records have been scored elsewhere by the time they are visited.

use std::cell::Cell;
use std::ops::{ControlFlow, Range};
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::exchange::Exchange;
use super::process_pool::ProcessPool;
use crate::dataset::{At, Dataset, JsonLine, Reading};
use crate::error::{BadRecord, Died, Error, Place};

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

/// What a record has come to.
pub(crate) struct Answered<A> {
    /// Gone once it has been taken.
    outcome: Cell<Option<Result<A, Died>>>,
    at: At,
    spent: Duration,
}

impl<A> Answered<A> {
    pub(super) fn new(at: At, outcome: Result<A, Died>, spent: Duration) -> Self {
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

    /// The answer, or why there is none; nothing where it has been taken before.
    pub(crate) fn take(&self) -> Option<Result<A, Died>> {
        self.outcome.take()
    }
}

/// The records of a dataset as what worker processes made of them.
pub(crate) struct ScoredElsewhere<'a, D, T> {
    pub(crate) records: &'a D,
    pub(crate) pool: &'a ProcessPool,
    pub(crate) terms: &'a T,
}

impl<D, T> Dataset for ScoredElsewhere<'_, D, T>
where
    D: for<'r> Dataset<Record<'r> = JsonLine<'r>>,
    T: Terms,
{
    type Record<'r> = Answered<T::Answer>;

    fn parts(&self) -> usize {
        self.records.parts()
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

    fn read<V>(&self, parts: Range<usize>, mut visit: V) -> Result<Reading, Error>
    where
        V: FnMut(At, Result<&Answered<T::Answer>, BadRecord>) -> ControlFlow<()>,
    {
        let mut exchange = Exchange::begin(self.pool, self.terms)?;
        let mut block = exchange.block();
        let mut sent = Ok(ControlFlow::Continue(()));
        let reading = self.records.read(parts, |at, record| {
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

    fn extent(&self, parts: Range<usize>) -> u64 {
        self.records.extent(parts)
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
    pool: &ProcessPool,
    terms: &T,
    text: &str,
) -> Result<Option<Result<T::Answer, Died>>, Error> {
    let mut exchange = Exchange::begin(pool, terms)?;
    let mut answer = None;
    let mut take = |_, answered: Result<&Answered<T::Answer>, BadRecord>| {
        answer = answered.ok().and_then(Answered::take);
        ControlFlow::Continue(())
    };
    let mut block = exchange.block();
    block.push(At::default(), Ok(text));
    if exchange.send(block, &mut take)?.is_continue() {
        let _ = exchange.finish(&mut take)?;
    }
    Ok(answer)
}
