//! A disk that fails ends a journal, and what it has confirmed is found later.

use std::io::ErrorKind;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

use super::simulated_tests::{SimulatedDisk, Trouble, answer_of, open, recover, some_run};
use super::{Journal, Syncing};
use crate::error::Error;

const ANSWERS: u64 = 6;

/// Keeps answers and waits for each. Returns the number of confirmed ones, and the error.
fn keep_all(journal: &Journal) -> (u64, Option<Error>) {
    for number in 0..ANSWERS {
        let at = match journal.keep(number, number.into(), &answer_of(number)) {
            Ok(at) => at,
            Err(error) => return (number, Some(error)),
        };
        match journal.wait(at, Duration::MAX) {
            Ok(is_on_disk) => assert!(is_on_disk),
            Err(error) => return (number, Some(error)),
        }
    }
    (ANSWERS, None)
}

/// Finds the answers that were confirmed, however power fails.
fn check_confirmed(disk: &Arc<SimulatedDisk>, confirmed: u64) {
    let random = &mut fastrand::Rng::with_seed(confirmed);
    let (lost, _) = disk.after_power_failure(disk.events(), random);
    for bytes in [disk.bytes(), lost] {
        let (_, answers) = recover(bytes).expect("nothing is damaged");
        let mut answer = Vec::new();
        for number in 0..confirmed {
            assert!(answers.find(number, number.into(), &mut answer).unwrap());
            assert_eq!(answer, answer_of(number));
        }
    }
}

#[test]
fn a_failed_write_or_sync_is_never_made_again() {
    let kinds = [ErrorKind::StorageFull, ErrorKind::Other];
    let troubles = kinds.into_iter().flat_map(|kind| {
        let short = [0, 1, 20, 40].map(|length| Trouble::ShortThenError(length, kind));
        [Trouble::Error(kind)].into_iter().chain(short)
    });
    for trouble in troubles {
        for call in 0..14 {
            for syncing in [Syncing::AtOnce, Syncing::Seldom] {
                let disk = SimulatedDisk::with_journal();
                let journal = open(&disk, syncing).unwrap();
                disk.trouble_after(call, trouble);
                let (confirmed, error) = keep_all(&journal);
                if let Some(error) = error {
                    let message = error.to_string();
                    assert!(
                        message.starts_with("out.jsonl.journal: cannot be "),
                        "{message}"
                    );
                    assert!(
                        message.contains("then run again with this journal"),
                        "{message}"
                    );
                    assert!(matches!(error, Error::Destination { .. }), "{error:?}");
                    let events = disk.events();
                    assert!(journal.keep(9, 9, b"").is_err());
                    assert_eq!(events, disk.events());
                }
                let _ = journal.close();
                check_confirmed(&disk, confirmed);
                disk.repair();
                let next = open(&disk, syncing).expect("the disk works again");
                let (kept, error) = keep_all(&next);
                assert!(kept == ANSWERS && error.is_none());
                next.close().unwrap();
                check_confirmed(&disk, ANSWERS);
            }
        }
    }
}

#[test]
fn a_journal_on_a_full_disk_says_what_to_do() {
    let disk = SimulatedDisk::with_journal();
    let journal = open(&disk, Syncing::AtOnce).unwrap();
    disk.trouble_after(0, Trouble::Error(ErrorKind::StorageFull));
    let at = journal.keep(0, 0, b"").unwrap();
    let errors = [journal.wait(at, Duration::MAX).map(|_| ()), journal.close()];
    for error in errors {
        let message = error.unwrap_err().to_string();
        assert!(
            message.contains("; make room, then run again with this journal"),
            "{message}"
        );
    }
}

#[test]
fn interrupted_and_short_writes_are_completed() {
    let troubles = [0, 1, 35, 36, 60].map(Trouble::Short);
    for trouble in [Trouble::Error(ErrorKind::Interrupted)]
        .into_iter()
        .chain(troubles)
    {
        // A write of no bytes is an error. The first call is always a write.
        if matches!(trouble, Trouble::Short(0)) {
            continue;
        }
        let disk = SimulatedDisk::with_journal();
        let journal = open(&disk, Syncing::AtOnce).unwrap();
        disk.trouble_after(0, trouble);
        let (kept, error) = keep_all(&journal);
        assert!(kept == ANSWERS && error.is_none(), "{trouble:?} {error:?}");
        journal.close().unwrap();
        check_confirmed(&disk, kept);
    }
}

/// Threads that keep faster than the disk writes wait, so the answers in memory are bounded.
#[test]
fn answers_that_wait_for_the_disk_take_a_bounded_memory() {
    const THREADS: usize = 4;
    const ANSWER: usize = 64 << 10;
    /// What may wait to be written, and for each thread a block that it fills and an answer that it keeps.
    const MOST: usize = (16 << 20) + THREADS * 3 * ANSWER;

    let disk = Arc::new(StuckDisk::default());
    let held = disk.stuck.lock().unwrap();
    let shared: Arc<dyn super::JournalDisk> = Arc::clone(&disk) as _;
    super::opening::write_beginning(&*disk.inner, 1, &some_run()).unwrap();
    let path = std::path::Path::new(super::simulated_tests::PATH);
    let journal = Journal::open_on(
        shared,
        path,
        &some_run(),
        Syncing::Seldom,
        super::simulated_tests::SIZES,
    )
    .unwrap();
    let kept = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                for number in 0..200 {
                    journal.keep(number, 0, &[1; ANSWER]).unwrap();
                    kept.fetch_add(ANSWER, SeqCst);
                }
            });
        }
        while kept.load(SeqCst) < 16 << 20 {
            std::thread::yield_now();
        }
        std::thread::sleep(Duration::from_millis(20));
        assert!(kept.load(SeqCst) <= MOST, "{}", kept.load(SeqCst));
        drop(held);
    });
    assert_eq!(kept.load(SeqCst), THREADS * 200 * ANSWER);
    journal.close().unwrap();
}

/// A disk that does not write while the lock is held.
#[derive(Default)]
struct StuckDisk {
    inner: Arc<SimulatedDisk>,
    stuck: std::sync::Mutex<()>,
}

impl super::JournalDisk for StuckDisk {
    fn read_at(&self, room: &mut [u8], at: u64) -> std::io::Result<usize> {
        self.inner.read_at(room, at)
    }

    fn write_at(&self, bytes: &[u8], _at: u64) -> std::io::Result<usize> {
        drop(self.stuck.lock().unwrap());
        Ok(bytes.len())
    }

    fn sync(&self) -> std::io::Result<()> {
        Ok(())
    }

    fn truncate(&self, _length: u64) -> std::io::Result<()> {
        Ok(())
    }

    fn length(&self) -> std::io::Result<u64> {
        self.inner.length()
    }

    fn scratch(&self) -> std::io::Result<Arc<dyn super::JournalDisk>> {
        self.inner.scratch()
    }
}
