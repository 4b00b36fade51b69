//! What records come to when worker processes answer, die and hang as a script says.

use super::*;
use crate::error::Died;
use crate::remote::scripted::{Numbers, Scripted};
use crate::stop::Cancel;
use std::time::Instant;

/// What a record has come to.
type Outcome = Result<Result<u32, Unanswered>, BadRecord>;

/// A record that is not sent.
const BAD: &str = "";

fn bad() -> BadRecord {
    BadRecord::new("no text", None)
}

/// Fills a block; `first` is the index of its first record.
fn fill(block: &mut Block, first: u64, texts: &[&str]) {
    for (index, text) in (first..).zip(texts) {
        let record = if *text == BAD { Err(bad()) } else { Ok(*text) };
        let at = At {
            index,
            ..At::default()
        };
        block.push(at, record);
    }
}

/// Exchanges blocks of records, in as many reads as there are lists, and returns what they came to, in
/// order.
fn exchange(
    service: &Supervised<'_>,
    blocks: &[&[&str]],
    mut each: impl FnMut(u64),
) -> Result<Vec<Outcome>, Error> {
    let mut handed = Vec::new();
    let mut take = |at: At, answered: Result<&Answered<u32>, BadRecord>| {
        assert_eq!(at.index, handed.len() as u64, "in order, each once");
        handed.push(answered.map(Answered::take));
        each(at.index);
        ControlFlow::Continue(())
    };
    let mut exchange = Exchange::begin(service, &Numbers);
    let mut first = 0;
    for texts in blocks {
        let mut block = exchange.block();
        fill(&mut block, first, texts);
        first += texts.len() as u64;
        assert!(exchange.send(block, &mut take)?.is_continue());
    }
    assert!(exchange.finish(&mut take)?.is_continue());
    Ok(handed)
}

fn exit_7() -> Unanswered {
    let how = "exit status 7".to_owned();
    Unanswered::Died(Died { how })
}

const TIMEOUT: Duration = Duration::from_millis(300);

fn timed_out() -> Unanswered {
    Unanswered::TimedOut(TimedOut { after: TIMEOUT })
}

#[test]
fn who_takes_over_is_sent_what_has_no_answer() {
    let scripted = Scripted::new();
    // The first answers one record of three and dies; the second dies of the next, alone; the
    // third has the rest of that block, alone, and the block after it.
    scripted.says(1, &[&[10]]).dies(1);
    scripted.says(2, &[]).dies(2);
    scripted.says(3, &[&[30], &[40, 50]]);
    let pool = scripted.pool(1);
    let service = pool.supervised(&Cancel::new(), None).expect("a thread");
    let blocks: [&[&str]; 2] = [&["zero", BAD, "two", "three"], &["four", "five", BAD]];
    let handed = exchange(&service, &blocks, |_| {}).expect("answers");
    let expected = [
        Ok(Ok(10)),
        Err(bad()),
        Ok(Err(exit_7())),
        Ok(Ok(30)),
        Ok(Ok(40)),
        Ok(Ok(50)),
        Err(bad()),
    ];
    assert_eq!(handed, expected);
    assert_eq!(
        pool.processor_time(),
        Duration::from_nanos(1 + 10 + 1 + 1 + 20)
    );
    // The third was sent record 3, and the block that the first had not come to.
    scripted.wait_until_heard(3, b"fourfive");
    let heard = |text: &[u8]| scripted.has_heard(3, text);
    assert!(heard(b"three") && !heard(b"two") && !heard(b"zero"));
}

#[test]
fn a_death_while_starting_is_no_fault_of_a_record() {
    let scripted = Scripted::new();
    scripted.says(1, &[&[10]]).dies(1);
    // Four die before they are ready, in the midst of every word they say.
    let words = scripted.words(&[]);
    let welcome = crate::remote::process::WELCOME.len();
    for (number, said) in [(2, 0), (3, welcome - 1), (4, welcome), (5, words.len() - 1)] {
        scripted.says_only(number, &words[..said]).dies(number);
    }
    scripted.says(6, &[&[20], &[30]]).dies(6);
    // And once one was ready, four more may die.
    for number in 7..11 {
        scripted.says_only(number, b"").dies(number);
    }
    scripted.says(11, &[&[40]]);
    let pool = scripted.pool(1);
    let service = pool.supervised(&Cancel::new(), None).expect("a thread");
    let blocks: [&[&str]; 2] = [&["one", "two", "three"], &["four"]];
    let handed = exchange(&service, &blocks, |_| {}).expect("answers");
    assert_eq!(handed, [10, 20, 30, 40].map(|answer| Ok(Ok(answer))));
    assert_eq!(scripted.started(), 11);
}

#[test]
fn five_deaths_one_after_another_end_the_run() {
    let scripted = Scripted::new();
    scripted.says(1, &[&[10]]).dies(1);
    for number in 2..9 {
        scripted.says_only(number, b"").dies(number);
    }
    let pool = scripted.pool(1);
    let service = pool.supervised(&Cancel::new(), None).expect("a thread");
    let error = exchange(&service, &[&["one", "two"]], |_| {}).expect_err("no process");
    assert!(matches!(error, Error::Process { .. }), "{error:?}");
    let told = error.to_string();
    assert!(told.contains("5 died one after another"), "{told}");
    assert!(told.contains("exit status 7"), "{told}");
    assert_eq!(scripted.started(), 6);
}

#[test]
fn a_process_is_started_only_for_a_record() {
    let scripted = Scripted::new();
    scripted.says(1, &[]).dies(1);
    scripted.says(2, &[]).dies(2);
    let pool = scripted.pool(1);
    let service = pool.supervised(&Cancel::new(), None).expect("a thread");
    let handed = exchange(&service, &[&[BAD], &["one", BAD], &[BAD]], |_| {});
    let expected = [Err(bad()), Ok(Err(exit_7())), Err(bad()), Err(bad())];
    assert_eq!(handed.expect("no answer"), expected);
    assert_eq!(scripted.started(), 2);
}

#[test]
fn a_record_without_an_answer_in_time_fails_alone() {
    let scripted = Scripted::new();
    // The first two say that they are ready, and nothing about a record.
    scripted.says(1, &[]).says(2, &[]).says(3, &[&[20], &[30]]);
    let pool = scripted.pool(1);
    let service = pool.supervised(&Cancel::new(), Some(TIMEOUT));
    let service = service.expect("a thread");
    let blocks: [&[&str]; 2] = [&["one", "two"], &["three"]];
    let handed = exchange(&service, &blocks, |_| {}).expect("answers");
    assert_eq!(handed, [Ok(Err(timed_out())), Ok(Ok(20)), Ok(Ok(30))]);
    assert_eq!(scripted.started(), 3);
}

#[test]
fn a_process_that_does_not_read_is_killed_too() {
    let scripted = Scripted::new();
    scripted.says(1, &[]).reads_nothing(1);
    scripted.says(2, &[&[10]]);
    let pool = scripted.pool(1);
    let service = pool.supervised(&Cancel::new(), Some(TIMEOUT));
    let service = service.expect("a thread");
    let long = "so good ".repeat(1 << 20);
    let handed = exchange(&service, &[&[&long]], |_| {}).expect("an answer");
    assert_eq!(handed, [Ok(Ok(10))]);
}

#[test]
fn an_answer_in_the_moment_of_the_kill_counts_and_the_next_record_is_not_to_blame() {
    let scripted = Scripted::new();
    scripted.says(1, &[]).dies(1);
    scripted.says(2, &[&[10]]);
    scripted.says(3, &[&[20]]);
    scripted.says(4, &[&[30]]);
    let pool = scripted.pool(1);
    let service = pool.supervised(&Cancel::new(), None).expect("a thread");
    let kill = |index| {
        // As if the supervisor had found the process overdue just before it had answered.
        if index < 2 {
            service.in_use().each(|handle| {
                handle.waiting(|| {
                    handle.pass(Duration::ZERO, Duration::ZERO);
                    handle.pass(TIMEOUT, Duration::ZERO);
                });
            });
        }
    };
    let handed = exchange(&service, &[&["one", "two"]], kill).expect("answers");
    assert_eq!(handed, [Ok(Ok(10)), Ok(Ok(20))]);
    // The last was killed with all its records answered, and the next record finds it dead.
    let handed = exchange(&service, &[&["three"]], |_| {}).expect("an answer");
    assert_eq!(handed, [Ok(Ok(30))]);
    assert_eq!(scripted.started(), 4);
}

#[test]
fn once_the_run_is_to_stop_no_record_is_waited_for() {
    for deaf in [false, true] {
        let scripted = Scripted::new();
        scripted.says(1, &[&[10]]).says(2, &[&[20]]);
        let pool = scripted.pool(1);
        let token = Cancel::new();
        let service = pool.supervised(&token, None).expect("a thread");
        service.start().expect("it starts");
        if deaf {
            // Then the calling thread waits in the middle of a write.
            scripted.reads_nothing(1);
            token.cancel();
        }
        let long = "so good ".repeat(1 << 20);
        let blocks: [&[&str]; 4] = [&["one", "two"], &[&long], &[BAD, "three"], &["four"]];
        let stop = |index| {
            if index == 0 {
                token.cancel();
            }
        };
        let handed = exchange(&service, &blocks, stop).expect("it ends");
        let interrupted = || Ok(Err(Unanswered::Interrupted));
        let expected = [
            Ok(Ok(10)),
            interrupted(),
            interrupted(),
            Err(bad()),
            interrupted(),
            interrupted(),
        ];
        assert_eq!(handed, expected);
        assert_eq!(scripted.started(), 1);
    }
}

#[test]
fn a_record_that_a_process_has_alone_is_interrupted_by_a_stop() {
    let scripted = Scripted::new();
    scripted.says(1, &[]).dies(1).says(2, &[]);
    let pool = scripted.pool(1);
    let token = Cancel::new();
    let service = pool.supervised(&token, None).expect("a thread");
    let handed = std::thread::scope(|scope| {
        scope.spawn(|| {
            scripted.wait_until_heard(2, b"one");
            token.cancel();
        });
        exchange(&service, &[&["one"]], |_| {}).expect("it ends")
    });
    assert_eq!(handed, [Ok(Err(Unanswered::Interrupted))]);
    assert_eq!(scripted.started(), 2);
}

#[test]
fn a_process_with_answers_to_come_serves_no_other_records() {
    let scripted = Scripted::new();
    scripted.says(1, &[&[10], &[20]]).says(2, &[&[30]]);
    let pool = scripted.pool(1);
    let service = pool.supervised(&Cancel::new(), None).expect("a thread");
    let mut begun = Exchange::begin(&service, &Numbers);
    let mut block = begun.block();
    fill(&mut block, 0, &["one", "two"]);
    let mut take = |_: At, _: Result<&Answered<u32>, BadRecord>| ControlFlow::Break(());
    let sent = begun.send(block, &mut take).expect("sent");
    assert!(sent.is_continue());
    let ended = begun.finish(&mut take).expect("an answer");
    assert!(ended.is_break());
    let handed = exchange(&service, &[&["three"]], |_| {}).expect("an answer");
    assert_eq!(handed, [Ok(Ok(30))]);
}

#[test]
fn a_process_that_is_starting_is_not_waited_for_either() {
    let scripted = Scripted::new();
    scripted.says_only(1, crate::remote::process::WELCOME);
    let pool = scripted.pool(1);
    let token = Cancel::new();
    let service = pool.supervised(&token, None).expect("a thread");
    std::thread::scope(|scope| {
        scope.spawn(|| {
            scripted.wait_until_heard(1, b"mh1");
            token.cancel();
        });
        service.start().expect("it is stopped");
    });
    let handed = exchange(&service, &[&["one"]], |_| {}).expect("it is stopped");
    assert_eq!(handed, [Ok(Err(Unanswered::Interrupted))]);
    service.start().expect("it is stopped");
    assert_eq!(scripted.started(), 1);
}

#[test]
fn a_block_is_as_long_as_the_pace_allows() {
    let scripted = Scripted::new();
    scripted.says(1, &[&[1], &[2]]);
    let pool = scripted.pool(1);
    let service = pool.supervised(&Cancel::new(), None).expect("a thread");
    let mut take = |_: At, _: Result<&Answered<u32>, BadRecord>| ControlFlow::Continue(());
    let mut exchange = Exchange::begin(&service, &Numbers);
    let block = |exchange: &mut Exchange<'_, Numbers>, texts: &[&str]| {
        let mut block = exchange.block();
        fill(&mut block, 0, texts);
        (exchange.is_full(&block), block)
    };
    // Nothing is known about the first record, so it goes alone. One that is not sent says nothing.
    assert!(!block(&mut exchange, &[BAD]).0);
    let (full, first) = block(&mut exchange, &["four"]);
    assert!(full);
    assert!(exchange.send(first, &mut take).expect("sent").is_continue());
    assert!(exchange.receive(&mut take).expect("heard").is_continue());
    // It took nanoseconds, so the next block has eight times as many bytes.
    assert!(!block(&mut exchange, &["four"; 7]).0);
    let (full, second) = block(&mut exchange, &["four"; 8]);
    assert!(full);
    // Records that are not sent take memory too, however many.
    assert!(!block(&mut exchange, &[BAD; 4095]).0);
    assert!(block(&mut exchange, &[BAD; 4096]).0);
    drop(second);
    let began = Instant::now();
    drop(exchange);
    assert!(
        began.elapsed() < Duration::from_secs(300),
        "it was waited for"
    );
}
