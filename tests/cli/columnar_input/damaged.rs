//! Damaged columnar files end a run with an error, and nothing that was good is lost.

use std::ops::ControlFlow;
use std::path::Path;

use arrow_array::ArrayRef;
use manyhands::dataset::{Dataset, OpenOptions};
use parquet::basic::Compression;
use parquet::file::reader::{FileReader as _, SerializedFileReader};

use super::tables::{KINDS, column, table, write_arrow, write_parquet};
use super::{EXECUTORS, folder_with, gzip, properties, read, sample_table, score, write};

#[test]
fn a_file_without_its_footer_is_refused() {
    let folder = folder_with("unused", "");
    write_parquet(
        &folder.path().join("r.parquet"),
        &sample_table(),
        properties().build(),
    );
    write_arrow(&folder.path().join("r.arrow"), &sample_table(), 300, false);
    for (file, name) in [
        ("r.parquet", "a Parquet file"),
        ("r.arrow", "an Arrow file"),
    ] {
        let whole = std::fs::read(folder.path().join(file)).expect("a file");
        let mut footer = whole.clone();
        let end = footer.len() - 60;
        footer[end..][..20].fill(0xa5);
        for (what, bytes) in [
            ("footer", &footer[..]),
            ("half", &whole[..whole.len() / 2]),
            ("short", &whole[..12]),
            ("end", &whole[..whole.len() - 1]),
        ] {
            write(&folder, "bad", bytes);
            let ran = score(&folder, "bad", &["--scores", "out.jsonl"]);
            assert_eq!(
                (ran.code, ran.out.as_str()),
                (3, ""),
                "{file} {what}: {}",
                ran.err
            );
            let expected = format!(
                "error: bad: cannot be read as {name}: it is incomplete, damaged, or of another format ("
            );
            assert!(ran.err.starts_with(&expected), "{file} {what}: {}", ran.err);
            assert_eq!(ran.err.lines().count(), 1, "{}", ran.err);
            assert!(!folder.path().join("out.jsonl").exists());
        }
    }
}

/// The records before the damage are the same in every run, and are kept.
#[test]
fn damage_in_the_middle_ends_a_run_at_the_same_record() {
    let folder = folder_with("unused", "");
    let path = folder.path().join("r.parquet");
    let groups = properties()
        .set_max_row_group_row_count(Some(400))
        .set_compression(Compression::SNAPPY);
    write_parquet(&path, &sample_table(), groups.build());
    let mut bytes = std::fs::read(&path).expect("a file");
    let file = std::fs::File::open(&path).expect("a file");
    let reader = SerializedFileReader::new(file).expect("it can be read");
    let (start, length) = reader.metadata().row_group(2).column(4).byte_range();
    bytes[start as usize..][..length as usize].fill(0xff);
    write(&folder, "bad.parquet", &bytes);
    let packed = gzip(&bytes);
    write(&folder, "bad.gz", &packed);
    let mut expected = None;
    for executor in EXECUTORS {
        for file in ["bad.parquet", "bad.gz"] {
            let more = [
                "--executor",
                executor,
                "--scores",
                "out.jsonl",
                "--force",
                "-j",
                "3",
            ];
            let ran = score(&folder, file, &more);
            assert_eq!(
                (ran.code, ran.out.as_str()),
                (3, ""),
                "{executor} {file}: {}",
                ran.err
            );
            let message = format!(
                "{file}:801: cannot be read on from this record, because the data of a Parquet file is damaged"
            );
            assert!(ran.err.contains(&message), "{executor}: {}", ran.err);
            let kept = read(&folder, "out.jsonl.partial");
            // The last line is that of the record at which the run has ended.
            assert_eq!(kept.lines().count(), 801, "{executor} {file}");
            let last = kept.lines().last().expect("lines");
            assert!(last.starts_with("{\"record\":801,\"error\":"), "{last}");
            let scores = kept.replace(file, "");
            assert_eq!(expected.get_or_insert_with(|| scores.clone()), &scores);
        }
    }
    // Another column can be read.
    let ran = super::run(
        &folder,
        &[
            "score",
            "bad.parquet",
            "--with",
            "number",
            "--field",
            "rating",
        ],
    );
    assert_eq!(ran.code, 0, "{}", ran.err);
}

/// The number of records of a file, or the reason why it cannot be read.
fn outcome(path: &Path) -> Result<u64, String> {
    let source = OpenOptions::new()
        .open(&[path])
        .map_err(|error| error.to_string())?;
    let mut records = 0;
    loop {
        let mut last = None;
        let read = source.read(0..source.parts(), |_, record| match record {
            Err(bad) => {
                last = Some(bad.to_string());
                ControlFlow::Break(())
            }
            Ok(record) => {
                records += 1;
                assert!(record.as_str().starts_with('{'));
                ControlFlow::Continue(())
            }
        });
        let read = read.map_err(|error| error.to_string())?;
        if let Some(last) = last {
            return Err(last);
        }
        if read.ended || !source.is_stream() {
            return Ok(records);
        }
    }
}

/// No change of a file makes the program panic, or lose records without an error.
#[test]
fn changed_bytes_are_an_error_or_leave_every_record() {
    const RECORDS: u64 = 60;
    let seeds: Vec<_> = (0..RECORDS as i64)
        .map(|seed| (seed % 5 != 0).then_some(seed * 97))
        .collect();
    let names: Vec<String> = (0..KINDS).map(|kind| format!("c{kind}")).collect();
    let columns = names
        .iter()
        .enumerate()
        .map(|(kind, name)| (name.as_str(), column(kind, &seeds).0));
    let all = table(columns.collect::<Vec<(&str, ArrayRef)>>());
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name);
    write_parquet(
        &at("r.parquet"),
        &all,
        properties().set_max_row_group_row_count(Some(25)).build(),
    );
    write_arrow(&at("r.arrow"), &all, 25, false);
    write_arrow(&at("r.arrows"), &all, 25, true);
    let mut random = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = |below: usize| {
        random = random
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (random >> 33) as usize % below
    };
    let tries: usize =
        std::env::var("COLUMNAR_TRIES").map_or(400, |tries| tries.parse().expect("a number"));
    for (name, is_stream) in [("r.parquet", false), ("r.arrow", false), ("r.arrows", true)] {
        let whole = std::fs::read(at(name)).expect("a file");
        let mut refused = 0;
        for _ in 0..tries {
            let mut bytes = whole.clone();
            match next(4) {
                0 => bytes.truncate(next(whole.len())),
                1 => {
                    let start = next(whole.len());
                    let end = (start + 1 + next(40)).min(whole.len());
                    bytes[start..end].fill(next(256) as u8);
                }
                // The metadata at the end is changed more often.
                2 => {
                    let place = whole.len() - 1 - next(whole.len() / 8);
                    bytes[place] ^= 1 << next(8);
                }
                _ => bytes[next(whole.len())] ^= 1 << next(8),
            }
            // The first bytes say what the file is, so that a change of them makes it text.
            let mark = whole.len().min(8).min(bytes.len());
            bytes[..mark].copy_from_slice(&whole[..mark]);
            std::fs::write(at("changed"), &bytes).expect("a file");
            match outcome(&at("changed")) {
                Ok(records) if is_stream => assert!(records <= RECORDS),
                Ok(records) => assert_eq!(records, RECORDS, "{name}"),
                Err(_) => refused += 1,
            }
        }
        assert!(refused > tries / 10, "{name}: {refused}");
    }
}
