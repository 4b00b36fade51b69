//! Histories of runs over records that change between them, held against a model.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use proptest::collection::vec;
use proptest::prelude::*;

use super::simulated_tests::{SimulatedDisk, open, recover};
use super::{Journal, JournalCounts, Syncing};

/// A change of the records between two runs.
#[derive(Clone, Debug)]
enum Edit {
    Change(usize, u8),
    Insert(usize, u8),
    Delete(usize),
    Duplicate(usize, usize),
    Swap(usize, usize),
}

/// A run that is killed before its end.
#[derive(Clone, Debug)]
struct Life {
    edits: Vec<Edit>,
    /// How many of the records the run looks at.
    records: usize,
    /// Which of the records without an answer get one.
    answered: u64,
    /// The order in which the records are looked at: that of their indices times this odd number.
    stride: usize,
    syncs_at_once: bool,
    is_closed: bool,
}

fn edit() -> impl Strategy<Value = Edit> {
    let at = 0..1000_usize;
    prop_oneof![
        (at.clone(), 0..6_u8).prop_map(|(at, key)| Edit::Change(at, key)),
        (at.clone(), 0..6_u8).prop_map(|(at, key)| Edit::Insert(at, key)),
        at.clone().prop_map(Edit::Delete),
        (at.clone(), at.clone()).prop_map(|(from, to)| Edit::Duplicate(from, to)),
        (at.clone(), at).prop_map(|(one, other)| Edit::Swap(one, other)),
    ]
}

fn life() -> impl Strategy<Value = Life> {
    let stride = prop_oneof![Just(1_usize), Just(7), Just(11)];
    let parts = (
        vec(edit(), 0..4),
        0..100_usize,
        any::<u64>(),
        stride,
        any::<bool>(),
        any::<bool>(),
    );
    parts.prop_map(
        |(edits, records, answered, stride, syncs_at_once, is_closed)| Life {
            edits,
            records,
            answered,
            stride,
            syncs_at_once,
            is_closed,
        },
    )
}

/// Changes the records, each of which is only a key.
fn apply(edit: &Edit, records: &mut Vec<u8>) {
    let length = records.len();
    match *edit {
        Edit::Change(at, key) if length > 0 => records[at % length] = key,
        Edit::Insert(at, key) => records.insert(at % (length + 1), key),
        Edit::Delete(at) if length > 0 => drop(records.remove(at % length)),
        Edit::Duplicate(from, to) if length > 0 => {
            records.insert(to % (length + 1), records[from % length]);
        }
        Edit::Swap(one, other) if length > 0 => records.swap(one % length, other % length),
        _ => {}
    }
}

/// What a journal should hold: for each answer, its number, the index and the key.
#[derive(Default)]
struct ModelJournal {
    answers: BTreeMap<u64, (u64, u128)>,
}

impl ModelJournal {
    /// Looks for an answer in the journal and in the model.
    fn find(&self, journal: &Journal, taken: &mut BTreeSet<u64>, index: u64, key: u128) -> bool {
        let mut bytes = vec![9; 3];
        let is_found = journal.find(index, key, &mut bytes).unwrap();
        let free = |number: &u64| !taken.contains(number);
        let has_key = |(_, kept): &(&u64, &(u64, u128))| kept.1 == key;
        let in_place = self.answers.iter().rfind(|(_, kept)| kept.0 == index);
        let in_place = in_place
            .filter(has_key)
            .map(|(number, _)| *number)
            .filter(free);
        let same_key = self.answers.iter().filter(has_key);
        // Answers with equal keys are found in the order of their records, then in that in which they were kept.
        let first = same_key.filter(|(number, _)| free(number));
        let first = first.min_by_key(|(number, kept)| (kept.0, **number));
        let expected = in_place.or(first.map(|(number, _)| *number));
        let found = is_found.then(|| u64::from_le_bytes(bytes[..8].try_into().unwrap()));
        assert_eq!(found, expected, "record {index}");
        taken.extend(found);
        is_found
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn answers_go_to_records_with_the_same_key_and_are_found_once(
        mut records in vec(0..6_u8, 0..90),
        lives in vec(life(), 1..6),
    ) {
        let disk = SimulatedDisk::with_journal();
        let mut model = ModelJournal::default();
        let mut next = 0;
        for life in &lives {
            life.edits.iter().for_each(|edit| apply(edit, &mut records));
            let syncing = if life.syncs_at_once { Syncing::AtOnce } else { Syncing::Seldom };
            let journal = open(&disk, syncing).unwrap();
            let (mut taken, mut kept, mut last) = (BTreeSet::new(), Vec::new(), None);
            for number in 0..life.records.min(records.len()) {
                let is_permuted = records.len() % life.stride != 0;
                let index = if is_permuted { number * life.stride % records.len() } else { number };
                let (index, key) = (index as u64, u128::from(records[index]));
                let is_found = model.find(&journal, &mut taken, index, key);
                if !is_found && life.answered >> (index % 64) & 1 == 1 {
                    let number = next;
                    next += 1;
                    last = Some(journal.keep(index, key, &u64::to_le_bytes(number)).unwrap());
                    kept.push((number, (index, key)));
                }
            }
            let counts = JournalCounts {
                earlier: model.answers.len() as u64,
                taken_over: taken.len() as u64,
                kept: kept.len() as u64,
            };
            prop_assert_eq!(journal.counts(), counts);
            if let Some(last) = last {
                prop_assert!(journal.wait(last, Duration::MAX).unwrap());
            }
            model.answers.extend(kept);
            match life.is_closed {
                true => journal.close().unwrap(),
                false => drop(journal),
            }
        }
    }
}

/// Threads that look for answers with equal keys find each answer once, and together all of them.
#[test]
fn threads_together_find_each_answer_once() {
    const ANSWERS: u64 = 3000;
    const THREADS: u64 = 6;

    let disk = SimulatedDisk::with_journal();
    let journal = open(&disk, Syncing::Seldom).unwrap();
    for number in 0..ANSWERS {
        journal
            .keep(number, u128::from(number % 7), &number.to_le_bytes())
            .unwrap();
    }
    journal.close().unwrap();
    for shift in [0, 1, ANSWERS * 2] {
        let (_, answers) = recover(disk.bytes()).unwrap();
        let answers = &answers;
        let find = |thread: u64| {
            let mut answer = Vec::new();
            let mut found = Vec::new();
            for number in (thread..ANSWERS).step_by(THREADS as usize) {
                let key = u128::from(number % 7);
                if answers.find(number + shift, key, &mut answer).unwrap() {
                    let number = u64::from_le_bytes(answer[..].try_into().unwrap());
                    assert_eq!(u128::from(number % 7), key);
                    found.push(number);
                }
            }
            found
        };
        let mut found = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..THREADS)
                .map(|number| scope.spawn(move || find(number)))
                .collect();
            let found = threads
                .into_iter()
                .flat_map(|thread| thread.join().unwrap());
            found.collect::<Vec<_>>()
        });
        found.sort_unstable();
        assert!(found.into_iter().eq(0..ANSWERS), "shift {shift}");
        assert!(!answers.find(0, 0, &mut Vec::new()).unwrap());
    }
}

/// Equal records are found in a time that does not grow with their number, and indices may be as great as they can.
#[test]
fn many_equal_records_and_great_indices_are_found() {
    let disk = SimulatedDisk::with_journal();
    let journal = open(&disk, Syncing::Seldom).unwrap();
    for number in 0..5000_u64 {
        journal
            .keep(u64::MAX - number, 1, &number.to_le_bytes())
            .unwrap();
    }
    journal.close().unwrap();
    let (_, answers) = recover(disk.bytes()).unwrap();
    let mut answer = Vec::new();
    for number in (0..5000_u64).rev() {
        assert!(answers.find(number, 1, &mut answer).unwrap());
        assert_eq!(answer, number.to_le_bytes());
    }
    assert!(!answers.find(7, 1, &mut answer).unwrap());
    assert!(!answers.find(7, 2, &mut answer).unwrap());
    assert_eq!(answers.taken(), 5000);
    let disk = Arc::new(disk);
    assert!(open(&disk, Syncing::Seldom).unwrap().counts().earlier == 5000);
}
