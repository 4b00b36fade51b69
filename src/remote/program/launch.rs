//! How the processes of a program are started and ended.

use std::env;
use std::ffi::OsString;
use std::fmt;
use std::io;
use std::os::fd::AsFd;
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};
use rustix::io::Errno;
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};

use super::{descendants, environment, find, guard};
use crate::error::Error;
use crate::remote::spawn::{cannot_start, spawn};

/// How long [`RunningProgram::end`] waits for a process that cannot be killed.
const PATIENCE: Duration = Duration::from_secs(2);

/// The longest time between two looks at a process that is about to end.
const LONGEST_NAP: Duration = Duration::from_millis(5);

/// How a process of a program is started.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Launch {
    pub(super) program: OsString,
    pub(super) arguments: Vec<OsString>,
    /// Whether the process gets only the few variables of the environment that almost every program needs.
    pub(super) clean_env: bool,
    /// The program that guards the process, if there is one: it ends the process and its group once this process has
    /// ended. It must call [`guard`](super::guard) first.
    pub(super) guard: Option<PathBuf>,
}

/// A process of a program that was started, and the pipes to it. Reads and writes never wait.
#[derive(Debug)]
pub(super) struct RunningProgram {
    /// `None` once the input is closed.
    pub(super) input: Option<ChildStdin>,
    pub(super) output: ChildStdout,
    pub(super) errors: ChildStderr,
    /// The leader of the process group: the program, or its guard.
    leader: Child,
    guarded: bool,
    /// `None` until this process has noticed the end of the leader.
    end: Option<ProgramEnd>,
}

/// How a process has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ProgramEnd {
    /// With this exit status.
    Exited(i32),
    /// Killed by this signal.
    Killed(i32),
    /// The system does not say how: this process ignores SIGCHLD, or the program runs as a user whose processes this
    /// process may not kill.
    Unknown,
}

impl fmt::Display for ProgramEnd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ProgramEnd::Exited(status) => write!(f, "exit status {status}"),
            ProgramEnd::Killed(signal) => write!(f, "killed by signal {signal}"),
            ProgramEnd::Unknown => f.write_str("ended in an unknown way"),
        }
    }
}

impl From<ExitStatus> for ProgramEnd {
    fn from(status: ExitStatus) -> Self {
        match (status.code(), status.signal()) {
            (Some(code), _) => ProgramEnd::Exited(code),
            (None, Some(signal)) => ProgramEnd::Killed(signal),
            (None, None) => ProgramEnd::Unknown,
        }
    }
}

impl Launch {
    /// Returns an error if the program does not exist or cannot be run.
    pub(super) fn check(&self) -> Result<(), Error> {
        find::check(&self.program, env::var_os("PATH").as_deref())
            .map_err(|why| cannot_start(Path::new(&self.program), why))?;
        let Some(guard) = &self.guard else {
            return Ok(());
        };
        if guard::is_guard() {
            // If this process went on, its guards would start guards, and so on without end.
            let why =
                "this process was started as a guard; call manyhands::remote::guard first in main";
            return Err(cannot_start(guard, why));
        }
        find::check(guard.as_os_str(), None).map_err(|why| cannot_start(guard, why))
    }

    /// Starts a process.
    pub(super) fn start(&self) -> Result<RunningProgram, Error> {
        let mut command = self.command();
        let started = Path::new(command.get_program()).to_owned();
        let failed = |error: &io::Error| cannot_start(&started, find::explain(error));
        let mut leader = spawn(&mut command).map_err(|error| failed(&error))?;
        let pipes = (
            leader.stdin.take(),
            leader.stdout.take(),
            leader.stderr.take(),
        );
        let (Some(input), Some(output), Some(errors)) = pipes else {
            // The standard library returns the pipes that the command asks for.
            let _ = leader.kill().and_then(|()| leader.wait());
            return Err(cannot_start(&started, "it has no pipes"));
        };
        let running = RunningProgram {
            input: Some(input),
            output,
            errors,
            leader,
            guarded: self.guard.is_some(),
            end: None,
        };
        // If this fails, the process is killed when `running` is dropped.
        running
            .never_wait()
            .map_err(|error| failed(&error.into()))?;
        Ok(running)
    }

    fn command(&self) -> Command {
        let mut command = match &self.guard {
            Some(guard) => {
                let mut command = Command::new(guard);
                let parent = std::process::id().to_string();
                command.args([guard::ARGUMENT, &parent]).arg(&self.program);
                command
            }
            None => Command::new(&self.program),
        };
        command
            .args(&self.arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            // The group can be killed as a whole. Signals of the terminal do not reach it; they are meant for this
            // process, which may want to finish the records in progress.
            .process_group(0);
        environment::set(&mut command, self.clean_env);
        command
    }
}

impl RunningProgram {
    /// The id of the process, which is also that of its group. If the program is guarded, this is the id of the guard,
    /// and the program is the guard's only child.
    pub(super) fn id(&self) -> u32 {
        self.leader.id()
    }

    fn never_wait(&self) -> Result<(), Errno> {
        let input = self.input.as_ref().map(AsFd::as_fd);
        let others = [self.output.as_fd(), self.errors.as_fd()];
        for pipe in input.into_iter().chain(others) {
            fcntl_setfl(pipe, fcntl_getfl(pipe)? | OFlags::NONBLOCK)?;
        }
        Ok(())
    }

    /// How the process has ended; `None` while it runs. If it has ended, everything that it has started is killed.
    pub(super) fn try_wait(&mut self) -> Option<ProgramEnd> {
        if self.end.is_none() && self.has_ended() != Ok(false) {
            self.end();
        }
        self.end
    }

    /// Kills the process and its group, and returns how the process has ended.
    pub(super) fn end(&mut self) -> ProgramEnd {
        if let Some(end) = self.end {
            return end;
        }
        let end = self.kill_and_wait().unwrap_or(ProgramEnd::Unknown);
        *self.end.insert(end)
    }

    /// Returns `None` if the system does not say how the process has ended.
    fn kill_and_wait(&mut self) -> Option<ProgramEnd> {
        // Until the leader is reaped, the system gives its id to no other process or group. So this kills the right
        // group, even if the leader has ended and only what it has started is left. But if this process ignores
        // SIGCHLD, the system has reaped the leader at once, and the id may belong to another process.
        let is_reaped = self.has_ended().is_err();
        let killed = match is_reaped {
            true => Ok(()),
            false => kill_process_group(Pid::from_child(&self.leader), Signal::KILL),
        };
        // If the input were closed before, a program that reads might exit before it is killed. The caller would then
        // sometimes get its exit status, and sometimes the signal.
        self.input = None;
        if killed == Err(Errno::PERM) && !self.ends_within(PATIENCE) {
            return None;
        }
        self.leader.wait().ok().map(ProgramEnd::from)
    }

    /// The memory that the process and its descendants hold, in bytes. `None` if the system does not tell.
    pub(super) fn resident_bytes(&self) -> Option<u64> {
        match self.end {
            None => descendants::resident_bytes(self.id(), self.guarded),
            Some(_) => None,
        }
    }

    /// Whether the process and its descendants wait, so that they will write nothing before they have read something. `None`
    /// if the system does not tell.
    pub(super) fn is_at_rest(&self) -> Option<bool> {
        match self.end {
            None => descendants::is_at_rest(self.id(), self.guarded),
            Some(_) => None,
        }
    }

    /// Whether the leader has ended. It is not reaped. Returns an error if there is no such process any more.
    fn has_ended(&self) -> Result<bool, Errno> {
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
        match waitid(WaitId::Pid(Pid::from_child(&self.leader)), options) {
            Err(Errno::INTR) => Ok(false),
            end => end.map(|end| end.is_some()),
        }
    }

    /// Whether the leader ends within `patience`.
    fn ends_within(&self, patience: Duration) -> bool {
        let began = Instant::now();
        // Most processes end within a millisecond of their pipes. The others must not keep a core busy.
        let mut nap = Duration::from_micros(50);
        while self.has_ended() == Ok(false) {
            if began.elapsed() >= patience {
                return false;
            }
            thread::sleep(nap);
            nap = (nap * 2).min(LONGEST_NAP);
        }
        true
    }
}

impl Drop for RunningProgram {
    fn drop(&mut self) {
        self.end();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::remote::program::descendants;
    use std::io::{Read, Write as _};

    /// Time after which a test gives up waiting. It is longer than any step takes on a busy machine.
    const LONG: Duration = Duration::from_secs(60);

    fn launch(program: &str, arguments: &[&str]) -> Launch {
        Launch {
            program: program.into(),
            arguments: arguments.iter().map(OsString::from).collect(),
            clean_env: false,
            guard: None,
        }
    }

    fn shell(script: &str) -> RunningProgram {
        launch("sh", &["-c", script]).start().expect("there is sh")
    }

    /// Calls the function repeatedly until it returns a value.
    fn wait_for<T>(mut look: impl FnMut() -> Option<T>) -> T {
        let began = Instant::now();
        loop {
            if let Some(found) = look() {
                return found;
            }
            assert!(began.elapsed() < LONG, "waited in vain");
            thread::sleep(Duration::from_millis(1));
        }
    }

    /// Reads from a pipe that never waits, until `enough` returns true or the pipe has ended.
    fn read_until(pipe: &mut impl Read, enough: impl Fn(&[u8]) -> bool) -> String {
        let mut all = Vec::new();
        let mut buffer = [0; 1000];
        wait_for(|| match pipe.read(&mut buffer) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => None,
            read => {
                let read = read.expect("a pipe");
                all.extend(&buffer[..read]);
                (read == 0 || enough(&all)).then_some(())
            }
        });
        String::from_utf8(all).expect("the programs of these tests write UTF-8")
    }

    fn read_all(pipe: &mut impl Read) -> String {
        read_until(pipe, |_| false)
    }

    fn read_line(pipe: &mut impl Read) -> String {
        read_until(pipe, |read| read.ends_with(b"\n"))
            .trim_end()
            .to_owned()
    }

    /// Whether a process runs. One that has ended does not count, even if its parent has not waited for it.
    #[cfg(target_os = "linux")]
    fn lives(id: &str) -> bool {
        let stat = std::fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
        let behind_the_name = stat.rsplit(')').next().unwrap_or_default();
        !matches!(
            behind_the_name.split_whitespace().next(),
            None | Some("Z" | "X")
        )
    }

    #[test]
    fn a_program_reads_and_writes_through_pipes_that_never_wait() {
        let mut program =
            shell("read line; echo \"got $line\"; echo why >&2; cat >/dev/null; exit 3");
        let nothing = program.output.read(&mut [0; 10]);
        assert_eq!(
            nothing.map_err(|error| error.kind()),
            Err(io::ErrorKind::WouldBlock)
        );
        let mut input = program.input.take().expect("it is open");
        input.write_all(b"this\n").expect("the pipe is empty");
        assert_eq!(read_line(&mut program.output), "got this");
        assert_eq!(program.try_wait(), None);
        let until_full = wait_for(|| input.write(&[b'x'; 1 << 20]).err());
        assert_eq!(until_full.kind(), io::ErrorKind::WouldBlock);
        drop(input);
        assert_eq!(read_all(&mut program.errors), "why\n");
        assert_eq!(wait_for(|| program.try_wait()), ProgramEnd::Exited(3));
        assert_eq!(program.end(), ProgramEnd::Exited(3));
        assert_eq!(program.resident_bytes(), None);
    }

    #[test]
    fn the_end_of_a_program_is_told() {
        for (script, expected, text) in [
            ("exit 0", ProgramEnd::Exited(0), "exit status 0"),
            ("exit 255", ProgramEnd::Exited(255), "exit status 255"),
            (
                "kill -SEGV $$",
                ProgramEnd::Killed(11),
                "killed by signal 11",
            ),
        ] {
            let end = wait_for({
                let mut program = shell(script);
                move || program.try_wait()
            });
            assert_eq!(
                (end, end.to_string().as_str()),
                (expected, text),
                "{script}"
            );
        }
    }

    #[test]
    fn a_killed_program_does_not_see_the_end_of_its_input_first() {
        for _ in 0..100 {
            assert_eq!(shell("read line; exit 1").end(), ProgramEnd::Killed(9));
        }
    }

    #[test]
    fn a_program_that_computes_is_killed() {
        let mut program = shell("while :; do :; done");
        assert_eq!(program.try_wait(), None);
        assert_eq!(program.end(), ProgramEnd::Killed(9));
        assert_eq!(program.end(), ProgramEnd::Killed(9));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn what_a_program_has_started_ends_with_it() {
        let mut program = shell("sleep 600 & echo $!; wait");
        let child = read_line(&mut program.output);
        assert!(lives(&child));
        program.end();
        wait_for(|| (!lives(&child)).then_some(()));

        let mut program = shell("sleep 600 & echo $!; wait");
        let child = read_line(&mut program.output);
        drop(program);
        wait_for(|| (!lives(&child)).then_some(()));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn what_a_program_has_left_behind_does_not_hold_its_pipes() {
        let mut program = shell("sleep 600 & echo $!");
        let child = read_line(&mut program.output);
        assert_eq!(wait_for(|| program.try_wait()), ProgramEnd::Exited(0));
        assert_eq!(read_all(&mut program.output), "");
        wait_for(|| (!lives(&child)).then_some(()));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn memory_of_descendants_counts() {
        // The shell that waits has a child, which has a child with 50 MB.
        let fill = "x=$(head -c 50000000 /dev/zero | tr '\\0' x); echo full; read line; echo $x";
        let script = format!("sh -c '{}; :'; :", fill.replace('\'', "'\\''"));
        let mut program = shell(&script);
        assert_eq!(read_line(&mut program.output), "full");
        let bytes = program.resident_bytes().expect("Linux tells");
        assert!((50_000_000..1_000_000_000).contains(&bytes), "{bytes}");
        let own = descendants::resident_bytes(program.id(), false);
        let of_descendants = descendants::resident_bytes(program.id(), true);
        assert!(
            own > of_descendants && of_descendants > Some(50_000_000),
            "{own:?} {of_descendants:?}"
        );
    }

    #[test]
    fn programs_that_cannot_be_started_are_refused() {
        let message = |launch: &Launch| launch.check().expect_err("it is refused").to_string();
        assert!(launch("sh", &[]).check().is_ok());
        let absent = launch("./absent", &[]);
        assert!(
            message(&absent).contains("./absent: there is no such file"),
            "{}",
            message(&absent)
        );
        let start = absent
            .start()
            .expect_err("there is no such file")
            .to_string();
        assert!(start.contains("./absent: "), "{start}");
        let mut unguarded = launch("sh", &[]);
        unguarded.guard = Some("./absent".into());
        assert!(message(&unguarded).contains("./absent: there is no such file"));
    }

    #[test]
    fn a_guard_gets_the_id_of_this_process_and_the_program() {
        let mut launch = launch("program", &["first", "--second"]);
        launch.guard = Some("/bin/echo".into());
        let mut echo = launch.start().expect("there is echo");
        let expected = format!(
            "manyhands-guard {} program first --second\n",
            std::process::id()
        );
        assert_eq!(read_all(&mut echo.output), expected);
    }

    #[test]
    fn the_environment_is_set() {
        let variables = |clean_env| {
            let mut launch = launch("env", &[]);
            launch.clean_env = clean_env;
            read_all(&mut launch.start().expect("there is env").output)
        };
        // Cargo sets this variable for tests.
        let marker = "CARGO_MANIFEST_DIR=";
        assert!(variables(false).contains(marker));
        let narrow = variables(true);
        assert!(!narrow.contains(marker), "{narrow}");
        for name in ["PATH", "RAYON_NUM_THREADS"] {
            assert!(
                narrow
                    .lines()
                    .any(|line| line.starts_with(&format!("{name}="))),
                "{narrow}"
            );
        }
    }

    /// Counts the descriptors of the whole process, so it needs a process of its own, in which no other test runs.
    #[cfg(target_os = "linux")]
    #[test]
    fn starts_leave_no_descriptors_and_no_zombies() {
        const ALONE: &str = "MANYHANDS_TEST_ALONE";
        if env::var_os(ALONE).is_none() {
            let name = "remote::program::launch::tests::starts_leave_no_descriptors_and_no_zombies";
            let output = Command::new(env::current_exe().expect("a path"))
                .args([name, "--exact", "--test-threads=1"])
                .env(ALONE, "1")
                .output();
            let output = output.expect("it starts");
            let text = String::from_utf8_lossy(&output.stdout);
            assert!(text.contains("1 passed"), "{text}");
            return;
        }
        let descriptors = || {
            std::fs::read_dir("/proc/self/fd")
                .expect("there is /proc")
                .count()
        };
        let before = descriptors();
        let mut ids = Vec::new();
        for start in 0..500 {
            let mut program = shell("read line; exit 1");
            ids.push(program.id());
            match start % 3 {
                0 => drop(program.input.take()),
                1 => drop(program),
                _ => assert_eq!(program.end(), ProgramEnd::Killed(9)),
            }
        }
        assert_eq!(descriptors(), before);
        for id in ids {
            let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
            let id = Pid::from_raw(id.cast_signed()).expect("an id");
            assert_eq!(waitid(WaitId::Pid(id), options).err(), Some(Errno::CHILD));
        }
    }
}
