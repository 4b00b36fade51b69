//! The end of a run that was stopped while calls are in flight.
//!
//! These calls are dropped. But an answer that has arrived is paid, so it is kept, although it is not visited.

use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::sync::OwnedSemaphorePermit;
use tokio::time::Instant;

use super::Driver;
use crate::calls::CallError;

/// How long calls are polled after the stop. The way from a socket to the call leads through tasks of the runtime, so an
/// answer may need several turns.
const LAST_LOOK: Duration = Duration::from_millis(50);

/// The least number of turns in which calls are polled after the stop, since on a busy machine the thread may get no core
/// for longer than this time.
const LEAST_TURNS: u32 = 4;

/// What is known about the time since a stop.
#[derive(Default)]
pub(super) struct LastAnswers {
    began: Option<Instant>,
    turns: u32,
}

impl<O, S, F, A> Driver<'_, O, S, F, A>
where
    F: Future<Output = Result<S, CallError>>,
    A: Fn(Arc<O>, OwnedSemaphorePermit) -> F,
{
    /// Keeps the answers that have arrived when the run is over. No call is started. Ready if the calls can be dropped.
    pub(super) fn take_last_answers(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let now = Instant::now();
        let began = *self.last_answers.began.get_or_insert_with(|| {
            // These calls would only begin now.
            self.slots.drop_unpolled();
            now
        });
        let left = LAST_LOOK.saturating_sub(now.saturating_duration_since(began));
        let has_time = !left.is_zero() || self.last_answers.turns < LEAST_TURNS;
        if self.memory.is_some() && has_time && !self.window.has_failed() {
            self.last_answers.turns += 1;
            self.poll_calls();
            self.completions.clear();
            if self.slots.len() > 0 {
                self.publish();
                return self.wait(context, left);
            }
        }
        self.publish();
        Poll::Ready(())
    }
}
