//! A model of threads that keep answers at once, which the model checker explores.

use std::sync::Arc;
use std::time::Duration;

use super::simulated_tests::{SimulatedDisk, answer_of, open, recover};
use super::{Journal, Syncing};
use crate::sync::{check_model, thread};

/// Keeps two answers, and waits for the second. Nothing is lost if power fails then.
fn keep_and_wait(journal: &Journal, disk: &SimulatedDisk, first: u64) {
    let mut at = None;
    for number in [first, first + 1] {
        at = Some(
            journal
                .keep(number, number.into(), &answer_of(number))
                .unwrap(),
        );
    }
    assert!(journal.wait(at.unwrap(), Duration::MAX).unwrap());
    let bytes = disk.synced();
    let (_, answers) = recover(bytes).unwrap();
    let mut answer = Vec::new();
    for number in [first, first + 1] {
        assert!(answers.find(number, number.into(), &mut answer).unwrap());
        assert_eq!(answer, answer_of(number));
    }
}

#[test]
fn model_answers_that_were_waited_for_are_on_the_disk() {
    check_model(|| {
        let disk = SimulatedDisk::with_journal();
        let journal = Arc::new(open(&disk, Syncing::AtOnce).unwrap());
        let (shared, shared_disk) = (Arc::clone(&journal), Arc::clone(&disk));
        let other = thread::spawn(move || keep_and_wait(&shared, &shared_disk, 2));
        keep_and_wait(&journal, &disk, 0);
        other.join().unwrap();
        let journal = Arc::into_inner(journal).unwrap();
        assert_eq!(journal.counts().kept, 4);
        journal.close().unwrap();
        let (_, answers) = recover(disk.synced()).unwrap();
        assert_eq!(answers.total(), 4);
    });
}
