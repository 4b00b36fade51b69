//! Notes the field names of the first records of a run, and whether these records have the fields that the plan names.
//! Reports use this to say which option is probably wrong.

use std::ops::{ControlFlow, Range};

use super::Plan;
use crate::dataset::{Dataset, Fields, Position, ReadOutcome, TextRecord, delegate_to_dataset};
use crate::error::{BadRecord, Error, OnFailure};
use crate::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use crate::sync::{Mutex, lock};

/// A dataset that looks at its first [`OnFailure::GRACE`] records while a run reads them. No record is read twice, so
/// this works for streams too.
pub(super) struct FirstRecords<'d, D> {
    dataset: &'d D,
    fields: Fields,
    /// The fields to score, to group by and to keep.
    watched: Vec<WatchedField>,
    /// Whether every watched field has been seen, so that no more records need to be examined for these fields.
    all_seen: AtomicBool,
    /// The index of the earliest record whose field names are known.
    named: AtomicU64,
    names: Mutex<Vec<String>>,
}

struct WatchedField {
    name: String,
    place: usize,
    seen: AtomicBool,
}

impl<'d, D> FirstRecords<'d, D> {
    pub(super) fn new(dataset: &'d D, plan: &Plan, fields: &Fields) -> Self {
        let all = plan.fields.iter().chain(&plan.by);
        // If the scorer does not read the field `text`, this is only the default for the field that reports show, and
        // records need not have it.
        let unread = !plan.scorer.reads_fields() && plan.fields == [Plan::DEFAULT_FIELD];
        let watched: Vec<_> = all
            .chain(plan.kept_fields())
            .zip(0..)
            .skip(usize::from(unread))
            .map(|(name, place)| WatchedField {
                name: name.clone(),
                place,
                seen: AtomicBool::new(false),
            })
            .collect();
        FirstRecords {
            dataset,
            fields: fields.clone(),
            all_seen: AtomicBool::new(watched.is_empty()),
            watched,
            named: AtomicU64::new(u64::MAX),
            names: Mutex::default(),
        }
    }

    /// The names of the fields of the earliest record that could be read. The list is empty if no record could be read.
    pub(super) fn names(&self) -> Vec<String> {
        lock(&self.names).clone()
    }

    /// Of the fields to score, to group by and to keep, those without a value in all of the first records. Each field
    /// is listed once.
    pub(super) fn absent(&self) -> Vec<String> {
        let mut absent = Vec::new();
        for field in &self.watched {
            if !field.seen.load(Relaxed) && !absent.contains(&field.name) {
                absent.push(field.name.clone());
            }
        }
        absent
    }

    #[cold]
    fn look_at(&self, index: u64, record: &TextRecord<'_>) {
        if index < self.named.load(Relaxed) {
            let names = record.known_names();
            let mut known = lock(&self.names);
            if !names.is_empty() && index < self.named.load(Relaxed) {
                self.named.store(index, Relaxed);
                *known = names;
            }
        }
        if self.all_seen.load(Relaxed) {
            return;
        }
        let Ok(values) = self.fields.of(record) else {
            return;
        };
        let mut all = true;
        for field in &self.watched {
            if !values.get(field.place).is_missing() {
                field.seen.store(true, Relaxed);
            }
            all &= field.seen.load(Relaxed);
        }
        if all {
            self.all_seen.store(true, Relaxed);
        }
    }
}

impl<D> Dataset for FirstRecords<'_, D>
where
    D: for<'a> Dataset<Record<'a> = TextRecord<'a>>,
{
    delegate_to_dataset!();

    fn read<V>(&self, parts: Range<usize>, mut visit: V) -> Result<ReadOutcome, Error>
    where
        V: FnMut(Position, Result<&TextRecord<'_>, BadRecord>) -> ControlFlow<()>,
    {
        self.dataset.read(parts, |at, record| {
            if at.index < OnFailure::GRACE
                && let Ok(record) = &record
            {
                self.look_at(at.index, record);
            }
            visit(at, record)
        })
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;
    use crate::dataset::TextStream;
    use crate::plan::ExecOptions;
    use crate::remote::SendAs;

    fn look_at(lines: &str, plan: &Plan) -> (Vec<String>, Vec<String>) {
        let stream = TextStream::new("lines", Cursor::new(lines.to_owned()));
        let first = FirstRecords::new(&stream, plan, &plan.selected());
        let read = |_: Position, _: Result<&TextRecord<'_>, BadRecord>| ControlFlow::Continue(());
        while !first.read(0..7, read).expect("a stream").ended {}
        (first.names(), first.absent())
    }

    #[test]
    fn names_are_those_of_the_earliest_record_that_can_be_read() {
        let lines = "[]\n{\"b\":1,\"a\":null}\n{\"c\":1}\n";
        let (names, absent) = look_at(lines, &Plan::new(["x"]));
        let expected = (
            vec!["b".to_owned(), "a".to_owned()],
            vec!["text".to_owned()],
        );
        assert_eq!((names, absent), expected);
    }

    #[test]
    fn a_field_is_absent_if_none_of_the_first_records_has_a_value_in_it() {
        let mut plan = Plan::new(["x"]);
        plan.fields = vec!["b".to_owned()];
        plan.by = vec!["a".to_owned()];
        plan.keep = ["b", "c", "d", "a"].map(str::to_owned).to_vec();
        let (_, absent) = look_at("{\"a\":null,\"b\":1}\n\nno JSON\n{\"c\":\"\"}\n", &plan);
        assert_eq!(absent, ["a", "d"]);
        let mut lines = "{\"a\":1,\"b\":1,\"c\":1}\n".repeat(1000);
        lines.push_str("{\"d\":1}\n");
        let (_, absent) = look_at(&lines, &plan);
        assert_eq!(
            absent,
            ["d"],
            "record 1,001 is not one of the first records"
        );
    }
    #[test]
    fn records_that_are_sent_whole_need_no_text_unless_the_user_names_its_field() {
        let mut plan = Plan::new(["x"]);
        plan.scorer = ExecOptions::new(["unused"]).into();
        plan.by = vec!["a".to_owned()];
        assert_eq!(look_at("{\"b\":1}\n", &plan).1, ["a"]);
        plan.fields = vec!["title".to_owned()];
        assert_eq!(look_at("{\"b\":1}\n", &plan).1, ["title", "a"]);
        let mut options = ExecOptions::new(["unused"]);
        options.send = SendAs::Text;
        plan.fields = vec!["text".to_owned()];
        plan.scorer = options.into();
        assert_eq!(look_at("{\"b\":1}\n", &plan).1, ["text", "a"]);
    }
}
