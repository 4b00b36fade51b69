//! The main loop of a worker process: receives records, sends answers.

use std::io::{self, Read, Write};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use super::message::Message;
use super::protocol::{ANSWER_INTERVAL, GREETING, ReadyMessage, WELCOME, WorkerProcess};
use crate::machine::{Pinning, processor_time};

/// Largest number of bytes of a message whose memory is kept for a later message.
const MAX_SPARE: usize = 1 << 20;

/// Serves the run at the other end of the pipes. When the run closes the pipes, the process exits, even in the
/// middle of a record.
///
/// A separate thread reads the messages and does nothing else. So the run never waits for a record when it writes
/// to this process, and the two sides never wait for each other to read.
///
/// # Errors
///
/// Returns an error if the other end is not a process pool of this version, or if a pipe breaks.
pub(crate) fn serve<W: WorkerProcess>(
    mut input: impl Read + Send + 'static,
    mut output: impl Write,
) -> io::Result<()> {
    let mut greeting = [0; GREETING.len()];
    let read = input.read_exact(&mut greeting);
    if read.is_err() || greeting != *GREETING {
        let message = "this command is started by manyhands itself, for --executor process-pool; \
            run manyhands score instead";
        return Err(io::Error::new(io::ErrorKind::InvalidInput, message));
    }
    output.write_all(WELCOME)?;
    output.flush()?;
    let (sender, messages) = mpsc::channel();
    let (spare, spares) = mpsc::channel();
    let reader = thread::Builder::new().name("manyhands-pipe".to_owned());
    reader.spawn(move || {
        loop {
            let mut message = spares.try_recv().unwrap_or_else(|_| Message::new());
            match message.read(&mut input) {
                Ok(true) if sender.send(message).is_ok() => {}
                // The run has ended, so no answer would be read.
                _ => std::process::exit(0),
            }
        }
    })?;
    let closed = |_| io::Error::from(io::ErrorKind::UnexpectedEof);
    let setup = messages.recv().map_err(closed)?;
    let in_place = setup.tail::<Option<usize>>()?.is_none_or(|place| {
        let pinning = Pinning::look();
        pinning.pin(place);
        pinning.works()
    });
    let mut answers = Message::new();
    let mut worker = match W::begin(setup.body()) {
        Ok(worker) => worker,
        Err(why) => return answers.write(&Err::<ReadyMessage, _>(why), &mut output),
    };
    let mut timer = AnswerTimer::new();
    let cpu = timer.take_processor_time();
    let ready = Ok::<_, String>(ReadyMessage { cpu, in_place });
    answers.write(&ready, &mut output)?;
    loop {
        let message = messages.recv().map_err(closed)?;
        let (note, lengths): (W::Note, Vec<usize>) = message.tail()?;
        worker.note(note);
        // All records are checked together for UTF-8.
        let text = simdutf8::basic::from_utf8(message.body()).map_err(io::Error::other)?;
        let (mut text, mut sent) = (text, 0);
        answers.clear();
        timer.start();
        for (place, length) in (1..).zip(&lengths) {
            let (record, rest) = text.split_at_checked(*length).unwrap_or_default();
            text = rest;
            let answer = worker.answer(record);
            let (took, held_back) = timer.lap();
            answers.push_value(&(took, answer))?;
            if held_back >= ANSWER_INTERVAL || place == lengths.len() {
                let count = place - sent;
                sent = place;
                let tail = (count, timer.take_processor_time(), worker.counters());
                answers.write(&tail, &mut output)?;
                answers.clear();
                timer.start();
            }
        }
        if message.capacity() <= MAX_SPARE {
            // Without a reader, there will be no further message.
            let _ = spare.send(message);
        }
    }
}

/// Measures the time of records, and the time since answers were sent.
struct AnswerTimer {
    started: Instant,
    last_lap: Instant,
    /// Processor time that has been reported to the run so far.
    reported: Duration,
}

impl AnswerTimer {
    fn new() -> Self {
        let now = Instant::now();
        AnswerTimer {
            started: now,
            last_lap: now,
            reported: Duration::ZERO,
        }
    }

    fn start(&mut self) {
        self.started = Instant::now();
        self.last_lap = self.started;
    }

    /// Returns the time since the last lap, in nanoseconds, and the time since the start.
    fn lap(&mut self) -> (u64, Duration) {
        let now = Instant::now();
        let took = now - self.last_lap;
        self.last_lap = now;
        (took.as_nanos() as u64, now - self.started)
    }

    /// Returns the processor time of this process since the last call, in nanoseconds.
    fn take_processor_time(&mut self) -> u64 {
        let now = processor_time().unwrap_or_default();
        let since = now.saturating_sub(self.reported);
        self.reported = now;
        since.as_nanos() as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Cursor;

    /// The time and the processor time that a record takes.
    const RECORD: Duration = Duration::from_millis(20);

    fn burn() {
        let Some(began) = processor_time() else {
            return;
        };
        while processor_time().is_some_and(|now| now < began + RECORD) {
            std::hint::black_box((0..1000).sum::<u64>());
        }
    }

    /// A worker that answers with the length of a record.
    struct Lengths;

    impl WorkerProcess for Lengths {
        type Note = ();
        type Answer = usize;
        type Counters = ();

        fn begin(setup: &[u8]) -> Result<Self, String> {
            assert_eq!(setup, b"lengths");
            burn();
            Ok(Lengths)
        }

        fn note(&mut self, (): ()) {}

        fn answer(&mut self, text: &str) -> usize {
            thread::sleep(RECORD);
            burn();
            text.len()
        }

        fn counters(&mut self) {}
    }

    /// A pipe that stays open after its last byte.
    struct OpenPipe(Cursor<Vec<u8>>);

    impl Read for OpenPipe {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            match self.0.read(buffer)? {
                0 => loop {
                    thread::park();
                },
                read => Ok(read),
            }
        }
    }

    #[test]
    fn a_worker_sends_answers_with_the_time_they_took() {
        let mut input = GREETING.to_vec();
        let mut message = Message::new();
        message.push(b"lengths");
        message.write(&None::<usize>, &mut input).expect("memory");
        for texts in [["many", "hands"], ["make", "light"]] {
            message.clear();
            texts.iter().for_each(|text| message.push(text.as_bytes()));
            let lengths = texts.map(str::len);
            message
                .write(&((), lengths.to_vec()), &mut input)
                .expect("memory");
        }
        // Bytes that are not UTF-8 end the loop.
        message.clear();
        message.push(b"\xff");
        message
            .write(&((), vec![1_usize]), &mut input)
            .expect("memory");
        let mut output = Vec::new();
        let ended = serve::<Lengths>(OpenPipe(Cursor::new(input)), &mut output);
        let after = processor_time().unwrap_or_default();
        assert!(ended.is_err(), "the last record was not UTF-8");

        let mut output = output.strip_prefix(WELCOME).expect("a welcome");
        assert!(message.read(&mut output).expect("a message"));
        let ready: Result<ReadyMessage, String> = message.tail().expect("a tail");
        let ready = ready.expect("it is ready");
        assert!(ready.in_place);
        let mut lengths = Vec::new();
        let mut spent = Duration::ZERO;
        while message.read(&mut output).expect("a message") {
            let (count, cpu, ()): (usize, u64, ()) = message.tail().expect("a tail");
            assert_eq!(
                count, 1,
                "each record takes longer than answers are held back"
            );
            let (took, length): (u64, usize) =
                postcard::from_bytes(message.body()).expect("an answer");
            let took = Duration::from_nanos(took);
            assert!(took >= RECORD, "{took:?}");
            lengths.push(length);
            spent += Duration::from_nanos(cpu);
        }
        assert_eq!(lengths, [4, 5, 4, 5]);
        // On a system that does not report processor time, a worker process reports 0.
        if processor_time().is_some() {
            assert!(spent >= 4 * RECORD, "{spent:?}");
            let ready = Duration::from_nanos(ready.cpu);
            assert!(ready >= RECORD, "{ready:?}");
            assert!(
                ready + spent <= after,
                "{ready:?} and {spent:?} of {after:?}"
            );
        }
    }
}
