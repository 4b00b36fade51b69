//! Tables of every type are read as the same records, no matter how they are stored and how they are read.

use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use arrow_array::{ArrayRef, StringArray};
use manyhands::dataset::{Dataset, OpenOptions, TextSource};
use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::file::properties::{WriterProperties, WriterVersion};
use proptest::prelude::*;
use serde_json::Value;

use super::tables::{KINDS, column, table, write_arrow, write_parquet};

/// A record that was read: its index, its line, and its JSON.
type ReadRecord = (u64, u64, Value);

fn read_parts(source: &TextSource, parts: std::ops::Range<usize>) -> Vec<ReadRecord> {
    let mut found = Vec::new();
    let read = source.read(parts, |position, record| {
        let record = record.unwrap_or_else(|bad| panic!("record {}: {bad}", position.index));
        let json = serde_json::from_str(record.as_str());
        found.push((position.index, position.line, json.expect("JSON")));
        ControlFlow::Continue(())
    });
    read.expect("it can be read");
    found
}

/// Reads all parts on three threads at the same time.
fn read_shared(source: &TextSource) -> Vec<ReadRecord> {
    let (next, found) = (AtomicUsize::new(0), Mutex::default());
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                loop {
                    let part = next.fetch_add(1, Relaxed);
                    if part >= source.parts() {
                        return;
                    }
                    let records = read_parts(source, part..part + 1);
                    let mut found = found.lock().expect("no panic");
                    Vec::extend(&mut found, records);
                }
            });
        }
    });
    let mut found: Vec<ReadRecord> = found.into_inner().expect("no panic");
    found.sort_by_key(|(index, _, _)| *index);
    found
}

/// Reads a file in several ways, and checks that each finds the expected records.
fn check(path: &Path, expected: &[Value], part_bytes: u64) -> Result<(), TestCaseError> {
    let open = || OpenOptions::new().open(&[path]).expect("it can be opened");
    let expected: Vec<ReadRecord> = (0..)
        .zip(expected)
        .map(|(index, value)| (index, index + 1, value.clone()))
        .collect();
    if !open().is_stream() {
        let source = open().with_part_bytes(part_bytes);
        prop_assert_eq!(&read_parts(&source, 0..source.parts()), &expected);
        prop_assert_eq!(&read_shared(&source), &expected);
        let backwards = (0..source.parts())
            .rev()
            .flat_map(|part| read_parts(&source, part..part + 1).into_iter().rev());
        let mut backwards: Vec<_> = backwards.collect();
        backwards.reverse();
        prop_assert_eq!(&backwards, &expected);
        let bytes = if expected.is_empty() {
            0
        } else {
            source.bytes()
        };
        prop_assert_eq!(source.size(0..source.parts()), bytes);
    }
    let stream = TextSource::Stream(
        OpenOptions::new()
            .stream(&[path])
            .expect("it can be opened"),
    );
    let mut found = Vec::new();
    loop {
        let mut taken = read_parts(&stream, 0..7);
        if taken.is_empty() {
            break;
        }
        found.append(&mut taken);
    }
    prop_assert_eq!(&found, &expected);
    Ok(())
}

fn stored() -> impl Strategy<Value = (WriterProperties, usize)> {
    let compression = prop::sample::select(vec![
        Compression::UNCOMPRESSED,
        Compression::SNAPPY,
        Compression::ZSTD(ZstdLevel::default()),
    ]);
    (
        1..20_usize,
        1..9_usize,
        any::<bool>(),
        any::<bool>(),
        compression,
    )
        .prop_map(|(group, page, dictionary, second, compression)| {
            let version = if second {
                WriterVersion::PARQUET_2_0
            } else {
                WriterVersion::PARQUET_1_0
            };
            let properties = WriterProperties::builder()
                .set_max_row_group_row_count(Some(group))
                .set_data_page_row_count_limit(page)
                .set_write_batch_size(page)
                .set_dictionary_enabled(dictionary)
                .set_writer_version(version)
                .set_compression(compression);
            (properties.build(), group)
        })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn a_table_is_read_as_its_records(
        kinds in prop::collection::vec(0..KINDS, 1..5),
        seeds in prop::collection::vec(prop::option::weighted(0.8, any::<i64>()), 0..40),
        (properties, group) in stored(),
        part_bytes in 1..300_u64,
    ) {
        let names: Vec<String> = (0..kinds.len()).map(|place| format!("c{place}")).collect();
        let columns: Vec<_> = kinds.iter().map(|kind| column(*kind, &seeds)).collect();
        let records: Vec<Value> = (0..seeds.len()).map(|record| {
            let members = names.iter().zip(&columns);
            members.map(|(name, (_, values))| (name.clone(), values[record].clone())).collect::<serde_json::Map<_, _>>().into()
        }).collect();
        let arrays = names.iter().zip(&columns).map(|(name, (array, _))| (name.as_str(), ArrayRef::clone(array)));
        let all = table(arrays.collect());
        let folder = tempfile::tempdir().expect("a folder");
        let at = |name: &str| folder.path().join(name);
        // Parquet has no type for some columns.
        write_parquet(&at("r.parquet"), &all, properties);
        check(&at("r.parquet"), &records, part_bytes)?;
        write_arrow(&at("r.arrow"), &all, group, false);
        check(&at("r.arrow"), &records, part_bytes)?;
        write_arrow(&at("r.arrows"), &all, group, true);
        check(&at("r.arrows"), &records, part_bytes)?;
    }
}

/// A row group that is longer than a block is decoded in blocks, and each record is read once.
#[test]
fn a_long_row_group_is_read_in_blocks() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("r.parquet");
    for encoding in [Encoding::DELTA_BINARY_PACKED, Encoding::PLAIN] {
        let seeds: Vec<_> = (0..150_000)
            .map(|seed| (seed % 7 != 0).then_some(seed))
            .collect();
        let (numbers, values) = column(0, &seeds);
        let properties = WriterProperties::builder().set_dictionary_enabled(false);
        let properties = properties.set_encoding(encoding).build();
        write_parquet(&path, &table(vec![("n", numbers)]), properties);
        let records: Vec<_> = values
            .into_iter()
            .map(|n| serde_json::json!({ "n": n }))
            .collect();
        check(&path, &records, 1000).expect("all are read");
    }
    let long = |n: usize| {
        char::from(b'a' + (n % 26) as u8)
            .to_string()
            .repeat(300_000)
    };
    let texts: StringArray = (0..40).map(|n| Some(long(n))).collect();
    for dictionary in [false, true] {
        let all = table(vec![("t", std::sync::Arc::new(texts.clone()) as ArrayRef)]);
        let properties = WriterProperties::builder().set_dictionary_enabled(dictionary);
        write_parquet(&path, &all, properties.build());
        let records: Vec<_> = (0..40)
            .map(|n| serde_json::json!({ "t": long(n) }))
            .collect();
        check(&path, &records, 1).expect("all are read");
    }
}
