//! Panics of tasks, caught as values.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Once;

use crate::error::Panicked;

thread_local! {
    /// Whether a panic on this thread is told by the task it happens in.
    static TOLD: Cell<bool> = const { Cell::new(false) };
    /// What the last such panic said, and where it happened.
    static LAST: RefCell<Option<(Option<String>, String)>> = const { RefCell::new(None) };
}

/// What `task` returns, or how it panicked.
///
/// A panic inside it prints nothing: it is told with the record, once. For that the panic hook of the
/// process is wrapped, the first time it is needed; all other panics go on to the hook that was there.
/// A hook that is set later than that takes its place, and is called for panics of tasks as well
/// unless it leaves them to the hook before it. A panic on a thread that a task has handed work
/// to is printed there, since nothing tells whose work it was.
#[inline]
pub(crate) fn caught<R>(task: impl FnOnce() -> R) -> Result<R, Box<Panicked>> {
    static HOOK: Once = Once::new();
    // While it panics a thread must not touch the hook: it would abort the process.
    if !HOOK.is_completed() && !std::thread::panicking() {
        HOOK.call_once(wrap_hook);
    }
    let before = TOLD.replace(true);
    let result = catch_unwind(AssertUnwindSafe(task)).map_err(told);
    TOLD.set(before);
    result
}

/// Whether a panic on this thread is told by a task.
pub(crate) fn are_told() -> bool {
    TOLD.get()
}

/// Does what is no part of the task that this thread may be inside of, and whose panics are told or
/// not.
pub(crate) fn as_told<R>(told: bool, work: impl FnOnce() -> R) -> R {
    struct Before(bool);
    impl Drop for Before {
        fn drop(&mut self) {
            TOLD.set(self.0);
        }
    }
    let _before = Before(TOLD.replace(told));
    work()
}

#[cold]
fn told(payload: Box<dyn Any + Send>) -> Box<Panicked> {
    let said = payload
        .downcast_ref::<&str>()
        .map(ToString::to_string)
        .or_else(|| payload.downcast_ref::<String>().cloned());
    // A panic that comes from another thread has passed no hook on this one: what is kept here then
    // is some other's.
    let last = LAST.take().filter(|(last, _)| *last == said);
    // What a panic leaves behind may panic itself when it is dropped.
    if let Err(again) = catch_unwind(AssertUnwindSafe(|| drop(payload))) {
        std::mem::forget(again);
    }
    Box::new(Panicked {
        message: said.unwrap_or_else(|| "with a value that is not text".to_owned()),
        place: last.map(|(_, place)| place),
    })
}

fn wrap_hook() {
    let before = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        if !TOLD.get() {
            return before(panic);
        }
        if let Some(place) = panic.location() {
            let said = panic.payload_as_str().map(str::to_owned);
            // A thread that ends may be past its variables; a panic in here would abort the process.
            let _ = LAST.try_with(|last| last.replace(Some((said, place.to_string()))));
        }
    }));
}
