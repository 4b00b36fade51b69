//! Compressed files are unpacked as they are read, and give the answer of the same records in a plain file.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;

use super::{
    EXECUTORS, THREE, folder_with, gzip, program, ran, read, run, sample, score, score_stdin, send,
    start, wait_for, wait_while_running, write,
};

fn zstd(text: &[u8]) -> Vec<u8> {
    zstd::encode_all(text, 1).expect("memory")
}

/// A frame of zstd that a reader skips.
const SKIPPED_FRAME: &[u8] = b"\x53\x2a\x4d\x18\x04\0\0\0abcd";

// THREE, divided within its second line.
const FIRST_XZ: &[u8] =
    b"\xfd7zXZ\x00\x00\x01i\x22\xde6\x02\x00!\x01\x16\x00\x00\x00t/\xe5\xa3\x01\x00/{\x22id\
    \x22:\x22a\x22,\x22rating\x22:5,\x22kind\x22:\x22x\x22,\x22text\x22:\x22good\x22}\x0a{\
    \x00(\xb9\xef\x5c\x00\x01D0\x86\x0fJ\x92\x90B\x99\x0d\x01\x00\x00\x00\x00\x01YZ";
const SECOND_XZ: &[u8] =
    b"\xfd7zXZ\x00\x00\x01i\x22\xde6\x02\x00!\x01\x16\x00\x00\x00t/\xe5\xa3\xe0\x00\x5c\x00<\
    ]\x00\x11\x1aH\x82!V\x22\x11Gi\x175\xc5M>\xf1\x90\xe8%$\xa2\xf8\xe5\xe9\xc3\xef\x01N>\
    \x15\x80\xe6\x98\xcb\x02\x05D\x22\x8d8\x09\xae\xc7\x8e\x02\x09\x17cr\xa9\xfa\x98L)\xd5\
    \x8b\x0e\xcdM \x00.;}D\x00\x01T]2\x00\x8b\xeb\x90B\x99\x0d\x01\x00\x00\x00\x00\x01YZ";
const FIRST_BZIP2: &[u8] =
    b"BZh91AY&SY\x13\x91\x08\xc5\x00\x00\x16\xd9\x80\x00\x10\x10\x04\x02\x10&\xa9\x94J \x00!\
    \xa9\x89\xa0h6\xa1M2111\x0d\xa7\x12\x91\xa0uE\xac@d\xa0=\x93\x0a\xe0\xb2\xb8}\xb7\x13\
    \xa8|[\xe2\xeeH\xa7\x0a\x12\x02r!\x18\xa0";
const SECOND_BZIP2: &[u8] =
    b"BZh91AY&SY\x078\x9c4\x00\x00\x08\xd9\x80\x00\x10\x10\x04(\x10>\xad\x14j \x00HJ\xa7\xea\
    \x992d\xd3i\x0f(%S\xd3D\xc0\x02= \xe6\xce\xf8t\x90\xc7{Z0\x12B5Ff\x0e\x04\x05\xf3\x04\
    \x8f\x17\xa4\x0a\xd1\x14\x80\xc2\x8e%\x10q\xc1<\x90\x98\x13ht]\xc9\x14\xe1B@\x1c\xe2p\
    \xd0";

/// `THREE` in two pieces that are compressed separately and joined, in every kind of compression that this build can
/// read.
fn packed_in_two() -> Vec<(&'static str, Vec<u8>)> {
    let cut = THREE.find("\"id\":\"b\"").expect("it is there");
    let (first, second) = THREE.as_bytes().split_at(cut);
    let mut all = vec![
        ("gzip", [gzip(first), gzip(second)].concat()),
        (
            "zstd",
            [zstd(first), SKIPPED_FRAME.to_vec(), zstd(second)].concat(),
        ),
        (
            "zstd",
            [SKIPPED_FRAME.to_vec(), zstd(THREE.as_bytes())].concat(),
        ),
    ];
    if cfg!(feature = "bzip2") {
        all.push(("bzip2", [FIRST_BZIP2, SECOND_BZIP2].concat()));
    }
    if cfg!(feature = "xz") {
        all.push(("xz", [FIRST_XZ, SECOND_XZ].concat()));
    }
    all
}

#[test]
fn every_kind_of_compression_gives_the_answer_of_the_plain_file() {
    let folder = folder_with("r.jsonl", THREE);
    let expected = score(&folder, "r.jsonl", &["--scores", "-", "--top", "0"]);
    assert_eq!(expected.code, 0, "{}", expected.err);
    for (kind, packed) in packed_in_two() {
        // The bytes of the file decide how it is read, and not its name.
        for name in [
            "packed.jsonl",
            "packed",
            "PACKED.JSONL.GZ",
            "packed.jsonl.zst",
        ] {
            write(&folder, name, &packed);
            let ran = score(&folder, name, &["--scores", "-", "--top", "0"]);
            assert_eq!(
                (ran.code, ran.out),
                (0, expected.out.clone()),
                "{kind} {name}"
            );
        }
        let from_stdin = score_stdin(&folder, &["--scores", "-"], packed);
        assert_eq!(
            (from_stdin.code, from_stdin.out),
            (0, expected.out.clone()),
            "{kind}"
        );
    }
}

/// The sample has the same digest whether it is plain or compressed, in one file or in two, and read by path or through
/// a pipe.
#[test]
fn the_digest_depends_on_the_records_alone() {
    let folder = folder_with("unused", "");
    let text = std::fs::read(sample()).expect("the sample");
    let middle = text.len() / 2;
    let cut = middle
        + text[middle..]
            .iter()
            .position(|byte| *byte == b'\n')
            .expect("lines")
        + 1;
    let options = ["--with", "sentiment", "--by", "category", "--top", "0"];
    let digest = |files: &[&str], input: Option<&[u8]>| {
        let mut program = program(folder.path());
        program.arg("score").args(files).args(options);
        if let Some(input) = input {
            program.write_stdin(input);
        }
        let ran = ran(program.output());
        assert_eq!(ran.code, 0, "{files:?}: {}", ran.err);
        ran.digest().to_owned()
    };
    let expected = digest(&[sample()], None);
    for (name, pack) in [
        (
            "plain",
            (|text: &[u8]| text.to_vec()) as fn(&[u8]) -> Vec<u8>,
        ),
        ("gzip", gzip),
        ("zstd", zstd),
    ] {
        let packed = pack(&text);
        let (first, second) = (pack(&text[..cut]), pack(&text[cut..]));
        write(&folder, "whole", &packed);
        write(&folder, "first", &first);
        write(&folder, "second", &second);
        // The second half is also written without compression.
        write(&folder, "rest", &text[cut..]);
        assert_eq!(digest(&["whole"], None), expected, "{name}");
        assert_eq!(digest(&["first", "second"], None), expected, "{name}");
        assert_eq!(digest(&["first", "rest"], None), expected, "{name}");
        assert_eq!(digest(&["-"], Some(&packed)), expected, "{name}");
        assert_eq!(digest(&["first", "-"], Some(&second)), expected, "{name}");
    }
}

#[test]
fn every_executor_reads_compressed_files() {
    let folder = folder_with("r.csv.gz", gzip(b"text\ngood\n\"bad,\nreally\"\n"));
    let mut answers = Vec::new();
    for executor in EXECUTORS {
        let ran = score(
            &folder,
            "r.csv.gz",
            &["--executor", executor, "--scores", "-"],
        );
        assert_eq!(ran.code, 0, "{executor}: {}", ran.err);
        assert_eq!(ran.out.lines().count(), 2);
        answers.push(ran.out);
    }
    answers.dedup();
    assert_eq!(answers.len(), 1);
}

#[test]
fn a_reference_and_the_files_of_bench_may_be_compressed() {
    let folder = folder_with("r.jsonl.gz", gzip(THREE.as_bytes()));
    write(
        &folder,
        "reference.csv.zst",
        zstd(b"id,text\n1,bed\n2,bad\n"),
    );
    let arguments = ["score", "r.jsonl.gz", "--with", "match", "--scores", "-"];
    let reference = ["--against", "reference.csv.zst", "--cutoff", "100"];
    let ran = run(&folder, &[&arguments[..], &reference].concat());
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert!(ran.out.contains("{\"record\":2,\"best\":3,"), "{}", ran.out);
    let bench = ["bench", "r.jsonl.gz", "--rounds", "1", "-j", "1", "--json"];
    let ran = run(&folder, &bench);
    assert_eq!(ran.code, 0, "{}", ran.err);
}

/// Damaged compressed data ends the run, and the scores of the records before the damage are kept.
#[test]
fn damaged_data_is_exit_3_and_the_records_before_it_are_kept() {
    let text = std::fs::read(sample()).expect("the sample");
    let folder = folder_with("unused", "");
    let all_scores = {
        let ran = score(&folder, sample(), &["--scores", "-"]);
        ran.out
    };
    for (name, pack) in [("gzip", gzip as fn(&[u8]) -> Vec<u8>), ("zstd", zstd)] {
        let whole = pack(&text);
        let cut = whole[..whole.len() - whole.len() / 4].to_vec();
        let garbage = [&whole[..], b"garbage after the last member"].concat();
        let mut corrupt = whole.clone();
        let place = whole.len() - whole.len() / 4;
        corrupt[place..place + 16].fill(0xff);
        for (damage, bytes, told) in [
            ("cut", cut, "ends in the middle of its"),
            ("garbage", garbage, "has other data after its"),
            ("corrupt", corrupt, "data is damaged ("),
        ] {
            write(&folder, "in.jsonl", bytes);
            let scores_kept = |threads: &str| {
                let scores = ["--scores", "out.jsonl", "--force", "-j", threads];
                let ran = score(&folder, "in.jsonl", &scores);
                assert_eq!(
                    (ran.code, ran.out.as_str()),
                    (3, ""),
                    "{name} {damage}: {}",
                    ran.err
                );
                assert!(ran.err.contains("in.jsonl:"), "{}", ran.err);
                assert!(ran.err.contains(told), "{name} {damage}: {}", ran.err);
                assert!(ran.err.contains(name), "{name} {damage}: {}", ran.err);
                read(&folder, "out.jsonl.partial")
            };
            // The last line is the record at the place of the damage.
            let kept = scores_kept("1");
            let (scores, last) = kept.trim_end().rsplit_once('\n').expect("several lines");
            assert!(all_scores.starts_with(scores), "{name} {damage}");
            assert!(scores.lines().count() > 500, "{name} {damage}");
            assert!(last.contains("\"error\":\"in.jsonl:"), "{last}");
            for _ in 0..3 {
                assert_eq!(scores_kept("4"), kept, "{name} {damage}");
            }
        }
    }
}

/// The file is so small that the damage is found when it is opened, before any record is scored. In zstd, the whole
/// block would be lost.
#[test]
fn damage_near_the_beginning_keeps_the_records_before_it() {
    let number = |record: u32| record.wrapping_mul(0x9e37_79b9);
    let line = |record: u32| format!("{{\"text\":\"good {:x}\"}}\n", number(record));
    let whole = gzip((0..1000).map(line).collect::<String>().as_bytes());
    let folder = folder_with("in.jsonl", &whole[..whole.len() / 2]);
    let ran = score(&folder, "in.jsonl", &["--scores", "out.jsonl"]);
    assert_eq!(ran.code, 3);
    assert!(ran.err.contains("ends in the middle of its"), "{}", ran.err);
    let kept = read(&folder, "out.jsonl.partial");
    let scored = kept.matches("\"compound\":0.4404").count();
    assert!(scored > 10 && scored + 1 == kept.lines().count(), "{kept}");
    // A header that is cut off is no header.
    let names: String = (0..1000)
        .map(|record| format!("{:x},", number(record)))
        .collect();
    let whole = gzip(format!("{names}text\n").as_bytes());
    write(&folder, "in.csv", &whole[..whole.len() / 2]);
    let ran = score(&folder, "in.csv", &[]);
    assert!(
        ran.err.starts_with("error: in.csv:1: ends in the middle"),
        "{}",
        ran.err
    );
}

#[test]
fn zeros_after_compressed_data_are_ignored_and_other_data_is_named() {
    for (name, pack) in [("gzip", gzip as fn(&[u8]) -> Vec<u8>), ("zstd", zstd)] {
        let packed = pack(THREE.as_bytes());
        for zeros in [1_usize, 512, 100_000] {
            let padded = [&packed[..], &vec![0; zeros]].concat();
            let folder = folder_with("in.jsonl", [&padded[..], &packed].concat());
            let ran = score(&folder, "in.jsonl", &["--json"]);
            assert_eq!(
                (ran.code, ran.json()["scored"].clone()),
                (0, 6.into()),
                "{name}"
            );
            write(&folder, "in.jsonl", padded);
            assert_eq!(score(&folder, "in.jsonl", &[]).code, 0, "{name}");
        }
        for other in ["x", "a longer text that follows"] {
            let folder = folder_with("in.jsonl", [&packed[..], other.as_bytes()].concat());
            let ran = score(&folder, "in.jsonl", &["--scores", "out.jsonl"]);
            let told = format!("error: in.jsonl:4: has other data after its {name} data, after ");
            assert!(ran.code == 3 && ran.err.starts_with(&told), "{}", ran.err);
            assert_eq!(read(&folder, "out.jsonl.partial").lines().count(), 4);
        }
    }
}

/// A frame that declares a window of 2 GiB, and contains one block that is not compressed.
#[test]
fn a_long_window_is_refused_with_the_way_out() {
    let text = b"{\"text\":\"good\"}\n";
    let block = (text.len() as u32) << 3 | 1;
    let frame = [
        &b"\x28\xb5\x2f\xfd\0\xa8"[..],
        &block.to_le_bytes()[..3],
        text,
    ]
    .concat();
    let folder = folder_with("in.jsonl.zst", &frame);
    let ran = score(&folder, "in.jsonl.zst", &[]);
    let told = "error: in.jsonl.zst: needs more than 128 MiB of memory to be unpacked, because it was compressed with a \
                long window (zstd --long); unpack it first with zstd -d --long=31\n";
    assert_eq!((ran.code, ran.err.as_str()), (3, told));
    // The window of this frame is 128 MiB.
    let mut shorter = frame;
    shorter[5] = 17 << 3;
    write(&folder, "in.jsonl.zst", shorter);
    assert_eq!(score(&folder, "in.jsonl.zst", &[]).code, 0);
}

#[test]
fn a_kind_that_the_build_cannot_read_is_named() {
    let folder = folder_with("in.bz2", [FIRST_BZIP2, SECOND_BZIP2].concat());
    write(&folder, "in.xz", [FIRST_XZ, SECOND_XZ].concat());
    write(&folder, "good.jsonl", THREE);
    for (file, kind, is_read) in [
        ("in.bz2", "bzip2", cfg!(feature = "bzip2")),
        ("in.xz", "xz", cfg!(feature = "xz")),
    ] {
        let ran = run(
            &folder,
            &["score", "good.jsonl", file, "--with", "sentiment"],
        );
        if is_read {
            assert_eq!(ran.code, 0, "{}", ran.err);
            continue;
        }
        let told = format!(
            "error: {file}: is {kind}-compressed, and this program was built without {kind}; \
             unpack the file with {kind} -d, or build the program with --features {kind}\n"
        );
        assert_eq!((ran.code, ran.out.as_str(), ran.err), (3, "", told));
    }
}

#[test]
fn records_of_a_compressed_pipe_are_scored_as_they_come_and_a_signal_ends_the_wait() {
    let folder = folder_with("unused", "");
    let arguments = ["score", "-", "--with", "sentiment", "--scores", "out.jsonl"];
    for executor in ["sequential", "work-stealing"] {
        let mut child = start(
            &folder,
            &[&arguments[..], &["--executor", executor, "--force"]].concat(),
        );
        let mut packed = GzEncoder::new(child.stdin.take().expect("a pipe"), Compression::fast());
        packed.write_all(THREE.as_bytes()).expect("it reads");
        packed.flush().expect("it reads");
        wait_while_running(&mut child, "the scores of its input", || {
            super::unfinished(&folder).lines().count() == 3
        });
        send(child.id(), "TERM");
        let ended = wait_for("the end of the program", || {
            child.try_wait().expect("it can be asked")
        });
        assert_eq!(ended.code(), Some(143), "{executor}");
        assert_eq!(read(&folder, "out.jsonl.partial").lines().count(), 3);
        drop(packed);
    }
}
