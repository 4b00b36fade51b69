//! Scores on their way from a worker to the sink.

use std::io;
use std::ops::Range;

use crate::error::Failure;
use crate::sink::{Room, Sink};

/// Rendered scores are passed on when this many bytes have come together.
const PIECE_BYTES: usize = 256 << 10;

/// Rendered scores of consecutive records on their way to the sink.
pub(super) struct Piece<'s, S> {
    sink: &'s dyn Sink<S>,
    /// The records rendered so far that have not been passed on.
    records: Range<u64>,
    bytes: Vec<u8>,
    /// Where a failure may halt the run: nothing is passed on before the records are judged, and a
    /// piece ends behind each failure, so that the sink can end there too.
    judged: Option<Vec<(Range<u64>, Vec<u8>)>>,
    /// What the sink said last.
    pub(super) room: Room,
}

impl<'s, S> Piece<'s, S> {
    /// For scores on their way to `sink`; with `judged`, nothing is passed on before it is
    /// [finished](Piece::finish).
    pub(super) fn new(sink: &'s dyn Sink<S>, judged: bool) -> Self {
        Piece {
            sink,
            records: 0..0,
            bytes: Vec::new(),
            judged: judged.then(Vec::new),
            room: Room::Free,
        }
    }

    /// Whether nothing may be passed on before the records are judged.
    pub(super) fn waits_for_judgement(&self) -> bool {
        self.judged.is_some()
    }

    pub(super) fn add(&mut self, index: u64, score: Result<&S, &Failure>) -> io::Result<()> {
        if self.records.is_empty() {
            self.records.start = index;
        }
        self.records.end = index + 1;
        let failed = score.is_err();
        self.sink.render(index, score, &mut self.bytes);
        match &mut self.judged {
            Some(pieces) => {
                if failed {
                    pieces.push(cut(&mut self.records, &mut self.bytes));
                }
                Ok(())
            }
            None if self.bytes.len() < PIECE_BYTES => Ok(()),
            None => self.finish(),
        }
    }

    /// Passes on what has been rendered.
    pub(super) fn finish(&mut self) -> io::Result<()> {
        for (records, bytes) in self.judged.iter_mut().flat_map(std::mem::take) {
            self.room = self.sink.write(records, bytes)?;
        }
        if !self.records.is_empty() {
            let (records, bytes) = cut(&mut self.records, &mut self.bytes);
            self.room = self.sink.write(records, bytes)?;
        }
        Ok(())
    }
}

fn cut(records: &mut Range<u64>, bytes: &mut Vec<u8>) -> (Range<u64>, Vec<u8>) {
    (std::mem::take(records), std::mem::take(bytes))
}

#[cfg(all(test, not(shuttle)))]
mod tests {
    use super::*;
    use std::sync::Mutex;

    /// Renders half a piece for each record, and keeps what it is passed.
    #[derive(Default)]
    struct Kept(Mutex<Vec<(Range<u64>, usize)>>);

    impl Sink<()> for Kept {
        fn render(&self, _: u64, _: Result<&(), &Failure>, bytes: &mut Vec<u8>) {
            bytes.resize(bytes.len() + PIECE_BYTES / 2, b'x');
        }

        fn write(&self, records: Range<u64>, bytes: Vec<u8>) -> io::Result<Room> {
            let mut kept = self.0.lock().expect("no panic");
            kept.push((records, bytes.len() / (PIECE_BYTES / 2)));
            Ok(match kept.len() {
                1 => Room::Full,
                _ => Room::Free,
            })
        }
    }

    impl Kept {
        fn passed(&self) -> Vec<(Range<u64>, usize)> {
            self.0.lock().expect("no panic").clone()
        }
    }

    fn failure(index: u64) -> Failure {
        Failure::new(index, None, 0, "it fails".into())
    }

    #[test]
    fn a_piece_is_passed_on_when_it_is_long_enough() {
        let kept = Kept::default();
        let mut piece = Piece::new(&kept, false);
        assert!(!piece.waits_for_judgement());
        for index in 5..8 {
            piece.add(index, Ok(&())).expect("memory");
        }
        assert_eq!(kept.passed(), [(5..7, 2)]);
        assert_eq!(piece.room, Room::Full);
        piece.finish().expect("memory");
        assert_eq!(kept.passed(), [(5..7, 2), (7..8, 1)]);
        assert_eq!(piece.room, Room::Free);
        piece.finish().expect("memory");
        assert_eq!(kept.passed().len(), 2, "nothing is left");
    }

    #[test]
    fn what_may_be_halted_is_passed_on_when_it_is_judged_and_ends_behind_each_failure() {
        let kept = Kept::default();
        let mut piece = Piece::new(&kept, true);
        assert!(piece.waits_for_judgement());
        for index in 0..4 {
            piece.add(index, Ok(&())).expect("memory");
        }
        piece.add(4, Err(&failure(4))).expect("memory");
        piece.add(5, Err(&failure(5))).expect("memory");
        piece.add(6, Ok(&())).expect("memory");
        assert_eq!(kept.passed(), [], "it has not been judged");
        piece.finish().expect("memory");
        assert_eq!(kept.passed(), [(0..5, 5), (5..6, 1), (6..7, 1)]);
    }
}
