//! What a record comes to, on its way from a worker process.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::podiums::Shown;
use super::prepared::{COLUMNS, Cell};
use super::scored::Scored;
use crate::dataset::At;
use crate::error::{BadRecord, Cause, Panicked};
use crate::task::matching::{Pairs, Skipped};

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
    let skipped = Skipped {
        lengths,
        symbols,
        halves,
        tokens,
    };
    Pairs { compared, skipped }
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

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(answer: &Answer) -> Answer {
        let bytes = postcard::to_stdvec(answer).expect("it can be written");
        postcard::from_bytes(&bytes).expect("it can be read")
    }

    #[test]
    fn a_failure_reads_the_same_on_the_other_side() {
        let panicked = Panicked {
            message: "no such word".to_owned(),
            place: Some("src/words.rs:7:1".to_owned()),
        };
        let Panicked { message, place } = panicked.clone();
        let cause = sent(&Answer::Panicked { message, place }).into_scored(At::default(), 4);
        assert_eq!(
            cause.expect_err("a panic").to_string(),
            panicked.to_string()
        );
        let (message, column) = ("expected a string".to_owned(), Some(12));
        let cause = sent(&Answer::Bad { message, column }).into_scored(At::default(), 4);
        let cause = cause.expect_err("a failure");
        let bad = cause.downcast_ref::<BadRecord>().expect("of this type");
        assert_eq!(
            (bad.message.as_str(), bad.column),
            ("expected a string", Some(12))
        );
    }

    #[test]
    fn scores_cross_bit_for_bit() {
        let numbers = [-0.0, f64::MIN_POSITIVE / 3.0, 0.1 + 0.2, f64::NAN];
        let bits = |cell: &Cell| cell.number().map(f64::to_bits);
        let cells = numbers.map(Cell::Number);
        let expected = cells.each_ref().map(bits);
        let scored = Scored::new(cells, 4, Some("a".to_owned()), vec![None], None);
        let scored = sent(&Answer::from(scored)).into_scored(At::default(), 4);
        let scored = scored.expect("a score");
        let found: Vec<_> = scored.cells().iter().map(bits).collect();
        assert_eq!(found, expected);
        assert_eq!(scored.group.as_deref(), Some("a"));
    }
}
