//! Runs in a process that may have few open files, or little memory.

use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::Path;

use flate2::write::GzEncoder;

use super::{
    LITTLE_MEMORY, Ran, folder_with, gzip, read, score, score_in_little_memory, shell, write,
};

/// Scores every file `part-*` of a folder in a process that may have at most 256 open files.
fn score_with_few_files(folder: &tempfile::TempDir, options: &str) -> Ran {
    shell(
        folder,
        &format!("ulimit -n 256; exec \"$0\" score part-* --with sentiment {options}"),
    )
}

#[test]
fn more_files_than_file_descriptors() {
    let folder = folder_with("unused", "");
    let mut all = String::new();
    for number in 1000..2030 {
        let record = format!("{{\"text\":\"good {number}\"}}\n");
        write(&folder, &format!("part-{number}"), &record);
        all.push_str(&record);
    }
    write(&folder, "all.jsonl", &all);
    let expected = score(
        &folder,
        "all.jsonl",
        &["--scores", "all.out.jsonl", "--top", "0"],
    );
    let expected = (expected.digest().to_owned(), read(&folder, "all.out.jsonl"));
    let mut executors = vec!["sequential", "work-stealing -j 4"];
    if cfg!(target_os = "linux") {
        executors.push("process-pool -j 2");
    }
    for executor in executors {
        let options = format!("--top 0 --scores out.jsonl --force --executor {executor}");
        let ran = score_with_few_files(&folder, &options);
        assert_eq!(ran.code, 0, "{executor}: {}", ran.err);
        assert_eq!(
            (ran.digest().to_owned(), read(&folder, "out.jsonl")),
            expected
        );
    }
    // One compressed file makes the dataset a stream.
    write(&folder, "part-2029", gzip(b"{\"text\":\"good 2029\"}\n"));
    let ran = score_with_few_files(&folder, "--top 0 --scores out.jsonl --force");
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert_eq!(
        (ran.digest().to_owned(), read(&folder, "out.jsonl")),
        expected
    );
    // `bench` loads all of these files under the same limit.
    let bench = "ulimit -n 256; exec \"$0\" bench part-* --rounds 1 -j 1 --json";
    let ran = shell(&folder, bench);
    assert_eq!(ran.code, 0, "{}", ran.err);
}

/// Number of records in the file that is larger than the memory.
const RECORDS: usize = 120;

fn write_large(file: impl std::io::Write) {
    let mut file = BufWriter::new(file);
    let filling = "so ".repeat((1 << 20) / 3);
    for _ in 0..RECORDS {
        writeln!(file, "{{\"x\":\"{filling}\",\"text\":\"good\"}}").expect("room on the disk");
    }
    file.flush().expect("room on the disk");
}

#[cfg(target_os = "linux")]
#[test]
fn a_file_may_be_larger_than_the_memory() {
    let folder = folder_with("unused", "");
    let create = |name: &str| File::create(folder.path().join(name)).expect("a file");
    write_large(create("large.jsonl"));
    let length = |path: &Path| path.metadata().expect("it is there").len();
    assert!(length(&folder.path().join("large.jsonl")) > (LITTLE_MEMORY as u64) << 10);
    let mut packed = GzEncoder::new(create("large.gz"), flate2::Compression::fast());
    write_large(&mut packed);
    packed.finish().expect("room on the disk");
    let mut digests = Vec::new();
    for file in ["large.jsonl", "large.gz"] {
        let arguments = format!("{file} --with sentiment -j 2 --top 0");
        let ran = score_in_little_memory(&folder, &arguments);
        assert_eq!(ran.code, 0, "{file}: {}", ran.err);
        assert!(
            ran.out.starts_with(&format!("{RECORDS} records scored  ")),
            "{}",
            ran.out
        );
        digests.push(ran.digest().to_owned());
    }
    assert_eq!(digests[0], digests[1]);
}
