//! For tests: worker processes that say what a file tells them to.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use super::elsewhere::Terms;
use super::frame::Frame;
use super::process::{Ready, WELCOME};
use super::process_pool::ProcessPool;

/// Records come to numbers.
pub(super) struct Numbers;

impl Terms for Numbers {
    type Note = ();
    type Answer = u32;
    type Account = ();

    fn note(&self) {}

    fn account(&self, (): ()) {}
}

/// Longer than anything here takes on a busy machine.
const LONG: Duration = Duration::from_secs(60);

/// A folder with a program. The process that is started as the first, the second and so on of several says
/// what is in the file `said.N`, and keeps what it hears in `heard.N`, with its end of the pipe open. It dies early if there is a file
/// `dies.N`, and reads nothing if there is `deaf.N`.
pub(super) struct Scripted {
    folder: TempDir,
}

impl Scripted {
    pub(super) fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let text = format!(
            "#!/bin/sh\n\
             cd {}\n\
             set -C\n\
             n=1\n\
             until (: > heard.$n) 2> /dev/null; do n=$((n + 1)); done\n\
             set +C\n\
             [ -e said.$n ] && cat said.$n\n\
             [ -e dies.$n ] && exit 7\n\
             [ -e deaf.$n ] && exec sleep 600\n\
             exec cat 3>&1 > heard.$n\n",
            folder.path().display()
        );
        // Written by another process, so that none that is started meanwhile has it open for writing.
        let written = Command::new("sh")
            .args(["-c", "printf '%s' \"$1\" > \"$0\" && chmod +x \"$0\""])
            .args([folder.path().join("program").as_os_str(), text.as_ref()])
            .status();
        assert!(written.expect("there is sh").success());
        Scripted { folder }
    }

    pub(super) fn pool(&self, workers: usize) -> ProcessPool {
        let program = self.folder.path().join("program");
        ProcessPool::new(program, Vec::new(), workers, false)
    }

    /// What a worker says that is ready, and answers with these numbers, one frame after the other.
    pub(super) fn words(&self, answers: &[&[u32]]) -> Vec<u8> {
        let mut said = WELCOME.to_vec();
        let mut frame = Frame::new();
        let (cpu, in_place) = (1, true);
        let ready = Ok::<_, String>(Ready { cpu, in_place });
        frame.write(&ready, &mut said).expect("memory takes it");
        for numbers in answers {
            frame.clear();
            for number in *numbers {
                frame.push_value(&(5_u64, number)).expect("a number");
            }
            let tail = (numbers.len(), 10_u64, ());
            frame.write(&tail, &mut said).expect("memory takes it");
        }
        said
    }

    /// The process with this number gets ready and answers so.
    pub(super) fn says(&self, number: usize, answers: &[&[u32]]) -> &Self {
        self.says_only(number, &self.words(answers))
    }

    /// The process with this number says this and no more.
    pub(super) fn says_only(&self, number: usize, words: &[u8]) -> &Self {
        self.file("said", number, words)
    }

    /// The process with this number ends, with exit status 7, when it has said what it says.
    pub(super) fn dies(&self, number: usize) -> &Self {
        self.file("dies", number, b"")
    }

    /// The process with this number does not read what it is sent.
    pub(super) fn reads_nothing(&self, number: usize) -> &Self {
        self.file("deaf", number, b"")
    }

    fn file(&self, name: &str, number: usize, content: &[u8]) -> &Self {
        let path = self.folder.path().join(format!("{name}.{number}"));
        fs::write(path, content).expect("a file");
        self
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        Path::join(self.folder.path(), name)
    }

    /// Processes that have been started.
    pub(super) fn started(&self) -> usize {
        let there = |number: &usize| self.path(&format!("heard.{number}")).exists();
        (1..).take_while(there).count()
    }

    /// What the process with this number has been sent so far.
    pub(super) fn heard(&self, number: usize) -> Vec<u8> {
        fs::read(self.path(&format!("heard.{number}"))).unwrap_or_default()
    }

    /// Whether the process with this number has been sent these bytes.
    pub(super) fn has_heard(&self, number: usize, text: &[u8]) -> bool {
        let heard = self.heard(number);
        heard.windows(text.len()).any(|part| part == text)
    }

    pub(super) fn wait_until_heard(&self, number: usize, text: &[u8]) {
        let began = Instant::now();
        while !self.has_heard(number, text) {
            assert!(began.elapsed() < LONG, "waited in vain for {text:?}");
            thread::sleep(Duration::from_millis(2));
        }
    }
}
