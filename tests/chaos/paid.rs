//! The account of what programs and services were asked. No answer that is in the journal is asked for again.

use std::collections::HashMap;
use std::fs;

use crate::case::Case;
use crate::kept::kept;
use crate::scene::{Files, Scene};

/// How often each record was asked, by the number in its text.
pub(crate) type Asked = HashMap<u64, usize>;

/// The numbers behind `r ` in a text.
pub(crate) fn numbers_in(text: &str) -> impl Iterator<Item = u64> {
    text.split("r ").skip(1).map(|rest| {
        let end = rest.find(|digit: char| !digit.is_ascii_digit());
        rest[..end.unwrap_or(rest.len())]
            .parse()
            .expect("a number behind `r `")
    })
}

/// What the programs of a run were asked.
pub(crate) fn asked_of_programs(scene: &Scene, run: usize) -> Asked {
    let text = fs::read_to_string(scene.asked_path(run)).unwrap_or_default();
    let mut asked = Asked::new();
    // A program that is killed may have written half a line.
    let whole = text.rfind('\n').map_or("", |end| &text[..end]);
    for number in numbers_in(whole) {
        *asked.entry(number).or_default() += 1;
    }
    asked
}

/// The answers that a case may still ask for.
pub(crate) struct Account {
    /// The number in the text of each record of the input, if it has one.
    numbers: Vec<Option<u64>>,
    pub(crate) output: String,
}

impl Account {
    pub(crate) fn of(case: &Case) -> Self {
        let input = String::from_utf8_lossy(&case.files["in.jsonl"]);
        Account {
            numbers: input.lines().map(|line| numbers_in(line).next()).collect(),
            output: case.output().to_owned(),
        }
    }

    /// How often each record may be asked by a run that begins with these files: once for each record with this text that has
    /// no answer yet.
    pub(crate) fn may_ask(&self, files: &Files) -> Asked {
        let mut may = self.by_number(0..self.numbers.len());
        for (number, kept) in self.by_number(kept(files, &self.output)) {
            let left = may[&number].checked_sub(kept);
            let left = left.unwrap_or_else(|| panic!("record {number} was kept too often"));
            may.insert(number, left);
        }
        may
    }

    /// How often each text occurs among the records with these indexes.
    fn by_number(&self, indexes: impl IntoIterator<Item = usize>) -> Asked {
        let mut times = Asked::new();
        for number in indexes.into_iter().filter_map(|index| self.numbers[index]) {
            *times.entry(number).or_default() += 1;
        }
        times
    }

    /// Checks that every record with a score in an unfinished scores file, which has counted, is kept. `seen` are the files as
    /// a run has seen them, and `left` are those that it has left.
    pub(crate) fn assert_counted_is_kept(&self, seen: &Files, left: &Files) {
        if left.contains_key(&self.output) {
            return;
        }
        let kept = self.by_number(kept(left, &self.output));
        let unfinished = seen
            .iter()
            .filter(|(name, _)| name.starts_with(".manyhands-") || name.ends_with(".partial"));
        for (name, bytes) in unfinished {
            for (number, counted) in self.by_number(scored(bytes)) {
                let kept = kept.get(&number).copied().unwrap_or_default();
                assert!(
                    counted <= kept,
                    "record {number} has counted {counted} times in {name}, and is kept {kept} times"
                );
            }
        }
    }
}

/// The indexes of the records that have scores in an unfinished scores file, if this is one.
fn scored(bytes: &[u8]) -> Vec<usize> {
    let text = String::from_utf8_lossy(bytes);
    let lines = text.split_inclusive('\n');
    let whole = lines.filter(|line| line.ends_with('\n'));
    let record = |line| {
        let line: serde_json::Value = serde_json::from_str(line).ok()?;
        let record = line["record"].as_u64()? as usize;
        (!line["score"].is_null()).then_some(record - 1)
    };
    whole.filter_map(record).collect()
}

/// Checks that a run has asked for no more than it might.
pub(crate) fn assert_not_asked_again(asked: &Asked, may: &Asked, context: &str) {
    for (number, times) in asked {
        let most = may.get(number).copied().unwrap_or_default();
        assert!(
            *times <= most,
            "record {number} was asked {times} times, and might be asked {most} times: {context}"
        );
    }
}

/// The number of calls of a run that gave no answer to keep, although their records do not fail. `before` and `after` are what
/// might be asked before and after the run.
pub(crate) fn in_vain(asked: &Asked, before: &Asked, after: &Asked) -> usize {
    let fails = |number: &u64| number % 17 == 5;
    let numbers = asked.iter().filter(|(number, _)| !fails(number));
    numbers
        .map(|(number, times)| times - (before[number] - after[number]))
        .sum()
}
