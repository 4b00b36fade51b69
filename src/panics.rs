//! Catches the panics of tasks, and returns each panic as a value.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Once;

use crate::error::Panicked;

thread_local! {
    /// Whether this thread is inside a task, in which case a panic is returned instead of printed.
    static IN_TASK: Cell<bool> = const { Cell::new(false) };
    /// The message of the last panic in a task on this thread, and its place in the program.
    static LAST: RefCell<Option<(Option<String>, String)>> = const { RefCell::new(None) };
}

/// Calls `task`, and returns its result, or the panic if it panics.
///
/// A panic inside the task prints nothing, since the report of the run lists it with its record. To achieve this, the
/// first call of this function wraps the panic hook of the process; panics outside tasks still reach the earlier
/// hook. If the program later sets another hook, that hook replaces the wrapped hook and is also called for panics of
/// tasks, unless it passes them on to the wrapped hook. If the task panics on another thread that works for it, the
/// panic is printed, since the hook cannot know that the thread works for a task.
#[inline]
pub(crate) fn caught<R>(task: impl FnOnce() -> R) -> Result<R, Box<Panicked>> {
    static HOOK: Once = Once::new();
    // A thread that is panicking must not set the hook, since setting it would abort the process.
    if !HOOK.is_completed() && !std::thread::panicking() {
        HOOK.call_once(wrap_hook);
    }
    let before = IN_TASK.replace(true);
    let result = catch_unwind(AssertUnwindSafe(task)).map_err(panicked);
    IN_TASK.set(before);
    result
}

/// Whether this thread is inside a task, in which case a panic is returned instead of printed.
pub(crate) fn is_in_task() -> bool {
    IN_TASK.get()
}

/// Calls `work` as if this thread were inside a task if `in_task` is true, and otherwise as if it were outside any
/// task.
pub(crate) fn with_in_task<R>(in_task: bool, work: impl FnOnce() -> R) -> R {
    struct Before(bool);
    impl Drop for Before {
        fn drop(&mut self) {
            IN_TASK.set(self.0);
        }
    }
    let _before = Before(IN_TASK.replace(in_task));
    work()
}

#[cold]
fn panicked(payload: Box<dyn Any + Send>) -> Box<Panicked> {
    let message = payload
        .downcast_ref::<&str>()
        .map(ToString::to_string)
        .or_else(|| payload.downcast_ref::<String>().cloned());
    // If the panic was resumed from another thread, the hook was not called for it on this thread. `LAST` then
    // belongs to a different panic, and its message differs.
    let last = LAST.take().filter(|(last, _)| *last == message);
    // Dropping the payload may panic too. The payload of that panic is leaked, since dropping it could panic again.
    if let Err(again) = catch_unwind(AssertUnwindSafe(|| drop(payload))) {
        std::mem::forget(again);
    }
    Box::new(Panicked {
        message: message.unwrap_or_else(|| "with a value that is not text".to_owned()),
        place: last.map(|(_, place)| place),
    })
}

fn wrap_hook() {
    let before = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        if !IN_TASK.get() {
            return before(panic);
        }
        if let Some(place) = panic.location() {
            let message = panic.payload_as_str().map(str::to_owned);
            // In a thread that is ending, `LAST` may already be destroyed. `try_with` then does nothing; `with` would
            // panic, and a panic in the hook aborts the process.
            let _ = LAST.try_with(|last| last.replace(Some((message, place.to_string()))));
        }
    }));
}
