//! Parquet and Arrow files give the answer of the same records in JSON lines.

mod damaged;
mod properties;
mod tables;

use std::sync::Arc;

use arrow_array::{ArrayRef, Int64Array, RecordBatch, StringArray};
use parquet::basic::{BrotliLevel, Compression, GzipLevel, ZstdLevel};
use parquet::file::properties::{WriterProperties, WriterVersion};
use tempfile::TempDir;

use super::{EXECUTORS, folder_with, gzip, program, ran, read, run, sample, score, write};
use tables::{table, uuids, write_arrow, write_parquet};

/// The sample as a table.
fn sample_table() -> RecordBatch {
    let text = std::fs::read_to_string(sample()).expect("the sample");
    let records = text
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"));
    let records: Vec<serde_json::Value> = records.collect();
    let texts = |name: &str| -> ArrayRef {
        let texts = records
            .iter()
            .map(|record| record[name].as_str().expect("a text"));
        Arc::new(
            texts
                .collect::<Vec<_>>()
                .into_iter()
                .map(Some)
                .collect::<StringArray>(),
        )
    };
    let ratings = records.iter().map(|record| record["rating"].as_i64());
    table(vec![
        ("id", texts("id")),
        ("product", texts("product")),
        ("category", texts("category")),
        ("rating", Arc::new(ratings.collect::<Int64Array>())),
        ("text", texts("text")),
    ])
}

fn properties() -> parquet::file::properties::WriterPropertiesBuilder {
    WriterProperties::builder()
}

/// A folder with the sample in files of several kinds, and the names of these files.
fn folder_with_sample() -> (TempDir, Vec<&'static str>) {
    let folder = folder_with("r.jsonl", std::fs::read(sample()).expect("the sample"));
    let all = sample_table();
    let at = |name: &str| folder.path().join(name);
    let groups = properties().set_max_row_group_row_count(Some(300));
    let snappy = groups.clone().set_compression(Compression::SNAPPY).build();
    write_parquet(&at("snappy.parquet"), &all, snappy);
    let zstd = properties().set_compression(Compression::ZSTD(ZstdLevel::default()));
    let zstd = zstd
        .set_writer_version(WriterVersion::PARQUET_2_0)
        .set_dictionary_enabled(false);
    write_parquet(
        &at("zstd.pq"),
        &all,
        zstd.set_data_page_row_count_limit(70).build(),
    );
    let others = [
        ("plain", Compression::UNCOMPRESSED),
        ("lz4", Compression::LZ4_RAW),
        ("gzip", Compression::GZIP(GzipLevel::default())),
        ("brotli", Compression::BROTLI(BrotliLevel::default())),
    ];
    for (name, compression) in others {
        write_parquet(
            &at(name),
            &all,
            groups.clone().set_compression(compression).build(),
        );
    }
    write_arrow(&at("r.arrow"), &all, 300, false);
    write_arrow(&at("r.arrows"), &all, 300, true);
    let packed = gzip(&std::fs::read(at("snappy.parquet")).expect("a file"));
    write(&folder, "packed.parquet.gz", packed);
    let packed = gzip(&std::fs::read(at("r.arrows")).expect("a file"));
    write(&folder, "packed", packed);
    let names = vec![
        "snappy.parquet",
        "zstd.pq",
        "plain",
        "lz4",
        "gzip",
        "brotli",
        "r.arrow",
        "r.arrows",
        "packed.parquet.gz",
        "packed",
    ];
    (folder, names)
}

#[test]
fn the_same_records_have_the_same_digest_in_every_kind_of_file() {
    let (folder, names) = folder_with_sample();
    let digest = |files: &[&str], more: &[&str], input: Option<&str>| {
        let mut program = program(folder.path());
        program
            .arg("score")
            .args(files)
            .args(["--with", "sentiment", "--by", "category"]);
        program.args(["--top", "0"]).args(more);
        if let Some(input) = input {
            program.write_stdin(std::fs::read(folder.path().join(input)).expect("a file"));
        }
        let ran = ran(program.output());
        assert_eq!((ran.code, ran.err.as_str()), (0, ""), "{files:?} {more:?}");
        ran.digest().to_owned()
    };
    let expected = digest(&["r.jsonl"], &[], None);
    let [head, drawn] = [["--head", "250"], ["--sample", "50"]];
    let expected_head = digest(&["r.jsonl"], &head, None);
    let expected_drawn = digest(&["r.jsonl"], &drawn, None);
    for name in &names {
        assert_eq!(digest(&[name], &[], None), expected, "{name}");
        assert_eq!(
            digest(&["-"], &[], Some(name)),
            expected,
            "{name} from a pipe"
        );
        assert_eq!(digest(&[name], &head, None), expected_head, "{name}");
        assert_eq!(digest(&[name], &drawn, None), expected_drawn, "{name}");
        assert_eq!(
            digest(&[name], &["--encoding", "latin1", "--lossy"], None),
            expected,
            "{name}"
        );
    }
    for executor in EXECUTORS {
        for name in ["snappy.parquet", "r.arrow", "r.arrows"] {
            let more = ["--executor", executor];
            assert_eq!(
                digest(&[name], &more, None),
                expected,
                "{name} by {executor}"
            );
        }
    }
    // The second file is read after the first one, whether they are read in parts or as a stream.
    let twice = digest(&["r.jsonl", "r.jsonl"], &[], None);
    for files in [
        ["snappy.parquet", "r.arrow"],
        ["r.arrow", "zstd.pq"],
        ["r.jsonl", "snappy.parquet"],
        ["r.arrows", "packed.parquet.gz"],
    ] {
        assert_eq!(digest(&files, &[], None), twice, "{files:?}");
    }
    // A rate limit makes the parts of a file small.
    let more = ["--rate", "1000000/s"];
    assert_eq!(digest(&["snappy.parquet"], &more, None), expected);
}

#[test]
fn scores_and_kept_fields_are_those_of_json_lines() {
    let (folder, _) = folder_with_sample();
    let scores = |file: &str, keep: &[&str]| {
        let ran = score(&folder, file, &[&["-q", "--scores", "-"], keep].concat());
        assert_eq!(ran.code, 0, "{}", ran.err);
        ran.out
    };
    for keep in [&[][..], &["--keep", "product,rating"], &["--keep", "*"]] {
        let expected = scores("r.jsonl", keep);
        for file in ["snappy.parquet", "r.arrow", "r.arrows"] {
            assert_eq!(scores(file, keep), expected, "{file} {keep:?}");
        }
    }
    let report = score(&folder, "snappy.parquet", &["--json"]).json();
    assert_eq!(report["files"][0]["format"], "parquet");
    let length = folder
        .path()
        .join("snappy.parquet")
        .metadata()
        .expect("a file")
        .len();
    assert_eq!(report["files"][0]["bytes"], length);
}

/// The line of a record is its number in its file.
#[test]
fn a_reference_may_be_columnar() {
    let (folder, _) = folder_with_sample();
    write(&folder, "q.jsonl", "{\"product\":\"Midnight Harbour\"}\n");
    let matched = |against: &str| {
        let arguments = [
            "score",
            "q.jsonl",
            "--with",
            "match",
            "--field",
            "product",
            "--against",
            against,
        ];
        let ran = run(
            &folder,
            &[
                &arguments[..],
                &["--against-keep", "*", "--scores", "-", "-q"],
            ]
            .concat(),
        );
        assert_eq!(ran.code, 0, "{}", ran.err);
        ran.out
    };
    let expected = matched("r.jsonl");
    assert!(expected.contains("\"best\":2,"), "{expected}");
    for against in ["snappy.parquet", "r.arrow", "r.arrows", "packed.parquet.gz"] {
        assert_eq!(matched(against), expected, "{against}");
    }
}

#[test]
fn failed_records_are_written_whole_as_json_lines() {
    let texts = StringArray::from(vec![Some("good"), None, Some("bad")]);
    let numbers = Int64Array::from(vec![1, 2, 3]);
    let folder = folder_with("unused", "");
    let all = table(vec![("n", Arc::new(numbers)), ("text", Arc::new(texts))]);
    write_parquet(&folder.path().join("r.parquet"), &all, properties().build());
    let ran = score(&folder, "r.parquet", &["--failures", "failed.jsonl"]);
    assert_eq!(ran.code, 1, "{}", ran.err);
    assert_eq!(read(&folder, "failed.jsonl"), "{\"n\":2,\"text\":null}\n");
    assert!(
        ran.err
            .contains("r.parquet:2: expected a text in field \"text\", found no value"),
        "{}",
        ran.err
    );
    let ran = score(&folder, "r.parquet", &["--failures", "failed.parquet"]);
    let expected = "failed.parquet: failed records are written as they stand in the input, and r.parquet is parquet, \
                    whose records are written as jsonl; choose a name that ends in .jsonl";
    assert_eq!(ran.code, 2);
    assert!(ran.err.contains(expected), "{}", ran.err);
}

#[test]
fn options_that_do_not_fit_a_file_are_told() {
    let (folder, _) = folder_with_sample();
    write(&folder, "text.parquet", "good\n");
    for (arguments, message) in [
        (
            &["snappy.parquet", "--field", "txet"][..],
            "snappy.parquet: has no field \"txet\"; its columns: \"id\", \"product\", \"category\", \"rating\", \"text\"; did you mean \"text\"?\n",
        ),
        (
            &["-", "--field", "txet"],
            "<stdin>: has no field \"txet\"; its columns: \"id\", ",
        ),
        (
            &["r.arrows", "--field", "text.x"],
            "r.arrows: has no field \"text.x\"; its columns: \"id\", ",
        ),
        (
            &["snappy.parquet", "--format", "csv"],
            "snappy.parquet: is a Parquet file, so it cannot be read as csv; leave --format out, or name it parquet",
        ),
        (
            &["r.jsonl", "snappy.parquet", "--format", "jsonl"],
            "snappy.parquet: is a Parquet file, so it cannot be read as jsonl; leave --format out, or name it parquet",
        ),
        (
            &["r.jsonl", "--format", "parquet"],
            "r.jsonl: cannot be read as a Parquet file: it is incomplete, damaged, or of another format",
        ),
        (
            &["r.jsonl", "--format", "arrow"],
            "r.jsonl: cannot be read as an Arrow file: it is incomplete, damaged, or of another format",
        ),
        (
            &["text.parquet"],
            "text.parquet: expected a Parquet file, as the name says, found plain text; if the file is text, name its format with --format",
        ),
    ] {
        let mut program = program(folder.path());
        program
            .args(["score", "--with", "sentiment", "--scores", "out.jsonl"])
            .args(arguments);
        program.write_stdin(std::fs::read(folder.path().join("snappy.parquet")).expect("a file"));
        let ran = ran(program.output());
        assert_eq!(
            (ran.code, ran.out.as_str()),
            (3, ""),
            "{arguments:?}: {}",
            ran.err
        );
        assert!(
            ran.err.starts_with(&format!("error: {message}")),
            "{}",
            ran.err
        );
        assert_eq!(ran.err.lines().count(), 1, "{}", ran.err);
    }
    let good = score(&folder, "text.parquet", &["--format", "text"]);
    assert_eq!(good.code, 0, "{}", good.err);
    // If no column has the name of a field to keep, the warning suggests a column of the file, read or not.
    let kept = score(
        &folder,
        "snappy.parquet",
        &["--keep", "prodct", "--scores", "-"],
    );
    assert!(kept.err.contains("\"product\""), "{}", kept.err);
}

/// The values that JSON cannot hold, or that have more than one usual form, in full.
#[test]
fn values_are_written_in_one_form() {
    let (field, ids) = uuids();
    let decimals = arrow_array::Decimal128Array::from(vec![-5]).with_precision_and_scale(38, 2);
    let all = table(vec![
        (
            "f",
            Arc::new(arrow_array::Float64Array::from(vec![f64::NAN])) as ArrayRef,
        ),
        (
            "g",
            Arc::new(arrow_array::Float32Array::from(vec![f32::NEG_INFINITY])),
        ),
        ("h", Arc::new(arrow_array::Float32Array::from(vec![0.1]))),
        ("d", Arc::new(decimals.expect("valid"))),
        (
            "u",
            Arc::new(arrow_array::UInt64Array::from(vec![u64::MAX])),
        ),
        (
            "t",
            Arc::new(arrow_array::TimestampMillisecondArray::from(vec![-1])),
        ),
        ("text", Arc::new(StringArray::from(vec!["good"]))),
    ]);
    let mut fields: Vec<_> = all.schema().fields().iter().cloned().collect();
    fields.push(Arc::new(field));
    let columns = all.columns().iter().cloned().chain([ids]).collect();
    let all = RecordBatch::try_new(Arc::new(arrow_schema::Schema::new(fields)), columns)
        .expect("one record");
    let folder = folder_with("unused", "");
    let at = |name: &str| folder.path().join(name);
    write_parquet(&at("r.parquet"), &all, properties().build());
    write_arrow(&at("r.arrow"), &all, 1, false);
    for file in ["r.parquet", "r.arrow"] {
        let ran = score(
            &folder,
            file,
            &["--keep", "f,g,h,d,u,t,id", "--scores", "-", "-q"],
        );
        assert_eq!(ran.code, 0, "{}", ran.err);
        let (_, kept) = ran.out.split_once(",\"f\"").expect("it is kept");
        let expected = ":null,\"g\":null,\"h\":0.10000000149011612,\"d\":-0.05,\"u\":18446744073709551615,\
                        \"t\":\"1969-12-31T23:59:59.999\",\"id\":\"00112233-4455-6677-8899-aabbccddeeff\"}\n";
        assert_eq!(kept, expected, "{file}");
    }
}
