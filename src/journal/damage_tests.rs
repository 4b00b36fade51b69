//! Damage to a journal is noticed.

use super::format::BlockPlace;
use super::simulated_tests::{SimulatedDisk, answer_of, open, open_for, recover, some_run};
use super::{DescribedRun, EarlierAnswers, Syncing};
use crate::error::Error;
use std::time::Duration;

const ANSWERS: u64 = 5;

/// The number of bytes of the block that says which run answers belong to.
fn description_bytes() -> usize {
    some_run().block(BlockPlace { salt: 0, at: 0 }).len()
}

/// A run whose fingerprint is another one.
fn other_run() -> DescribedRun {
    let mut run = some_run();
    run.parts[0].1 += 1;
    run
}

/// The bytes of a journal in which every answer has a block of its own and is on the disk. The first two belong to another run.
fn journal() -> Vec<u8> {
    let disk = SimulatedDisk::with_journal();
    for (run, numbers) in [(other_run(), 0..2), (some_run(), 2..ANSWERS)] {
        let journal = open_for(&disk, &run, Syncing::AtOnce).unwrap();
        for number in numbers {
            let at = journal
                .keep(number, number.into(), &answer_of(number))
                .unwrap();
            assert!(journal.wait(at, Duration::MAX).unwrap());
        }
        journal.close().unwrap();
    }
    disk.bytes()
}

#[test]
fn a_run_is_told_what_it_differs_in_if_all_answers_belong_to_others() {
    let differences = |bytes: Vec<u8>, run: &DescribedRun| {
        let disk = SimulatedDisk::new(bytes);
        let journal = open_for(&disk, run, Syncing::AtOnce).unwrap();
        (journal.differences(), journal.paid_by_others())
    };
    let journal = journal();
    assert_eq!(differences(journal.clone(), &some_run()), (None, 0));
    assert_eq!(differences(journal.clone(), &other_run()), (None, 0));
    let mut third = some_run();
    third.parts.push(("the body".to_owned(), 1));
    let names = Some(vec!["the body".to_owned()]);
    assert_eq!(differences(journal, &third), (names, 0));

    // Only the answers of the run that has paid are counted.
    let disk = SimulatedDisk::with_journal();
    third.is_paid = true;
    for (run, number) in [(&third, 1), (&some_run(), 2)] {
        let journal = open_for(&disk, run, Syncing::AtOnce).unwrap();
        journal.keep(number, number.into(), b"").unwrap();
        journal.close().unwrap();
    }
    assert_eq!(differences(disk.bytes(), &some_run()), (None, 1));
    assert_eq!(differences(disk.bytes(), &third), (None, 0));
}

/// The numbers of the answers that are found. None may be wrong.
fn found(answers: &EarlierAnswers) -> Vec<u64> {
    let mut answer = Vec::new();
    let found = (0..ANSWERS).filter(|number| {
        let is_found = answers
            .find(*number, (*number).into(), &mut answer)
            .unwrap();
        assert!(!is_found || answer == answer_of(*number));
        is_found
    });
    found.collect()
}

#[test]
fn every_flipped_bit_is_refused_or_costs_no_answer() {
    let journal = journal();
    let (mut refused, mut cut) = (0, 0);
    for bit in 0..journal.len() * 8 {
        let mut bytes = journal.clone();
        bytes[bit / 8] ^= 1 << (bit % 8);
        match recover(bytes) {
            Ok((_, answers)) => {
                assert_eq!(found(&answers), [0, 1, 2, 3, 4], "bit {bit}");
                cut += 1;
            }
            Err(Error::Input { message, .. }) => {
                let is_clear = ["damaged at byte", "is not a journal", "has format"];
                assert!(
                    is_clear.iter().any(|part| message.contains(part)),
                    "{message}"
                );
                refused += 1;
            }
            Err(other) => panic!("{other}"),
        }
    }
    // Only the last block, which has no answers, may be cut.
    assert!(refused > cut && cut <= 36 * 8, "{refused} {cut}");
}

#[test]
fn every_truncated_journal_loses_only_its_end() {
    let journal = journal();
    let line = journal.iter().position(|byte| *byte == b'\n').unwrap() + 1;
    let mut most = 0;
    for length in 0..=journal.len() {
        match recover(journal[..length].to_vec()) {
            Ok((disk, answers)) => {
                let found = found(&answers);
                assert!(found.iter().copied().eq(0..found.len() as u64), "{found:?}");
                // A journal that is cut in its first line begins anew, with another salt.
                let most_bytes = length.max(line + 20) + description_bytes();
                assert!(found.len() >= most && disk.bytes().len() <= most_bytes);
                most = found.len();
            }
            Err(error) => panic!("{error}"),
        }
    }
    assert_eq!(most, 5);
}

#[test]
fn damage_is_named_by_its_byte_and_the_file_is_left_as_it_is() {
    let mut bytes = journal();
    let line = bytes.iter().position(|byte| *byte == b'\n').unwrap() + 1;
    bytes[line + 40] ^= 1;
    let disk = SimulatedDisk::new(bytes.clone());
    let error = open(&disk, Syncing::AtOnce).err().unwrap().to_string();
    let expected = format!("out.jsonl.journal: damaged at byte {line}: ");
    assert!(error.starts_with(&expected), "{error}");
    assert!(error.contains("restore the file"), "{error}");
    assert_eq!(disk.bytes(), bytes);
}

/// The message of a damaged journal says how to keep the answers before the damage.
#[test]
fn what_is_before_the_damage_is_whole() {
    let journal = journal();
    let line = journal.iter().position(|byte| *byte == b'\n').unwrap() + 1;
    let mut kept = Vec::new();
    for place in (line..journal.len() - 36).step_by(7) {
        let mut bytes = journal.clone();
        bytes[place] ^= 1;
        let error = recover(bytes.clone()).err().unwrap().to_string();
        let (_, advice) = error.split_once("(truncate -s ").unwrap();
        let (length, path) = advice.split_once(' ').unwrap();
        assert!(
            path.starts_with("-- 'out.jsonl.journal'), or delete it"),
            "{error}"
        );
        bytes.truncate(length.parse().unwrap());
        assert!(bytes.len() <= place && journal.starts_with(&bytes));
        let (_, answers) = recover(bytes).unwrap();
        let found = found(&answers);
        assert!(found.iter().copied().eq(0..found.len() as u64), "{found:?}");
        kept.push(found.len());
    }
    assert!(kept.is_sorted(), "{kept:?}");
    assert_eq!((kept.first(), kept.last()), (Some(&0), Some(&4)));
}

#[test]
fn zeros_in_the_middle_of_a_journal_are_refused() {
    let journal = journal();
    let line = journal.iter().position(|byte| *byte == b'\n').unwrap() + 1;
    let last = journal.len() - 36;
    for begin in line..last - 8 {
        let mut bytes = journal.clone();
        bytes[begin..last].fill(0);
        assert!(recover(bytes).is_err(), "byte {begin}");
    }
}

#[test]
fn a_block_that_was_copied_is_no_block() {
    let journal = journal();
    let line = journal.iter().position(|byte| *byte == b'\n').unwrap() + 1;
    for begin in line..journal.len() {
        let bytes = [&journal, &journal[begin..]].concat();
        let (disk, answers) = recover(bytes).unwrap();
        assert_eq!(answers.total(), 5);
        assert_eq!(disk.bytes(), journal);
    }
}

#[test]
fn blocks_of_another_journal_are_no_blocks() {
    let journal = journal();
    let line = journal.iter().position(|byte| *byte == b'\n').unwrap() + 1;
    // Both first lines have the same length, but different salts.
    let other = super::format::first_line(43);
    assert_eq!(other.len(), line);
    let (_, answers) = recover([other.as_bytes(), &journal[line..]].concat()).unwrap();
    assert_eq!(answers.total(), 0);
}

#[test]
fn an_answer_that_looks_like_a_block_is_an_answer() {
    let journal = journal();
    let line = journal.iter().position(|byte| *byte == b'\n').unwrap() + 1;
    let disk = SimulatedDisk::with_journal();
    let writing = open(&disk, Syncing::AtOnce).unwrap();
    writing.keep(0, 0, &journal[line..]).unwrap();
    writing.close().unwrap();
    let whole = disk.bytes();
    let block = 36 + 16 + 3 + journal.len() - line;
    // The block is damaged, and nothing says that it was on the disk.
    let begin = line + description_bytes();
    let mut torn = whole[..begin + block].to_vec();
    torn[begin] ^= 1;
    let (disk, answers) = recover(torn).unwrap();
    assert_eq!(answers.total(), 0);
    assert_eq!(disk.bytes().len(), begin);
    let (_, answers) = recover(whole).unwrap();
    let mut answer = Vec::new();
    assert!(answers.find(0, 0, &mut answer).unwrap());
    assert_eq!(answer, &journal[line..]);
}
