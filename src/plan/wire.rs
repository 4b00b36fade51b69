//! The reply of a worker process for a record.

use std::fmt;
use std::sync::Arc;

use serde::de::{self, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::group_key::GroupKey;
use super::kept::Kept;
use super::leaderboard::ExampleCandidate;
use super::not_scored::NotScored;
use super::scored::Scored;
use super::scorer::{Cell, Cells, MainCell, PreparedScorer, Quote};
use crate::dataset::Position;
use crate::error::{BadRecord, Cause, FailureKind, Panicked, Skipped};

/// The score of a record, or the reason why it has none.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum WireOutcome {
    /// Nothing but numbers.
    Numbers(NumberCells),
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

/// Cells of known columns that all hold a number. This is what most records have, so they are written as one string of
/// bytes, and read into the cells without a step in between.
#[derive(Debug)]
pub(super) struct NumberCells(Cells);

/// Number of bytes of a number.
const NUMBER_BYTES: usize = size_of::<f64>();

impl NumberCells {
    /// Returns the cells if all of them are numbers.
    fn of(cells: Cells) -> Result<Self, Cells> {
        let is_number = |cell: &Cell| matches!(cell, Cell::Number(_));
        if cells.found().is_empty() && cells.known().iter().all(is_number) {
            Ok(NumberCells(cells))
        } else {
            Err(cells)
        }
    }
}

impl Serialize for NumberCells {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let cells = self.0.known();
        let mut few = [0; 8 * NUMBER_BYTES];
        let mut many = Vec::new();
        let length = cells.len() * NUMBER_BYTES;
        let bytes = match few.get_mut(..length) {
            Some(bytes) => bytes,
            None => {
                many.resize(length, 0);
                &mut many
            }
        };
        for (bytes, cell) in bytes.chunks_exact_mut(NUMBER_BYTES).zip(cells) {
            let number = cell.number().unwrap_or(f64::NAN);
            bytes.copy_from_slice(&number.to_le_bytes());
        }
        serializer.serialize_bytes(bytes)
    }
}

impl<'de> Deserialize<'de> for NumberCells {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_bytes(NumberCellsVisitor)
    }
}

struct NumberCellsVisitor;

impl Visitor<'_> for NumberCellsVisitor {
    type Value = NumberCells;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "numbers of {NUMBER_BYTES} bytes each")
    }

    fn visit_bytes<E: de::Error>(self, bytes: &[u8]) -> Result<NumberCells, E> {
        let (numbers, []) = bytes.as_chunks() else {
            return Err(E::invalid_length(bytes.len(), &self));
        };
        let cell = |number: &[u8; NUMBER_BYTES]| Cell::Number(f64::from_le_bytes(*number));
        Ok(NumberCells(match numbers {
            [number] => cell(number).into(),
            _ => numbers.iter().map(cell).collect::<Vec<_>>().into(),
        }))
    }
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
    /// The place of a text in the reference. The other process has the same reference, so it can look the text up.
    Quote(u32),
    Quotes(Box<[u32]>),
    Json(Box<str>),
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
            Cell::Quote(quote) => WireCell::Quote(quote.place()),
            Cell::Quotes(quotes) => WireCell::Quotes(quotes.iter().map(Quote::place).collect()),
            Cell::Json(json) => WireCell::Json(json),
        }
    }
}

impl WireCell {
    /// Converts to a cell of this process. Quotes then refer to the reference that the scorer of this process has read.
    pub(super) fn into_cell(self, scorer: &dyn PreparedScorer) -> Result<Cell, BadRecord> {
        let quote = |place| {
            let quoted = scorer.reference().and_then(|texts| Quote::of(texts, place));
            quoted.ok_or_else(|| {
                let message = "a worker process has read another reference than this process; do not change the \
                               reference during a run";
                BadRecord::new(message, None)
            })
        };
        Ok(match self {
            WireCell::Nothing => Cell::Nothing,
            WireCell::Number(number) => Cell::Number(number),
            WireCell::Numbers(numbers) => Cell::Numbers(numbers),
            WireCell::Label(label) => Cell::Label(label),
            WireCell::Line(line) => Cell::Line(line),
            WireCell::Lines(lines) => Cell::Lines(lines),
            WireCell::Json(json) => Cell::Json(json),
            WireCell::Quote(place) => Cell::Quote(quote(place)?),
            WireCell::Quotes(places) => {
                let quotes: Result<_, _> = places.into_iter().map(quote).collect();
                Cell::Quotes(quotes?)
            }
        })
    }
}

impl From<Scored> for WireOutcome {
    fn from(scored: Scored) -> Self {
        let is_bare =
            scored.group.is_none() && scored.kept.is_empty() && scored.candidate.is_none();
        let cells = match NumberCells::of(scored.cells) {
            Ok(numbers) if is_bare => return WireOutcome::Numbers(numbers),
            Ok(NumberCells(cells)) | Err(cells) => cells,
        };
        let (known, found) = cells.into_parts();
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
    pub(super) fn into_scored(
        self,
        at: Position,
        main: &MainCell,
        scorer: &dyn PreparedScorer,
    ) -> Result<Scored, Cause> {
        match self {
            WireOutcome::Numbers(NumberCells(cells)) => {
                let cells = scorer.completed(cells);
                Ok(Scored::new(cells, main, None, Kept::default(), None))
            }
            WireOutcome::Scored {
                known,
                found,
                group,
                kept,
                text,
            } => {
                let cell = |cell: WireCell| cell.into_cell(scorer);
                let known: Vec<Cell> = known.into_iter().map(cell).collect::<Result<_, _>>()?;
                let found = found.into_iter();
                let found = found.map(|(name, found)| Ok((name, cell(found)?)));
                let found = found.collect::<Result<_, BadRecord>>()?;
                let cells = scorer.completed(Cells::from(known).with_found(found));
                let candidate = text.map(|text| ExampleCandidate::of(at, text, &cells));
                let candidate = candidate.map(Arc::new);
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
    use crate::dataset::{FieldValue, Fields, TextRecord};
    use crate::plan::scorer::ScorerInput;
    use crate::plan::{AnyScorer, MadeUpOptions, MatchOptions, Missing, Plan};
    use crate::task::matching::{Matching, Measure};

    const SCORER: &dyn PreparedScorer = &MadeUpOptions {
        rank: None,
        open: false,
    };

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
        let cause = sent(&WireOutcome::Panicked { message, place }).into_scored(
            Position::default(),
            main,
            SCORER,
        );
        assert_eq!(
            cause.expect_err("a panic").to_string(),
            panicked.to_string()
        );
        let sent_bad = BadRecord::new("expected a string", 12).of_kind(FailureKind::WrongValue);
        let outcome = WireOutcome::from(NotScored::from(sent_bad.clone()));
        let cause = sent(&outcome).into_scored(Position::default(), main, SCORER);
        let cause = cause.expect_err("a failure");
        let bad = cause.downcast_ref::<BadRecord>().expect("of this type");
        assert_eq!(*bad, sent_bad);
    }

    #[test]
    fn a_skipped_record_is_skipped_on_the_other_side() {
        let skipped = Skipped::new("no text");
        let outcome = WireOutcome::from(NotScored::from(skipped.clone()));
        let cause = sent(&outcome).into_scored(Position::default(), &MainCell::Missing, SCORER);
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
        let scored =
            sent(&WireOutcome::from(scored)).into_scored(Position::default(), main, SCORER);
        let scored = scored.expect("a score");
        let found: Vec<_> = scored.cells().iter().map(bits).collect();
        assert_eq!(found, expected);
        assert_eq!(scored.group, Some(group));
        assert_eq!(scored.main(), Some(numbers[2]));
    }

    #[test]
    fn numbers_alone_cross_bit_for_bit() {
        let odd = [-0.0, f64::MIN_POSITIVE / 3.0, 0.1 + 0.2, f64::NAN];
        let numbers: Vec<f64> = odd.into_iter().cycle().take(20).collect();
        let bits = |scored: &Scored| {
            let numbers = scored.cells().iter().filter_map(Cell::number);
            numbers.map(f64::to_bits).collect::<Vec<_>>()
        };
        for count in 0..numbers.len() {
            let cells: Vec<_> = numbers[..count].iter().copied().map(Cell::Number).collect();
            let main = &MainCell::Known(2);
            let scored = Scored::new(cells.into(), main, None, Kept::default(), None);
            let outcome = WireOutcome::from(scored.clone());
            assert!(matches!(outcome, WireOutcome::Numbers(_)), "{outcome:?}");
            let crossed = sent(&outcome).into_scored(Position::default(), main, SCORER);
            let crossed = crossed.expect("a score");
            assert_eq!(bits(&crossed), bits(&scored));
            assert_eq!(crossed.main().is_some(), count > 2);
        }
        // Bytes that are not whole numbers are refused.
        let mut bytes =
            postcard::to_stdvec(&WireOutcome::Numbers(NumberCells(Cell::Number(1.0).into())));
        let bytes = bytes.as_mut().expect("it can be written");
        assert_eq!(bytes[1] as usize, NUMBER_BYTES);
        bytes[1] -= 1;
        assert!(postcard::from_bytes::<WireOutcome>(bytes).is_err());
    }

    /// The reply has the place of the matched text, and this process looks it up with the fields to keep.
    #[test]
    fn a_match_crosses_as_its_place_in_the_reference() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("cities.csv");
        std::fs::write(&path, "name,land\nUlm,D\nLima,PE\n").expect("a file");
        let mut plan = Plan::new(["unused"]);
        plan.fields = vec!["name".to_owned()];
        let fields = Fields::new(["name"], [""; 0]);
        for best in [1, 2] {
            let mut options = MatchOptions::new(Matching::by(Measure::Ratio).best(best), &path);
            options.keep = vec!["land".to_owned()];
            let whole = AnyScorer::from(options);
            let here = whole.prepare(&plan).expect("a reference");
            let there = whole.for_worker().prepare(&plan).expect("a reference");
            let scored = |scorer: &dyn PreparedScorer| {
                let record = TextRecord::json("{\"name\":\"Lima\"}");
                let values = fields.of(&record).expect("values");
                let (values, missing) = (&values, Missing::Fail);
                let cells = scorer
                    .score(&ScorerInput { values, missing })
                    .expect("cells");
                Scored::new(cells, &MainCell::Known(2), None, Kept::default(), None)
            };
            let (whole, part) = (scored(&*here), scored(&*there));
            assert_eq!((whole.cells().len(), part.cells().len()), (4, 3));
            let crossed = sent(&WireOutcome::from(part));
            let crossed = crossed.into_scored(Position::default(), &MainCell::Known(2), &*here);
            assert_eq!(crossed.expect("a score"), whole);
        }
        let known = vec![WireCell::Line(7), WireCell::Quote(2), WireCell::Number(1.0)];
        let (found, kept) = (Vec::new(), Kept::default());
        let (group, text) = (None, None);
        let outcome = WireOutcome::Scored {
            known,
            found,
            group,
            kept,
            text,
        };
        let here = AnyScorer::from(MatchOptions::new(Matching::by(Measure::Ratio), &path));
        let here = here.prepare(&plan).expect("a reference");
        let cause = outcome.into_scored(Position::default(), &MainCell::Known(2), &*here);
        let cause = cause.expect_err("no such place").to_string();
        assert!(cause.contains("has read another reference"), "{cause}");
    }

    #[test]
    fn cells_of_every_kind_cross() {
        let known = vec![
            Cell::Nothing,
            Cell::Numbers([1.0, 0.5].into()),
            Cell::Label("good".into()),
            Cell::Line(7),
            Cell::Lines([7, 3].into()),
            Cell::Json("[true]".into()),
        ];
        let found = vec![("class".to_owned(), Cell::Label("x".into()))];
        let cells = Cells::from(known).with_found(found);
        let scored = Scored::new(cells, &MainCell::Missing, None, Kept::default(), None);
        let crossed = sent(&WireOutcome::from(scored.clone()));
        let crossed = crossed.into_scored(Position::default(), &MainCell::Missing, SCORER);
        assert_eq!(crossed.expect("a score"), scored);
    }
}
