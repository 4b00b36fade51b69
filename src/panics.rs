//! Panics of tasks, caught as values.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Once;

use crate::error::Panicked;

thread_local! {
    /// How many tasks this thread is inside of.
    static INSIDE: Cell<u32> = const { Cell::new(0) };
    /// Where the last panic inside a task happened.
    static PLACE: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// What `task` returns, or how it panicked.
///
/// A panic inside it prints nothing: it is told with the record, once. For that the panic hook of the
/// process is wrapped, the first time it is needed; all other panics go on to the hook that was there.
#[inline]
pub(crate) fn caught<R>(task: impl FnOnce() -> R) -> Result<R, Panicked> {
    static HOOK: Once = Once::new();
    if !HOOK.is_completed() {
        HOOK.call_once(wrap_hook);
    }
    INSIDE.set(INSIDE.get() + 1);
    let result = catch_unwind(AssertUnwindSafe(task));
    INSIDE.set(INSIDE.get() - 1);
    result.map_err(|payload| told(&*payload))
}

#[cold]
fn told(payload: &(dyn Any + Send)) -> Panicked {
    let message = payload
        .downcast_ref::<&str>()
        .map(ToString::to_string)
        .or_else(|| payload.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "with a value that is not text".to_owned());
    Panicked {
        message,
        place: PLACE.take(),
    }
}

fn wrap_hook() {
    let before = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        if INSIDE.get() == 0 {
            return before(panic);
        }
        PLACE.set(panic.location().map(ToString::to_string));
    }));
}
