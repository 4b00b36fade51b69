//! The stack that threads need in order to run what the main thread can run.

use std::sync::OnceLock;

use super::tree::Tree;

/// Size of the stack of a thread, in bytes, if the size of the main thread's stack is unknown.
const USUAL: usize = 8 << 20;
/// Size of the stack of a thread, in bytes, if the main thread's stack is unlimited. Threads need some limit.
const UNLIMITED: usize = 64 << 20;
/// Size of the stack that the standard library gives a thread, in bytes.
const STANDARD: usize = 2 << 20;

/// Size of the stack of the threads that executors start, in bytes, unless the caller chooses another size. It
/// is the size of the main thread's stack, or the value of `RUST_MIN_STACK` if that is larger.
pub(crate) fn default_stack_size() -> usize {
    static SIZE: OnceLock<usize> = OnceLock::new();
    *SIZE.get_or_init(|| {
        let least = std::env::var("RUST_MIN_STACK").ok();
        let least = least.and_then(|bytes| bytes.parse().ok()).unwrap_or(0);
        main_thread_stack(&Tree::of_this_machine()).max(least)
    })
}

/// Size of the stack that the main thread may use, in bytes, but at least the size that the standard library
/// gives a thread.
pub(super) fn main_thread_stack(tree: &Tree) -> usize {
    let soft_limit = tree.first_line_with("proc/self/limits", |line| {
        let limits = line.strip_prefix("Max stack size")?;
        limits.split_whitespace().next().map(str::to_owned)
    });
    match soft_limit.as_deref() {
        Some("unlimited") => UNLIMITED,
        Some(bytes) => bytes
            .parse()
            .map_or(USUAL, |bytes: usize| bytes.max(STANDARD)),
        None => USUAL,
    }
}
