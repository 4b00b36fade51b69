//! Tests of the window on one thread.

use std::time::Duration;

use super::{CallWindow, Completion, ReadRecord, TakenAnswers};
use crate::dataset::Position;

#[test]
fn an_answer_after_the_end_of_the_run_is_not_visited() {
    for unordered in [false, true] {
        for is_over in [false, true] {
            let window = CallWindow::<u64, u64>::new(8, 1, unordered);
            let mut read = vec![ReadRecord {
                at: Position::default(),
                record: Ok(1),
                bytes: 1,
                answer: None,
            }];
            assert!(window.push(&mut read, || ()));
            let mut completions = Vec::new();
            window.take_fresh(1, |key, _| {
                completions.push(Completion {
                    key,
                    outcome: Ok(2),
                    kept: None,
                    in_flight: Duration::ZERO,
                });
            });
            if is_over {
                window.close(true);
            }
            window.complete(&mut completions);
            let taken = window.take_done(1, || false, |_| Ok(true));
            assert_eq!(matches!(taken, TakenAnswers::Ended), is_over);
            assert!(completions.is_empty());
        }
    }
}
