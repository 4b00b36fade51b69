//! Helpers that start the program, send it input and signals, wait for it, and read and write its files.

use std::io::Write as _;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use flate2::write::GzEncoder;
use tempfile::TempDir;

/// Time after which a test gives up waiting. It is longer than any step takes on a busy machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) const EXECUTORS: [&str; 4] =
    ["sequential", "work-stealing", "task-queue", "process-pool"];

/// Three reviews whose compound scores are 0.4404, -0.5423 and 0.
pub(crate) const THREE: &str = r#"{"id":"a","rating":5,"kind":"x","text":"good"}
{"id":"b","rating":1,"kind":"y","text":"bad"}
{"id":"c","rating":3,"kind":"x","text":"table"}
"#;

/// Returns the path of the synthetic reviews in the repository.
pub(crate) fn sample() -> &'static str {
    concat!(env!("CARGO_MANIFEST_DIR"), "/data/reviews.jsonl")
}

pub(crate) fn binary() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_manyhands"))
}

/// Returns the path of an example, which is compiled if `cargo` has not done so. (A test binary that is tested alone does
/// not compile examples.)
pub(crate) fn example(name: &str) -> std::path::PathBuf {
    let profile = binary().parent().expect("a folder");
    let path = profile.join("examples").join(name);
    if !path.is_file() {
        let mut cargo = Command::new(env!("CARGO"));
        cargo
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .args(["build", "--quiet", "--example", name]);
        cargo
            .arg("--target-dir")
            .arg(profile.parent().expect("a folder"));
        if cfg!(feature = "http") {
            cargo.args(["--features", "http"]);
        }
        if profile.ends_with("release") {
            cargo.arg("--release");
        }
        assert!(cargo.status().expect("there is cargo").success());
    }
    path
}

/// The result of a run of the program: its exit code, standard output and standard error.
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Ran {
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.out)
            .unwrap_or_else(|error| panic!("no report on standard output: {error}\n{}", self.err))
    }

    /// Returns the digest that a text report states.
    pub(crate) fn digest(&self) -> &str {
        let line = self.out.lines().find(|line| line.starts_with("digest "));
        line.expect("a digest").split(' ').nth(1).expect("a value")
    }
}

/// Returns a command that runs the program in a folder, without the environment variables that change its output.
pub(crate) fn program(folder: &Path) -> assert_cmd::Command {
    let mut command = assert_cmd::Command::new(binary());
    command.current_dir(folder);
    for name in ["NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE", "COLUMNS"] {
        command.env_remove(name);
    }
    command
}

pub(crate) fn run(folder: &TempDir, arguments: &[&str]) -> Ran {
    ran(program(folder.path()).args(arguments).output())
}

pub(crate) fn ran(output: std::io::Result<Output>) -> Ran {
    let output = output.expect("the program starts");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("the program writes UTF-8");
    let ran = Ran {
        code: output.status.code().expect("an exit code, not a signal"),
        out: text(output.stdout),
        err: text(output.stderr),
    };
    assert!(!ran.err.contains("panicked"), "{}", ran.err);
    ran
}

/// Runs `score FILE --with sentiment` with further arguments.
pub(crate) fn score(folder: &TempDir, file: &str, arguments: &[&str]) -> Ran {
    let all = [&["score", file, "--with", "sentiment"], arguments].concat();
    run(folder, &all)
}

/// Runs `score - --with sentiment` with further arguments and this standard input.
pub(crate) fn score_stdin(folder: &TempDir, arguments: &[&str], input: impl Into<Vec<u8>>) -> Ran {
    let mut program = program(folder.path());
    program.args(["score", "-", "--with", "sentiment"]);
    ran(program.args(arguments).write_stdin(input).output())
}

/// Address space in KiB, for programs that may have little memory.
pub(crate) const LITTLE_MEMORY: usize = 100 << 10;

/// Runs `score` with these arguments, which a shell reads, in a process with [`LITTLE_MEMORY`] of address space. By
/// default, the allocator of the C library would reserve 64 MiB of it for each thread that allocates.
pub(crate) fn score_in_little_memory(folder: &TempDir, arguments: &str) -> Ran {
    let limits = format!("export MALLOC_ARENA_MAX=1; ulimit -v {LITTLE_MEMORY}");
    shell(folder, &format!("{limits}; exec \"$0\" score {arguments}"))
}

pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut packed = GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all(bytes).expect("memory");
    packed.finish().expect("memory")
}

/// Runs a line of shell commands, which can redirect and set limits; `$0` is the program.
pub(crate) fn shell(folder: &TempDir, line: &str) -> Ran {
    finish(start_shell(folder, line))
}

pub(crate) fn start_shell(folder: &TempDir, line: &str) -> Child {
    let mut command = Command::new("sh");
    command.args(["-c", line]).arg(binary());
    spawn(command, folder)
}

/// Starts the program with pipes as its standard streams.
pub(crate) fn start(folder: &TempDir, arguments: &[&str]) -> Child {
    let mut command = Command::new(binary());
    command.args(arguments);
    spawn(command, folder)
}

fn spawn(mut command: Command, folder: &TempDir) -> Child {
    command
        .current_dir(folder.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it starts")
}

/// Closes the standard input of a process and waits for the end of the process. If the process takes longer than
/// [`PATIENCE`], it is killed and the test fails.
pub(crate) fn output_of(mut child: Child) -> Output {
    let id = child.id();
    let (ended, over) = mpsc::channel::<()>();
    let watchdog = thread::spawn(move || {
        let in_time = over.recv_timeout(PATIENCE) != Err(mpsc::RecvTimeoutError::Timeout);
        if !in_time {
            send(id, "KILL");
        }
        in_time
    });
    drop(child.stdin.take());
    let output = child.wait_with_output().expect("it can be waited for");
    drop(ended);
    assert!(watchdog.join().expect("no panic"), "the process hangs");
    output
}

/// Closes the standard input of the program and waits for the program to end.
pub(crate) fn finish(child: Child) -> Ran {
    ran(Ok(output_of(child)))
}

/// Sends a signal to a process that the caller has not waited for yet.
pub(crate) fn send(id: u32, signal: &str) {
    let id = id.to_string();
    let sent = Command::new("kill").args(["-s", signal, &id]).status();
    assert!(sent.expect("there is kill").success());
}

/// Sends a signal repeatedly until the program ends.
pub(crate) fn send_until_it_ends(mut child: Child, signal: &str) -> Ran {
    wait_for("the end of the program", || {
        let ended = child.try_wait().expect("it can be asked");
        if ended.is_none() {
            send(child.id(), signal);
            thread::sleep(Duration::from_millis(20));
        }
        ended
    });
    finish(child)
}

/// Calls the function repeatedly until it returns a value.
pub(crate) fn wait_for<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let began = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(began.elapsed() < PATIENCE, "waited in vain for {what}");
        thread::sleep(Duration::from_millis(2));
    }
}

/// Waits until a condition holds. The test fails if the program ends before that.
pub(crate) fn wait_while_running(child: &mut Child, what: &str, condition: impl Fn() -> bool) {
    wait_for(what, || {
        let ended = child.try_wait().expect("it can be asked");
        let holds = condition();
        assert!(holds || ended.is_none(), "the program ended before {what}");
        holds.then_some(())
    });
}

/// Starts `score -`, writes these lines to its input, which stays open, and waits until the scores of all lines are
/// in the scores file, which still has its temporary name.
pub(crate) fn start_scoring(folder: &TempDir, lines: &str, arguments: &[&str]) -> Child {
    use std::io::Write as _;

    let all = ["score", "-", "--with", "sentiment", "--scores", "out.jsonl"];
    let mut child = start(folder, &[&all, arguments].concat());
    let input = child.stdin.as_mut().expect("a pipe");
    input.write_all(lines.as_bytes()).expect("it reads");
    let records = lines.lines().count();
    wait_while_running(&mut child, "the scores of its input", || {
        unfinished(folder).lines().count() == records
    });
    child
}

/// Returns the content of the output file that a run is writing under a temporary name, or an empty text if there is
/// no such file.
pub(crate) fn unfinished(folder: &TempDir) -> String {
    let names = names(folder);
    let name = names.iter().find(|name| name.starts_with(".manyhands-"));
    // The program may rename the file before it is read here.
    let read = |name| std::fs::read_to_string(folder.path().join(name)).ok();
    name.and_then(read).unwrap_or_default()
}

/// Creates a folder that holds one file.
pub(crate) fn folder_with(name: &str, contents: impl AsRef<[u8]>) -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    write(&folder, name, contents);
    folder
}

pub(crate) fn write(folder: &TempDir, name: &str, contents: impl AsRef<[u8]>) {
    std::fs::write(folder.path().join(name), contents).expect("a file");
}

pub(crate) fn read(folder: &TempDir, name: &str) -> String {
    std::fs::read_to_string(folder.path().join(name)).expect("a file")
}

/// Creates a named pipe.
pub(crate) fn make_pipe(folder: &TempDir, name: &str) {
    let made = Command::new("mkfifo")
        .arg(folder.path().join(name))
        .status();
    assert!(made.expect("there is mkfifo").success());
}

/// Returns the sorted names of all files in a folder, including hidden files.
pub(crate) fn names(folder: &TempDir) -> Vec<String> {
    let entries = std::fs::read_dir(folder.path()).expect("a folder");
    let name = |entry: std::io::Result<std::fs::DirEntry>| {
        let name = entry.expect("an entry").file_name();
        name.into_string().expect("a name in UTF-8")
    };
    let mut names: Vec<_> = entries.map(name).collect();
    names.sort();
    names
}

/// Returns the number of columns that a line takes on a terminal. In these tests, emoji and East Asian characters
/// are two columns wide. A joiner and the character after it take no columns.
pub(crate) fn columns(line: &str) -> usize {
    const JOINER: char = '\u{200d}';
    let width = |(before, c): (char, char)| match u32::from(c) {
        _ if before == JOINER || c == JOINER => 0,
        0x1100..=0x115f | 0x2e80..=0xa4cf | 0xac00..=0xd7a3 | 0xff00..=0xff60 => 2,
        0x1f300..=0x1faff => 2,
        _ => 1,
    };
    let before = std::iter::once(' ').chain(line.chars());
    before.zip(line.chars()).map(width).sum()
}

/// Whether a process is running. A process that has ended does not count, even if its parent has not waited for it.
#[cfg(target_os = "linux")]
pub(crate) fn lives(id: u32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
    let behind = stat.rsplit(')').next().unwrap_or_default();
    !matches!(behind.split_whitespace().next(), None | Some("Z" | "X"))
}
