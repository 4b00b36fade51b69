//! The inside of a worker process: records in, answers out.

use std::io::{self, Read, Write};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::frame::Frame;
use super::process::{GREETING, Ready, WELCOME};
use crate::machine::{Pinning, processor_time};

/// What a worker process does with the records it is sent.
pub(crate) trait Worker: Sized {
    /// Comes before records, with those that follow.
    type Note: DeserializeOwned;
    /// What a record comes to.
    type Answer: Serialize;
    /// What there is to tell besides, since it was told last.
    type Account: Serialize;

    /// Makes ready what was asked for.
    ///
    /// # Errors
    ///
    /// Where that cannot be, in words.
    fn begin(setup: &[u8]) -> Result<Self, String>;

    /// Takes note.
    fn note(&mut self, note: Self::Note);

    /// Works on a record.
    fn answer(&mut self, text: &str) -> Self::Answer;

    /// What there is to tell besides.
    fn account(&mut self) -> Self::Account;
}

/// What is done is told at least so often, so that whoever waits for it can stop the run, and so that a
/// record that kills this process does not take those before it along.
pub(super) const TOLD_EVERY: Duration = Duration::from_millis(5);

/// Serves whoever is at the other end of the pipes, until that closes them: then the process ends, in
/// the middle of a record if need be.
///
/// A thread of its own reads what comes, and does nothing else. So whoever writes to this process
/// never waits for the records in it, and cannot be waiting to write while this waits to write to it.
///
/// # Errors
///
/// Where the other end is not the pool of a run, or a pipe breaks.
pub(crate) fn serve<W: Worker>(
    mut input: impl Read + Send + 'static,
    mut output: impl Write,
) -> io::Result<()> {
    let mut greeting = [0; GREETING.len()];
    let read = input.read_exact(&mut greeting);
    if read.is_err() || greeting != *GREETING {
        let message = "this command is started by others, to score what they send it";
        return Err(io::Error::new(io::ErrorKind::InvalidInput, message));
    }
    output.write_all(WELCOME)?;
    output.flush()?;
    let (came, messages) = mpsc::channel();
    let reader = thread::Builder::new().name("manyhands-pipe".to_owned());
    reader.spawn(move || {
        loop {
            let mut frame = Frame::new();
            match frame.read(&mut input) {
                Ok(true) if came.send(frame).is_ok() => {}
                // Nobody is left who would read an answer.
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
    let mut answers = Frame::new();
    let mut worker = match W::begin(setup.body()) {
        Ok(worker) => worker,
        Err(why) => return answers.write(&Err::<Ready, _>(why), &mut output),
    };
    let mut clock = Clock::new();
    let cpu = clock.processor_time();
    answers.write(&Ok::<_, String>(Ready { cpu, in_place }), &mut output)?;
    loop {
        let message = messages.recv().map_err(closed)?;
        let (note, lengths): (W::Note, Vec<usize>) = message.tail()?;
        worker.note(note);
        let (mut text, mut told) = (message.body(), 0);
        answers.clear();
        clock.start();
        for (place, length) in (1..).zip(&lengths) {
            let (record, rest) = text.split_at_checked(*length).unwrap_or_default();
            text = rest;
            let record = str::from_utf8(record).map_err(io::Error::other)?;
            let answer = worker.answer(record);
            let (took, elapsed) = clock.lap();
            answers.push_value(&(took, answer))?;
            if elapsed >= TOLD_EVERY || place == lengths.len() {
                let count = place - told;
                told = place;
                answers.write(
                    &(count, clock.processor_time(), worker.account()),
                    &mut output,
                )?;
                answers.clear();
                clock.start();
            }
        }
    }
}

/// How long records take.
struct Clock {
    began: Instant,
    last: Instant,
    cpu: Duration,
}

impl Clock {
    fn new() -> Self {
        let now = Instant::now();
        Clock {
            began: now,
            last: now,
            cpu: Duration::ZERO,
        }
    }

    fn start(&mut self) {
        self.began = Instant::now();
        self.last = self.began;
    }

    /// How long it is since the last lap, in nanoseconds, and since the start.
    fn lap(&mut self) -> (u64, Duration) {
        let now = Instant::now();
        let took = now - self.last;
        self.last = now;
        (took.as_nanos() as u64, now - self.began)
    }

    /// The processor time of this process since it was told last, in nanoseconds.
    fn processor_time(&mut self) -> u64 {
        let now = processor_time().unwrap_or_default();
        let since = now.saturating_sub(self.cpu);
        self.cpu = now;
        since.as_nanos() as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Cursor;

    /// A record takes this long, and this much processor time, that of the process as a whole.
    const RECORD: Duration = Duration::from_millis(20);

    fn burn() {
        let Some(began) = processor_time() else {
            return;
        };
        while processor_time().is_some_and(|now| now < began + RECORD) {
            std::hint::black_box((0..1000).sum::<u64>());
        }
    }

    /// Answers with the length of a record.
    struct Lengths;

    impl Worker for Lengths {
        type Note = ();
        type Answer = usize;
        type Account = ();

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

        fn account(&mut self) {}
    }

    /// A pipe that nothing more comes from, and that stays open.
    struct Open(Cursor<Vec<u8>>);

    impl Read for Open {
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
    fn a_worker_tells_what_it_has_done_and_what_that_took() {
        let mut input = GREETING.to_vec();
        let mut frame = Frame::new();
        frame.push(b"lengths");
        frame.write(&None::<usize>, &mut input).expect("memory");
        for texts in [["many", "hands"], ["make", "light"]] {
            frame.clear();
            texts.iter().for_each(|text| frame.push(text.as_bytes()));
            let lengths = texts.map(str::len);
            frame
                .write(&((), lengths.to_vec()), &mut input)
                .expect("memory");
        }
        // What is no text ends it.
        frame.clear();
        frame.push(b"\xff");
        frame
            .write(&((), vec![1_usize]), &mut input)
            .expect("memory");
        let mut output = Vec::new();
        let ended = serve::<Lengths>(Open(Cursor::new(input)), &mut output);
        let after = processor_time().unwrap_or_default();
        assert!(ended.is_err(), "it was sent what is no text");

        let mut output = output.strip_prefix(WELCOME).expect("a welcome");
        assert!(frame.read(&mut output).expect("a frame"));
        let ready: Result<Ready, String> = frame.tail().expect("a tail");
        let ready = ready.expect("it is ready");
        assert!(ready.in_place);
        let mut told = Vec::new();
        let mut spent = Duration::ZERO;
        while frame.read(&mut output).expect("a frame") {
            let (count, cpu, ()): (usize, u64, ()) = frame.tail().expect("a tail");
            assert_eq!(count, 1, "each takes longer than may go untold");
            let (took, length): (u64, usize) =
                postcard::from_bytes(frame.body()).expect("an answer");
            let took = Duration::from_nanos(took);
            assert!(took >= RECORD, "{took:?}");
            told.push(length);
            spent += Duration::from_nanos(cpu);
        }
        assert_eq!(told, [4, 5, 4, 5]);
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
