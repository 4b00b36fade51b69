//! The scores file, which has one line for each record and is written as JSON lines or as a table.

#[cfg(feature = "parquet")]
mod columnar;
mod columns;
mod delimited;
mod format;
mod further;
mod held;
mod json_lines;
mod lines;
mod table;

use std::io;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use super::complete::CompleteFile;
use super::destination::{Destination, PartialFile};
use super::encoder::OutputEncoder;
use crate::dataset::LentRecord;
use crate::error::Error;
use crate::plan::WrittenFile;
use crate::plan::{Plan, Scored};
use crate::sink::{InOrder, RecordOutcome, Room, Sink};
use crate::sync::{Mutex, lock, try_lock, try_lock_for};
use crate::synced::OpenOutput;

#[cfg(feature = "parquet")]
use columnar::{ColumnarLines, ColumnarOut};
use columns::FileColumns;
use delimited::{DelimitedLines, DelimitedOut};
use format::Layout;
pub use format::{ScoresFormat, ScoresOptions};
pub use further::{LeftOutFields, UnfitValues};
use lines::{LinesOut, OrderedLines};
use table::{BEGINNING, ENDING, Table};

/// Longest time to wait for a write in progress, or for another thread that is keeping the scores.
const TIMEOUT: Duration = Duration::from_secs(1);

/// Writes the scores of a run to a destination, in the order of the records. Pass it to a run with
/// [`RunOptions::scores`](crate::plan::RunOptions::scores).
#[derive(Debug)]
pub struct ScoresFile {
    columns: FileColumns,
    /// `None` if the file is written as JSON lines.
    table: Option<Arc<Table>>,
    out: InOrder<OrderedLines>,
    /// The file, if it is synced.
    to_sync: Option<Arc<OpenOutput>>,
    partial: Mutex<Option<PartialFile>>,
    written: Mutex<Option<WrittenFile>>,
}

/// A table, if the format has columns, and what writes its lines.
type TableAndOut = (Option<Arc<Table>>, Box<dyn LinesOut>);

impl ScoresFile {
    /// Checks that the scores of a plan can be written in this way. Call it before any file is created.
    ///
    /// # Errors
    ///
    /// Returns [`Error::Plan`] if a field is kept twice, or if the options do not fit each other or the plan.
    pub fn check(plan: &Plan, options: &ScoresOptions) -> Result<(), Error> {
        Self::columns(plan, options).map(|_| ())
    }

    fn columns(plan: &Plan, options: &ScoresOptions) -> Result<FileColumns, Error> {
        let columns = FileColumns::of(plan)?;
        if options.format.is_table() {
            columns.check_table()?;
        }
        let own = [BEGINNING].into_iter().chain(ENDING);
        let known = columns.scores.iter().chain(&columns.keep);
        let values = columns.values.iter().map(|column| column.name.as_str());
        let known = known.map(String::as_str).chain(values).chain(own);
        options.check(columns.has_further(), known)?;
        Ok(columns)
    }

    /// Creates a scores file that writes the scores of a plan to this destination.
    ///
    /// # Errors
    ///
    /// Returns [`Error::Plan`] in the same cases as [`check`](ScoresFile::check), and [`Error::Output`] if the header
    /// cannot be written.
    pub fn new(
        destination: Destination,
        options: &ScoresOptions,
        plan: &Plan,
    ) -> Result<Self, Error> {
        let columns = Self::columns(plan, options)?;
        let to_sync = destination.to_sync().map(Arc::new);
        let (table, out) = Self::open(destination, options, &columns).map_err(Error::Output)?;
        let none = (!columns.has_further()).then_some(&[][..]);
        let names = options.columns.as_deref().or(none);
        let out = OrderedLines::new(out, table.clone(), names).map_err(Error::Output)?;
        Ok(ScoresFile {
            columns,
            table,
            out: InOrder::new(out),
            to_sync,
            partial: Mutex::default(),
            written: Mutex::default(),
        })
    }

    /// Opens a file of the format that the options choose. Returns the table, if the format has columns.
    fn open(
        destination: Destination,
        options: &ScoresOptions,
        columns: &FileColumns,
    ) -> io::Result<TableAndOut> {
        Ok(match options.format.layout() {
            Layout::JsonLines => {
                let out = OutputEncoder::new(destination, options.compression)?;
                (None, Box::new(out))
            }
            Layout::Delimited(delimiter) => {
                let lines = Arc::new(DelimitedLines::new(delimiter, options.csv_safe));
                let table = Table::new(lines.clone(), columns);
                let out = OutputEncoder::new(destination, options.compression)?;
                let out = DelimitedOut::new(out, &table, &lines);
                (Some(table), Box::new(out))
            }
            #[cfg(feature = "parquet")]
            Layout::Columnar(kind) => {
                let lines = Arc::new(ColumnarLines::default());
                let table = Table::new(lines.clone(), columns);
                let out = ColumnarOut::new(destination, kind, &table, &lines);
                (Some(table), Box::new(out))
            }
        })
    }

    /// The file, if it is synced.
    pub(super) fn to_sync(&self) -> Option<&Arc<OpenOutput>> {
        self.to_sync.as_ref()
    }

    /// Returns the fields that a table has left out so far, because they have no column. If the run ended early, the
    /// number may include records after its end.
    pub fn left_out(&self) -> Option<LeftOutFields> {
        self.table
            .as_ref()
            .and_then(|table| table.further.left_out())
    }

    /// Returns the values that a columnar file has left out so far, because they do not fit the types of their columns.
    /// If the run ended early, the number may include records after its end.
    pub fn unfit(&self) -> Option<UnfitValues> {
        self.table.as_ref().and_then(|table| table.format.unfit())
    }

    /// Renames the file into place after a complete run. Returns `false`, and renames nothing, if
    /// [`keep_partial`](ScoresFile::keep_partial) was called before.
    ///
    /// # Errors
    ///
    /// Returns the errors of [`complete`](ScoresFile::complete), and [`Error::Destination`] if the file cannot be
    /// renamed; the error then states the name under which the file is kept.
    pub fn finish(&self) -> Result<bool, Error> {
        let complete = self.complete()?;
        let published = complete.map(CompleteFile::publish).transpose()?;
        Ok(published.is_some())
    }

    /// Completes the file after a complete run, without renaming it into place. Returns `None` if
    /// [`keep_partial`](ScoresFile::keep_partial) was called before.
    ///
    /// # Errors
    ///
    /// Returns [`Error::Output`] if scores are missing or cannot be written. Returns [`Error::Destination`] if the
    /// output is [synced](super::Output::synced) and the file cannot be synced.
    pub fn complete(&self) -> Result<Option<CompleteFile>, Error> {
        let Some(written) = self.out.take(Duration::MAX) else {
            return Ok(None);
        };
        if let Some(record) = written.missing {
            let message = format!("the score of record {} is missing", record + 1);
            let error = io::Error::new(io::ErrorKind::UnexpectedEof, message);
            return Err(Error::Output(error));
        }
        let destination = written.out.finish().map_err(Error::Output)?;
        let contents = format!("the complete file with all {} records", written.records);
        let complete = CompleteFile::new(destination, contents)?;
        *lock(&self.written) = complete.written();
        Ok(Some(complete))
    }

    /// Returns the length and the hash of the file. They are known once the file is complete, and only if the output is
    /// [hashed](super::Output::hashed).
    pub fn written(&self) -> Option<WrittenFile> {
        *lock(&self.written)
    }

    /// Keeps the scores that have been written so far, in order and without a gap, as `OUT.partial`. The run may
    /// still be going on in another thread; scores that it returns later are dropped. Returns `None` if there are no
    /// scores, or if the output is not a file. A second call returns the same file again.
    ///
    /// # Errors
    ///
    /// Returns [`Error::Destination`] if the scores cannot be kept under any name.
    pub fn keep_partial(&self) -> Result<Option<PartialFile>, Error> {
        // The lock is held until the file is renamed, so that a second caller waits and then returns the file that
        // the first caller has kept.
        let Some(mut partial) = try_lock_for(&self.partial, TIMEOUT) else {
            return Ok(None);
        };
        if let Some(written) = self.out.take(TIMEOUT) {
            *partial = written.out.keep_partial(written.records)?;
        }
        Ok(partial.clone())
    }

    /// Removes the file with the scores that have been written so far. The run may still be going on in another thread;
    /// scores that it returns later are dropped.
    pub fn discard(&self) {
        drop(self.out.take(TIMEOUT));
    }

    /// Returns the file that [`keep_partial`](ScoresFile::keep_partial) has kept, or `None` if no file was kept.
    pub fn partial(&self) -> Option<PartialFile> {
        try_lock(&self.partial).and_then(|partial| partial.clone())
    }
}

impl Sink<Scored> for ScoresFile {
    fn render(
        &self,
        index: u64,
        outcome: RecordOutcome<'_, Scored>,
        record: Option<LentRecord<'_>>,
        bytes: &mut Vec<u8>,
    ) {
        match &self.table {
            None => json_lines::write_line(&self.columns, index, outcome, record, bytes),
            Some(table) => table.write_line(index, outcome, record, bytes),
        }
    }

    fn wants_records(&self) -> bool {
        self.columns.keeps_all()
    }

    fn write(&self, records: Range<u64>, bytes: Vec<u8>) -> io::Result<Room> {
        self.out.write(records, bytes)
    }

    fn end_at(&self, record: u64) {
        self.out.end_at(record);
    }
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
        let texts = ["so,so 1 class=x", "bad 20", "skip no number"];
        written_of(&texts, &ScoresOptions::new(format), open)
    }

    /// Returns the scores file of records with these texts.
    fn written_of(texts: &[&str], options: &ScoresOptions, open: bool) -> Result<String, Error> {
        let scorer = MadeUpOptions { rank: None, open };
        let opened = scorer.open_over(texts);
        ScoresFile::check(opened.plan(), options)?;
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("out");
        let destination = Endpoints::new().open(&Output::new("the scores", &path))?;
        let file = ScoresFile::new(destination, options, opened.plan())?;
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
        let tsv = written(ScoresFormat::Tsv, false).expect("a file");
        let first = [
            "record", "label", "number", "line", "tenth", "empty", "error", "skipped",
        ];
        assert_eq!(tsv.lines().next(), Some(&*first.join("\t")));
        assert_eq!(tsv.lines().nth(1), Some("1\tso,so\t1.0\t1\t0.1\t\t\t"));
    }

    #[test]
    fn a_table_has_the_columns_that_its_first_records_need() {
        let csv = written(ScoresFormat::Csv, true).expect("a file");
        let lines = [
            "record,label,number,line,tenth,empty,class,error,skipped",
            "1,\"so,so\",1.0,1,0.1,,x,,",
            "2,bad,20.0,20,2.0,,,,",
            "3,,,,,,,,no number",
        ];
        assert_eq!(csv.lines().collect::<Vec<_>>(), lines);
    }

    #[test]
    fn a_complete_file_is_known_before_it_is_renamed_into_place() {
        let opened = MadeUpOptions::default().open_over(&["a 1", "b 2"]);
        let folder = tempfile::tempdir().expect("a folder");
        for (name, hashed) in [
            ("a.jsonl", true),
            ("b.csv.gz", true),
            ("c.tsv.zst", true),
            #[cfg(feature = "parquet")]
            ("d.parquet", true),
            #[cfg(feature = "parquet")]
            ("e.arrow", true),
            ("f.jsonl", false),
        ] {
            let path = folder.path().join(name);
            let options = ScoresOptions::of(&path).expect(name);
            let output = Output::new("the scores", &path).hashed(hashed).synced(true);
            let destination = Endpoints::new().open(&output).expect(name);
            let file = ScoresFile::new(destination, &options, opened.plan()).expect(name);
            opened.run(RunOptions::default().scores(&file)).expect(name);
            assert_eq!(file.written(), None);
            let complete = file.complete().expect(name).expect("nothing was kept");
            assert!(!path.exists());
            assert_eq!(complete.written(), file.written());
            complete.publish().expect(name);
            let bytes = fs::read(&path).expect(name);
            let expected = WrittenFile {
                bytes: bytes.len() as u64,
                hash: twox_hash::XxHash3_128::oneshot(&bytes),
            };
            assert_eq!(file.written(), hashed.then_some(expected), "{name}");
            assert!(
                !file.finish().expect("nothing fails"),
                "it is finished already"
            );
        }
    }

    #[test]
    fn a_complete_file_that_is_not_published_is_removed() {
        let opened = MadeUpOptions::default().open_over(&["a 1"]);
        let folder = tempfile::tempdir().expect("a folder");
        let output = Output::new("the scores", folder.path().join("out"));
        let destination = Endpoints::new().open(&output).expect("a new file");
        let options = ScoresOptions::new(ScoresFormat::JsonLines);
        let file = ScoresFile::new(destination, &options, opened.plan()).expect("a file");
        opened
            .run(RunOptions::default().scores(&file))
            .expect("a run");
        drop(file.complete().expect("nothing fails"));
        assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 0);
    }

    /// JSON has no numbers that are not finite, so they are `null` there. Programs that read tables know them.
    #[test]
    fn numbers_that_are_not_finite_and_json_are_written() {
        let mut texts = vec!["a NaN x=NaN y=[1,2]", "b -inf x=-inf", "c inf x=inf y=-2.5"];
        let json = written_of(&texts, &ScoresOptions::new(ScoresFormat::JsonLines), true);
        let lines = [
            r#"{"record":1,"label":"a","number":null,"line":0,"tenth":null,"empty":null,"x":null,"y":[1,2]}"#,
            r#"{"record":2,"label":"b","number":null,"line":0,"tenth":null,"empty":null,"x":null}"#,
        ];
        let json = json.expect("a file");
        assert_eq!(json.lines().take(2).collect::<Vec<_>>(), lines);
        // The columns are known after 1,000 records, so the last records are written at once and not held back.
        texts.extend(std::iter::repeat_n("d 1", 1_000));
        texts.extend_from_within(..3);
        // A number is never defused, but `-inf` as a text would be.
        for safe in [false, true] {
            let options = ScoresOptions::new(ScoresFormat::Csv).csv_safe(safe);
            let csv = written_of(&texts, &options, true).expect("a file");
            let lines: Vec<_> = csv.lines().collect();
            let values = [
                r#"a,NaN,0,NaN,,NaN,"[1,2]",,"#,
                "b,-inf,0,-inf,,-inf,,,",
                "c,inf,18446744073709551615,inf,,inf,-2.5,,",
            ];
            for first in [1, 1_004] {
                let expected = (first..).zip(values);
                let expected: Vec<_> = expected
                    .map(|(n, values)| format!("{n},{values}"))
                    .collect();
                assert_eq!(lines[first..first + 3], expected);
            }
        }
    }
}
