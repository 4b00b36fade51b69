//! The guard of a program: a process that ends the program once the process that wants its answers has ended.

// The guard is the leader of a process group, and the program and what it starts belong to that group. The system has
// no way to end a group together with a process of another group, so a process must watch. The signal that Linux sends
// at the death of a parent (PR_SET_PDEATHSIG) is no help: it reaches one process instead of a group, and the system
// sends it as soon as the *thread* has ended that started the process.

use std::env;
use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Write as _};
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::{Child, Command, ExitCode, ExitStatus};
use std::thread;
use std::time::Duration;

use rustix::process::{
    Pid, Resource, Rlimit, Signal, getpgid, getpid, getppid, getrlimit, kill_process,
    kill_process_group, setpgid, setrlimit,
};

use super::find::explain;

/// The first argument of a guard. The id of its parent, the program, and the arguments of the program follow.
pub(super) const ARGUMENT: &str = "manyhands-guard";

/// The exit status of a guard that did not get the arguments that it needs.
const MISUSED: u8 = 2;

/// The exit status of a guard that cannot do its work. The program does not run then.
const CANNOT_GUARD: u8 = 125;

/// The exit status, as that of shells, for a program that cannot be executed.
const CANNOT_EXECUTE: u8 = 126;

/// The exit status, as that of shells, for a program that does not exist.
const NOT_FOUND: u8 = 127;

/// The time between two looks at the parent, on systems that do not tell when it ends.
const LOOK_INTERVAL: Duration = Duration::from_millis(50);

/// The time that a signal gets to end the guard.
const SIGNAL_TIME: Duration = Duration::from_millis(5);

/// The stack of the thread that waits for the end of the parent.
const STACK_BYTES: usize = 64 << 10;

/// Runs this process as the guard of a program, if it was started as one, and returns its exit code. Otherwise it
/// returns `None` at once.
///
/// If this process is killed, the programs that it uses as scorers must end too, and with them everything that they
/// have started. For this purpose, this library starts a small process between itself and each program: a *guard*. The
/// guard is this executable file, started again with other arguments. So an executable that wants guarded programs must
/// call this function first in `main`, before it reads its arguments or starts threads:
///
/// ```
/// use std::process::ExitCode;
///
/// fn main() -> ExitCode {
///     if let Some(exit) = manyhands::remote::guard() {
///         return exit;
///     }
///     // The rest of the program begins here.
///     ExitCode::SUCCESS
/// }
/// ```
///
/// # What holds with a guard
///
/// The guard notices the end of its parent at once on Linux 5.3 and later, and within about 50 ms on other systems,
/// and then kills the process group of the program with `SIGKILL`. It does not matter how the parent ends. Processes
/// that have left the group (as daemons do) are not killed. A program that has become another user cannot be killed.
///
/// Once the program has ended, the guard kills what is left of the group, and ends as the program did: with the same
/// exit status, or by the same signal. A few signals cannot end the guard, such as `SIGPIPE`; then its exit status is
/// 128 plus the number of the signal, as in shells. If the program cannot be started, the guard writes the reason to
/// standard error, and its exit status is 126 or 127, as in shells.
///
/// # What holds without a guard
///
/// Programs end with their work, and if the run fails or is stopped. If this process is killed, a program finds the end
/// of its input. A program that ignores this, or that does not read because it computes, goes on.
pub fn guard() -> Option<ExitCode> {
    let mut arguments = env::args_os().skip(1);
    if arguments.next()? != ARGUMENT {
        return None;
    }
    Some(match run(arguments) {
        Ok(status) => end_like(status),
        Err(Refusal { exit, message }) => {
            // Standard error may be closed. Then the exit status has to say enough.
            let _ = writeln!(io::stderr(), "{message}");
            ExitCode::from(exit)
        }
    })
}

/// Whether this process was started as a guard.
pub(super) fn is_guard() -> bool {
    env::args_os().nth(1).is_some_and(|first| first == ARGUMENT)
}

/// Why a guard ends without the end of a program.
struct Refusal {
    exit: u8,
    message: String,
}

impl Refusal {
    fn new(exit: u8, message: impl Into<String>) -> Self {
        Refusal {
            exit,
            message: message.into(),
        }
    }
}

fn run(mut arguments: impl Iterator<Item = OsString>) -> Result<ExitStatus, Refusal> {
    let parent = arguments.next().and_then(|id| {
        let id: i32 = id.to_str()?.parse().ok()?;
        Pid::from_raw(id.max(0))
    });
    let Some((parent, program)) = parent.zip(arguments.next()) else {
        let message =
            format!("{ARGUMENT} expects the id of the process that starts it, and a program");
        return Err(Refusal::new(MISUSED, message));
    };
    let program_name = Path::new(&program).display();
    let cannot_start =
        |exit, why: String| Refusal::new(exit, format!("cannot start {program_name}: {why}"));
    let cannot_guard = |error: io::Error| cannot_start(CANNOT_GUARD, explain(&error));

    hide_from_killall();
    // The process that starts a guard makes it the leader of a group. Then this fails or does nothing.
    let _ = setpgid(None, None);
    let parent = Parent::new(parent).ok_or_else(|| {
        cannot_start(
            CANNOT_GUARD,
            "the process that wants it has ended".to_owned(),
        )
    })?;
    let nowhere = File::options()
        .read(true)
        .write(true)
        .open("/dev/null")
        .map_err(cannot_guard)?;
    thread::Builder::new()
        .name("parent".to_owned())
        .stack_size(STACK_BYTES)
        .spawn(move || {
            parent.wait_for_end();
            let _ = kill_process_group(getpid(), Signal::KILL);
        })
        .map_err(cannot_guard)?;
    let child = Command::new(&program)
        .args(arguments)
        .spawn()
        .map_err(|error| {
            let exit = match error.kind() {
                io::ErrorKind::NotFound => NOT_FOUND,
                _ => CANNOT_EXECUTE,
            };
            cannot_start(exit, explain(&error))
        })?;
    watch(child, &nowhere).map_err(|error| {
        let message = format!("cannot find out how {program_name} has ended: {error}");
        Refusal::new(CANNOT_GUARD, message)
    })
}

/// Waits for the end of the program, and ends what the program has left behind.
fn watch(mut program: Child, nowhere: &File) -> io::Result<ExitStatus> {
    // Now the program alone holds the pipes. So they break if it closes them, and not only when the guard ends.
    rustix::stdio::dup2_stdin(nowhere)?;
    rustix::stdio::dup2_stdout(nowhere)?;
    rustix::stdio::dup2_stderr(nowhere)?;
    let end = program.wait();
    // The parent kills the rest of the group too, but it may be killed before it can. So the guard does this now. The
    // guard leaves the group first, because it would kill itself otherwise. The group keeps its id, which is the id of
    // the guard, as long as the guard lives.
    if let Ok(elsewhere) = getpgid(getppid())
        && setpgid(None, Some(elsewhere)).is_ok()
    {
        let _ = kill_process_group(getpid(), Signal::KILL);
    }
    end
}

/// Gives this process a name that differs from that of the executable. Otherwise `killall -9 manyhands` would kill the
/// guards together with their parent, and no guard would be left to end the programs.
fn hide_from_killall() {
    #[cfg(target_os = "linux")]
    let _ = rustix::thread::set_name(c"guard");
}

/// The process that has started this guard.
struct Parent {
    id: Pid,
    /// Can be waited for. `None` if the system has no such thing.
    #[cfg(target_os = "linux")]
    handle: Option<rustix::fd::OwnedFd>,
}

impl Parent {
    /// Returns `None` if the process with this id is not the parent of this process, because the parent has ended.
    fn new(id: Pid) -> Option<Self> {
        // The handle is opened before the check: if the check succeeds, the id was that of the parent all the time.
        let parent = Parent {
            id,
            #[cfg(target_os = "linux")]
            handle: rustix::process::pidfd_open(id, rustix::process::PidfdFlags::empty()).ok(),
        };
        parent.lives().then_some(parent)
    }

    fn lives(&self) -> bool {
        getppid() == Some(self.id)
    }

    fn wait_for_end(&self) {
        #[cfg(target_os = "linux")]
        if let Some(handle) = &self.handle {
            use rustix::event::{PollFd, PollFlags, poll};

            while let Err(rustix::io::Errno::INTR) =
                poll(&mut [PollFd::new(handle, PollFlags::IN)], None)
            {}
        }
        while self.lives() {
            thread::sleep(LOOK_INTERVAL);
        }
    }
}

/// Ends this process in the way in which the program has ended, or returns the exit code that says so.
fn end_like(end: ExitStatus) -> ExitCode {
    let signal = match (end.code(), end.signal()) {
        (Some(status), _) => return ExitCode::from(status as u8),
        (_, signal) => signal.unwrap_or(0),
    };
    if let Some(signal) = Signal::from_named_raw(signal) {
        dump_no_core();
        // The runtime of Rust handles SIGSEGV and SIGBUS in order to report overflows of the stack. Its handler finds
        // that the stack has not overflowed, and removes itself. So the second of these signals ends the process.
        for _ in 0..2 {
            let _ = kill_process(getpid(), signal);
            thread::sleep(SIGNAL_TIME);
        }
    }
    ExitCode::from((128 + signal) as u8)
}

/// The system writes the memory of the program to a file if it is set up to do so. A second file, with the memory of
/// the guard, would be of no use.
fn dump_no_core() {
    let limit = Rlimit {
        current: Some(0),
        ..getrlimit(Resource::Core)
    };
    let _ = setrlimit(Resource::Core, limit);
    // If a program receives the dumps, Linux does not apply the limit.
    #[cfg(target_os = "linux")]
    let _ = rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable);
}
