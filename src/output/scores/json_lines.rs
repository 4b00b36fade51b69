//! Scores as JSON lines: one object for each record.

use memchr::memchr2;
use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};

use super::columns::FileColumns;
use crate::dataset::{FieldValue, LentRecord};
use crate::plan::Scored;
use crate::sink::RecordOutcome;
use crate::visible;

/// Appends the line of one record.
pub(super) fn write_line(
    columns: &FileColumns,
    index: u64,
    outcome: RecordOutcome<'_, Scored>,
    record: Option<LentRecord<'_>>,
    bytes: &mut Vec<u8>,
) {
    let scored = match &outcome {
        RecordOutcome::Scored(scored) => Some(*scored),
        RecordOutcome::Failed(_) | RecordOutcome::Skipped(_) => None,
    };
    let mut written = write_object(columns, index, outcome, &mut *bytes);
    if let Some(scored) = scored {
        bytes.pop_if(|last| *last == b'}');
        let mut write = |name: &str, value: &FieldValue<'_>| {
            if !matches!(value, FieldValue::Missing) && written.is_ok() {
                written = write_member(name, value, bytes);
            }
        };
        for (name, value) in columns.keep.iter().zip(scored.kept.iter()) {
            write(name, &value);
        }
        for (name, value) in &columns.further_fields(record) {
            write(name, value);
        }
        bytes.push(b'}');
    }
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
        }
        RecordOutcome::Failed(failure) => {
            line.serialize_entry("error", &failure.to_string())?;
        }
        RecordOutcome::Skipped(skipped) => line.serialize_entry("skipped", &skipped.reason)?,
    }
    line.end()
}

/// Appends one more member to an object that is not closed yet. An empty cell of a table becomes `null`.
fn write_member(name: &str, value: &FieldValue<'_>, bytes: &mut Vec<u8>) -> serde_json::Result<()> {
    bytes.push(b',');
    name.serialize(&mut visible::json_serializer(&mut *bytes))?;
    bytes.push(b':');
    match (value, value.to_json()) {
        (_, Some(json)) => {
            let begin = bytes.len();
            bytes.extend_from_slice(json.as_bytes());
            if memchr2(b'\n', b'\r', json.as_bytes()).is_some() {
                // A line end in JSON is only possible between two tokens.
                let line_ends = bytes[begin..].iter_mut();
                line_ends
                    .filter(|byte| matches!(byte, b'\n' | b'\r'))
                    .for_each(|byte| *byte = b' ');
            }
            Ok(())
        }
        (FieldValue::Text(text), None) if !text.is_empty() => {
            text.serialize(&mut visible::json_serializer(bytes))
        }
        _ => {
            bytes.extend_from_slice(b"null");
            Ok(())
        }
    }
}
