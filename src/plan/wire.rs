//! The reply of a worker process for a record.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

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
    fn into_cell(self, scorer: &dyn PreparedScorer) -> Result<Cell, BadRecord> {
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
    pub(super) fn into_scored(
        self,
        at: Position,
        main: &MainCell,
        scorer: &dyn PreparedScorer,
    ) -> Result<Scored, Cause> {
        match self {
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
