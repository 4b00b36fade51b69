//! A stream of JSON lines has the same records as a file with the same bytes, no matter how the bytes arrive.

use std::collections::BTreeMap;
use std::io::{self, Read, Write};
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Mutex;
use std::sync::mpsc;

use crate::datasets::text_of;
use manyhands::dataset::{LoadedRecords, MAX_RECORD_BYTES, Position, TextStream, Texts};
use manyhands::error::BadRecord;
use manyhands::prelude::*;
use proptest::prelude::*;

/// A visited record: its index, its file, its line, and either its text or the message and the column of its error.
type Visited = (u64, usize, u64, Result<String, (String, Option<u64>)>);

fn visited(position: Position, record: Result<&TextRecord<'_>, BadRecord>) -> Visited {
    let text = record
        .map(|line| line.as_str().to_owned())
        .map_err(|bad| (bad.to_string(), bad.column));
    (position.index, position.file, position.line, text)
}

/// Takes the rest of a stream in steps. The numbers in `at_most` are, in turn, the maximum number of lines in a step.
fn rest(stream: &TextStream<'_>, at_most: &[usize]) -> Result<Vec<Visited>, Error> {
    let mut records = Vec::new();
    for at_most in at_most.iter().cycle() {
        let before = records.len();
        let taken = stream.take(*at_most, |at, record| {
            records.push(visited(at, record));
            ControlFlow::Continue(())
        })?;
        assert!(records.len() - before <= (*at_most).max(1));
        if taken.is_none() {
            break;
        }
    }
    Ok(records)
}

/// Writes the bytes to files, and returns the records of these files.
fn from_files(files: &[Vec<u8>]) -> Vec<Visited> {
    from_files_within(files, MAX_RECORD_BYTES)
}

/// Does the same as [`from_files`], but with another limit on the length of a record.
fn from_files_within(files: &[Vec<u8>], max_record: u64) -> Vec<Visited> {
    let folder = tempfile::tempdir().unwrap();
    let paths = files.iter().enumerate().map(|(number, bytes)| {
        let path = folder.path().join(number.to_string());
        std::fs::write(&path, bytes).unwrap();
        path
    });
    let dataset = TextFiles::open(paths.collect::<Vec<_>>()).unwrap();
    let dataset = dataset.max_record(max_record);
    let mut records = Vec::new();
    dataset
        .read(0..dataset.parts(), |at, record| {
            records.push(visited(at, record));
            ControlFlow::Continue(())
        })
        .unwrap();
    records
}

/// A reader that returns its bytes in pieces of these lengths, in turn. A length of 0 is an interrupted read.
struct Pieces {
    bytes: Vec<u8>,
    given: usize,
    lengths: Vec<usize>,
    calls: usize,
}

impl Pieces {
    fn new(bytes: &[u8], lengths: &[usize]) -> Self {
        Pieces {
            bytes: bytes.to_vec(),
            given: 0,
            lengths: lengths.to_vec(),
            calls: 0,
        }
    }
}

impl Read for Pieces {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        let length = self.lengths[self.calls % self.lengths.len()];
        self.calls += 1;
        if length == 0 {
            return Err(io::ErrorKind::Interrupted.into());
        }
        let left = &self.bytes[self.given..];
        let length = length.min(left.len()).min(room.len());
        room[..length].copy_from_slice(&left[..length]);
        self.given += length;
        Ok(length)
    }
}

fn bytes() -> impl Strategy<Value = Vec<u8>> {
    let line = prop_oneof![
        4 => "[a-zé ]{0,12}".prop_map(String::into_bytes),
        1 => Just(Vec::new()),
        1 => Just(b" \t".to_vec()),
        1 => "x{200,3000}".prop_map(String::into_bytes),
        1 => Just(b"bytes \xff\xfe".to_vec()),
        1 => Just(b"carriage return\r".to_vec()),
    ];
    text_of(proptest::collection::vec(line, 0..40))
}

/// Generates lengths of pieces. At least one of them is not 0.
fn lengths() -> impl Strategy<Value = Vec<usize>> {
    let length = prop_oneof![0_usize..4, 1_usize..100, Just(1 << 20)];
    proptest::collection::vec(length, 1..6).prop_map(|mut lengths| {
        lengths.push(7);
        lengths
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn records_are_those_of_a_file_however_the_bytes_arrive(
        bytes in bytes(),
        lengths in lengths(),
        at_most in proptest::collection::vec(prop_oneof![0_usize..5, Just(usize::MAX)], 1..4),
    ) {
        let stream = TextStream::new("stream", Pieces::new(&bytes, &lengths));
        prop_assert_eq!(rest(&stream, &at_most).unwrap(), from_files(std::slice::from_ref(&bytes)));
        prop_assert_eq!(stream.bytes(), bytes.len() as u64);
        prop_assert!(stream.take(1, |_, _| ControlFlow::Continue(())).unwrap().is_none());
    }

    #[test]
    fn which_lines_are_too_long_does_not_depend_on_how_the_bytes_arrive(
        bytes in bytes(),
        lengths in lengths(),
        max_record in prop_oneof![0_u64..20, 190_u64..210, 500_u64..2500],
        at_most in proptest::collection::vec(prop_oneof![0_usize..5, Just(usize::MAX)], 1..4),
    ) {
        let expected = from_files_within(std::slice::from_ref(&bytes), max_record);
        let open = || TextStream::new("stream", Pieces::new(&bytes, &lengths)).max_record(max_record);
        let stream = open();
        prop_assert_eq!(rest(&stream, &at_most).unwrap(), expected.clone());
        prop_assert_eq!(stream.bytes(), bytes.len() as u64);
        let loaded = LoadedRecords::of(&open()).unwrap();
        let mut records = Vec::new();
        loaded.read(0..loaded.parts(), |at, record| {
            records.push(visited(at, record));
            ControlFlow::Continue(())
        }).unwrap();
        prop_assert_eq!(records, expected);
    }

    #[test]
    fn several_files_are_one_dataset(files in proptest::collection::vec(bytes(), 1..4)) {
        let folder = tempfile::tempdir().unwrap();
        let paths: Vec<_> = (0..files.len()).map(|n| folder.path().join(n.to_string())).collect();
        for (path, bytes) in paths.iter().zip(&files) {
            std::fs::write(path, bytes).unwrap();
        }
        let stream = TextStream::open(&paths).unwrap();
        prop_assert_eq!(rest(&stream, &[3, 1000]).unwrap(), from_files(&files));
    }
}

/// The input is longer than one read, and its lines end at every possible place within a read.
#[test]
fn an_input_longer_than_one_read() {
    let line = |n: usize| format!("{{\"n\":{n},\"x\":\"{}\"}}\n", "é".repeat(n % 700));
    let bytes: Vec<u8> = (0..3000).flat_map(|n| line(n).into_bytes()).collect();
    let expected = from_files(std::slice::from_ref(&bytes));
    for at_most in [7, usize::MAX] {
        let stream = TextStream::new("stream", &bytes[..]);
        assert_eq!(rest(&stream, &[at_most]).unwrap(), expected);
    }
}

#[test]
fn a_giant_line_is_one_record() {
    let giant = format!("one\n{}\ntwo", "x".repeat(5_000_000));
    let stream = TextStream::new("stream", Pieces::new(giant.as_bytes(), &[70_000, 0]));
    let records = rest(&stream, &[usize::MAX]).unwrap();
    let lengths: Vec<_> = records
        .iter()
        .map(|(index, _, line, text)| (*index, *line, text.as_ref().unwrap().len()))
        .collect();
    assert_eq!(lengths, [(0, 1, 3), (1, 2, 5_000_000), (2, 3, 3)]);
}

/// The lines are longer than one read, and some are longer than the part of a line that is kept.
#[test]
fn a_line_that_is_too_long_is_counted_and_not_kept() {
    let most = 300_000;
    for length in [most - 1, most, most + 1, most + 5, most + 6, 4 * most] {
        for end in ["\n", "\r\n"] {
            let long = "x".repeat(length);
            let bytes = format!("{long}{end}one{end}{long}{end}{long}").into_bytes();
            let expected = from_files_within(std::slice::from_ref(&bytes), most as u64);
            assert_eq!(
                expected.iter().filter(|record| record.3.is_err()).count() == 3,
                length > most
            );
            for lengths in [&[70_000][..], &[1 << 20], &[99_999, 1]] {
                let stream = TextStream::new("stream", Pieces::new(&bytes, lengths));
                let stream = stream.max_record(most as u64);
                let records = rest(&stream, &[1]).unwrap();
                assert!(records == expected, "{length} bytes");
                assert_eq!(stream.bytes(), bytes.len() as u64);
            }
        }
    }
}

#[test]
fn each_record_goes_to_one_thread() {
    let bytes: Vec<u8> = (0..20_000)
        .flat_map(|n| format!("{n}\n{}", if n % 3 == 0 { "\n" } else { "" }).into_bytes())
        .collect();
    let stream = TextStream::new("stream", Pieces::new(&bytes, &[1000, 3, 77]));
    let all = Mutex::new(BTreeMap::new());
    std::thread::scope(|scope| {
        for at_most in [1, 5, 100] {
            let (stream, all) = (&stream, &all);
            scope.spawn(move || {
                for record in rest(stream, &[at_most]).unwrap() {
                    let twice = all.lock().unwrap().insert(record.0, record);
                    assert_eq!(twice, None);
                }
            });
        }
    });
    let all: Vec<_> = all.into_inner().unwrap().into_values().collect();
    assert_eq!(all, from_files(&[bytes]));
}

/// A reader that waits for pieces. Its input ends when the sender is dropped.
struct Awaited(mpsc::Receiver<&'static [u8]>);

impl Read for Awaited {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        let piece = self.0.recv().unwrap_or_default();
        room[..piece.len()].copy_from_slice(piece);
        Ok(piece.len())
    }
}

#[test]
fn a_line_can_be_taken_as_soon_as_it_has_ended() {
    let (send, receive) = mpsc::channel();
    let stream = TextStream::new("stream", Awaited(receive));
    let next = || {
        let mut records = Vec::new();
        let taken = stream.take(1000, |at, record| {
            records.push((at.index, at.line, record.unwrap().as_str().to_owned()));
            ControlFlow::Continue(())
        });
        taken.unwrap().map(|_| records)
    };
    // Nothing more is sent before the line is taken, so `take` would hang if it tried to read more.
    let say = |piece: &'static str| send.send(piece.as_bytes()).unwrap();
    say("one\n");
    assert_eq!(next().unwrap(), [(0, 1, "one".to_owned())]);
    say("\nt");
    assert_eq!(next().unwrap(), []);
    say("w");
    say("o\nthree\nfo");
    let both = [(1, 3, "two".to_owned()), (2, 4, "three".to_owned())];
    assert_eq!(next().unwrap(), both);
    say("ur");
    drop(send);
    assert_eq!(next().unwrap(), [(3, 5, "four".to_owned())]);
    assert_eq!(next(), None);
}

/// A reader that calls a function in its second read, and then continues.
struct Hiccup(usize, fn() -> io::Result<usize>);

impl Read for Hiccup {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        self.0 += 1;
        if self.0 == 2 {
            return self.1();
        }
        room[..8].copy_from_slice(b"whole\nha");
        Ok(8)
    }
}

fn take_one(stream: &TextStream<'_>) -> Result<bool, Error> {
    let taken = stream.take(1, |_, _| ControlFlow::Continue(()));
    taken.map(|taken| taken.is_some())
}

#[test]
fn after_an_error_there_is_only_this_error() {
    let stream = TextStream::new("stream", Hiccup(0, || Err(io::Error::other("unplugged"))));
    assert!(take_one(&stream).unwrap());
    for close in [false, false, true, true] {
        if close {
            stream.close();
        }
        let error = take_one(&stream).unwrap_err();
        assert_eq!(error.to_string(), "stream: cannot be read: unplugged");
        let source = std::error::Error::source(&error).expect("a cause");
        assert_eq!(source.to_string(), "unplugged");
    }
}

/// A reader that fails while the other threads are waiting for their turn to read, or are about to wait.
struct FailsLate<'a>(&'a std::sync::Barrier);

impl Read for FailsLate<'_> {
    fn read(&mut self, _room: &mut [u8]) -> io::Result<usize> {
        self.0.wait();
        Err(io::Error::new(
            io::ErrorKind::PermissionDenied,
            "locked away",
        ))
    }
}

#[test]
fn every_worker_gets_the_first_error() {
    let barrier = std::sync::Barrier::new(4);
    let stream = TextStream::new("stream", FailsLate(&barrier));
    let errors = std::thread::scope(|scope| {
        let (stream, barrier) = (&stream, &barrier);
        let first = scope.spawn(move || take_one(stream));
        let others = [(); 3].map(|()| {
            scope.spawn(move || {
                barrier.wait();
                take_one(stream)
            })
        });
        let mut errors = vec![first.join().unwrap()];
        errors.extend(others.map(|other| other.join().unwrap()));
        errors
    });
    for error in errors {
        let message = error.unwrap_err().to_string();
        assert_eq!(message, "stream: permission denied; it must be readable");
    }
}

#[test]
fn an_error_names_its_input() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    std::fs::write(path("first"), "one\ntwo").unwrap();
    std::fs::write(path("second"), "three").unwrap();
    let stream = TextStream::open(["first", "second"].map(path)).unwrap();
    std::fs::write(path("second"), "3").unwrap();
    assert!(take_one(&stream).unwrap());
    assert!(take_one(&stream).unwrap());
    for _ in 0..2 {
        let message = take_one(&stream).unwrap_err().to_string();
        let told = "second: changed while it was being read";
        assert!(message.contains(told), "{message}");
    }
}

#[test]
fn a_file_that_becomes_shorter_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file");
    let line = "x".repeat(99) + "\n";
    std::fs::write(&path, line.repeat(10_000)).unwrap();
    let stream = TextStream::open([&path]).unwrap();
    assert!(take_one(&stream).unwrap());
    let file = std::fs::File::options().write(true).open(&path).unwrap();
    file.set_len(300_000).unwrap();
    for _ in 0..2 {
        let message = rest(&stream, &[1000]).unwrap_err().to_string();
        assert!(
            message.ends_with(
                "file: changed while it was being read; run again once no program writes to it"
            ),
            "{message}"
        );
    }
}

/// Bytes that another program adds after the file was opened are read too, as in any stream.
#[test]
fn a_file_that_becomes_longer_is_read_to_its_end() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file");
    std::fs::write(&path, "one\n").unwrap();
    let stream = TextStream::open([&path]).unwrap();
    std::fs::write(&path, "one\ntwo\n").unwrap();
    assert_eq!(rest(&stream, &[1]).unwrap().len(), 2);
}

#[test]
fn no_line_is_read_after_a_panic() {
    let stream = TextStream::new("stream", Hiccup(0, || panic!("unplugged")));
    let next = || take_one(&stream);
    assert!(next().unwrap());
    assert!(std::panic::catch_unwind(std::panic::AssertUnwindSafe(next)).is_err());
    for _ in 0..2 {
        let message = next().unwrap_err().to_string();
        assert_eq!(message, "stream: cannot be read on after a panic");
    }
}

#[test]
fn other_encodings_are_refused_at_once() {
    let message = |bytes: &[u8]| {
        let stream = TextStream::new("stream", Pieces::new(bytes, &[1]));
        rest(&stream, &[1]).unwrap_err().to_string()
    };
    assert!(message(b"\xff\xfe{\0}\0").starts_with("stream: is UTF-16; "));
    assert!(message(b"\xfe\xff\0{\0}").starts_with("stream: is UTF-16; "));
    assert!(message(b"PK\x05\x06").starts_with("stream: is an empty zip archive"));
    assert!(message(b"\x1f\x8b\x08\0").starts_with("stream: ends in the middle of its gzip data"));
}

/// Only the first bytes of a text determine whether it is refused. The first bytes of later lines do not matter.
#[test]
fn a_later_line_may_begin_with_any_bytes() {
    let bytes = b"one\n\x1f\x8b\n\xff\xfe\ntwo";
    let expected = from_files(&[bytes.to_vec()]);
    assert_eq!(expected.len(), 4);
    for lengths in [&[4, 3][..], &[1], &[100]] {
        let stream = TextStream::new("stream", Pieces::new(bytes, lengths));
        assert_eq!(rest(&stream, &[1]).unwrap(), expected);
    }
}

#[test]
fn a_stream_shows_the_names_of_its_inputs() {
    let stream = TextStream::new("reviews", &b""[..]);
    assert_eq!(
        format!("{stream:?}"),
        "TextStream { names: [\"reviews\"], .. }"
    );
}

#[test]
fn a_path_that_cannot_be_opened_is_an_error_before_anything_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let message = |path: &Path| {
        TextStream::open([Path::new("-"), path])
            .unwrap_err()
            .to_string()
    };
    assert!(message(folder.path()).ends_with("is a directory; name the files in it"));
    assert!(message(&folder.path().join("none")).contains("no such file"));
}

/// The system reports a wrong size for these files: it says that they are empty or longer than they are. A read
/// returns their content nevertheless.
#[cfg(target_os = "linux")]
#[test]
fn files_that_are_generated_as_they_are_read_are_streams() {
    for path in [
        "/proc/version",
        "/proc/self/status",
        "/sys/kernel/mm/transparent_hugepage/enabled",
    ] {
        let path = Path::new(path);
        let Ok(content) = std::fs::read(path) else {
            assert!(path.starts_with("/sys"), "{} can be read", path.display());
            continue;
        };
        assert!(TextStream::is_needed_for(path), "{}", path.display());
        let stream = TextStream::open([path]).unwrap();
        assert_eq!(
            rest(&stream, &[1000]).unwrap().len(),
            from_files(&[content]).len()
        );
        let message = TextFiles::open([path]).unwrap_err().to_string();
        assert!(
            message.contains("a file of unknown length; save its contents"),
            "{message}"
        );
        let lines = Texts::read(path, "text").unwrap().len();
        assert_eq!(
            lines,
            rest(&TextStream::open([path]).unwrap(), &[1])
                .unwrap()
                .len()
        );
    }
    let empty = tempfile::NamedTempFile::new().unwrap();
    assert!(!TextStream::is_needed_for(empty.path()));
    assert_eq!(TextFiles::open([empty.path()]).unwrap().parts(), 0);
}

#[cfg(target_os = "linux")]
#[test]
fn an_error_of_the_system_is_reported() {
    let message = TextStream::open(["/proc/self/mem"])
        .unwrap_err()
        .to_string();
    assert!(
        message.starts_with("/proc/self/mem: cannot be read: Input/output error"),
        "{message}"
    );
}

#[cfg(unix)]
#[test]
fn a_pipe_that_vanishes_before_its_turn_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    std::fs::write(path("file"), "one\n").unwrap();
    let made = std::process::Command::new("mkfifo")
        .arg(path("pipe"))
        .status();
    assert!(made.expect("mkfifo is there").success());
    let stream = TextStream::open(["file", "pipe"].map(path)).unwrap();
    std::fs::remove_file(path("pipe")).unwrap();
    assert!(take_one(&stream).unwrap());
    let message = take_one(&stream).unwrap_err().to_string();
    assert!(
        message.ends_with("pipe: no such file; check the name and the folder"),
        "{message}"
    );
}

/// A program that writes to two pipes one after the other does not have to wait until the second is opened.
#[cfg(unix)]
#[test]
fn pipes_and_files_in_any_order() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    for pipe in ["first", "last"] {
        let made = std::process::Command::new("mkfifo")
            .arg(path(pipe))
            .status();
        assert!(made.expect("mkfifo is there").success());
        assert!(TextStream::is_needed_for(&path(pipe)));
    }
    std::fs::write(path("file"), "two").unwrap();
    assert!(!TextStream::is_needed_for(&path("file")));
    assert!(!TextStream::is_needed_for(&path("none")));
    let stream = TextStream::open(["first", "file", "last"].map(path)).unwrap();
    let records = std::thread::scope(|scope| {
        scope.spawn(|| {
            for (pipe, line) in [("first", "one\n"), ("last", "\nthree")] {
                let mut pipe = std::fs::File::create(path(pipe)).unwrap();
                pipe.write_all(line.as_bytes()).unwrap();
            }
        });
        rest(&stream, &[10]).unwrap()
    });
    let text = |text: &str| Ok(text.to_owned());
    let expected = [
        (0, 0, 1, text("one")),
        (1, 1, 1, text("two")),
        (2, 2, 2, text("three")),
    ];
    assert_eq!(records, expected);
}
