//! What a record comes to, on its way from a worker process.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::podiums::Shown;
use super::prepared::{COLUMNS, Cell};
use super::scored::Scored;
use crate::dataset::At;
use crate::error::{BadRecord, Cause, Panicked};
use crate::task::matching::Pairs;

/// The score of a record, or why it has none.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Answer {
    Scored {
        cells: [SentCell; COLUMNS],
        group: Option<String>,
        kept: Vec<Option<String>>,
        shown: Option<String>,
    },
    Bad {
        message: String,
        column: Option<u64>,
    },
    Panicked {
        message: String,
        place: Option<String>,
    },
}

/// A [`Cell`], which is written as what it holds where it is read by people.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum SentCell {
    Nothing,
    Number(f64),
    Numbers(Vec<f64>),
    Line(u64),
    Lines(Vec<u64>),
}

impl From<Cell> for SentCell {
    fn from(cell: Cell) -> Self {
        match cell {
            Cell::Nothing => SentCell::Nothing,
            Cell::Number(number) => SentCell::Number(number),
            Cell::Numbers(numbers) => SentCell::Numbers(numbers),
            Cell::Line(line) => SentCell::Line(line),
            Cell::Lines(lines) => SentCell::Lines(lines),
        }
    }
}

impl From<SentCell> for Cell {
    fn from(cell: SentCell) -> Self {
        match cell {
            SentCell::Nothing => Cell::Nothing,
            SentCell::Number(number) => Cell::Number(number),
            SentCell::Numbers(numbers) => Cell::Numbers(numbers),
            SentCell::Line(line) => Cell::Line(line),
            SentCell::Lines(lines) => Cell::Lines(lines),
        }
    }
}

/// The counts of [`Pairs`], as they are sent.
pub(super) type Counts = [u64; 5];

/// How they are sent.
pub(super) fn counts(pairs: Pairs) -> Counts {
    let by = pairs.skipped;
    let compared = pairs.compared;
    [compared, by.lengths, by.symbols, by.halves, by.tokens]
}

/// What was sent.
pub(super) fn pairs([compared, lengths, symbols, halves, tokens]: Counts) -> Pairs {
    let mut pairs = Pairs::default();
    pairs.compared = compared;
    pairs.skipped.lengths = lengths;
    pairs.skipped.symbols = symbols;
    pairs.skipped.halves = halves;
    pairs.skipped.tokens = tokens;
    pairs
}

impl From<Scored> for Answer {
    fn from(scored: Scored) -> Self {
        let (cells, group, kept, shown) = scored.into_parts();
        Answer::Scored {
            cells: cells.map(SentCell::from),
            group,
            kept,
            shown: shown.and_then(Arc::into_inner).map(|shown| shown.text),
        }
    }
}

impl Answer {
    /// The score of the record at this place, which has so many columns.
    pub(super) fn into_scored(self, at: At, width: usize) -> Result<Scored, Cause> {
        match self {
            Answer::Scored {
                cells,
                group,
                kept,
                shown,
            } => {
                let cells = cells.map(Cell::from);
                let shown = shown.map(|text| Arc::new(Shown { at, text }));
                Ok(Scored::new(cells, width, group, kept, shown))
            }
            Answer::Bad { message, column } => Err(BadRecord { message, column }.into()),
            Answer::Panicked { message, place } => Err(Panicked { message, place }.into()),
        }
    }
}
