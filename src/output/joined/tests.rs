//! Tests of joining made-up scores files, of which the test knows both forms: those of the shards and that of the whole.

use std::fs;
use std::path::PathBuf;

use proptest::prelude::*;

use super::*;
use crate::output::{Endpoints, Output, OutputCompression, WrittenFile};

/// A path that needs quotes in a table and escapes in JSON, and that a spreadsheet takes for a formula.
const PATH: &str = "=in \"1\",\u{202e}ä\t\\.jsonl";

/// What happened to a record.
#[derive(Clone, Debug)]
enum Line {
    Scored(String),
    Skipped(String),
    /// A failure at this number of lines after the beginning of the record's file.
    Failed(u64, String),
    Placeless(String),
}

/// The form of a scores file that the test writes.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Form {
    Json,
    Table { delimiter: char, is_safe: bool },
}

impl Form {
    fn json_text(text: &str) -> String {
        crate::visible::to_json(text).expect("a text")
    }

    fn cell(self, text: &str) -> String {
        let Form::Table { delimiter, is_safe } = self else {
            return Form::json_text(text);
        };
        let text = match is_safe && text.starts_with(['=', '+', '-', '@', '\t', '\r']) {
            true => format!("'{text}"),
            false => text.to_owned(),
        };
        match text.contains(['"', '\n', '\r', delimiter]) {
            true => format!("\"{}\"", text.replace('"', "\"\"")),
            false => text,
        }
    }

    /// The line of the record with this number. `lines` is the number of lines before the ones of its place.
    fn line(self, line: &Line, number: u64, lines: u64) -> String {
        let (value, error, skipped) = match line {
            Line::Scored(value) => (value.clone(), String::new(), String::new()),
            Line::Skipped(why) => (String::new(), String::new(), why.clone()),
            Line::Failed(at, why) => (
                String::new(),
                format!("{PATH}:{}:7: {why}", lines + at),
                String::new(),
            ),
            Line::Placeless(why) => (
                String::new(),
                format!("record {number}: {why}"),
                String::new(),
            ),
        };
        if let Form::Table { delimiter, .. } = self {
            let cells = [&value, &error, &skipped].map(|text| self.cell(text));
            return format!(
                "{number}{delimiter}{}\n",
                cells.join(&delimiter.to_string())
            );
        }
        let member = match line {
            Line::Scored(_) => format!("\"pos\":0.5,\"kept\":{}", self.cell(&value)),
            Line::Skipped(_) => format!("\"skipped\":{}", self.cell(&skipped)),
            Line::Failed(..) | Line::Placeless(_) => format!("\"error\":{}", self.cell(&error)),
        };
        format!("{{\"record\":{number},{member}}}\n")
    }

    fn header(self) -> String {
        match self {
            Form::Json => String::new(),
            Form::Table { delimiter, .. } => {
                ["record", "\"two\nlines\"", "error", "skipped\n"].join(&delimiter.to_string())
            }
        }
    }

    fn format(self) -> ScoresFormat {
        match self {
            Form::Json => ScoresFormat::JsonLines,
            Form::Table { delimiter: ',', .. } => ScoresFormat::Csv,
            Form::Table { .. } => ScoresFormat::Tsv,
        }
    }

    fn copier(self, shard: &ShardScores<'_>) -> Box<dyn RecordCopier> {
        match self {
            Form::Json => Box::new(JsonLinesCopier::new(shard)),
            Form::Table { delimiter, .. } => Box::new(DelimitedCopier::new(shard, delimiter as u8)),
        }
    }
}

fn forms() -> impl Strategy<Value = Form> {
    let table = (prop::sample::select(vec![',', '\t']), any::<bool>());
    let table = table.prop_map(|(delimiter, is_safe)| Form::Table { delimiter, is_safe });
    prop_oneof![Just(Form::Json), table]
}

fn texts() -> impl Strategy<Value = String> {
    let awkward = [
        "\"",
        "\n",
        ",",
        "\t",
        ",,\n",
        "\"error\":\"",
        "record 1: ",
        PATH,
        ":1:",
        "é",
        "\\",
        "{\"record\":1,",
        "",
    ];
    prop::collection::vec(prop::sample::select(awkward.to_vec()), 0..6)
        .prop_map(|parts| parts.concat())
}

fn lines() -> impl Strategy<Value = Vec<Line>> {
    let line = prop_oneof![
        4 => texts().prop_map(Line::Scored),
        1 => texts().prop_map(Line::Skipped),
        2 => (1..2000_u64, texts()).prop_map(|(at, why)| Line::Failed(at, why)),
        1 => texts().prop_map(Line::Placeless),
    ];
    prop::collection::vec(line, 0..40)
}

/// What a shard with these records has written, and what stands there in the whole. `before` and `lines` are the numbers
/// of records and lines before the shard; lines count only for the first `first` records.
fn two_forms(form: Form, lines: &[Line], before: u64, first: u64, moved: u64) -> (String, String) {
    let mut own = form.header();
    let mut whole = String::new();
    for (number, line) in (1..).zip(lines) {
        own += &form.line(line, number, 0);
        whole += &form.line(
            line,
            before + number,
            if number <= first { moved } else { 0 },
        );
    }
    (own, whole)
}

fn shard<'a>(records: usize, before: u64, first: u64, moved: u64) -> ShardScores<'a> {
    ShardScores {
        path: Path::new("unused"),
        records: records as u64,
        records_before: before,
        written: WrittenFile { bytes: 0, hash: 0 },
        first_lines: Some(FirstLines {
            path: Path::new(PATH),
            records: first,
            lines_before: moved,
        }),
    }
}

proptest! {
    /// The bytes arrive in pieces of any lengths, as they do at the ends of blocks.
    #[test]
    fn records_are_renumbered_in_any_pieces(
        form in forms(),
        lines in lines(),
        before in prop::sample::select(vec![0, 1, 8, 90, 99_999, 1 << 60]),
        first in 0..50_u64,
        moved in prop::sample::select(vec![0, 1, 8, 1_000_000, 1 << 62]),
        pieces in prop::collection::vec(1..60_usize, 1..10),
    ) {
        let (own, whole) = two_forms(form, &lines, before, first, moved);
        let mut copier = form.copier(&shard(lines.len(), before, first, moved));
        let (mut waiting, mut out) = (Vec::new(), Vec::new());
        let (mut rest, mut lengths) = (own.as_bytes(), pieces.iter().cycle());
        while let Some(length) = lengths.next().filter(|_| !rest.is_empty()) {
            let (piece, after) = rest.split_at((*length).min(rest.len()));
            waiting.extend_from_slice(piece);
            let copied = copier.copy(&waiting, &mut out).expect("the records of the shard");
            waiting.drain(..copied);
            rest = after;
        }
        prop_assert!(waiting.is_empty());
        prop_assert_eq!(copier.finish(), Ok(()));
        prop_assert_eq!(String::from_utf8(out).expect("text"), whole);
    }
}

struct Files {
    folder: tempfile::TempDir,
}

impl Files {
    fn new() -> Self {
        Files {
            folder: tempfile::tempdir().expect("a folder"),
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, contents: impl AsRef<[u8]>) -> PathBuf {
        fs::write(self.path(name), contents).expect("space");
        self.path(name)
    }

    /// Joins files with these numbers of records to a file of this name. Returns the error, after checking that there is
    /// neither a file nor a temporary file.
    fn refused(&self, shards: &[(&Path, u64)], out: &str) -> Error {
        let error = self
            .join(&self.shards(shards), out)
            .expect_err("it is refused");
        let names = fs::read_dir(self.folder.path()).expect("a folder");
        let names: Vec<_> = names
            .map(|entry| entry.expect("a name").file_name())
            .collect();
        let is_output = |name: &std::ffi::OsString| {
            name == out || name.as_encoded_bytes().starts_with(b".manyhands")
        };
        assert!(!names.iter().any(is_output), "{names:?}");
        error
    }

    fn shards<'a>(&self, shards: &[(&'a Path, u64)]) -> Vec<ShardScores<'a>> {
        let mut before = 0;
        let shards = shards.iter().map(|&(path, records)| {
            let records_before = before;
            before += records;
            ShardScores {
                path,
                records,
                records_before,
                written: WrittenFile::of(path).expect("a file"),
                first_lines: None,
            }
        });
        shards.collect()
    }

    fn join(&self, shards: &[ShardScores<'_>], out: &str) -> Result<u64, Error> {
        let path = self.path(out);
        let to = Endpoints::new().open(&Output::new("the scores", &path))?;
        let joined = join_scores(shards, to, &ScoresOptions::of(&path)?)?;
        joined.file.publish().map(|()| joined.records)
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn shards_are_joined_to_the_whole(
        form in forms(),
        shards in prop::collection::vec((lines(), 0..20_u64, 0..100_u64), 1..6),
    ) {
        let files = Files::new();
        let (mut whole, mut before) = (form.header(), 0);
        let mut paths = Vec::new();
        for (number, (lines, first, moved)) in shards.iter().enumerate() {
            let (own, in_whole) = two_forms(form, lines, before, *first, *moved);
            let packed = match number % 3 {
                0 => own.into_bytes(),
                1 => zstd::encode_all(own.as_bytes(), 1).expect("memory"),
                _ => {
                    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
                    packed.write_all(own.as_bytes()).expect("memory");
                    packed.finish().expect("memory")
                }
            };
            paths.push(files.write(&number.to_string(), packed));
            whole += &in_whole;
            before += lines.len() as u64;
        }
        let mut before = 0;
        let joined: Vec<_> = paths.iter().zip(&shards).map(|(path, (lines, first, moved))| {
            let shard = ShardScores {
                path,
                written: WrittenFile::of(path).expect("a file"),
                ..shard(lines.len(), before, *first, *moved)
            };
            before += lines.len() as u64;
            shard
        }).collect();
        let ending = match form.format() {
            ScoresFormat::Csv => "csv",
            ScoresFormat::Tsv => "tsv",
            _ => "jsonl",
        };
        let out = format!("out.{ending}");
        prop_assert_eq!(files.join(&joined, &out).expect("the whole"), before);
        prop_assert_eq!(fs::read_to_string(files.path(&out)).expect("a file"), whole);
        // A compressed file is that of an encoder that receives the whole.
        let path = files.path("expected");
        let to = Endpoints::new().open(&Output::new("the scores", &path)).expect("a file");
        let mut encoder = OutputEncoder::new(to, OutputCompression::Gzip).expect("memory");
        encoder.write_all(&fs::read(files.path(&out)).expect("a file")).expect("space");
        encoder.finish().expect("space").finish().expect("space");
        let out = format!("out.{ending}.gz");
        files.join(&joined, &out).expect("the whole");
        prop_assert_eq!(fs::read(files.path(&out)).expect("a file"), fs::read(path).expect("a file"));
    }
}

/// Lines that are longer than the blocks in which files are read.
#[test]
fn huge_lines_are_copied() {
    for form in [
        Form::Json,
        Form::Table {
            delimiter: ',',
            is_safe: false,
        },
    ] {
        let files = Files::new();
        let long = "\"x\n,".repeat(300_000);
        let lines = [
            Line::Scored(long.clone()),
            Line::Failed(3, long.clone()),
            Line::Scored(String::new()),
        ];
        let (own, whole) = two_forms(form, &lines, 0, 3, 1000);
        let path = files.write("shard", own);
        let mut shards = files.shards(&[(&path, 3)]);
        shards[0].first_lines = shard(3, 0, 3, 1000).first_lines;
        let out = if form == Form::Json {
            "out.jsonl"
        } else {
            "out.csv"
        };
        files.join(&shards, out).expect("the whole");
        let joined = fs::read_to_string(files.path(out)).expect("a file");
        assert!(joined == form.header() + &whole);
    }
}

#[test]
fn a_changed_file_is_refused() {
    let files = Files::new();
    let first = "{\"record\":1,\"pos\":0.5}\n{\"record\":2,\"pos\":0.25}\n";
    let one = files.write("one", first);
    let gzip = |contents: &str| {
        let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        packed.write_all(contents.as_bytes()).expect("memory");
        packed.finish().expect("memory")
    };
    let mut cut = gzip(first);
    let place = cut.len() / 2;
    cut[place] ^= 0xff;
    for (was, is, reason) in [
        (
            first.into(),
            first.replace("0.5", "0.6").into_bytes(),
            "its bytes are not those",
        ),
        (
            first.into(),
            first.replace("\":1,", "\":7,").into_bytes(),
            "its bytes are not those",
        ),
        (
            first.into(),
            first.replace("0.5", "0.55").into_bytes(),
            "it has 48 bytes, not 47",
        ),
        (gzip(first), cut, ""),
        (
            zstd::encode_all(first.as_bytes(), 1).expect("memory"),
            vec![0x28; 30],
            "bytes, not",
        ),
    ] {
        let two = files.write("two", was);
        let shards = files.shards(&[(&one, 2), (&two, 2)]);
        files.write("two", is);
        let error = files
            .join(&shards, "out.jsonl")
            .expect_err("it has changed");
        let message = error.to_string();
        assert!(matches!(error, Error::Input { path, .. } if path == two));
        let changed = "has changed since its shard was scored: ";
        assert!(
            message.contains(changed) && message.contains(reason),
            "{message}"
        );
        assert_eq!(
            fs::read_dir(files.folder.path()).expect("a folder").count(),
            2
        );
    }
}

#[test]
fn files_that_do_not_hold_the_records_of_their_shards_are_refused() {
    let files = Files::new();
    for (contents, records, reason) in [
        (
            "{\"record\":1}\n{\"record\":2}\n",
            1,
            "it has more than 1 records",
        ),
        (
            "{\"record\":1}\n{\"record\":2}\n",
            3,
            "it has 2 of 3 records",
        ),
        ("{\"record\":1}\n{\"record\":3}\n", 2, "record 2 is missing"),
        ("{\"record\":12}\n", 1, "record 1 is missing"),
        ("{\"neg\":1}\n", 1, "record 1 is missing"),
        (
            "{\"record\":1}\n{\"record\":2",
            2,
            "it ends inside a record",
        ),
        ("{\"record\":1}\nx", 1, "it ends inside a record"),
        ("", 1, "it has 0 of 1 records"),
    ] {
        let path = files.write("shard", contents);
        let message = files.refused(&[(&path, records)], "out.jsonl").to_string();
        let expected =
            format!("does not hold the records of its shard: {reason}; run the shard again");
        assert!(message.ends_with(&expected), "{message}");
    }
    let long = format!("{{\"record\":1,\"kept\":\"{}", "x".repeat(1000));
    let path = files.write("shard", long);
    let message = files.refused(&[(&path, 1)], "out.jsonl").to_string();
    assert!(message.contains("it ends inside a record"), "{message}");
    for (contents, records, reason) in [
        ("record,error,skipped\n1,,\n3,,\n", 2, "record 2 is missing"),
        (
            "record,error,skipped\n1,,\n2,,",
            2,
            "it ends inside a record",
        ),
        (
            "record,error,skipped\n1,,\n2,\",\n",
            2,
            "it ends inside a record",
        ),
        ("record,error,skipped\n", 1, "it has 0 of 1 records"),
        ("record,error,skipped\n1\t,\n", 1, "record 1 is missing"),
    ] {
        let path = files.write("shard", contents);
        let message = files.refused(&[(&path, records)], "out.csv").to_string();
        assert!(message.contains(reason), "{message}");
    }
}

#[test]
fn formats_that_cannot_be_joined_are_refused() {
    let files = Files::new();
    let json = files.write("json", "{\"record\":1}\n");
    let csv = files.write("csv", "record,error,skipped\n1,,\n");
    let tsv = files.write("tsv", "record\terror\tskipped\n1\t\t\n");
    let message = |shards: &[(&Path, u64)], out: &str| files.refused(shards, out).to_string();
    for (path, out, remedy) in [
        (
            &json,
            "out.csv",
            "JSON lines, from which CSV cannot be made exactly; end the name of the output in .jsonl",
        ),
        (
            &csv,
            "out.jsonl",
            "or write the scores of the shards as JSON lines",
        ),
        (
            &tsv,
            "out.csv.gz",
            "TSV, from which CSV cannot be made exactly; end the name of the output in .tsv",
        ),
    ] {
        let error = files.refused(&[(path, 1)], out);
        assert!(matches!(error, Error::Plan(_)));
        assert!(error.to_string().contains(remedy), "{error}");
    }
    #[cfg(feature = "parquet")]
    assert!(
        message(&[(&json, 1)], "out.parquet")
            .ends_with("exactly; end the name of the output in .jsonl")
    );
    let mixed = message(&[(&json, 1), (&csv, 1)], "out.jsonl");
    assert!(
        mixed.contains("is CSV, but ") && mixed.contains("is JSON lines; write the scores of all"),
        "{mixed}"
    );
    assert!(mixed.contains(&*csv.to_string_lossy()) && mixed.contains(&*json.to_string_lossy()));
    for (contents, kind) in [
        ("PAR1....", "a Parquet file"),
        ("ARROW1..", "an Arrow file"),
    ] {
        let path = files.write("columnar", contents);
        let refused = message(&[(&path, 1)], "out.jsonl");
        let expected = format!(
            "is {kind}, whose records cannot be joined; write the scores of the shards as JSON"
        );
        assert!(refused.contains(&expected), "{refused}");
    }
    for contents in ["hello", "record", "record,error,\"skipped"] {
        let path = files.write("other", contents);
        assert!(message(&[(&path, 1)], "out.jsonl").contains("is no scores file; write"));
    }
}

#[test]
fn tables_with_other_columns_are_refused() {
    let files = Files::new();
    let one = files.write("one", "record,a,error,skipped\n1,x,,\n");
    let two = files.write("two", "record,b,error,skipped\n1,x,,\n");
    let error = files
        .refused(&[(&one, 1), (&two, 1)], "out.csv")
        .to_string();
    let expected = format!(
        "{}: has other columns than {}; write",
        two.display(),
        one.display()
    );
    assert!(error.starts_with(&expected), "{error}");
    assert!(
        error.contains("as JSON lines (.jsonl), or name the columns with --columns"),
        "{error}"
    );
    // The columns of a shard without records do not matter.
    let empty = files.write("empty", "record,error,skipped\n");
    for shards in [
        [(&*empty, 0), (&*one, 1), (&*empty, 0)],
        [(&*one, 1), (&*empty, 0), (&*empty, 0)],
        [(&*empty, 0), (&*empty, 0), (&*one, 1)],
    ] {
        files
            .join(&files.shards(&shards), "out.csv")
            .expect("one table");
        assert_eq!(
            fs::read(files.path("out.csv")).expect("a file"),
            fs::read(&one).expect("a file")
        );
        fs::remove_file(files.path("out.csv")).expect("a file");
    }
    files
        .join(&files.shards(&[(&empty, 0), (&empty, 0)]), "out.csv")
        .expect("no records");
    assert_eq!(
        fs::read(files.path("out.csv")).expect("a file"),
        b"record,error,skipped\n"
    );
}

#[test]
fn shards_that_leave_gaps_and_options_of_shards_are_refused() {
    let files = Files::new();
    let one = files.write("one", "{\"record\":1}\n");
    let mut shards = files.shards(&[(&one, 1), (&one, 1)]);
    shards[1].records_before = 2;
    let error = files
        .join(&shards, "out.jsonl")
        .expect_err("a gap")
        .to_string();
    assert!(
        error.contains(
            "its first record is number 3 of the whole, but the shards before it have 1 records"
        ),
        "{error}"
    );
    let error = files
        .join(&[], "out.jsonl")
        .expect_err("no shards")
        .to_string();
    assert!(error.starts_with("there are no shards"), "{error}");
    let csv = ScoresOptions::new(ScoresFormat::Csv);
    for options in [csv.clone().csv_safe(true), csv.columns(["a"])] {
        let to = Endpoints::new().open(&Output::new("the scores", files.path("out.csv")));
        let joined = join_scores(&files.shards(&[(&one, 1)]), to.expect("a file"), &options);
        let error = joined.expect_err("an option of the shards").to_string();
        assert!(error.contains("when the shards are scored"), "{error}");
    }
}

fn matched_scores(
    files: &[PathBuf],
    written: &[Option<WrittenFile>],
) -> Result<Vec<PathBuf>, Error> {
    let scores = ShardFiles {
        name: "scores file",
        option: "--scores",
        written: written.to_vec(),
        are_wanted: true,
    };
    match_files(files, &[scores]).map(|mut paths| paths.remove(0))
}

#[test]
fn several_kinds_of_files_are_matched_from_one_list() {
    let files = Files::new();
    let names = ["", "a", "b", "c"];
    let [empty, a, b, c] = names.map(|name| files.write(&format!("{name}.file"), name));
    let of = |path: &PathBuf| Some(WrittenFile::of(path).expect("a file"));
    let kind = |name, written: [Option<WrittenFile>; 2], are_wanted| ShardFiles {
        name,
        option: "--option",
        written: written.to_vec(),
        are_wanted,
    };
    let kinds = |are_wanted| {
        [
            kind("one", [of(&empty), of(&a)], true),
            kind("two", [of(&b), of(&empty)], are_wanted),
            kind("three", [of(&c), None], false),
        ]
    };
    let list = [c.clone(), b.clone(), empty.clone(), a.clone()];
    let (one, two) = (
        vec![empty.clone(), a.clone()],
        vec![b.clone(), empty.clone()],
    );
    let both = match_files(&list, &kinds(true)).expect("all files");
    assert_eq!(both, [one.clone(), two, Vec::new()]);
    let single = match_files(&list, &kinds(false)).expect("all files");
    assert_eq!(single, [one, Vec::new(), Vec::new()]);
    let without_b = [empty.clone(), a.clone()];
    match_files(&without_b, &kinds(false)).expect("all files that are wanted");
    let refused = match_files(&without_b, &kinds(true)).expect_err("a file is missing");
    let expected = "shard 1 of 2: none of the 2 files is its two, which has 1 bytes";
    assert!(refused.to_string().starts_with(expected), "{refused}");
    let mut all = kinds(true);
    all[2].are_wanted = true;
    let refused = match_files(&list, &all).expect_err("no such file was written");
    let expected = "shard 2 of 2: it was scored without a three; score it again with --option";
    assert!(refused.to_string().starts_with(expected), "{refused}");
}

#[test]
fn files_are_matched_by_their_bytes() {
    let files = Files::new();
    let names = ["a", "b", "c", "d", "e"];
    let paths = names.map(|name| files.write(name, if name < "c" { "" } else { name }));
    let [a, b, c, d, e] = paths.clone();
    let of = |path: &PathBuf| Some(WrittenFile::of(path).expect("a file"));
    let written = [of(&d), of(&a), of(&c), of(&a), of(&a)];
    let matched = matched_scores(
        &[a.clone(), b.clone(), c.clone(), d.clone(), d.clone()],
        &written,
    );
    assert_eq!(
        matched.expect("all files"),
        [d.clone(), a.clone(), c.clone(), b.clone(), a.clone()]
    );
    let message = |files: &[&PathBuf], written: &[Option<WrittenFile>]| {
        let files: Vec<PathBuf> = files.iter().map(|path| (*path).clone()).collect();
        matched_scores(&files, written)
            .expect_err("it is refused")
            .to_string()
    };
    let refused = message(&[&c, &e], &[of(&c), of(&d)]);
    let expected = format!(
        "{}: is a file of none of the 2 shards, and shard 2 of 2 has no scores file",
        e.display()
    );
    assert!(
        refused.starts_with(&expected) && refused.contains("which has 1 bytes"),
        "{refused}"
    );
    let refused = message(&[&c, &e, &d], &[of(&c), of(&d)]);
    assert!(
        refused.ends_with("which all have their files; do not name it"),
        "{refused}"
    );
    let refused = message(&[&c], &[of(&c), of(&d)]);
    assert!(
        refused
            .starts_with("shard 2 of 2: none of the 1 files is its scores file, which has 1 bytes"),
        "{refused}"
    );
    let refused = message(&[&c], &[of(&c), None]);
    assert!(
        refused.starts_with("shard 2 of 2: it was scored without a scores file; "),
        "{refused}"
    );
    let refused = message(&[&files.path("none")], &[of(&c)]);
    assert!(refused.contains("no such file"), "{refused}");
    let refused = message(&[&files.folder.path().to_owned()], &[of(&c)]);
    assert!(refused.contains("is not a file"), "{refused}");
}
