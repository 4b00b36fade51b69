//! The kinds of the columns that a program's answers have.

#[cfg(all(test, shuttle))]
mod model;
#[cfg(all(test, not(shuttle)))]
mod tests;

use std::collections::HashMap;
use std::fmt;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use foldhash::fast::RandomState;

use super::answer::{AnswerValue, ProgramAnswer, beginning};
use crate::error::{BadRecord, Cause, FailureKind, Interrupted};
use crate::sync::{Condvar, Mutex, lock, wait_at_most};
use crate::turns::Turns;

/// The largest number of columns. A program that gives every record a value with a new name would otherwise fill the
/// memory.
const MOST_COLUMNS: usize = 10_000;

/// The time after which a waiting thread looks again whether the run was stopped.
const LOOK_AGAIN: Duration = Duration::from_millis(5);

/// The kind of each column, which is the kind of its value in the first record that has one, in the order of the records.
///
/// The kinds must not depend on which thread is faster. The kind of a name is therefore *settled* only once the answers
/// of all records before the first one with that name are known. A thread that meets a new name waits for that. Almost
/// all programs give the same names to all records, so all kinds are settled with the first record.
///
/// The names become columns in the order in which they come first, up to a maximum number of columns. A record that
/// fails because of one value still counts as the first record of its other names.
#[derive(Debug)]
pub(crate) struct ColumnKinds {
    state: Mutex<KindsState>,
    /// Notified whenever names are settled, and by [`interrupt`](ColumnKinds::interrupt).
    settled: Condvar,
}

#[derive(Debug)]
struct KindsState {
    /// The records whose answers are known.
    known: Turns<()>,
    columns: Arc<SettledColumns>,
    /// The largest number of columns.
    most: usize,
    /// The names that are not settled yet. They belong to answers that wait, so their number is bounded.
    candidates: HashMap<Box<str>, FirstValue, RandomState>,
}

/// All columns that are settled, by their names.
type SettledColumns = HashMap<Box<str>, FirstValue, RandomState>;

/// A name with its first value, among the records whose answers are known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct FirstValue {
    /// The index of the record that has the value, and the place of the value in the answer.
    place: (u64, usize),
    kind: FoundKind,
}

/// The kind of a column, and of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum FoundKind {
    Number,
    Text,
    Other,
}

impl Default for ColumnKinds {
    fn default() -> Self {
        ColumnKinds::with_at_most(MOST_COLUMNS)
    }
}

impl ColumnKinds {
    fn with_at_most(columns: usize) -> Self {
        let state = KindsState {
            known: Turns::new(),
            columns: Arc::default(),
            most: columns,
            candidates: HashMap::default(),
        };
        ColumnKinds {
            state: Mutex::new(state),
            settled: Condvar::new(),
        }
    }

    /// Checks the answers of consecutive records, from record `first` on, and replaces each answer that has a value of
    /// another kind than its column by the reason. In a column whose first value is neither a number nor a text, all
    /// values become JSON.
    ///
    /// Each record of the dataset must be passed once, in increasing order on each thread. A record without an answer is
    /// an error. No thread may hold a record while an earlier record is held by no thread, because a thread with a new
    /// name waits for the answers of all earlier records. The thread with the earliest of all records never waits.
    ///
    /// Once `stop` returns true, the thread no longer waits. Answers whose names are not settled by then are replaced by
    /// [`Interrupted`].
    pub(crate) fn check(
        &self,
        first: u64,
        answers: &mut [Result<ProgramAnswer, Cause>],
        stop: impl Fn() -> bool,
    ) {
        if answers.is_empty() {
            return;
        }
        let (columns, most) = {
            let state = lock(&self.state);
            (Arc::clone(&state.columns), state.most)
        };
        // Almost always, all names are settled, and each of them is looked up only once.
        let mut has_new = false;
        for outcome in &mut *answers {
            if let Ok(answer) = outcome {
                match fit(answer, &columns) {
                    ColumnFit { has_new: true, .. } => has_new = true,
                    ColumnFit {
                        misfit: Some(Misfit::Kind(cause)),
                        ..
                    } => *outcome = Err(cause),
                    _ => {}
                }
            }
        }
        let names = match has_new {
            true => new_names(first, answers, &columns),
            false => HashMap::default(),
        };
        // The thread must not hold the columns while others add to them: they would be copied.
        drop(columns);
        let columns = self.settle(first..first + answers.len() as u64, &names, stop);
        if !has_new {
            return;
        }
        for outcome in answers {
            if let Ok(answer) = outcome {
                match fit(answer, &columns).misfit {
                    None => {}
                    Some(Misfit::Kind(cause)) => *outcome = Err(cause),
                    Some(Misfit::Name(_)) if columns.len() < most => {
                        *outcome = Err(Interrupted.into());
                    }
                    Some(Misfit::Name(name)) => *outcome = Err(one_too_many(name, most)),
                }
            }
        }
    }

    /// The columns that are settled and their kinds, ordered by name.
    pub(crate) fn settled(&self) -> Vec<(String, String)> {
        let columns = Arc::clone(&lock(&self.state).columns);
        let columns = columns.iter();
        let mut named: Vec<_> = columns
            .map(|(name, column)| (name.to_string(), column.kind.to_string()))
            .collect();
        named.sort_unstable();
        named
    }

    /// Wakes all threads that wait, so that they look at once whether the run was stopped.
    pub(super) fn interrupt(&self) {
        // A thread looks while it holds the lock. It is therefore either waiting now, or has yet to look.
        drop(lock(&self.state));
        self.settled.notify_all();
    }

    /// Notes that the answers of these records are known, and waits until the names that were new in them are settled.
    /// Returns the columns that are settled.
    fn settle(
        &self,
        records: Range<u64>,
        new_names: &HashMap<&str, FirstValue, RandomState>,
        stop: impl Fn() -> bool,
    ) -> Arc<SettledColumns> {
        let mut state = lock(&self.state);
        if state.add(records, new_names) {
            self.settled.notify_all();
        }
        while !state.has_settled(new_names.keys()) && !stop() {
            state = wait_at_most(&self.settled, state, LOOK_AGAIN);
        }
        Arc::clone(&state.columns)
    }
}

impl KindsState {
    /// Notes that the answers of these records are known. Returns whether columns were settled.
    fn add(
        &mut self,
        records: Range<u64>,
        new_names: &HashMap<&str, FirstValue, RandomState>,
    ) -> bool {
        for (&name, column) in new_names {
            if self.columns.contains_key(name) || self.is_full() {
                continue;
            }
            match self.candidates.get_mut(name) {
                Some(known) => *known = (*known).min(*column),
                None => {
                    self.candidates.insert(name.into(), *column);
                }
            }
        }
        self.known.put(records, ());
        while self.known.take().is_some() {}
        if self.candidates.is_empty() {
            return false;
        }

        let next = self.known.next();
        let settled = self
            .candidates
            .extract_if(|_, column| column.place.0 < next);
        let mut settled: Vec<_> = settled.collect();
        settled.sort_unstable_by_key(|(_, column)| column.place);
        settled.truncate(self.most - self.columns.len());
        let has_settled = !settled.is_empty();
        if has_settled {
            Arc::make_mut(&mut self.columns).extend(settled);
        }
        if self.is_full() {
            self.candidates.clear();
        }
        has_settled
    }

    /// Whether there are as many columns as there may be. Every other name is then known to have come too late.
    fn is_full(&self) -> bool {
        self.columns.len() == self.most
    }

    fn has_settled<'a>(&self, names: impl IntoIterator<Item = &'a &'a str>) -> bool {
        let mut names = names.into_iter();
        self.is_full() || names.all(|name| self.columns.contains_key(*name))
    }
}

/// The first values of all names in some consecutive answers that are not settled yet.
fn new_names<'a>(
    first: u64,
    answers: &'a [Result<ProgramAnswer, Cause>],
    columns: &SettledColumns,
) -> HashMap<&'a str, FirstValue, RandomState> {
    let mut names = HashMap::default();
    for (index, answer) in (first..).zip(answers) {
        let values = answer.iter().flat_map(ProgramAnswer::iter);
        for (place, (name, value)) in values.enumerate() {
            if !columns.contains_key(name) {
                names.entry(name).or_insert(FirstValue {
                    place: (index, place),
                    kind: FoundKind::of(value),
                });
            }
        }
    }
    names
}

/// Whether the values of an answer fit their columns.
struct ColumnFit<'a> {
    /// The first value that does not fit.
    misfit: Option<Misfit<'a>>,
    /// Whether a value has a name that is that of no column.
    has_new: bool,
}

/// A value that does not fit the columns.
enum Misfit<'a> {
    /// It is of another kind than its column.
    Kind(Cause),
    /// It has this name, which is that of no column.
    Name(&'a str),
}

/// Compares the values of an answer with the kinds of their columns. In columns of other kinds than numbers and texts, all
/// values become JSON.
fn fit<'a>(answer: &'a mut ProgramAnswer, columns: &SettledColumns) -> ColumnFit<'a> {
    let (mut misfit, mut has_new) = (None, false);
    for (name, value) in answer.iter_mut() {
        let Some(column) = columns.get(name) else {
            has_new = true;
            misfit.get_or_insert(Misfit::Name(name));
            continue;
        };
        match (column.kind, &*value) {
            (FoundKind::Number, AnswerValue::Number(_))
            | (FoundKind::Text, AnswerValue::Text(_)) => {}
            (FoundKind::Other, AnswerValue::Json(_)) => {}
            (FoundKind::Other, other) => *value = AnswerValue::Json(json(other)),
            (expected, found) => {
                let reason = || {
                    Misfit::Kind(wrong_value(format!(
                        "expected {expected} in the answer's \"{}\", found {}: its first value is {expected}",
                        beginning(name),
                        described(found),
                    )))
                };
                misfit.get_or_insert_with(reason);
            }
        }
    }
    ColumnFit { misfit, has_new }
}

/// The reason why an answer with a new name cannot be used.
fn one_too_many(name: &str, most: usize) -> Cause {
    wrong_value(format!(
        "the answer has a value with the new name \"{}\", but the answers before it have {most} names, which is the \
         maximum; give values with many names as the members of one value",
        beginning(name)
    ))
}

fn wrong_value(message: String) -> Cause {
    let bad = BadRecord::new(message, None);
    bad.of_kind(FailureKind::WrongValue).into()
}

/// A value as JSON. JSON has no numbers that are not finite, so they become `null`.
fn json(value: &AnswerValue) -> Box<str> {
    let json = match value {
        AnswerValue::Number(number) => serde_json::to_string(number),
        AnswerValue::Text(text) => serde_json::to_string(text),
        AnswerValue::Json(json) => return json.clone(),
    };
    // Numbers and texts can always be written.
    json.unwrap_or_else(|_| "null".to_owned()).into()
}

fn described(value: &AnswerValue) -> String {
    match value {
        AnswerValue::Number(number) => format!("a number ({number})"),
        AnswerValue::Text(text) => format!("a text (\"{}\")", beginning(text)),
        AnswerValue::Json(json) => match json.as_bytes().first() {
            Some(b'{') => "an object".to_owned(),
            Some(b'[') => "a list".to_owned(),
            _ => format!("a boolean ({json})"),
        },
    }
}

impl FoundKind {
    fn of(value: &AnswerValue) -> Self {
        match value {
            AnswerValue::Number(_) => FoundKind::Number,
            AnswerValue::Text(_) => FoundKind::Text,
            AnswerValue::Json(_) => FoundKind::Other,
        }
    }
}

impl fmt::Display for FoundKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            FoundKind::Number => "a number",
            FoundKind::Text => "a text",
            FoundKind::Other => "JSON",
        })
    }
}
