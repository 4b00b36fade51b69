//! A line for every record's scores: JSON lines or CSV.

use std::io;
use std::ops::Range;
use std::path::Path;

use manyhands::Failure;
use manyhands::plan::{Cell, Plan, Scored};
use manyhands::sink::{InOrder, Room, Sink};
use serde::ser::{SerializeMap, Serializer};
use serde_json::value::RawValue;

use super::Usage;
use super::destination::{Destination, Kept};

/// Writes scores to a destination, in the order of the records.
#[derive(Debug)]
pub(super) struct ScoreLines<'p> {
    plan: &'p Plan,
    format: Format,
    out: InOrder<Destination>,
}

#[derive(Clone, Copy, Debug)]
enum Format {
    JsonLines,
    Csv,
}

impl Format {
    fn of(path: Option<&Path>) -> Result<Self, Usage> {
        let path = path.unwrap_or(Path::new("-"));
        match path.extension().and_then(|extension| extension.to_str()) {
            Some("jsonl" | "ndjson" | "json") => Ok(Format::JsonLines),
            Some("csv") => Ok(Format::Csv),
            None => Ok(Format::JsonLines),
            Some(_) => Err(Usage(format!(
                "{}: cannot tell the format from the name; let it end in .jsonl or .csv",
                path.display()
            ))),
        }
    }
}

impl<'p> ScoreLines<'p> {
    pub(super) fn new(
        destination: Destination,
        path: Option<&Path>,
        plan: &'p Plan,
    ) -> Result<Self, anyhow::Error> {
        let lines = ScoreLines {
            plan,
            format: Format::of(path)?,
            out: InOrder::new(destination),
        };
        let columns = plan.scorer.columns().iter().map(|column| column.name);
        let own = ["record", "error"].into_iter().chain(columns.clone());
        for (place, kept) in plan.keep.iter().enumerate() {
            if own.clone().any(|own| own == kept) {
                let reason = "a column of the scores has that name already";
                return Err(Usage(format!("cannot keep the field {kept:?}: {reason}")).into());
            }
            if plan.keep[..place].contains(kept) {
                return Err(Usage(format!("--keep names the field {kept:?} twice")).into());
            }
        }
        if let Format::Csv = lines.format {
            let kept = plan.keep.iter().map(String::as_str);
            let mut header = Vec::new();
            csv_line(
                &mut header,
                ["record"]
                    .into_iter()
                    .chain(columns)
                    .chain(kept)
                    .chain(["error"]),
            );
            lines.out.write(0..0, header)?;
        }
        Ok(lines)
    }

    /// Gives the file its name, now that it is whole.
    pub(super) fn finish(self) -> Result<(), anyhow::Error> {
        self.out.finish()?.finish()
    }

    /// Keeps what there is under a name that does not look finished; says which.
    pub(super) fn finish_so_far(self) -> Result<Option<Kept>, anyhow::Error> {
        let (destination, records) = self.out.finish_so_far()?;
        destination.finish_so_far(records)
    }

    fn json(&self, index: u64, score: Result<&Scored, &Failure>, bytes: &mut Vec<u8>) {
        let mut json = serde_json::Serializer::new(&mut *bytes);
        let written = json.serialize_map(None).and_then(|mut line| {
            line.serialize_entry("record", &(index + 1))?;
            match score {
                Ok(scored) => {
                    let columns = self.plan.scorer.columns();
                    for (column, cell) in columns.iter().zip(scored.cells()) {
                        line.serialize_entry(column.name, cell)?;
                    }
                    for (name, value) in self.plan.keep.iter().zip(&scored.kept) {
                        if let Some(value) = value {
                            line.serialize_entry(name, &serde_json::from_str::<&RawValue>(value)?)?;
                        }
                    }
                }
                Err(failure) => line.serialize_entry("error", &failure.to_string())?,
            }
            line.end()
        });
        // Writing numbers, strings and JSON that was read a moment ago to memory cannot fail.
        debug_assert!(written.is_ok());
        bytes.push(b'\n');
    }

    fn csv(&self, index: u64, score: Result<&Scored, &Failure>, bytes: &mut Vec<u8>) {
        let record = (index + 1).to_string();
        let columns = self.plan.scorer.columns().len();
        let (values, kept, error) = match score {
            Ok(scored) => (
                scored.cells().iter().map(in_csv).collect(),
                scored
                    .kept
                    .iter()
                    .map(|json| csv_field(json.as_deref()))
                    .collect(),
                String::new(),
            ),
            Err(failure) => {
                let empty = |length| vec![String::new(); length];
                (
                    empty(columns),
                    empty(self.plan.keep.len()),
                    failure.to_string(),
                )
            }
        };
        csv_line(
            bytes,
            [record]
                .into_iter()
                .chain(values)
                .chain(kept)
                .chain([error]),
        );
    }
}

impl Sink<Scored> for ScoreLines<'_> {
    fn render(&self, index: u64, score: Result<&Scored, &Failure>, bytes: &mut Vec<u8>) {
        match self.format {
            Format::JsonLines => self.json(index, score, bytes),
            Format::Csv => self.csv(index, score, bytes),
        }
    }

    fn write(&self, records: Range<u64>, bytes: Vec<u8>) -> io::Result<Room> {
        self.out.write(records, bytes)
    }

    fn end_at(&self, record: u64) {
        self.out.end_at(record);
    }
}

/// A value as JSON writes it, so that both formats have the same digits; nothing for nothing.
fn in_csv(cell: &Cell) -> String {
    match cell {
        Cell::Nothing => String::new(),
        cell => serde_json::to_string(cell).unwrap_or_default(),
    }
}

/// A JSON value as a field: the contents of a string, anything else as it is written.
fn csv_field(json: Option<&str>) -> String {
    let Some(json) = json else {
        return String::new();
    };
    match json.starts_with('"').then(|| serde_json::from_str(json)) {
        Some(Ok(text)) => text,
        _ => json.to_owned(),
    }
}

fn csv_line<F: AsRef<[u8]>>(bytes: &mut Vec<u8>, fields: impl Iterator<Item = F>) {
    let mut line = csv::WriterBuilder::new()
        .buffer_capacity(1 << 10)
        .from_writer(bytes);
    let written = line.write_record(fields).and_then(|()| Ok(line.flush()?));
    // Writing to memory cannot fail.
    debug_assert!(written.is_ok());
}
