//! The last lines that a program has written on standard error.

use std::fmt;

/// Number of bytes that are kept.
const KEPT: usize = 4 << 10;
/// Number of lines that are shown.
const LINES: usize = 3;
/// Largest number of characters of a line that are shown.
const CHARACTERS: usize = 300;

/// The last bytes that a program has written on standard error. They are displayed as a few lines, in one line.
#[derive(Clone, Debug, Default)]
pub(super) struct LastWords(Vec<u8>);

impl LastWords {
    /// Adds bytes, and forgets the oldest ones.
    pub(super) fn add(&mut self, bytes: &[u8]) {
        let bytes = &bytes[bytes.len().saturating_sub(KEPT)..];
        let surplus = (self.0.len() + bytes.len()).saturating_sub(KEPT);
        self.0.drain(..surplus);
        self.0.extend_from_slice(bytes);
    }

    /// The text `; it wrote: ` and the last lines. Empty if the program has written nothing.
    pub(super) fn quoted(&self) -> String {
        let words = self.to_string();
        match words.is_empty() {
            true => words,
            false => format!("; it wrote: {words}"),
        }
    }
}

/// Whether a line says something. JavaScript and Java write their stack after the message of an exception (`    at f
/// (file.js:1:2)`), and Python marks parts of a line of code (`    ~~^~~`). Such lines would take the place of the message.
fn says(line: &str) -> bool {
    let words = line.trim();
    let is_stack = words.len() < line.len() && words.starts_with("at ");
    let is_mark = words.bytes().all(|byte| matches!(byte, b'^' | b'~' | b' '));
    !is_stack && !is_mark
}

impl fmt::Display for LastWords {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = String::from_utf8_lossy(&self.0);
        let lines: Vec<&str> = text
            .lines()
            .filter(|line| says(line))
            .map(str::trim)
            .collect();
        let lines = &lines[lines.len().saturating_sub(LINES)..];
        for (place, line) in lines.iter().enumerate() {
            if place > 0 {
                f.write_str(" | ")?;
            }
            match line.char_indices().nth(CHARACTERS) {
                Some((end, _)) => write!(f, "{}…", &line[..end])?,
                None => f.write_str(line)?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_lines_are_kept_in_one_line() {
        let mut words = LastWords::default();
        assert_eq!(words.quoted(), "");
        words.add(b"Traceback:\n  File \"a.py\"\n\n    x\nValueError: \xff\n");
        assert_eq!(
            words.to_string(),
            "File \"a.py\" | x | ValueError: \u{fffd}"
        );
        words.add(b"\n  1 / 0\n  ~~^~~\nTypeError: x\n    at f (a.js:1:2)\n\tat g (b.js:3:4)\n\nNode.js v20\n");
        assert_eq!(words.to_string(), "1 / 0 | TypeError: x | Node.js v20");
        words.add(&[b'y'; 3 * KEPT]);
        words.add(b"end");
        assert_eq!(words.0.len(), KEPT);
        assert_eq!(words.to_string(), format!("{}…", "y".repeat(CHARACTERS)));
    }
}
