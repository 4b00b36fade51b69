//! Replies from worker processes that answer, die and hang as a script says.

use std::io::Cursor;
use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use super::conversation::PoolConversation;
use super::message::Message;
use super::pool::PoolRun;
use super::protocol::{GREETING, WELCOME};
use super::scripted::{Numbers, Scripted};
use crate::dataset::{Dataset as _, LoadedRecords, Position, TextStream};
use crate::error::{BadRecord, Died, Error, Interrupted, TimedOut};
use crate::remote::conversation::{Conversation as _, Elsewhere as _, RecordReply};
use crate::remote::scored_elsewhere::ScoredElsewhere;
use crate::stop::Cancel;

/// The reply for a record, with the cause as text.
type Outcome = Result<Result<u32, String>, BadRecord>;

/// Represents a bad record, which is not sent.
const BAD: &str = "";

fn bad() -> BadRecord {
    BadRecord::new("no text", None)
}

/// Collects the records in one block, which is sent after the last record; `first` is the index of the first
/// record.
fn send(
    conversation: &mut PoolConversation<'_, Numbers>,
    first: u64,
    texts: &[&str],
    visit: &mut impl FnMut(Position, Result<&RecordReply<u32>, BadRecord>) -> ControlFlow<()>,
) -> Result<(), Error> {
    for (index, text) in (first..).zip(texts) {
        let record = if *text == BAD { Err(bad()) } else { Ok(*text) };
        let at = Position {
            index,
            ..Position::default()
        };
        conversation.push(at, record);
    }
    assert!(conversation.send_block(visit)?.is_continue());
    Ok(())
}

/// Sends blocks of records in one conversation, and returns the replies in order.
fn converse(
    run: &PoolRun<'_, Numbers>,
    blocks: &[&[&str]],
    mut each: impl FnMut(u64),
) -> Result<Vec<Outcome>, Error> {
    let mut replies = Vec::new();
    let mut visit = |at: Position, reply: Result<&RecordReply<u32>, BadRecord>| {
        assert_eq!(at.index, replies.len() as u64, "in order, each once");
        replies.push(reply.map(|reply| reply.take().map_err(|cause| cause.to_string())));
        each(at.index);
        ControlFlow::Continue(())
    };
    let mut conversation = run.open();
    let mut first = 0;
    for texts in blocks {
        send(&mut conversation, first, texts, &mut visit)?;
        first += texts.len() as u64;
    }
    assert!(conversation.finish(&mut visit)?.is_continue());
    Ok(replies)
}

fn exit_7() -> String {
    let how = "exit status 7".to_owned();
    Died { how }.to_string()
}

const TIMEOUT: Duration = Duration::from_millis(300);

fn timed_out() -> String {
    TimedOut { after: TIMEOUT }.to_string()
}

#[test]
fn the_next_process_is_sent_the_unanswered_records() {
    let scripted = Scripted::new();
    // The first process answers one record of three and dies. The next two processes are sent only the next record and
    // die. The fourth process is sent the rest of the block separately, and then the next block.
    scripted.says(1, &[&[10]]).dies(1);
    scripted.says(2, &[]).dies(2);
    scripted.says(3, &[]).dies(3);
    scripted.says(4, &[&[30], &[40, 50]]);
    let pool = scripted.pool(1);
    let run = pool
        .begin_run(&Numbers, &Cancel::new(), None)
        .expect("a thread");
    let blocks: [&[&str]; 2] = [&["zero", BAD, "two", "three"], &["four", "five", BAD]];
    let replies = converse(&run, &blocks, |_| {}).expect("answers");
    let expected = [
        Ok(Ok(10)),
        Err(bad()),
        Ok(Err(exit_7())),
        Ok(Ok(30)),
        Ok(Ok(40)),
        Ok(Ok(50)),
        Err(bad()),
    ];
    assert_eq!(replies, expected);
    assert_eq!(
        pool.processor_time(),
        Duration::from_nanos(1 + 10 + 1 + 1 + 1 + 20)
    );
    // The fourth process was sent record 3, and the block that the first had not started.
    scripted.wait_until_heard(4, b"fourfive");
    let heard = |text: &[u8]| scripted.has_heard(4, text);
    assert!(heard(b"three") && !heard(b"two") && !heard(b"zero"));
}

#[test]
fn no_record_fails_if_a_process_dies_while_starting() {
    let scripted = Scripted::new();
    scripted.says(1, &[&[10]]).dies(1);
    // Four processes die before they are ready, each while it sends a different message.
    let words = scripted.words(&[]);
    let welcome = WELCOME.len();
    for (number, said) in [(2, 0), (3, welcome - 1), (4, welcome), (5, words.len() - 1)] {
        scripted.says_only(number, &words[..said]).dies(number);
    }
    scripted.says(6, &[&[20], &[30]]).dies(6);
    // After one process has been ready, four more processes die.
    for number in 7..11 {
        scripted.says_only(number, b"").dies(number);
    }
    scripted.says(11, &[&[40]]);
    let pool = scripted.pool(1);
    let run = pool
        .begin_run(&Numbers, &Cancel::new(), None)
        .expect("a thread");
    let blocks: [&[&str]; 2] = [&["one", "two", "three"], &["four"]];
    let replies = converse(&run, &blocks, |_| {}).expect("answers");
    assert_eq!(replies, [10, 20, 30, 40].map(|answer| Ok(Ok(answer))));
    assert_eq!(scripted.started(), 11);
}

#[test]
fn five_deaths_in_succession_end_the_run() {
    let scripted = Scripted::new();
    scripted.says(1, &[&[10]]).dies(1);
    for number in 2..9 {
        scripted.says_only(number, b"").dies(number);
    }
    let pool = scripted.pool(1);
    let run = pool
        .begin_run(&Numbers, &Cancel::new(), None)
        .expect("a thread");
    let error = converse(&run, &[&["one", "two"]], |_| {}).expect_err("no process");
    assert!(matches!(error, Error::Process { .. }), "{error:?}");
    let error = error.to_string();
    assert!(error.contains("5 processes in succession died"), "{error}");
    assert!(error.contains("exit status 7"), "{error}");
    assert_eq!(scripted.started(), 6);
}

#[test]
fn a_process_is_started_only_for_a_record_to_send() {
    let scripted = Scripted::new();
    for number in 1..4 {
        scripted.says(number, &[]).dies(number);
    }
    let pool = scripted.pool(1);
    let run = pool
        .begin_run(&Numbers, &Cancel::new(), None)
        .expect("a thread");
    let replies = converse(&run, &[&[BAD], &["one", BAD], &[BAD]], |_| {});
    let expected = [Err(bad()), Ok(Err(exit_7())), Err(bad()), Err(bad())];
    assert_eq!(replies.expect("no answer"), expected);
    assert_eq!(scripted.started(), 3);
}

#[test]
fn a_record_without_an_answer_in_time_fails_and_no_other() {
    let scripted = Scripted::new();
    // The first two processes become ready, and never answer.
    scripted.says(1, &[]).says(2, &[]).says(3, &[&[20], &[30]]);
    let pool = scripted.pool(1);
    let run = pool.begin_run(&Numbers, &Cancel::new(), Some(TIMEOUT));
    let run = run.expect("a thread");
    let blocks: [&[&str]; 2] = [&["one", "two"], &["three"]];
    let replies = converse(&run, &blocks, |_| {}).expect("answers");
    assert_eq!(replies, [Ok(Err(timed_out())), Ok(Ok(20)), Ok(Ok(30))]);
    assert_eq!(scripted.started(), 3);
}

#[test]
fn a_process_that_does_not_read_is_killed() {
    let scripted = Scripted::new();
    scripted.says(1, &[]).reads_nothing(1);
    scripted.says(2, &[&[10]]);
    let pool = scripted.pool(1);
    let run = pool.begin_run(&Numbers, &Cancel::new(), Some(TIMEOUT));
    let run = run.expect("a thread");
    let long = "so good ".repeat(1 << 20);
    let replies = converse(&run, &[&[&long]], |_| {}).expect("an answer");
    assert_eq!(replies, [Ok(Ok(10))]);
}

#[test]
fn an_answer_that_arrives_during_the_kill_counts_and_the_next_record_does_not_fail() {
    let scripted = Scripted::new();
    scripted.says(1, &[]).dies(1);
    scripted.says(2, &[&[10]]);
    scripted.says(3, &[&[20]]);
    scripted.says(4, &[&[30]]);
    let pool = scripted.pool(1);
    let run = pool
        .begin_run(&Numbers, &Cancel::new(), None)
        .expect("a thread");
    let kill = |index| {
        // This has the same effect as if the supervisor had killed the process just before the answer was read.
        if index < 2 {
            run.in_use().for_each(|handle| {
                handle.while_waiting(|| {
                    handle.add_wait(Duration::ZERO, Duration::ZERO);
                    handle.add_wait(TIMEOUT, Duration::ZERO);
                });
            });
        }
    };
    let replies = converse(&run, &[&["one", "two"]], kill).expect("answers");
    assert_eq!(replies, [Ok(Ok(10)), Ok(Ok(20))]);
    // The last process was killed after it had answered all its records. This process is dead when the next record
    // is to be sent to it.
    let replies = converse(&run, &[&["three"]], |_| {}).expect("an answer");
    assert_eq!(replies, [Ok(Ok(30))]);
    assert_eq!(scripted.started(), 4);
}

#[test]
fn after_a_stop_no_record_is_waited_for() {
    for deaf in [false, true] {
        let scripted = Scripted::new();
        scripted.says(1, &[&[10]]).says(2, &[&[20]]);
        let pool = scripted.pool(1);
        let token = Cancel::new();
        let run = pool.begin_run(&Numbers, &token, None).expect("a thread");
        run.start().expect("it starts");
        if deaf {
            // Because nothing is read, the calling thread is blocked in a write.
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
        let replies = converse(&run, &blocks, stop).expect("it ends");
        let interrupted = || Ok(Err(Interrupted.to_string()));
        let expected = [
            Ok(Ok(10)),
            interrupted(),
            interrupted(),
            Err(bad()),
            interrupted(),
            interrupted(),
        ];
        assert_eq!(replies, expected);
        assert_eq!(scripted.started(), 1);
    }
}

#[test]
fn a_stop_interrupts_a_record_that_was_sent_alone() {
    let scripted = Scripted::new();
    scripted.says(1, &[]).dies(1).says(2, &[]);
    let pool = scripted.pool(1);
    let token = Cancel::new();
    let run = pool.begin_run(&Numbers, &token, None).expect("a thread");
    let replies = std::thread::scope(|scope| {
        scope.spawn(|| {
            scripted.wait_until_heard(2, b"one");
            token.cancel();
        });
        converse(&run, &[&["one"]], |_| {}).expect("it ends")
    });
    assert_eq!(replies, [Ok(Err(Interrupted.to_string()))]);
    assert_eq!(scripted.started(), 2);
}

#[test]
fn a_process_that_still_owes_answers_serves_no_other_conversation() {
    let scripted = Scripted::new();
    scripted.says(1, &[&[10], &[20]]).says(2, &[&[30]]);
    let pool = scripted.pool(1);
    let run = pool
        .begin_run(&Numbers, &Cancel::new(), None)
        .expect("a thread");
    let mut begun = run.open();
    let mut visit = |_: Position, _: Result<&RecordReply<u32>, BadRecord>| ControlFlow::Break(());
    send(&mut begun, 0, &["one", "two"], &mut visit).expect("sent");
    let ended = begun.finish(&mut visit).expect("an answer");
    assert!(ended.is_break());
    let replies = converse(&run, &[&["three"]], |_| {}).expect("an answer");
    assert_eq!(replies, [Ok(Ok(30))]);
}

#[test]
fn after_a_stop_a_starting_process_is_not_waited_for() {
    let scripted = Scripted::new();
    scripted.says_only(1, WELCOME);
    let pool = scripted.pool(1);
    let token = Cancel::new();
    let run = pool.begin_run(&Numbers, &token, None).expect("a thread");
    std::thread::scope(|scope| {
        scope.spawn(|| {
            scripted.wait_until_heard(1, b"mh1");
            token.cancel();
        });
        run.start().expect("it is stopped");
    });
    let replies = converse(&run, &[&["one"]], |_| {}).expect("it is stopped");
    assert_eq!(replies, [Ok(Err(Interrupted.to_string()))]);
    run.start().expect("it is stopped");
    assert_eq!(scripted.started(), 1);
}

#[test]
fn a_block_is_as_long_as_the_speed_of_the_process_allows() {
    let scripted = Scripted::new();
    scripted.says(1, &[&[1], &[2]]);
    let pool = scripted.pool(1);
    let run = pool
        .begin_run(&Numbers, &Cancel::new(), None)
        .expect("a thread");
    let mut visit =
        |_: Position, _: Result<&RecordReply<u32>, BadRecord>| ControlFlow::Continue(());
    let mut conversation = run.open();
    let is_full = |conversation: &mut PoolConversation<'_, Numbers>, texts: &[&str]| {
        conversation.clear();
        for text in texts {
            let record = if *text == BAD { Err(bad()) } else { Ok(*text) };
            conversation.push(Position::default(), record);
        }
        conversation.is_full()
    };
    // The time that the first record takes is unknown, so the record is sent alone. A bad record is not sent.
    assert!(!is_full(&mut conversation, &[BAD]));
    assert!(is_full(&mut conversation, &["four"]));
    let sent = conversation.send_block(&mut visit).expect("sent");
    assert!(sent.is_continue());
    let received = conversation.receive(&mut visit).expect("an answer");
    assert!(received.is_continue());
    // The record took nanoseconds, so the next block has eight times as many bytes.
    assert!(!is_full(&mut conversation, &["four"; 7]));
    assert!(is_full(&mut conversation, &["four"; 8]));
    // Bad records take memory too.
    assert!(!is_full(&mut conversation, &[BAD; 4095]));
    assert!(is_full(&mut conversation, &[BAD; 4096]));
    let began = Instant::now();
    drop(conversation);
    assert!(
        began.elapsed() < Duration::from_secs(300),
        "the drop waited for the process"
    );
}

#[test]
fn blocks_grow_with_the_speed_of_the_process() {
    const RECORDS: u32 = 100;

    let scripted = Scripted::new();
    let numbers: Vec<[u32; 1]> = (0..RECORDS).map(|number| [number]).collect();
    let answers: Vec<&[u32]> = numbers.iter().map(<[u32; 1]>::as_slice).collect();
    scripted.says(1, &answers);
    let lines: String = (0..RECORDS)
        .map(|number| format!("{{\"n\":{number:02}}}\n"))
        .collect();
    let stream = TextStream::new("made-up", Cursor::new(lines));
    let records = LoadedRecords::of(&stream).expect("lines");
    let pool = scripted.pool(1);
    let run = pool.begin_run(&Numbers, &Cancel::new(), None);
    let run = run.expect("a thread");
    let elsewhere = ScoredElsewhere::new(&records, &run);
    let mut visited = Vec::new();
    let read = elsewhere.read(0..elsewhere.parts(), |at, reply| {
        let score = reply.expect("it was sent").take();
        visited.push((at.index, score.expect("an answer")));
        ControlFlow::Continue(())
    });
    read.expect("lines");
    let expected: Vec<_> = (0..RECORDS)
        .map(|number| (u64::from(number), number))
        .collect();
    assert_eq!(visited, expected);

    scripted.wait_until_heard(1, b"{\"n\":99}");
    let input = scripted.heard(1);
    let mut input = &input[GREETING.len()..];
    let mut message = Message::new();
    assert!(message.read(&mut input).expect("the setup"));
    let mut sent = Vec::new();
    while message.read(&mut input).expect("records") {
        let ((), lengths) = message.tail::<((), Vec<usize>)>().expect("a tail");
        sent.push(lengths.len());
    }
    // Three blocks are sent before the first answer arrives. The next block has eight times as many bytes.
    assert_eq!(sent[..4], [1, 1, 1, 8], "{sent:?}");
    assert_eq!(sent.iter().sum::<usize>(), RECORDS as usize);
}
