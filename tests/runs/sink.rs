//! `InOrder` puts blocks of scores in order. These tests check which blocks it keeps, writes and drops.

use std::io::{self, ErrorKind, Write};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use manyhands::sink::{InOrder, Room};

/// An output whose bytes can be read while it is being written.
#[derive(Clone, Default)]
struct Out {
    bytes: Arc<Mutex<Vec<u8>>>,
    /// A write that contains this byte fails. All later writes succeed, since a full disk may have room again.
    fails_at: Option<u8>,
}

impl Out {
    fn text(&self) -> String {
        let bytes = self.bytes.lock().expect("nothing panics here").clone();
        String::from_utf8(bytes).expect("letters")
    }
}

impl Write for Out {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.fails_at.is_some_and(|byte| bytes.contains(&byte)) {
            return Err(ErrorKind::StorageFull.into());
        }
        let mut all = self.bytes.lock().expect("nothing panics here");
        all.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn kind(written: io::Result<Room>) -> Result<Room, ErrorKind> {
    written.map_err(|error| error.kind())
}

#[test]
fn blocks_wait_for_their_turn_while_there_is_room() {
    let out = Out::default();
    let lines = InOrder::with_room(out.clone(), 3);
    // The first block fills the room, and the second one exceeds it by one byte.
    assert_eq!(kind(lines.write(3..4, b"ddd".into())), Ok(Room::Free));
    assert_eq!(kind(lines.write(4..6, b"e".into())), Ok(Room::Full));
    assert_eq!(lines.waiting_bytes(), 4);
    assert_eq!(out.text(), "");
    // The block whose turn it is is written at once, even if the room is full.
    assert_eq!(kind(lines.write(0..2, b"aabb".into())), Ok(Room::Free));
    assert_eq!((lines.waiting_bytes(), out.text().as_str()), (4, "aabb"));
    // The blocks that waited for it are written with it.
    assert_eq!(kind(lines.write(2..3, b"c".into())), Ok(Room::Free));
    assert_eq!(
        (lines.waiting_bytes(), out.text().as_str()),
        (0, "aabbcddde")
    );
    assert_eq!(kind(lines.write(7..8, b"h".into())), Ok(Room::Free));
    assert_eq!(lines.waiting_bytes(), 1);
}

#[test]
fn a_failure_is_returned_once_and_nothing_is_written_after_it() {
    let out = Out {
        fails_at: Some(b'b'),
        ..Out::default()
    };
    let lines = InOrder::new(out.clone());
    assert_eq!(kind(lines.write(0..1, b"a".into())), Ok(Room::Free));
    assert_eq!(kind(lines.write(3..4, b"d".into())), Ok(Room::Free));
    assert_eq!(
        kind(lines.write(1..2, b"b".into())),
        Err(ErrorKind::StorageFull)
    );
    for (record, letter) in [(2, "c"), (4, "e"), (5, "f")] {
        let written = lines.write(record..record + 1, letter.into());
        assert_eq!(
            kind(written),
            Ok(Room::Free),
            "the write of record {record} failed too"
        );
    }
    // Later records are not written, because they would leave a gap in the middle of the file.
    assert_eq!(out.text(), "a");
}

#[test]
fn a_failure_of_a_block_that_has_waited_is_returned_to_the_block_it_waited_for() {
    let out = Out {
        fails_at: Some(b'b'),
        ..Out::default()
    };
    let lines = InOrder::new(out.clone());
    assert_eq!(kind(lines.write(1..2, b"b".into())), Ok(Room::Free));
    assert_eq!(kind(lines.write(2..3, b"c".into())), Ok(Room::Free));
    assert_eq!(
        kind(lines.write(0..1, b"a".into())),
        Err(ErrorKind::StorageFull)
    );
    assert_eq!(kind(lines.write(3..4, b"d".into())), Ok(Room::Free));
    assert_eq!(out.text(), "a");
}

#[test]
fn nothing_is_written_after_the_end() {
    let out = Out::default();
    let lines = InOrder::new(out.clone());
    let write = |record: u64, letter: &str| kind(lines.write(record..record + 1, letter.into()));
    assert_eq!(write(1, "b"), Ok(Room::Free));
    assert_eq!(write(3, "d"), Ok(Room::Free));
    lines.end_at(3);
    // A later end does not replace the first one.
    lines.end_at(9);
    let waiting = lines.waiting_bytes();
    assert_eq!(write(3, "x"), Ok(Room::Free));
    assert_eq!(write(4, "e"), Ok(Room::Free));
    assert_eq!(
        lines.waiting_bytes(),
        waiting,
        "a block that is dropped takes no room"
    );
    assert_eq!(write(2, "c"), Ok(Room::Free));
    assert_eq!(write(0, "a"), Ok(Room::Free));
    assert_eq!(write(3, "d"), Ok(Room::Free));
    assert_eq!(write(4, "e"), Ok(Room::Free));
    assert_eq!(out.text(), "abc");
}

#[test]
fn no_record_is_missing_if_the_blocks_that_wait_come_after_the_end() {
    let lines = InOrder::new(Out::default());
    let write = |record: u64, letter: &str| kind(lines.write(record..record + 1, letter.into()));
    assert_eq!(write(3, "d"), Ok(Room::Free));
    assert_eq!(write(0, "a"), Ok(Room::Free));
    // The answer ends just before record 1, which is the record that the lines wait for.
    lines.end_at(1);
    let written = lines.take(Duration::MAX).expect("it has not been taken");
    assert_eq!(written.missing, None);
    assert_eq!((written.records, written.bytes), (1, 1));
    assert!(lines.take(Duration::MAX).is_none(), "it has been taken");
    assert_eq!(write(1, "b"), Ok(Room::Free));
    assert_eq!(written.out.text(), "a");
}

#[test]
fn the_record_that_never_came_is_named() {
    for end in [2, u64::MAX] {
        let lines = InOrder::new(Out::default());
        lines.write(0..1, b"a".into()).expect("room");
        lines.write(2..4, b"cd".into()).expect("room");
        lines.end_at(end);
        let written = lines.take(Duration::MAX).expect("it has not been taken");
        assert_eq!(written.missing, Some(1), "the end is {end}");
        assert_eq!((written.records, written.bytes), (1, 1));
    }
    let lines = InOrder::new(Out::default());
    lines.write(2..4, b"cd".into()).expect("room");
    let error = lines.finish().err().expect("a gap");
    assert_eq!(error.kind(), ErrorKind::UnexpectedEof);
    assert_eq!(error.to_string(), "the scores of record 1 never came");
}

/// An output that counts how often it is flushed, and whose flush may fail.
#[derive(Debug, Default)]
struct Flushed {
    times: usize,
    fails: bool,
}

impl Write for Flushed {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.times += 1;
        match self.fails {
            true => Err(ErrorKind::StorageFull.into()),
            false => Ok(()),
        }
    }
}

#[test]
fn finishing_flushes_the_output() {
    let lines = InOrder::new(Flushed::default());
    lines.write(0..1, b"a".into()).expect("room");
    assert_eq!(lines.finish().expect("a flush").times, 1);
    let fails = Flushed {
        fails: true,
        ..Flushed::default()
    };
    let finished = InOrder::new(fails).finish();
    assert_eq!(
        finished.expect_err("no room").kind(),
        ErrorKind::StorageFull
    );
}

#[test]
fn a_record_whose_turn_is_over_is_refused() {
    let out = Out::default();
    let lines = InOrder::new(out.clone());
    assert_eq!(kind(lines.write(0..2, b"ab".into())), Ok(Room::Free));
    for records in [0..1, 1..2, 0..2] {
        let again = lines.write(records, b"x".into());
        assert_eq!(kind(again), Err(ErrorKind::InvalidInput));
    }
    // The error was a mistake of the caller and not a failure of the output, so later blocks are still written.
    assert_eq!(kind(lines.write(2..3, b"c".into())), Ok(Room::Free));
    assert_eq!(out.text(), "abc");
    assert_eq!(lines.waiting_bytes(), 0);
}
