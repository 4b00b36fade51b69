//! A run that is stopped half-way.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::{folder_with, names, sample};

#[test]
fn a_run_that_is_stopped_leaves_nothing_that_looks_finished() {
    for (signal, code) in [("INT", 130), ("TERM", 143)] {
        let folder = folder_with("note", "stays");
        // Many times the sample, so that it is still running when the signal comes.
        let mut child = Command::new(assert_cmd::cargo::cargo_bin!("manyhands"))
            .args(["score", "--with", "sentiment", "--scores", "out.jsonl"])
            .args(std::iter::repeat_n(sample(), 300))
            .current_dir(folder.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("it starts");
        let began = Instant::now();
        while names(&folder) == ["note"] {
            assert!(
                began.elapsed() < Duration::from_secs(60),
                "no file is begun"
            );
            std::thread::sleep(Duration::from_millis(1));
        }
        // The file is made a moment before signals are watched.
        std::thread::sleep(Duration::from_millis(50));
        let id = child.id().to_string();
        let sent = Command::new("kill").args(["-s", signal, &id]).status();
        assert!(sent.expect("there is kill").success());
        assert_eq!(child.wait().expect("it ends").code(), Some(code));
        let output = child.wait_with_output().expect("it has ended");
        let told = String::from_utf8_lossy(&output.stderr);
        assert_eq!(told.trim(), "stopped by a signal; no scores were written");
        assert!(
            output.stdout.is_empty(),
            "a report of a run that was stopped"
        );
        assert_eq!(names(&folder), ["note"]);
    }
}
