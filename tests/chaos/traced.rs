//! Runs under strace, which kills them or lets their system calls fail.

use crate::program::has;
use crate::scene::Scene;

/// What strace does at a system call.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Injected {
    Kill,
    /// The call fails with this error.
    Error(&'static str),
    /// The call fails with this error, and all later ones do.
    Errors(&'static str),
}

/// Whether strace works here. Otherwise it prints that the test is skipped.
pub(crate) fn can_trace() -> bool {
    if !has("strace") {
        return false;
    }
    let mut scene = Scene::with(&[].into());
    let before = words("strace -f -qq -o /dev/null -e trace=none");
    let works = scene.run(&before, &words("--version")).code == Some(0);
    if !works {
        println!("skipped: strace may not trace here");
    }
    works
}

/// The words before a command that let strace do this at a system call. It happens in the first thread that makes the call for
/// the `nth` time.
pub(crate) fn injecting(call: &str, injected: Injected, nth: usize) -> Vec<String> {
    let (what, later) = match injected {
        Injected::Kill => ("signal=KILL".to_owned(), ""),
        Injected::Error(error) => (format!("error={error}"), ""),
        Injected::Errors(error) => (format!("error={error}"), "+"),
    };
    let inject = format!("inject={call}:{what}:when={nth}{later}");
    let mut before = words("strace -f -qq -o /dev/null");
    before.extend(["-e", &format!("trace={call}"), "-e", &inject].map(str::to_owned));
    before
}

pub(crate) fn words(text: &str) -> Vec<String> {
    text.split_whitespace().map(str::to_owned).collect()
}
