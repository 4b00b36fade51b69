//! Scores as JSON lines: one object for each record.

use serde::ser::{SerializeMap, Serializer};
use serde_json::value::RawValue;

use super::columns::FileColumns;
use crate::dataset::FieldValue;
use crate::plan::Scored;
use crate::sink::RecordOutcome;
use crate::visible;

/// Appends the line of one record.
pub(super) fn write_line(
    columns: &FileColumns,
    index: u64,
    outcome: RecordOutcome<'_, Scored>,
    bytes: &mut Vec<u8>,
) {
    let written = write_object(columns, index, outcome, &mut *bytes);
    // This cannot fail, since it writes to memory, and writes only numbers, strings, and JSON that has just been
    // parsed.
    debug_assert!(written.is_ok());
    bytes.push(b'\n');
}

fn write_object(
    columns: &FileColumns,
    index: u64,
    outcome: RecordOutcome<'_, Scored>,
    bytes: &mut Vec<u8>,
) -> serde_json::Result<()> {
    let mut json = visible::json_serializer(bytes);
    let mut line = json.serialize_map(None)?;
    line.serialize_entry("record", &(index + 1))?;
    match outcome {
        RecordOutcome::Scored(scored) => {
            for (name, cell) in columns.scores.iter().zip(scored.cells()) {
                line.serialize_entry(name, cell)?;
            }
            for (name, cell) in scored.found() {
                line.serialize_entry(name, cell)?;
            }
            for (name, value) in columns.keep.iter().zip(scored.kept.iter()) {
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
