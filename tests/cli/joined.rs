//! These tests join the scores that the program has written for the pieces of a dataset, and compare the result with the
//! scores that it has written for the whole.

use std::fs;
use std::path::{Path, PathBuf};

use manyhands::output::{
    Endpoints, FirstLines, Output, ScoresOptions, ShardFiles, ShardScores, WrittenFile,
    join_scores, match_files,
};
use proptest::prelude::*;
use tempfile::TempDir;

use super::{program, ran, write};

/// The files of the dataset. Each error text begins with such a name.
const NAMES: [&str; 2] = ["=a.in", "we\"ird, \u{202e}ä\t.in"];

/// A dataset whose records are known one by one.
#[derive(Clone, Debug)]
struct Cut {
    is_csv: bool,
    records: Vec<String>,
    /// The number of records of the first file.
    in_first: usize,
    /// The number of records before each shard but the first.
    cuts: Vec<usize>,
    output: Written,
}

/// How the scores of the whole and of the shards are written.
#[derive(Clone, Debug)]
struct Written {
    endings: [&'static str; 3],
    options: Vec<&'static str>,
}

fn json_records() -> impl Strategy<Value = String> {
    prop::sample::select(vec![
        "{\"id\":\"a, \\\"b\\\"\\n\",\"text\":\"good\"}\n",
        "{\"text\":\"bad\",\"id\":\"=1+1\"}\n",
        "\n{\"id\":\"\\u202e\",\"text\":\"not the best, äö\"}\n",
        "{\"id\":{\"x\":[1]},\"text\":null}\n",
        "{\"id\":7,\"text\":7}\n",
        "{\"text\":\n",
    ])
    .prop_map(str::to_owned)
}

fn csv_records() -> impl Strategy<Value = String> {
    prop::sample::select(vec![
        "1,good\n",
        "\"a, \"\"b\"\"\nc\n\",\"not\n\nthe best\"\n",
        "=1+1,\n",
        "4,bad,too many\n",
        "\"record 1: x\",bad\n",
    ])
    .prop_map(str::to_owned)
}

fn outputs() -> impl Strategy<Value = Written> {
    let of = |endings, options: &[&'static str]| Written {
        endings,
        options: options.to_vec(),
    };
    let json = [".jsonl", ".jsonl.gz", ".jsonl.zst"];
    let csv = [".csv.gz", ".csv", ".csv.zst"];
    let tsv = [".tsv.zst", ".tsv.gz", ".tsv"];
    prop::sample::select(vec![
        of(json, &["--keep", "*"]),
        of(json, &["--keep", "id,text"]),
        of(csv, &["--keep", "text,id", "--csv-safe"]),
        of(csv, &["--keep", "*", "--columns", "id,none"]),
        of(tsv, &["--keep", "id"]),
        of(tsv, &["--csv-safe"]),
    ])
}

fn cuts() -> impl Strategy<Value = Cut> {
    let datasets = prop_oneof![
        prop::collection::vec(json_records(), 0..60).prop_map(|records| (false, records)),
        prop::collection::vec(csv_records(), 0..60).prop_map(|records| (true, records)),
    ];
    let places = prop::collection::vec(any::<prop::sample::Index>(), 1..5);
    (datasets, places, outputs()).prop_map(|((is_csv, records), places, output)| {
        let mut cuts: Vec<_> = places
            .iter()
            .map(|place| place.index(records.len() + 1))
            .collect();
        let in_first = cuts.swap_remove(0);
        cuts.sort_unstable();
        Cut {
            is_csv,
            records,
            in_first,
            cuts,
            output,
        }
    })
}

impl Cut {
    fn format(&self) -> &'static str {
        if self.is_csv { "csv" } else { "jsonl" }
    }

    /// Scores these records in a folder of their own, as files with the same names as in the whole. Returns the folder,
    /// and the path of the scores.
    fn score(&self, begin: usize, end: usize, ending: &str) -> (TempDir, PathBuf) {
        let folder = tempfile::tempdir().expect("a folder");
        let in_first = self.in_first.clamp(begin, end);
        for (name, records) in NAMES.iter().zip([begin..in_first, in_first..end]) {
            let header = if self.is_csv { "id,text\n" } else { "" };
            write(
                &folder,
                name,
                header.to_owned() + &self.records[records].concat(),
            );
        }
        let name = format!("scores{ending}");
        let mut program = program(folder.path());
        program
            .arg("score")
            .args(NAMES)
            .args(["--with", "sentiment", "--format", self.format()]);
        program.args([
            "--missing",
            "skip",
            "--on-failure",
            "skip",
            "--quiet",
            "-o",
            &name,
        ]);
        let ran = ran(program.args(&self.output.options).output());
        assert!(ran.code <= 1, "{}", ran.err);
        let path = folder.path().join(name);
        (folder, path)
    }

    /// How the places of a shard that begins at this record are corrected.
    fn first_lines(&self, begin: usize, end: usize) -> Option<FirstLines<'static>> {
        let (name, first, last) = match begin < self.in_first {
            true => (NAMES[0], 0, self.in_first),
            false => (NAMES[1], self.in_first, self.records.len()),
        };
        let before = &self.records[first..begin];
        let lines = before
            .iter()
            .map(|record| record.matches('\n').count() as u64);
        (begin > first).then(|| FirstLines {
            path: Path::new(name),
            records: (last.min(end) - begin) as u64,
            lines_before: lines.sum(),
        })
    }

    /// Scores the shards, and joins their scores. Returns the contents of the joined file and those of the whole.
    fn joined_and_whole(&self) -> [Vec<u8>; 2] {
        let (whole_folder, whole) = self.score(0, self.records.len(), self.output.endings[0]);
        let mut ends = self.cuts.clone();
        ends.push(self.records.len());
        let begins = [0].into_iter().chain(self.cuts.iter().copied());
        let parts: Vec<_> = begins.zip(ends).collect();
        let scored: Vec<_> = parts
            .iter()
            .zip(self.output.endings.iter().cycle())
            .map(|(&(begin, end), ending)| self.score(begin, end, ending))
            .collect();
        let written: Vec<_> = scored
            .iter()
            .map(|(_, path)| Some(WrittenFile::of(path).expect("a file")))
            .collect();
        let mut files: Vec<_> = scored.iter().map(|(_, path)| path.clone()).collect();
        files.reverse();
        let scores = ShardFiles {
            name: "scores file",
            option: "--scores",
            written: written.clone(),
            are_wanted: true,
        };
        let files = match_files(&files, &[scores]).expect("all files").remove(0);
        let shards = parts.iter().zip(&written).zip(&files);
        let shards: Vec<_> = shards
            .map(|((&(begin, end), written), path)| ShardScores {
                path,
                records: (end - begin) as u64,
                records_before: begin as u64,
                written: written.expect("scores"),
                first_lines: self.first_lines(begin, end),
            })
            .collect();
        let out = whole_folder
            .path()
            .join(format!("joined{}", self.output.endings[0]));
        let output = Output::new("the scores", &out).hashed(true).synced(true);
        let to = Endpoints::new().open(&output).expect("a new file");
        let options = ScoresOptions::of(&out).expect("an ending of scores");
        let joined = join_scores(&shards, to, &options).expect("scores of all shards");
        assert_eq!(joined.records, self.records.len() as u64);
        let known = joined.file.written();
        joined.file.publish().expect("it is renamed");
        assert_eq!(known, WrittenFile::of(&out).ok());
        [out, whole].map(|path| fs::read(path).expect("a file"))
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn the_scores_of_shards_are_joined_to_those_of_the_whole(cut in cuts()) {
        let [joined, whole] = cut.joined_and_whole();
        prop_assert!(joined == whole, "{}", String::from_utf8_lossy(&joined));
    }
}

/// Every format, with shards that begin and end inside both files, at their border, and without any record.
#[test]
fn every_format_is_joined_to_the_whole() {
    let json = [
        "{\"id\":\"a, \\\"b\\\"\\n\",\"text\":\"good\"}\n",
        "\n{\"id\":\"=1\",\"text\":7}\n",
        "{\"id\":1,\"text\":null}\n",
        "{\"text\":\n",
    ];
    let csv = ["\"a\n\",\"good\n\"\n", "=1,bad,more\n", "x,\n"];
    let outputs: [([&'static str; 3], &[&'static str]); 3] = [
        ([".jsonl", ".jsonl.zst", ".jsonl.gz"], &["--keep", "*"]),
        (
            [".csv.gz", ".csv", ".csv.zst"],
            &["--keep", "id", "--csv-safe"],
        ),
        ([".tsv.zst", ".tsv.gz", ".tsv"], &["--keep", "text"]),
    ];
    for (endings, options) in outputs {
        for is_csv in [false, true] {
            let kinds = if is_csv { &csv[..] } else { &json[..] };
            let records = kinds.iter().cycle().take(130);
            let cut = Cut {
                is_csv,
                records: records.map(|record| (*record).to_owned()).collect(),
                in_first: 77,
                cuts: vec![0, 11, 70, 77, 77, 90, 130],
                output: Written {
                    endings,
                    options: options.to_vec(),
                },
            };
            let [joined, whole] = cut.joined_and_whole();
            assert!(joined == whole, "{endings:?} {is_csv}");
            if endings[0] == ".jsonl" {
                // The records have errors in both files, and one of each kind of other outcome.
                let whole = String::from_utf8(whole).expect("JSON lines");
                let second = "\"error\":\"we\\\"ird, \\u202eä\\t.in:";
                for part in [
                    "\"error\":\"=a.in:",
                    second,
                    "\"skipped\":",
                    "\"compound\":",
                ] {
                    assert!(whole.contains(part), "{part}");
                }
            }
        }
    }
}
