//! What is confirmed survives power failures.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use super::Syncing;
use super::simulated_tests::{SimulatedDisk, answer_of, open, recover};

/// The number of power failures after each life of a journal.
const FAILURES: usize = 25;
const LIVES: u64 = 420;

/// The key of the answer of a number. Some keys are those of other indices.
fn key_of(number: u64) -> u128 {
    u128::from(number) << 70 | 3
}

/// The index of the answer of a number. Every fifth answer has the index of an earlier one.
fn index_of(number: u64) -> u64 {
    number - number % 5 / 4 * number.min(3)
}

/// Opens what power failures have left, and returns the numbers of the answers that are found.
fn found_after(bytes: Vec<u8>, numbers: u64) -> BTreeSet<u64> {
    let (_, answers) = recover(bytes).expect("a power failure damages nothing");
    let mut answer = Vec::new();
    let mut found = BTreeSet::new();
    for number in (0..numbers).filter(|_| answers.total() > 0) {
        let is_found = answers.find(index_of(number), key_of(number), &mut answer);
        if is_found.expect("it can be read") {
            assert_eq!(answer, answer_of(number));
            found.insert(number);
        }
    }
    assert_eq!(answers.total(), found.len() as u64);
    found
}

#[test]
fn what_was_confirmed_is_found_after_every_power_failure() {
    let mut random = fastrand::Rng::with_seed(7);
    let mut disk = SimulatedDisk::with_journal();
    let (mut numbers, mut failures) = (0, 0);
    for life in 0..LIVES {
        if life % 8 == 0 {
            (disk, numbers) = (SimulatedDisk::with_journal(), 0);
        }
        let syncing = if random.bool() {
            Syncing::AtOnce
        } else {
            Syncing::Seldom
        };
        let journal = open(&disk, syncing).expect("it can be opened");
        // What is found when a journal has been opened is on the disk from then on.
        let (opened, first) = (disk.events(), numbers);
        let certain = found_after(disk.bytes(), numbers);
        for _ in 0..random.u64(0..20) {
            let at = journal.keep(index_of(numbers), key_of(numbers), &answer_of(numbers));
            numbers += 1;
            if random.u8(..3) == 0 {
                let is_on_disk = journal.wait(at.expect("room"), Duration::MAX);
                assert!(is_on_disk.expect("a disk"));
                disk.confirm(numbers);
            }
        }
        match random.bool() {
            true => drop(journal),
            false => {
                journal.close().expect("a disk");
                disk.confirm(numbers);
            }
        }
        let events = disk.events();
        for _ in 0..FAILURES {
            let event = random.usize(..=events);
            let (bytes, confirmed) = disk.after_power_failure(event, &mut random);
            let found = found_after(bytes, numbers);
            assert!(
                event < opened || certain.is_subset(&found),
                "{certain:?} {found:?}"
            );
            if confirmed > first {
                assert!((first..confirmed).all(|number| found.contains(&number)));
            }
            failures += 1;
        }
        // The next life begins after a kill, or after a power failure.
        let event = random.usize(opened..=events);
        disk = match random.bool() {
            true => disk.after_kill(event),
            false => SimulatedDisk::new(disk.after_power_failure(event, &mut random).0),
        };
    }
    assert!(failures >= 10_000);
}

#[test]
fn a_journal_that_is_synced_seldom_confirms_when_it_is_asked() {
    let disk = SimulatedDisk::with_journal();
    let journal = open(&disk, Syncing::Seldom).unwrap();
    let first = journal.keep(1, 1, b"one").unwrap();
    assert!(!journal.wait(first, Duration::ZERO).unwrap());
    assert!(journal.wait(first, Duration::MAX).unwrap());
    let second = journal.keep(2, 2, b"two").unwrap();
    assert!(first < second);
    assert!(journal.wait(first, Duration::ZERO).unwrap());
    assert!(journal.wait(second, Duration::MAX).unwrap());
    let random = &mut fastrand::Rng::with_seed(1);
    let (bytes, _) = disk.after_power_failure(disk.events(), random);
    let (_, answers) = recover(bytes).unwrap();
    assert_eq!(answers.total(), 2);
    drop(journal);
    assert_eq!(Arc::strong_count(&disk), 1);
}
