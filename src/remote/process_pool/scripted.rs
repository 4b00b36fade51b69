//! For tests: worker processes that send what a script contains.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use super::message::Message;
use super::pool::ProcessPool;
use super::protocol::{Coordinator, ReadyMessage, WELCOME};
use crate::dataset::Position;
use crate::error::Cause;

/// A coordinator whose scores are numbers.
pub(in crate::remote) struct Numbers;

impl Coordinator for Numbers {
    type Note = ();
    type Answer = u32;
    type Counters = ();
    type Score = u32;

    fn note(&self) {}

    fn score(&self, _: Position, answer: u32) -> Result<u32, Cause> {
        Ok(answer)
    }

    fn count(&self, (): ()) {}
}

/// A time that is longer than any test here takes, even on a busy machine.
const LONG: Duration = Duration::from_secs(60);

/// A folder with a program. The process that is started as number N writes the file `said.N` to its output,
/// and then stores its input in the file `heard.N` until the pipe is closed. If there is a file `dies.N`, it
/// exits instead of reading; if there is a file `deaf.N`, it stays alive without reading.
pub(in crate::remote) struct Scripted {
    folder: TempDir,
}

impl Scripted {
    pub(in crate::remote) fn new() -> Self {
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
        // A separate process writes the file. If this process wrote it, a process that another test starts at that
        // time would inherit the open file, and the program could not be started.
        let written = Command::new("sh")
            .args(["-c", "printf '%s' \"$1\" > \"$0\" && chmod +x \"$0\""])
            .args([folder.path().join("program").as_os_str(), text.as_ref()])
            .status();
        assert!(written.expect("there is sh").success());
        Scripted { folder }
    }

    pub(in crate::remote) fn pool(&self, workers: usize) -> ProcessPool {
        let program = self.folder.path().join("program");
        ProcessPool::new(program, Vec::new(), workers, false)
    }

    /// The output of a worker that becomes ready and sends these answers, in one message for each list.
    pub(in crate::remote) fn words(&self, answers: &[&[u32]]) -> Vec<u8> {
        let mut said = WELCOME.to_vec();
        let mut message = Message::new();
        let (cpu, in_place) = (1, true);
        let ready = Ok::<_, String>(ReadyMessage { cpu, in_place });
        message.write(&ready, &mut said).expect("memory takes it");
        for numbers in answers {
            message.clear();
            for number in *numbers {
                message.push_value(&(5_u64, number)).expect("a number");
            }
            let tail = (numbers.len(), 10_u64, ());
            message.write(&tail, &mut said).expect("memory takes it");
        }
        said
    }

    /// Process `number` becomes ready and sends these answers.
    pub(in crate::remote) fn says(&self, number: usize, answers: &[&[u32]]) -> &Self {
        self.says_only(number, &self.words(answers))
    }

    /// Process `number` writes these bytes and nothing else.
    pub(in crate::remote) fn says_only(&self, number: usize, words: &[u8]) -> &Self {
        self.file("said", number, words)
    }

    /// Process `number` exits with status 7 after it has written its output.
    pub(in crate::remote) fn dies(&self, number: usize) -> &Self {
        self.file("dies", number, b"")
    }

    /// Process `number` does not read its input.
    pub(in crate::remote) fn reads_nothing(&self, number: usize) -> &Self {
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

    /// The number of processes that have been started.
    pub(in crate::remote) fn started(&self) -> usize {
        let there = |number: &usize| self.path(&format!("heard.{number}")).exists();
        (1..).take_while(there).count()
    }

    /// The input that process `number` has received so far.
    pub(in crate::remote) fn heard(&self, number: usize) -> Vec<u8> {
        fs::read(self.path(&format!("heard.{number}"))).unwrap_or_default()
    }

    /// Whether these bytes are in the input of process `number`.
    pub(in crate::remote) fn has_heard(&self, number: usize, text: &[u8]) -> bool {
        let heard = self.heard(number);
        heard.windows(text.len()).any(|part| part == text)
    }

    pub(in crate::remote) fn wait_until_heard(&self, number: usize, text: &[u8]) {
        let began = Instant::now();
        while !self.has_heard(number, text) {
            assert!(began.elapsed() < LONG, "waited in vain for {text:?}");
            thread::sleep(Duration::from_millis(2));
        }
    }
}
