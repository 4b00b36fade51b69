//! The laws of [`Conversation`](super::conversation::Conversation), checked for every implementation.

use std::io::Cursor;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

use super::conversation::{Elsewhere, RecordReply, ask};
use super::in_process::InProcess;
use super::scored_elsewhere::ScoredElsewhere;
use crate::dataset::{Dataset as _, LoadedRecords, Position, TextStream};
use crate::error::{BadRecord, Cause, Error, Interrupted};
use crate::stop::Cancel;

/// Number of records in the dataset.
const RECORDS: u32 = 60;

/// The number of the record that is not UTF-8, so that it cannot be sent.
const BAD: u32 = 7;

/// The number of the record that cannot be scored.
const FAILING: u32 = 20;

/// Creates lines that each contain their own number.
fn lines() -> LoadedRecords {
    let line = |number| match number {
        BAD => b"\xff\n".to_vec(),
        number => format!("{number:02}\n").into_bytes(),
    };
    let lines: Vec<u8> = (0..RECORDS).flat_map(line).collect();
    let stream = TextStream::new("numbers.jsonl", Cursor::new(lines));
    LoadedRecords::of(&stream).expect("lines")
}

/// A reply in a form that can be compared.
#[derive(Clone, Debug, PartialEq)]
enum Visited {
    Score(u32),
    Failed,
    Interrupted,
    Bad,
}

fn found(reply: Result<&RecordReply<u32>, BadRecord>) -> Visited {
    match reply.map(RecordReply::take) {
        Ok(Ok(score)) => Visited::Score(score),
        Ok(Err(cause)) if cause.is::<Interrupted>() => Visited::Interrupted,
        Ok(Err(_)) => Visited::Failed,
        Err(_) => Visited::Bad,
    }
}

fn expected(number: u32) -> Visited {
    match number {
        BAD => Visited::Bad,
        FAILING => Visited::Failed,
        number => Visited::Score(number),
    }
}

/// Checks laws 1 to 3 and 6: the score of each line is its number, except for the bad record and the one
/// that cannot be scored.
fn assert_laws<E: Elsewhere<Score = u32>>(elsewhere: &E) {
    let lines = lines();
    let scored = ScoredElsewhere::new(&lines, elsewhere);
    let read = |visits: usize| {
        let mut all = Vec::new();
        let read = scored.read(0..scored.parts(), |at, reply| {
            assert_eq!(at.index, all.len() as u64, "in order, each once");
            all.push(found(reply));
            match all.len() < visits {
                true => ControlFlow::Continue(()),
                false => ControlFlow::Break(()),
            }
        });
        read.expect("replies");
        all
    };
    let all: Vec<_> = (0..RECORDS).map(expected).collect();
    for visits in [usize::MAX, 1, 5, 30, usize::MAX] {
        let visited = visits.min(all.len());
        assert_eq!(read(visits), all[..visited], "visits break off at {visits}");
    }
    let outcome = ask(elsewhere, Position::default(), "33").expect("a reply");
    assert_eq!(outcome.expect("a score"), 33);
}

/// The score that a made-up service returns for a line. Some lines take longer than the lines after them.
fn number(text: &str) -> Result<u32, Cause> {
    let number: u32 = text.parse()?;
    if number.is_multiple_of(10) {
        std::thread::sleep(Duration::from_millis(1));
    }
    match number {
        FAILING => Err("the service has no answer".into()),
        number => Ok(number),
    }
}

#[test]
fn a_service_whose_answers_are_out_of_step_keeps_the_laws() {
    for (threads, in_flight) in [(1, 1), (1, 8), (3, 1), (3, 4), (3, 100)] {
        let stop = Cancel::new();
        let score = |_: Position, text: &str| Ok(number(text));
        InProcess::serve(threads, in_flight, &stop, score, |service| {
            assert_laws(service);
        });
    }
}

#[test]
fn records_in_flight_are_bounded() {
    let in_progress = AtomicUsize::new(0);
    let most = AtomicUsize::new(0);
    let score = |_: Position, text: &str| {
        most.fetch_max(in_progress.fetch_add(1, SeqCst) + 1, SeqCst);
        let number = number(text);
        in_progress.fetch_sub(1, SeqCst);
        Ok(number)
    };
    InProcess::serve(8, 3, &Cancel::new(), score, assert_laws);
    assert!(most.into_inner() <= 3);
}

#[test]
fn a_stop_interrupts_the_records_in_flight() {
    let stop = Cancel::new();
    let score = |at: Position, text: &str| {
        // Whichever of these records a thread takes first stops the run. If only one particular record stopped it,
        // both threads could have taken later records and would wait for that record for ever.
        if at.index >= 30 {
            stop.cancel();
        }
        Ok(number(text))
    };
    let all = InProcess::serve(2, 4, &stop, score, |service| {
        let lines = lines();
        let scored = ScoredElsewhere::new(&lines, service);
        let mut all = Vec::new();
        let read = scored.read(0..scored.parts(), |_, reply| {
            all.push(found(reply));
            ControlFlow::Continue(())
        });
        read.expect("replies");
        all
    });
    assert_eq!(all.len(), RECORDS as usize);
    for (number, found) in (0..).zip(all) {
        // After the stop, each record either has its score or is interrupted; no record fails.
        assert!(
            found == expected(number) || number >= 26 && found == Visited::Interrupted,
            "{number}: {found:?}"
        );
    }
}

#[test]
fn an_error_of_the_service_ends_the_read_and_stops_the_run() {
    let stop = Cancel::new();
    let score = |at: Position, text: &str| match at.index {
        40.. => Err(Error::Process {
            message: "the service is gone".to_owned(),
        }),
        _ => Ok(number(text)),
    };
    InProcess::serve(2, 4, &stop, score, |service| {
        let lines = lines();
        let scored = ScoredElsewhere::new(&lines, service);
        let mut visited = 0;
        let read = scored.read(0..scored.parts(), |_, _| {
            visited += 1;
            ControlFlow::Continue(())
        });
        assert!(matches!(read, Err(Error::Process { .. })), "{read:?}");
        assert_eq!(visited, 40);
    });
    assert!(stop.is_cancelled());
}

#[cfg(unix)]
#[test]
fn the_process_pool_keeps_the_laws() {
    use super::process_pool::scripted::{Numbers, Scripted};

    let scripted = Scripted::new();
    let sent = || (0..RECORDS).filter(|number| *number != BAD);
    let answers = |numbers: &mut dyn Iterator<Item = u32>| -> Vec<[u32; 1]> {
        numbers.map(|number| [number]).collect()
    };
    let says = |process: usize, numbers: &mut dyn Iterator<Item = u32>| {
        let answers = answers(numbers);
        let answers: Vec<&[u32]> = answers.iter().map(<[u32; 1]>::as_slice).collect();
        scripted.says(process, &answers);
    };
    // Reading all records takes four processes, because three processes die of the record that cannot be scored. If
    // reading stops early, the process in use is ended, since it may still have to send answers.
    let whole_read = |first: usize, further: &[u32]| {
        says(first, &mut sent().take_while(|number| *number < FAILING));
        says(first + 1, &mut std::iter::empty());
        says(first + 2, &mut std::iter::empty());
        scripted.dies(first).dies(first + 1).dies(first + 2);
        let rest = sent().skip_while(|number| *number <= FAILING);
        says(first + 3, &mut rest.chain(further.iter().copied()));
    };
    whole_read(1, &[0]);
    // The fourth process also answers the first record of the next read, and is ended at that point.
    says(5, &mut (0..5));
    says(6, &mut sent().take_while(|number| *number < FAILING));
    says(7, &mut std::iter::empty());
    says(8, &mut std::iter::empty());
    scripted.dies(6).dies(7).dies(8);
    says(9, &mut sent().skip_while(|number| *number <= FAILING));
    whole_read(10, &[33]);
    let pool = scripted.pool(1);
    let run = pool.begin_run(&Numbers, &Cancel::new(), None);
    assert_laws(&run.expect("a thread"));
    assert_eq!(scripted.started(), 13);
}
