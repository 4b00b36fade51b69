//! The answers for the records of one run.

use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::contents::{Contents, RecordContents};
use super::encoded::{decode, encode, not_encoded};
use super::fault::JournalFault;
use super::{AnswerJournal, KeptAt};
use crate::error::Error;

/// The answers for the records of one run in its journal. `C` adds the contents of a record.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RecordAnswers<'a, C> {
    journal: &'a AnswerJournal,
    contents: C,
}

impl<'a, C> RecordAnswers<'a, C> {
    pub(crate) fn new(journal: &'a AnswerJournal, contents: C) -> Self {
        RecordAnswers { journal, contents }
    }

    /// The answer that an earlier run has kept for this record.
    pub(crate) fn find<R: ?Sized, S>(&self, index: u64, record: &R) -> Result<Option<S>, Error>
    where
        C: RecordContents<R>,
        S: DeserializeOwned,
    {
        let key = self.key(record)?;
        self.journal.find(index, key, |bytes| decode(bytes))
    }

    /// Keeps the answer for a record.
    pub(crate) fn keep<R: ?Sized, S>(
        &self,
        index: u64,
        record: &R,
        answer: &S,
    ) -> Result<KeptAt, Error>
    where
        C: RecordContents<R>,
        S: Serialize + DeserializeOwned,
    {
        let key = self.key(record)?;
        let mut bytes = Vec::with_capacity(64);
        encode(answer, &mut bytes)
            .map_err(|error| not_encoded("a score", &error).error(self.journal.path()))?;
        // Serde has types that can be written but not read. Without this check, only the next run would notice it.
        if decode::<S>(&bytes).is_none() {
            let reason = "a score cannot be read again once it is written down; use a type without serde's `untagged`, \
                          `flatten` and `skip_serializing_if`, and without values of any JSON";
            return Err(JournalFault::new(reason).error(self.journal.path()));
        }
        self.journal.keep(index, key, &bytes)
    }

    /// Waits until an answer may count, but at most this long. Returns whether it may.
    pub(crate) fn wait(&self, at: KeptAt, at_most: Duration) -> Result<bool, Error> {
        self.journal.wait_if_paid(at, at_most)
    }

    /// The hash of the contents of a record.
    fn key<R: ?Sized>(&self, record: &R) -> Result<u128, Error>
    where
        C: RecordContents<R>,
    {
        let mut contents = Contents::default();
        self.contents.add(record, &mut contents);
        let hash = contents.hash_128();
        hash.map_err(|error| not_encoded("a record", error).error(self.journal.path()))
    }
}
