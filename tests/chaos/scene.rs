//! The folder in which a command is interrupted and goes on, and the processes that run there.

use std::collections::BTreeMap;
use std::env;
use std::fmt;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::PATIENCE;

/// The variables that name a proxy.
const PROXIES: [&str; 4] = ["http_proxy", "https_proxy", "all_proxy", "no_proxy"];

/// The files of a folder by their names.
pub(crate) type Files = BTreeMap<String, Vec<u8>>;

/// A folder in which one command runs several times, and another one for what the processes say.
pub(crate) struct Scene {
    folder: TempDir,
    side: TempDir,
    /// The number of runs so far.
    runs: usize,
}

/// A run that was started.
pub(crate) struct Running {
    child: Child,
    side: PathBuf,
    number: usize,
}

/// A run that has ended.
pub(crate) struct Ended {
    /// `None` if the run was killed.
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
    /// The number of runs in the scene before it.
    pub(crate) number: usize,
}

impl fmt::Debug for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let said: Vec<&str> = self.err.lines().collect();
        f.debug_struct("Ended")
            .field("code", &self.code)
            .field("printed", &self.out.len())
            .field("said", &said)
            .field("number", &self.number)
            .finish()
    }
}

impl Scene {
    /// A scene whose folder has these files.
    pub(crate) fn with(files: &Files) -> Self {
        let scene = Scene {
            folder: tempfile::tempdir().expect("a folder"),
            side: tempfile::tempdir().expect("a folder"),
            runs: 0,
        };
        for (name, bytes) in files {
            fs::write(scene.path().join(name), bytes).expect("room");
        }
        scene
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Lets the folder stay when the test has ended.
    pub(crate) fn keep(self) -> PathBuf {
        self.folder.keep()
    }

    /// A path outside of the folder.
    pub(crate) fn aside(&self, name: &str) -> PathBuf {
        self.side.path().join(name)
    }

    /// The file to which the programs of this run write what they are asked.
    pub(crate) fn asked_path(&self, run: usize) -> PathBuf {
        self.aside(&format!("asked.{run}"))
    }

    /// A name that no run of another scene has.
    pub(crate) fn name_of(&self, run: usize) -> String {
        let folder = self.path().file_name().expect("a name");
        format!("{}.{run}", folder.display()).to_ascii_lowercase()
    }

    /// The files of the folder.
    pub(crate) fn files(&self) -> Files {
        let entries = fs::read_dir(self.path()).expect("a folder");
        let entries = entries.map(|entry| entry.expect("an entry"));
        let file = |entry: fs::DirEntry| {
            let name = entry.file_name().into_string().expect("a name in UTF-8");
            (name, fs::read(entry.path()).expect("a file"))
        };
        entries.map(file).collect()
    }

    /// Starts the next run. The words `{run}` in the arguments become the [name](Scene::name_of) of the run. `before` are the program, with
    /// its arguments, under which the command runs.
    pub(crate) fn start(&mut self, before: &[String], arguments: &[String]) -> Running {
        let number = self.runs;
        self.runs += 1;
        let command: Vec<&str> = before.iter().map(String::as_str).collect();
        let binary = env::var("MANYHANDS_CHAOS_BINARY");
        let binary = binary.unwrap_or_else(|_| env!("CARGO_BIN_EXE_manyhands").to_owned());
        let command = [&command[..], &[&binary]].concat();
        let file =
            |name: &str| File::create(self.aside(&format!("{name}.{number}"))).expect("a file");
        let mut process = Command::new(command[0]);
        process
            .args(&command[1..])
            .args(
                arguments
                    .iter()
                    .map(|argument| argument.replace("{run}", &self.name_of(number))),
            )
            .current_dir(self.path())
            .env("CHAOS_ASKED", self.asked_path(number))
            .env("RUST_BACKTRACE", "0")
            .stdin(Stdio::null())
            .stdout(file("out"))
            .stderr(file("err"));
        for name in PROXIES {
            process.env_remove(name).env_remove(name.to_uppercase());
        }
        Running {
            child: process.spawn().expect("it starts"),
            side: self.side.path().to_owned(),
            number,
        }
    }

    /// Runs the command to its end.
    pub(crate) fn run(&mut self, before: &[String], arguments: &[String]) -> Ended {
        self.start(before, arguments).end()
    }
}

impl Running {
    /// Waits for the end of the run, and kills it if it takes longer than this. Returns whether it had to be killed.
    fn wait(&mut self, at_most: Duration) -> bool {
        let began = Instant::now();
        while self.child.try_wait().expect("it can be asked").is_none() {
            let left = at_most.saturating_sub(began.elapsed());
            if left.is_zero() {
                self.child.kill().expect("it can be killed");
                self.child.wait().expect("it can be waited for");
                return true;
            }
            thread::sleep(left.min(Duration::from_micros(500)));
        }
        false
    }

    /// Kills the run after this time, if it has not ended before.
    pub(crate) fn killed_after(mut self, time: Duration) -> Ended {
        self.wait(time);
        self.ended()
    }

    /// Waits for the end of the run.
    pub(crate) fn end(mut self) -> Ended {
        let hung = self.wait(PATIENCE);
        let ended = self.ended();
        assert!(!hung, "the run hangs: {ended:?}");
        ended
    }

    fn ended(mut self) -> Ended {
        let status = self.child.wait().expect("it can be waited for");
        let text = |name: &str| {
            let path = self.side.join(format!("{name}.{}", self.number));
            fs::read_to_string(path).expect("the program writes UTF-8")
        };
        let ended = Ended {
            code: status.code(),
            out: text("out"),
            err: text("err"),
            number: self.number,
        };
        assert!(!ended.err.contains("panicked"), "{}", ended.err);
        ended
    }
}
