//! The reply of a worker process for a record.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::group_key::GroupKey;
use super::kept::Kept;
use super::leaderboard::ExampleCandidate;
use super::not_scored::NotScored;
use super::scored::Scored;
use super::scorer::{Cell, Cells, MainCell};
use crate::dataset::Position;
use crate::error::{BadRecord, Cause, FailureKind, Panicked, Skipped};

/// The score of a record, or the reason why it has none.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum WireOutcome {
    Scored {
        known: Vec<WireCell>,
        found: Vec<(String, WireCell)>,
        group: Option<GroupKey>,
        kept: Kept,
        /// The text, if the record may be among the best or the worst.
        text: Option<String>,
    },
    Bad {
        message: String,
        column: Option<u64>,
        kind: FailureKind,
    },
    Panicked {
        message: String,
        place: Option<String>,
    },
    Skipped {
        reason: String,
    },
}

/// A [`Cell`] together with its kind. A `Cell` itself is serialised without its kind.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum WireCell {
    Nothing,
    Number(f64),
    Numbers(Box<[f64]>),
    Label(Box<str>),
    Line(u64),
    Lines(Box<[u64]>),
}

impl From<Cell> for WireCell {
    fn from(cell: Cell) -> Self {
        match cell {
            Cell::Nothing => WireCell::Nothing,
            Cell::Number(number) => WireCell::Number(number),
            Cell::Numbers(numbers) => WireCell::Numbers(numbers),
            Cell::Label(label) => WireCell::Label(label),
            Cell::Line(line) => WireCell::Line(line),
            Cell::Lines(lines) => WireCell::Lines(lines),
        }
    }
}

impl From<WireCell> for Cell {
    fn from(cell: WireCell) -> Self {
        match cell {
            WireCell::Nothing => Cell::Nothing,
            WireCell::Number(number) => Cell::Number(number),
            WireCell::Numbers(numbers) => Cell::Numbers(numbers),
            WireCell::Label(label) => Cell::Label(label),
            WireCell::Line(line) => Cell::Line(line),
            WireCell::Lines(lines) => Cell::Lines(lines),
        }
    }
}

impl From<Scored> for WireOutcome {
    fn from(scored: Scored) -> Self {
        let (known, found) = scored.cells.into_parts();
        let found = found.into_iter();
        let candidate = scored.candidate.and_then(Arc::into_inner);
        WireOutcome::Scored {
            known: known.into_iter().map(WireCell::from).collect(),
            found: found.map(|(name, cell)| (name, cell.into())).collect(),
            group: scored.group,
            kept: scored.kept,
            text: candidate.map(|candidate| candidate.text),
        }
    }
}

impl From<NotScored> for WireOutcome {
    fn from(not_scored: NotScored) -> Self {
        match not_scored {
            NotScored::Bad(bad) => WireOutcome::Bad {
                message: bad.message,
                column: bad.column,
                kind: bad.kind,
            },
            NotScored::Skipped(Skipped { reason }) => WireOutcome::Skipped { reason },
        }
    }
}

impl WireOutcome {
    /// The score of the record at this position.
    pub(super) fn into_scored(self, at: Position, main: &MainCell) -> Result<Scored, Cause> {
        match self {
            WireOutcome::Scored {
                known,
                found,
                group,
                kept,
                text,
            } => {
                let known: Vec<Cell> = known.into_iter().map(Cell::from).collect();
                let found = found.into_iter();
                let found = found.map(|(name, cell)| (name, cell.into())).collect();
                let cells = Cells::from(known).with_found(found);
                let candidate = text.map(|text| Arc::new(ExampleCandidate { at, text }));
                Ok(Scored::new(cells, main, group, kept, candidate))
            }
            WireOutcome::Bad {
                message,
                column,
                kind,
            } => Err(BadRecord::new(message, column).of_kind(kind).into()),
            WireOutcome::Panicked { message, place } => Err(Panicked { message, place }.into()),
            WireOutcome::Skipped { reason } => Err(Skipped { reason }.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::FieldValue;

    fn sent(outcome: &WireOutcome) -> WireOutcome {
        let bytes = postcard::to_stdvec(outcome).expect("it can be written");
        postcard::from_bytes(&bytes).expect("it can be read")
    }

    #[test]
    fn a_failure_reads_the_same_on_the_other_side() {
        let panicked = Panicked {
            message: "no such word".to_owned(),
            place: Some("src/words.rs:7:1".to_owned()),
        };
        let Panicked { message, place } = panicked.clone();
        let main = &MainCell::Missing;
        let cause =
            sent(&WireOutcome::Panicked { message, place }).into_scored(Position::default(), main);
        assert_eq!(
            cause.expect_err("a panic").to_string(),
            panicked.to_string()
        );
        let sent_bad = BadRecord::new("expected a string", 12).of_kind(FailureKind::WrongValue);
        let outcome = WireOutcome::from(NotScored::from(sent_bad.clone()));
        let cause = sent(&outcome).into_scored(Position::default(), main);
        let cause = cause.expect_err("a failure");
        let bad = cause.downcast_ref::<BadRecord>().expect("of this type");
        assert_eq!(*bad, sent_bad);
    }

    #[test]
    fn a_skipped_record_is_skipped_on_the_other_side() {
        let skipped = Skipped::new("no text");
        let outcome = WireOutcome::from(NotScored::from(skipped.clone()));
        let cause = sent(&outcome).into_scored(Position::default(), &MainCell::Missing);
        let cause = cause.expect_err("no score");
        assert_eq!(cause.downcast_ref(), Some(&skipped));
    }

    #[test]
    fn scores_cross_bit_for_bit() {
        let numbers = [-0.0, f64::MIN_POSITIVE / 3.0, 0.1 + 0.2, f64::NAN];
        let bits = |cell: &Cell| cell.number().map(f64::to_bits);
        let cells = numbers.map(Cell::Number);
        let expected = cells.each_ref().map(bits);
        let main = &MainCell::Known(2);
        let group = GroupKey::build(|key| {
            key.add(None);
            Ok::<(), ()>(())
        });
        let group = group.expect("a key");
        let scored = Scored::new(
            cells.into(),
            main,
            Some(group.clone()),
            Kept::of([FieldValue::Missing].iter()),
            None,
        );
        let scored = sent(&WireOutcome::from(scored)).into_scored(Position::default(), main);
        let scored = scored.expect("a score");
        let found: Vec<_> = scored.cells().iter().map(bits).collect();
        assert_eq!(found, expected);
        assert_eq!(scored.group, Some(group));
        assert_eq!(scored.main(), Some(numbers[2]));
    }

    #[test]
    fn cells_of_every_kind_cross() {
        let known = vec![
            Cell::Nothing,
            Cell::Numbers([1.0, 0.5].into()),
            Cell::Label("good".into()),
            Cell::Line(7),
            Cell::Lines([7, 3].into()),
        ];
        let found = vec![("class".to_owned(), Cell::Label("x".into()))];
        let cells = Cells::from(known).with_found(found);
        let scored = Scored::new(cells, &MainCell::Missing, None, Kept::default(), None);
        let crossed = sent(&WireOutcome::from(scored.clone()));
        let crossed = crossed.into_scored(Position::default(), &MainCell::Missing);
        assert_eq!(crossed.expect("a score"), scored);
    }
}
