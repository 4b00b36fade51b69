//! Says which formats and delimiters the program found in the inputs, if neither an option nor a name shows them.

use super::Answer;
use crate::dataset::{FormatName, InputFile};

/// The largest number of inputs whose delimiters are named.
const NAMED: usize = 3;

impl Answer {
    /// Sentences, without a full stop, about formats that were guessed from the first record of an input, and about
    /// unusual delimiters that were found in a header. They let the user check whether the inputs were read as
    /// intended.
    pub fn found_formats(&self) -> Vec<String> {
        let guessed = |format: FormatName, reason: &str| {
            let mut files = self.files.iter().filter(|file| file.format_was_guessed);
            let of_format = |file: &&InputFile| file.format == Some(format);
            let first = files.find(of_format)?.path.display();
            let inputs = match files.filter(of_format).count() {
                0 => format!("{first} is"),
                1 => format!("{first} and another input are"),
                others => format!("{first} and {others} other inputs are"),
            };
            Some(format!("{inputs} read as {reason}"))
        };
        let text = "plain text, since neither a name nor the first line shows another format";
        let table = "delimited text, as the first record shows";
        let guessed = [(FormatName::Text, text), (FormatName::Csv, table)]
            .into_iter()
            .filter_map(|(format, reason)| guessed(format, reason));
        let found = self.files.iter().filter(|file| file.delimiter_was_found);
        let delimiters = found.take(NAMED).filter_map(|file| {
            let delimiter = match file.delimiter?.to_string().as_str() {
                "\t" => "tabs".to_owned(),
                other => format!("{other:?}"),
            };
            let path = file.path.display();
            Some(format!(
                "the fields of {path} are separated by {delimiter}, as in its header"
            ))
        });
        guessed.chain(delimiters).collect()
    }
}
