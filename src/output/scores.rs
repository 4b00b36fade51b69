//! The scores file, which has one line for each record and is written as JSON lines or as CSV.

use std::io;
use std::ops::Range;
use std::path::Path;
use std::time::Duration;

use serde::ser::{SerializeMap, Serializer};
use serde_json::value::RawValue;

use super::destination::{Destination, PartialFile};
use crate::dataset::FieldValue;
use crate::error::Error;
use crate::plan::{Cell, Plan, RESERVED, Scored};
use crate::sink::{InOrder, RecordOutcome, Room, Sink};
use crate::sync::{Mutex, try_lock, try_lock_for};
use crate::visible;

/// The format of a scores file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ScoresFormat {
    /// Each line is one JSON object.
    JsonLines,
    /// The file is a table of comma-separated values with a header line.
    Csv,
}

impl ScoresFormat {
    /// Returns the format for the extension of a path: JSON lines for `.jsonl`, `.ndjson`, `.json` or no extension,
    /// and CSV for `.csv`.
    ///
    /// # Errors
    ///
    /// Returns [`Error::Plan`] if the path has any other extension.
    pub fn of(path: &Path) -> Result<Self, Error> {
        match path.extension().and_then(|extension| extension.to_str()) {
            Some("jsonl" | "ndjson" | "json") => Ok(ScoresFormat::JsonLines),
            Some("csv") => Ok(ScoresFormat::Csv),
            None => Ok(ScoresFormat::JsonLines),
            Some(_) => Err(Error::Plan(format!(
                "{}: the extension names no known format; use .jsonl or .csv",
                path.display()
            ))),
        }
    }
}

/// The last columns of a CSV file. Skipped records have a column of their own, so that a program that counts the errors
/// does not need to understand the texts of the column `error`.
const CSV_ENDING: [&str; 2] = ["error", "skipped"];

/// The columns of a scores file.
#[derive(Clone, Debug)]
struct FileColumns {
    /// The columns of the scorer that are known before any record is scored.
    scores: Vec<String>,
    /// The fields that are copied from each record.
    keep: Vec<String>,
}

impl FileColumns {
    /// # Errors
    ///
    /// Returns [`Error::Plan`] if two columns would have the same name, or if the format is CSV and the scorer has
    /// columns that are not known before any record is scored.
    fn of(plan: &Plan, format: ScoresFormat) -> Result<Self, Error> {
        let columns = plan.columns();
        if columns.is_open() && format == ScoresFormat::Csv {
            return Err(Error::Plan(format!(
                "the columns of {} are known only when its records are scored, after the header of a table \
                 is written; write the scores as JSON lines (.jsonl)",
                plan.scorer
            )));
        }
        let columns = columns.known().iter();
        let scores: Vec<_> = columns.map(|column| column.name.clone()).collect();
        for (place, kept) in plan.keep.iter().enumerate() {
            if RESERVED.contains(&kept.as_str()) || scores.contains(kept) {
                let reason = "a column of the scores has that name already";
                let message = format!("cannot keep the field {kept:?}: {reason}");
                return Err(Error::Plan(message));
            }
            if plan.keep[..place].contains(kept) {
                return Err(Error::Plan(format!(
                    "--keep names the field {kept:?} twice"
                )));
            }
        }
        Ok(FileColumns {
            scores,
            keep: plan.keep.clone(),
        })
    }
}

/// Writes the scores of a run to a destination, in the order of the records. Pass it to a run with
/// [`RunOptions::scores`](crate::plan::RunOptions::scores).
#[derive(Debug)]
pub struct ScoresFile {
    columns: FileColumns,
    format: ScoresFormat,
    out: InOrder<Destination>,
    partial: Mutex<Option<PartialFile>>,
}

impl ScoresFile {
    /// Checks that the scores of a plan can be written in this format. Call it before any file is created.
    ///
    /// # Errors
    ///
    /// Returns [`Error::Plan`] if two columns would have the same name, or if the format is CSV and the scorer has
    /// columns that are not known before any record is scored.
    pub fn check(plan: &Plan, format: ScoresFormat) -> Result<(), Error> {
        FileColumns::of(plan, format).map(|_| ())
    }

    /// Creates a scores file that writes the scores of a plan to this destination.
    ///
    /// # Errors
    ///
    /// Returns [`Error::Plan`] in the same cases as [`check`](ScoresFile::check), and [`Error::Output`] if the header
    /// cannot be written.
    pub fn new(destination: Destination, format: ScoresFormat, plan: &Plan) -> Result<Self, Error> {
        let columns = FileColumns::of(plan, format)?;
        let file = ScoresFile {
            columns,
            format,
            out: InOrder::new(destination),
            partial: Mutex::default(),
        };
        if let ScoresFormat::Csv = format {
            file.out.write(0..0, file.header()).map_err(Error::Output)?;
        }
        Ok(file)
    }

    /// Renames the file into place after a complete run. Returns `false`, and renames nothing, if
    /// [`keep_partial`](ScoresFile::keep_partial) was called before.
    ///
    /// # Errors
    ///
    /// Returns [`Error::Output`] if scores are missing or cannot be written. Returns [`Error::Destination`] if the
    /// file cannot be renamed; the error then states the name under which the file is kept.
    pub fn finish(&self) -> Result<bool, Error> {
        let Some(mut written) = self.out.take(Duration::MAX) else {
            return Ok(false);
        };
        if let Some(record) = written.missing {
            let message = format!("the score of record {} is missing", record + 1);
            let error = io::Error::new(io::ErrorKind::UnexpectedEof, message);
            return Err(Error::Output(error));
        }
        io::Write::flush(&mut written.out).map_err(Error::Output)?;
        let contents = format!("the complete file with all {} records", written.records);
        written.out.finish_holding(&contents).map(|()| true)
    }

    /// Keeps the scores that have been written so far, in order and without a gap, as `OUT.partial`. The run may
    /// still be going on in another thread; scores that it returns later are dropped. Returns `None` if there are no
    /// scores, or if the output is not a file. A second call returns the same file again.
    ///
    /// # Errors
    ///
    /// Returns [`Error::Destination`] if the scores cannot be kept under any name.
    pub fn keep_partial(&self) -> Result<Option<PartialFile>, Error> {
        /// Longest time to wait for a write in progress, or for another thread that is keeping the scores.
        const TIMEOUT: Duration = Duration::from_secs(1);

        // The lock is held until the file is renamed, so that a second caller waits and then returns the file that
        // the first caller has kept.
        let Some(mut partial) = try_lock_for(&self.partial, TIMEOUT) else {
            return Ok(None);
        };
        if let Some(written) = self.out.take(TIMEOUT) {
            *partial = written.out.keep_partial(written.records, written.bytes)?;
        }
        Ok(partial.clone())
    }

    /// Returns the file that [`keep_partial`](ScoresFile::keep_partial) has kept, or `None` if no file was kept.
    pub fn partial(&self) -> Option<PartialFile> {
        try_lock(&self.partial).and_then(|partial| partial.clone())
    }

    fn header(&self) -> Vec<u8> {
        let FileColumns { scores, keep } = &self.columns;
        let kept = keep.iter().map(String::as_str);
        let mut header = Vec::new();
        let scores = scores.iter().map(String::as_str);
        let names = ["record"].into_iter().chain(scores);
        csv_line(&mut header, names.chain(kept).chain(CSV_ENDING));
        header
    }

    fn json(&self, index: u64, outcome: RecordOutcome<'_, Scored>, bytes: &mut Vec<u8>) {
        let written = self.json_object(index, outcome, &mut *bytes);
        // This cannot fail, since it writes to memory, and writes only numbers, strings, and JSON that has just been
        // parsed.
        debug_assert!(written.is_ok());
        bytes.push(b'\n');
    }

    fn json_object(
        &self,
        index: u64,
        outcome: RecordOutcome<'_, Scored>,
        bytes: &mut Vec<u8>,
    ) -> serde_json::Result<()> {
        let mut json = visible::json_serializer(bytes);
        let mut line = json.serialize_map(None)?;
        line.serialize_entry("record", &(index + 1))?;
        match outcome {
            RecordOutcome::Scored(scored) => {
                for (name, cell) in self.columns.scores.iter().zip(scored.cells()) {
                    line.serialize_entry(name, cell)?;
                }
                for (name, cell) in scored.found() {
                    line.serialize_entry(name, cell)?;
                }
                for (name, value) in self.columns.keep.iter().zip(scored.kept.iter()) {
                    match &value {
                        FieldValue::Json(json) => {
                            line.serialize_entry(name, &serde_json::from_str::<&RawValue>(json)?)?;
                        }
                        FieldValue::Text(text) => line.serialize_entry(name, text)?,
                        _ => {}
                    }
                }
            }
            RecordOutcome::Failed(failure) => {
                line.serialize_entry("error", &failure.to_string())?;
            }
            RecordOutcome::Skipped(skipped) => line.serialize_entry("skipped", &skipped.reason)?,
        }
        line.end()
    }

    fn csv(&self, index: u64, outcome: RecordOutcome<'_, Scored>, bytes: &mut Vec<u8>) {
        let FileColumns { scores, keep } = &self.columns;
        let record = (index + 1).to_string();
        let empty = |length| vec![String::new(); length];
        let (values, kept) = match &outcome {
            RecordOutcome::Scored(scored) => {
                let kept = scored.kept.iter().map(|value| csv_field(&value));
                let values = scored.cells().iter().map(csv_cell);
                (values.collect(), kept.collect())
            }
            RecordOutcome::Failed(_) | RecordOutcome::Skipped(_) => {
                (empty(scores.len()), empty(keep.len()))
            }
        };
        let ending = match outcome {
            RecordOutcome::Scored(_) => [String::new(), String::new()],
            RecordOutcome::Failed(failure) => [failure.to_string(), String::new()],
            RecordOutcome::Skipped(skipped) => [String::new(), skipped.reason.clone()],
        };
        let fields = [record].into_iter().chain(values).chain(kept);
        csv_line(bytes, fields.chain(ending));
    }
}

impl Sink<Scored> for ScoresFile {
    fn render(&self, index: u64, outcome: RecordOutcome<'_, Scored>, bytes: &mut Vec<u8>) {
        match self.format {
            ScoresFormat::JsonLines => self.json(index, outcome, bytes),
            ScoresFormat::Csv => self.csv(index, outcome, bytes),
        }
    }

    fn write(&self, records: Range<u64>, bytes: Vec<u8>) -> io::Result<Room> {
        self.out.write(records, bytes)
    }

    fn end_at(&self, record: u64) {
        self.out.end_at(record);
    }
}

/// Formats a value as JSON does, so that both formats have the same digits. The result is empty if there is no value.
fn csv_cell(cell: &Cell) -> String {
    match cell {
        Cell::Nothing => String::new(),
        Cell::Label(label) => label.to_string(),
        cell => serde_json::to_string(cell).unwrap_or_default(),
    }
}

/// Converts a value to a CSV field: a string becomes its contents, no value becomes an empty field, and any other
/// value stays as JSON.
fn csv_field(value: &FieldValue<'_>) -> String {
    match (value.as_text(), value) {
        _ if value.is_missing() => String::new(),
        (Some(text), _) => text.into_owned(),
        (None, FieldValue::Json(json)) => json.as_ref().to_owned(),
        (None, _) => String::new(),
    }
}

fn csv_line<F: AsRef<[u8]>>(bytes: &mut Vec<u8>, fields: impl Iterator<Item = F>) {
    let mut line = csv::WriterBuilder::new()
        .buffer_capacity(1 << 10)
        .from_writer(bytes);
    let written = line.write_record(fields).and_then(|()| Ok(line.flush()?));
    // This cannot fail, since it writes to memory.
    debug_assert!(written.is_ok());
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::output::{Endpoints, Output};
    use crate::plan::{MadeUpOptions, RunOptions};

    /// Returns the scores file of two records with labels, and of a skipped one. One of the records has a column that
    /// becomes known only when it is scored.
    fn written(format: ScoresFormat, open: bool) -> Result<String, Error> {
        let scorer = MadeUpOptions { rank: None, open };
        let opened = scorer.open_over(&["so,so 1 class=x", "bad 20", "skip no number"]);
        ScoresFile::check(opened.plan(), format)?;
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("out");
        let destination = Endpoints::new().open(&Output::new("the scores", &path))?;
        let file = ScoresFile::new(destination, format, opened.plan())?;
        opened.run(RunOptions::default().scores(&file))?;
        file.finish()?;
        Ok(fs::read_to_string(&path).expect("a file"))
    }

    #[test]
    fn labels_and_found_columns_are_written() {
        let json = written(ScoresFormat::JsonLines, true).expect("a file");
        let lines = [
            r#"{"record":1,"label":"so,so","number":1.0,"line":1,"tenth":0.1,"empty":null,"class":"x"}"#,
            r#"{"record":2,"label":"bad","number":20.0,"line":20,"tenth":2.0,"empty":null}"#,
            r#"{"record":3,"skipped":"no number"}"#,
        ];
        assert_eq!(json.lines().collect::<Vec<_>>(), lines);
        let csv = written(ScoresFormat::Csv, false).expect("a file");
        let lines = [
            "record,label,number,line,tenth,empty,error,skipped",
            "1,\"so,so\",1.0,1,0.1,,,",
            "2,bad,20.0,20,2.0,,,",
            "3,,,,,,,no number",
        ];
        assert_eq!(csv.lines().collect::<Vec<_>>(), lines);
    }

    #[test]
    fn a_table_needs_columns_that_are_known_beforehand() {
        let error = written(ScoresFormat::Csv, true).expect_err("no header");
        let message = "the columns of made-up are known only when its records are scored, after the \
                       header of a table is written; write the scores as JSON lines (.jsonl)";
        assert_eq!(error.to_string(), message);
    }
}
