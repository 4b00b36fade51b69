//! Collects rendered scores until a worker passes them to the sink.

use std::io;
use std::ops::Range;

use crate::dataset::LentRecord;
use crate::sink::{RecordOutcome, Room, Sink};

/// A block is passed to the sink when it has at least this many bytes.
const BLOCK_BYTES: usize = 256 << 10;

/// The rendered scores of consecutive records, which have not been passed to the sink yet.
pub(super) struct OutputBlock<'s, S> {
    sink: &'s dyn Sink<S>,
    /// Returns the index that a record has in the input. The sink names the record by this index.
    index_in_input: &'s dyn Fn(u64) -> u64,
    records: Range<u64>,
    bytes: Vec<u8>,
    /// The blocks before the current one, or `None` if no failure can halt the run. If one can, nothing is
    /// passed to the sink before the frontier has judged the records, and a block ends after each failure, so
    /// that the sink can end there too.
    unjudged: Option<Vec<(Range<u64>, Vec<u8>)>>,
    /// The most recent answer of the sink.
    pub(super) room: Room,
}

impl<'s, S> OutputBlock<'s, S> {
    /// Creates an empty block for `sink`. If `may_halt` is true, nothing is passed to the sink before a call of
    /// [`finish`](OutputBlock::finish). `index_in_input` returns the index that a record has in the input. The sink
    /// names the record by this index.
    pub(super) fn new(
        sink: &'s dyn Sink<S>,
        index_in_input: &'s dyn Fn(u64) -> u64,
        may_halt: bool,
    ) -> Self {
        OutputBlock {
            sink,
            index_in_input,
            records: 0..0,
            bytes: Vec::new(),
            unjudged: may_halt.then(Vec::new),
            room: Room::Free,
        }
    }

    /// Whether nothing may be passed to the sink before the frontier has judged the records.
    pub(super) fn waits_for_judgement(&self) -> bool {
        self.unjudged.is_some()
    }

    /// Renders the outcome of one record. If the block is full, and the sink may have it before its records are judged,
    /// passes the block to the sink.
    pub(super) fn add(
        &mut self,
        index: u64,
        outcome: RecordOutcome<'_, S>,
        record: Option<LentRecord<'_>>,
    ) -> io::Result<()> {
        if self.records.is_empty() {
            self.records.start = index;
        }
        self.records.end = index + 1;
        let failed = matches!(outcome, RecordOutcome::Failed(_));
        let (index, bytes) = ((self.index_in_input)(index), &mut self.bytes);
        self.sink.render(index, outcome, record, bytes);
        match &mut self.unjudged {
            Some(blocks) => {
                if failed {
                    blocks.push(take(&mut self.records, &mut self.bytes));
                }
                Ok(())
            }
            None if self.bytes.len() < BLOCK_BYTES => Ok(()),
            None => self.finish(),
        }
    }

    /// Passes everything that has been rendered to the sink.
    pub(super) fn finish(&mut self) -> io::Result<()> {
        for (records, bytes) in self.unjudged.iter_mut().flat_map(std::mem::take) {
            self.room = self.sink.write(records, bytes)?;
        }
        if !self.records.is_empty() {
            let (records, bytes) = take(&mut self.records, &mut self.bytes);
            self.room = self.sink.write(records, bytes)?;
        }
        Ok(())
    }
}

fn take(records: &mut Range<u64>, bytes: &mut Vec<u8>) -> (Range<u64>, Vec<u8>) {
    (std::mem::take(records), std::mem::take(bytes))
}

#[cfg(all(test, not(shuttle)))]
mod tests {
    use std::sync::Mutex;

    use super::*;
    use crate::error::Failure;

    /// A sink that renders half a block for each record, and keeps the blocks that it receives.
    #[derive(Default)]
    struct KeptBlocks(Mutex<Vec<(Range<u64>, usize)>>);

    impl Sink<()> for KeptBlocks {
        fn render(
            &self,
            _: u64,
            _: RecordOutcome<'_, ()>,
            _: Option<LentRecord<'_>>,
            bytes: &mut Vec<u8>,
        ) {
            bytes.resize(bytes.len() + BLOCK_BYTES / 2, b'x');
        }

        fn write(&self, records: Range<u64>, bytes: Vec<u8>) -> io::Result<Room> {
            let mut kept = self.0.lock().expect("no panic");
            kept.push((records, bytes.len() / (BLOCK_BYTES / 2)));
            Ok(match kept.len() {
                1 => Room::Full,
                _ => Room::Free,
            })
        }
    }

    impl KeptBlocks {
        fn handed(&self) -> Vec<(Range<u64>, usize)> {
            self.0.lock().expect("no panic").clone()
        }
    }

    fn failure(index: u64) -> Failure {
        Failure::new(index, None, 0, "it fails".into())
    }

    #[test]
    fn a_block_is_handed_on_when_it_is_long_enough() {
        let kept = KeptBlocks::default();
        let mut block = OutputBlock::new(&kept, &|index| index, false);
        assert!(!block.waits_for_judgement());
        for index in 5..8 {
            block
                .add(index, RecordOutcome::Scored(&()), None)
                .expect("memory");
        }
        assert_eq!(kept.handed(), [(5..7, 2)]);
        assert_eq!(block.room, Room::Full);
        block.finish().expect("memory");
        assert_eq!(kept.handed(), [(5..7, 2), (7..8, 1)]);
        assert_eq!(block.room, Room::Free);
        block.finish().expect("memory");
        assert_eq!(kept.handed().len(), 2, "nothing is left");
    }

    #[test]
    fn if_a_failure_may_halt_the_run_blocks_end_after_each_failure_and_wait() {
        let kept = KeptBlocks::default();
        let mut block = OutputBlock::new(&kept, &|index| index, true);
        assert!(block.waits_for_judgement());
        for index in 0..4 {
            block
                .add(index, RecordOutcome::Scored(&()), None)
                .expect("memory");
        }
        block
            .add(4, RecordOutcome::Failed(&failure(4)), None)
            .expect("memory");
        block
            .add(5, RecordOutcome::Failed(&failure(5)), None)
            .expect("memory");
        block
            .add(6, RecordOutcome::Scored(&()), None)
            .expect("memory");
        assert_eq!(kept.handed(), [], "the records have not been judged");
        block.finish().expect("memory");
        assert_eq!(kept.handed(), [(0..5, 5), (5..6, 1), (6..7, 1)]);
    }
}
