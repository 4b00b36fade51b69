//! Catches the panics of tasks and returns them as values.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Once;

use crate::error::Panicked;

thread_local! {
    /// Whether this thread is inside a task, whose panics are returned instead of printed.
    static IN_TASK: Cell<bool> = const { Cell::new(false) };
    /// The message and the place of the last panic in a task.
    static LAST: RefCell<Option<(Option<String>, String)>> = const { RefCell::new(None) };
}

/// Calls `task` and returns its result, or its panic.
///
/// A panic inside the task prints nothing, since it is reported once, with the record. For that, the first call
/// wraps the panic hook of the process; all other panics still reach the earlier hook. A hook that the program
/// sets later replaces the wrapped hook, and is called for panics of tasks too, unless it passes them to the
/// hook before it. A panic on another thread that works for the task is printed there, since the hook cannot
/// know for whom that thread works.
#[inline]
pub(crate) fn caught<R>(task: impl FnOnce() -> R) -> Result<R, Box<Panicked>> {
    static HOOK: Once = Once::new();
    // A thread that is panicking must not set the hook: that aborts the process.
    if !HOOK.is_completed() && !std::thread::panicking() {
        HOOK.call_once(wrap_hook);
    }
    let before = IN_TASK.replace(true);
    let result = catch_unwind(AssertUnwindSafe(task)).map_err(panicked);
    IN_TASK.set(before);
    result
}

/// Whether this thread is inside a task, whose panics are returned instead of printed.
pub(crate) fn is_in_task() -> bool {
    IN_TASK.get()
}

/// Calls `work` as if this thread were inside a task, or outside any task.
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
    // A panic that was resumed from another thread did not call the hook on this thread. Then the last panic
    // here is a different one.
    let last = LAST.take().filter(|(last, _)| *last == message);
    // Dropping the payload may panic too.
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
            // The variables of a thread that is ending may be gone. A panic in the hook aborts the process.
            let _ = LAST.try_with(|last| last.replace(Some((message, place.to_string()))));
        }
    }));
}
