//! The first records of a dataset, and samples of its records.

use std::io::Read;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use manyhands::aggregation::Sample;
use manyhands::dataset::{FormatName, LoadedRecords, OpenOptions, TextSource, TextStream};
use manyhands::prelude::*;
use proptest::prelude::*;

/// A record: its index in the input, its file, its line, and its text, or the message of its error.
type Named = (u64, usize, u64, String);

/// The records of a dataset, which may be a stream.
fn records<D>(dataset: &D) -> Vec<Named>
where
    D: for<'a> Dataset<Record<'a> = TextRecord<'a>>,
{
    let mut all: Vec<Named> = Vec::new();
    loop {
        let outcome = dataset.read(0..dataset.parts(), |at, record| {
            assert_eq!(at.index, all.len() as u64, "indices have no gaps");
            let text = match record {
                Ok(record) => record.as_str().to_owned(),
                Err(bad) => bad.to_string(),
            };
            all.push((dataset.index_in_input(at.index), at.file, at.line, text));
            ControlFlow::Continue(())
        });
        if outcome.expect("it can be read").ended || !dataset.is_stream() {
            return all;
        }
    }
}

fn bytes() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        4 => Just(&b"{\"a\":1}"[..]),
        2 => Just(&b"\"x\ny\","[..]),
        2 => Just(&b"x,y"[..]),
        4 => Just(&b"\n"[..]),
        1 => Just(&b"\r\n"[..]),
        1 => Just(&b"\r"[..]),
        1 => Just(&b"\xff"[..]),
        1 => Just(&b"more than ten bytes"[..]),
    ];
    proptest::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

fn format() -> impl Strategy<Value = FormatName> {
    prop_oneof![
        Just(FormatName::JsonLines),
        Just(FormatName::Csv),
        Just(FormatName::Text),
    ]
}

proptest! {
    #[test]
    fn a_head_is_the_beginning_and_a_sample_is_the_choice_of_the_aggregator(
        files in proptest::collection::vec(bytes(), 1..4),
        format in format(),
        wanted in 0_u64..40,
        seed in any::<u64>(),
        part_bytes in 1_u64..30,
    ) {
        let folder = tempfile::tempdir().unwrap();
        let paths: Vec<_> = (0..files.len()).map(|file| folder.path().join(file.to_string())).collect();
        for (path, bytes) in paths.iter().zip(&files) {
            // This header contains a valid character beyond ASCII, so the file is not refused as a whole.
            std::fs::write(path, ["a,é\n".as_bytes(), bytes].concat()).unwrap();
        }
        let options = OpenOptions::new().format(format).max_record(10);
        let open = |options: &OpenOptions| options.open(&paths).unwrap().with_part_bytes(part_bytes);
        let all = records(&open(&options));

        let first = &all[..all.len().min(wanted as usize)];
        let head = options.clone().head(wanted);
        prop_assert_eq!(records(&open(&head)), first);
        prop_assert_eq!(records(&options.stream(&paths).unwrap().head(wanted)), first);

        let mut choice = Sample::new(wanted as usize, seed);
        for record in &all {
            choice.observe(record.0, &record.0);
        }
        let chosen: Vec<Named> = choice.finish().iter().map(|one| all[one.score as usize].clone()).collect();
        let sample = open(&options).sample(wanted, seed).unwrap();
        prop_assert_eq!(records(&sample), chosen.clone());
        let from_stream = LoadedRecords::sample(&options.stream(&paths).unwrap(), wanted, seed).unwrap();
        prop_assert_eq!(from_stream.len(), chosen.len());
        prop_assert_eq!(records(&from_stream), chosen);
    }
}

/// A reader that never ends. It counts its reads, and counts how often it is dropped.
struct Endless<'a> {
    reads: &'a AtomicUsize,
    dropped: &'a AtomicUsize,
}

impl Read for Endless<'_> {
    fn read(&mut self, room: &mut [u8]) -> std::io::Result<usize> {
        self.reads.fetch_add(1, Relaxed);
        let line = b"{\"a\":1}\n";
        room[..line.len()].copy_from_slice(line);
        Ok(line.len())
    }
}

impl Drop for Endless<'_> {
    fn drop(&mut self) {
        self.dropped.fetch_add(1, Relaxed);
    }
}

#[test]
fn an_input_is_dropped_with_the_last_record_and_read_no_further() {
    let (reads, dropped) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let endless = Endless {
        reads: &reads,
        dropped: &dropped,
    };
    let stream = TextStream::new("endless", endless).head(3);
    let mut taken = 0;
    while taken < 3 {
        assert_eq!(dropped.load(Relaxed), 0);
        let took = stream.take(1, |_, record| {
            assert!(record.is_ok());
            taken += 1;
            ControlFlow::Continue(())
        });
        assert!(took.expect("lines").is_some());
    }
    assert_eq!(dropped.load(Relaxed), 1);
    let before = reads.load(Relaxed);
    let over = stream.take(1, |_, _| panic!("there were three records"));
    assert_eq!(over.expect("no fault"), None);
    assert_eq!(reads.load(Relaxed), before);
    assert!(matches!(
        OpenOptions::new().head(0).open(&["no/such/file"]),
        Err(Error::Input { .. })
    ));
}

/// Reports and sinks name the records of a sample by their indices in the input.
#[test]
fn a_run_over_a_sample_names_the_records_of_the_input() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("lines.txt");
    let lines: String = (0..500).map(|line| format!("{line}\n")).collect();
    std::fs::write(&path, lines).unwrap();
    let sample = OpenOptions::new().open(&[&path]).unwrap();
    let sample = sample.sample(50, 9).unwrap();
    assert!(matches!(sample, TextSource::Loaded(_)));
    let indices: Vec<u64> = (0..50).map(|place| sample.index_in_input(place)).collect();
    let task = fallible(
        |record: &TextRecord<'_>| match record.as_str().parse::<u64>() {
            Ok(line) if indices.contains(&line) => Err(line.to_string()),
            other => Ok(other.unwrap_or(u64::MAX) as f64),
        },
    );
    let report = Pipeline::new(&sample, task)
        .aggregate(Count::new())
        .unwrap();
    assert_eq!((report.records, report.failed), (50, 50));
    for (failure, index) in report.failures.iter().zip(&indices) {
        assert_eq!(failure.index, *index);
        assert_eq!(failure.cause.to_string(), index.to_string());
        assert_eq!(
            failure.place.as_ref().map(|place| place.line),
            Some(index + 1)
        );
    }
}
