//! How the answer for a record is written to a journal.

use serde::{Deserialize, Serialize};

use super::scorer::{Cell, Cells, PreparedScorer};
use super::wire::WireCell;
use crate::journal::{decode, encode};
use crate::remote::{AnswerValue, ProgramAnswer};

/// The first byte of an answer whose cells are all numbers of known columns. The numbers follow, in 8 bytes each. Most
/// answers of the scorers of this library have this form.
const NUMBERS: u8 = 0;

/// The first byte of any other answer of a scorer of this library.
const CELLS: u8 = 1;

/// Number of bytes of a number.
const NUMBER_BYTES: usize = size_of::<f64>();

/// Writes the first cells of the known columns, at most `columns`. The others can be
/// [completed](PreparedScorer::completed).
pub(super) fn encode_cells(cells: &Cells, columns: usize, to: &mut Vec<u8>) {
    let known = &cells.known()[..columns.min(cells.known().len())];
    if cells.found().is_empty() && known.iter().all(|cell| matches!(cell, Cell::Number(_))) {
        to.push(NUMBERS);
        for number in known.iter().filter_map(Cell::number) {
            to.extend_from_slice(&number.to_le_bytes());
        }
        return;
    }
    let known: Vec<WireCell> = known.iter().cloned().map(WireCell::from).collect();
    let found = cells.found().iter().cloned();
    let found: Vec<(String, WireCell)> = found.map(|(name, cell)| (name, cell.into())).collect();
    to.push(CELLS);
    extend(to, &(known, found));
}

/// Reads what [`encode_cells`] has written. Returns `None` if this is something else.
pub(super) fn decode_cells(bytes: &[u8], scorer: &dyn PreparedScorer) -> Option<Cells> {
    let cells = match bytes.split_first()? {
        (&NUMBERS, numbers) => {
            let (numbers, []) = numbers.as_chunks::<NUMBER_BYTES>() else {
                return None;
            };
            let numbers = numbers.iter();
            let cells = numbers.map(|number| Cell::Number(f64::from_le_bytes(*number)));
            Cells::from(cells.collect::<Vec<_>>())
        }
        (&CELLS, cells) => {
            let (known, found): (Vec<WireCell>, Vec<(String, WireCell)>) = decode(cells)?;
            let cell = |cell: WireCell| cell.into_cell(scorer).ok();
            let known: Option<Vec<Cell>> = known.into_iter().map(cell).collect();
            let found = found.into_iter();
            let found = found.map(|(name, found)| Some((name, cell(found)?)));
            Cells::from(known?).with_found(found.collect::<Option<Vec<_>>>()?)
        }
        _ => return None,
    };
    Some(scorer.completed(cells))
}

/// A value of an answer of a program or a service.
#[derive(Serialize, Deserialize)]
enum KeptAnswerValue<'a> {
    Number(f64),
    Text(&'a str),
    Json(&'a str),
}

/// Writes the answer of a program or a service.
pub(super) fn encode_answer(answer: &ProgramAnswer, to: &mut Vec<u8>) {
    let values = answer.iter().map(|(name, value)| {
        let value = match value {
            AnswerValue::Number(number) => KeptAnswerValue::Number(*number),
            AnswerValue::Text(text) => KeptAnswerValue::Text(text),
            AnswerValue::Json(json) => KeptAnswerValue::Json(json),
        };
        (name, value)
    });
    extend(to, &values.collect::<Vec<_>>());
}

/// Reads what [`encode_answer`] has written. Returns `None` if this is something else.
pub(super) fn decode_answer(bytes: &[u8]) -> Option<ProgramAnswer> {
    let values: Vec<(String, KeptAnswerValue<'_>)> = decode(bytes)?;
    let values = values.into_iter().map(|(name, value)| {
        let value = match value {
            KeptAnswerValue::Number(number) => AnswerValue::Number(number),
            KeptAnswerValue::Text(text) => AnswerValue::Text(text.into()),
            KeptAnswerValue::Json(json) => AnswerValue::Json(json.into()),
        };
        (name, value)
    });
    Some(ProgramAnswer::new(values.collect()))
}

fn extend(to: &mut Vec<u8>, value: &impl Serialize) {
    // Only a value whose length is not known in advance cannot be written.
    encode(value, to).unwrap_or_else(|error| panic!("an answer cannot be written down: {error}"));
}
