//! How the answer for a record is written to a journal.

use serde::{Deserialize, Serialize};

use super::scorer::{Cell, Cells, PreparedScorer};
use super::wire::WireCell;
use crate::journal::{decode, encode};
use crate::remote::{AnswerValue, ProgramAnswer};

/// The first byte of an answer whose cells are all numbers of known columns. The numbers follow, in 8 bytes each.
const NUMBERS: u8 = 0;

/// The first byte of an answer whose cells are small numbers of known columns with at most four decimals, such as those of the
/// sentiment scorer. The numbers follow in units of the last decimal, in 2 bytes each.
const DECIMALS: u8 = 2;

/// The units of a number with four decimals.
const UNITS: f64 = 1e4;

/// Number of bytes of a number in units.
const UNITS_BYTES: usize = size_of::<i16>();

/// The first byte of any other answer of a scorer of this library.
const CELLS: u8 = 1;

/// Number of bytes of a number.
const NUMBER_BYTES: usize = size_of::<f64>();

/// Writes the first cells of the known columns, at most `columns`. The others can be
/// [completed](PreparedScorer::completed).
pub(super) fn encode_cells(cells: &Cells, columns: usize, to: &mut Vec<u8>) {
    let known = &cells.known()[..columns.min(cells.known().len())];
    if cells.found().is_empty() && known.iter().all(|cell| matches!(cell, Cell::Number(_))) {
        let begin = to.len();
        to.push(DECIMALS);
        let mut units = known.iter().filter_map(Cell::number).map(units_of);
        if units.all(|units| push_units(units, to)) {
            return;
        }
        to.truncate(begin);
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
        (&NUMBERS, numbers) => decode_numbers(numbers)?,
        (&DECIMALS, units) => decode_decimals(units)?,
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

fn decode_numbers(bytes: &[u8]) -> Option<Cells> {
    let (numbers, []) = bytes.as_chunks::<NUMBER_BYTES>() else {
        return None;
    };
    let numbers = numbers.iter();
    let cells = numbers.map(|number| Cell::Number(f64::from_le_bytes(*number)));
    Some(cells.collect::<Vec<_>>().into())
}

fn decode_decimals(bytes: &[u8]) -> Option<Cells> {
    let (units, []) = bytes.as_chunks::<UNITS_BYTES>() else {
        return None;
    };
    let numbers = units
        .iter()
        .map(|units| number_of(i16::from_le_bytes(*units)));
    Some(numbers.map(Cell::Number).collect::<Vec<_>>().into())
}

/// The units of a number, if they give exactly the same bits.
#[inline]
fn units_of(number: f64) -> Option<i16> {
    // The cast rounds towards zero. The comparison makes sure that the result is right.
    let units = (number * UNITS + 0.5_f64.copysign(number)) as i16;
    (number_of(units).to_bits() == number.to_bits()).then_some(units)
}

fn number_of(units: i16) -> f64 {
    f64::from(units) / UNITS
}

/// Writes units, and returns whether there are some.
#[inline]
fn push_units(units: Option<i16>, to: &mut Vec<u8>) -> bool {
    to.extend_from_slice(&units.unwrap_or_default().to_le_bytes());
    units.is_some()
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

#[cfg(all(test, not(shuttle)))]
mod tests {
    use super::*;

    /// Encodes numbers. Returns the first byte, the number of bytes, and the numbers that are read back.
    fn round_trip(numbers: &[f64]) -> (u8, usize, Vec<f64>) {
        let cells: Vec<_> = numbers.iter().copied().map(Cell::Number).collect();
        let mut bytes = Vec::new();
        encode_cells(&cells.into(), numbers.len(), &mut bytes);
        let read = match bytes[0] {
            NUMBERS => decode_numbers(&bytes[1..]),
            _ => decode_decimals(&bytes[1..]),
        };
        let read = read.expect("they can be read");
        let read = read.known().iter().filter_map(Cell::number).collect();
        (bytes[0], bytes.len(), read)
    }

    #[test]
    fn numbers_with_few_decimals_take_few_bytes() {
        let (kind, bytes, read) = round_trip(&[-0.5423, 0.123, 0.6, 0.277]);
        assert_eq!((kind, read), (DECIMALS, vec![-0.5423, 0.123, 0.6, 0.277]));
        assert_eq!(bytes, 9);
    }

    #[test]
    fn every_number_is_read_back_with_the_same_bits() {
        let special = [
            0.0,
            -0.0,
            f64::NAN,
            -f64::NAN,
            f64::INFINITY,
            f64::MIN_POSITIVE,
            f64::MAX,
            1.0 / 3.0,
            3.2767,
            -3.2768,
            3.2768,
            32768.0,
            -1e300,
        ];
        let decimals = (-40_000..40_000).map(|units| f64::from(units) / UNITS);
        let neighbours = decimals.clone().map(f64::next_up);
        for number in special.into_iter().chain(decimals).chain(neighbours) {
            let (_, _, read) = round_trip(&[number]);
            assert_eq!(read[0].to_bits(), number.to_bits(), "{number}");
        }
    }
}
