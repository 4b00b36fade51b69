//! A process that uses a journal ends without a warning, and another one goes on.

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::*;

/// Names the folder in which the child works.
const FOLDER: &str = "MANYHANDS_KILLED_RUN";

/// Writes each question and each answer that counts to a file at once, so that they outlive the process.
struct Log(PathBuf);

impl Log {
    fn note(&self, what: &str, number: u64) {
        let path = self.0.join(what);
        let file = OpenOptions::new().create(true).append(true).open(path);
        // One write, so that lines of different threads are not mixed up.
        let line = format!("{number}\n");
        file.unwrap().write_all(line.as_bytes()).unwrap();
    }

    fn noted(folder: &Path, what: &str) -> Vec<u64> {
        let text = fs::read_to_string(folder.join(what)).unwrap_or_default();
        text.lines().map(|line| line.parse().unwrap()).collect()
    }
}

impl Sink<f64> for Log {
    fn render(
        &self,
        index: u64,
        outcome: RecordOutcome<'_, f64>,
        _: Option<LentRecord<'_>>,
        _: &mut Vec<u8>,
    ) {
        if matches!(outcome, RecordOutcome::Scored(_)) {
            self.note("counted", index);
        }
    }

    fn write(&self, _: Range<u64>, _: Vec<u8>) -> io::Result<Room> {
        Ok(Room::Free)
    }
}

fn run(folder: &Path, dies: bool) -> f64 {
    let journal = AnswerJournal::open(folder.join("run.journal"), "squares", Syncing::AtOnce);
    let journal = journal.unwrap();
    let log = Log(folder.to_owned());
    let asked = AtomicU64::new(0);
    let task = |number: &usize| {
        log.note("asked", *number as u64);
        if dies && asked.fetch_add(1, SeqCst) == 150 {
            std::process::abort();
        }
        (*number as f64).powi(2)
    };
    let executor = TaskQueue::new(8);
    let run = Pipeline::new(&(0..600), task).executor(&executor);
    let report = run.journal(&journal).scores(&log).aggregate(Sum::new());
    journal.close().unwrap();
    report.unwrap().value
}

/// This is no test by itself: the test below starts it as a process of its own.
#[test]
fn child_that_dies() {
    if let Some(folder) = std::env::var_os(FOLDER) {
        run(Path::new(&folder), true);
    }
}

#[test]
fn no_score_that_counted_is_asked_for_again_after_a_process_has_died() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    for _ in 0..3 {
        let counted = Log::noted(folder, "counted");
        let _ = fs::remove_file(folder.join("asked"));
        let child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "journalled::killed::child_that_dies"])
            .env(FOLDER, folder)
            .output()
            .unwrap();
        assert!(!child.status.success());
        let asked = Log::noted(folder, "asked");
        assert!(asked.len() > 150 && asked.iter().all(|asked| !counted.contains(asked)));
    }
    let counted = Log::noted(folder, "counted");
    fs::remove_file(folder.join("asked")).unwrap();
    assert_eq!(
        run(folder, false),
        (0..600).map(|n| f64::from(n * n)).sum::<f64>()
    );
    let asked = Log::noted(folder, "asked");
    assert!(counted.len() > 300 && asked.iter().all(|asked| !counted.contains(asked)));
}
