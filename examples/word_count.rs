//! A program that manyhands runs to score records: it answers each text on standard input with its number of words.
//!
//! ```sh
//! cargo build --release --example word_count
//! manyhands score reviews.jsonl --with exec --send text -- target/release/examples/word_count
//! ```

use std::io::{self, BufRead, Write};

fn main() -> io::Result<()> {
    // Standard output is flushed at the end of each line.
    let mut answers = io::stdout().lock();
    for line in io::stdin().lock().lines() {
        let text = unescaped(&line?);
        writeln!(answers, "{}", text.split_whitespace().count())?;
    }
    Ok(())
}

/// With `--send text`, a line feed in a text is written as `\n`, a carriage return as `\r`, and a backslash as `\\`.
fn unescaped(line: &str) -> String {
    let mut text = String::with_capacity(line.len());
    let mut characters = line.chars();
    while let Some(character) = characters.next() {
        text.push(match character {
            '\\' => match characters.next() {
                Some('n') => '\n',
                Some('r') => '\r',
                _ => '\\',
            },
            other => other,
        });
    }
    text
}
