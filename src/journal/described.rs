//! What the answers of a journal belong to.

use serde::{Deserialize, Serialize};
use twox_hash::XxHash3_128;

use super::encoded::encode;
use super::format::{BlockPlace, HEADER_BYTES, complete_block};

/// What determines the answers of a run beside its records. The journal says it before the answers, so that a run that takes
/// none of them over can say why. Nothing in it is a secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct DescribedRun {
    /// Whether the answers may have cost money.
    pub(crate) is_paid: bool,
    /// What must be the same, each part with its name in messages, such as `the URL`, and a hash.
    pub(crate) parts: Vec<(String, u128)>,
    /// The hashes of the outputs that the run has written, or is about to write, under their own names.
    pub(crate) outputs: Vec<u128>,
}

impl DescribedRun {
    /// A hash of all parts.
    pub(crate) fn fingerprint(&self) -> u128 {
        let mut hasher = XxHash3_128::new();
        for (name, hash) in &self.parts {
            hasher.write(&(name.len() as u64).to_le_bytes());
            hasher.write(name.as_bytes());
            hasher.write(&hash.to_le_bytes());
        }
        hasher.finish_128()
    }

    /// The bytes of a block of a journal that says that the answers behind it belong to this run. They begin with room for the
    /// header.
    pub(super) fn bytes(&self) -> Vec<u8> {
        let mut bytes = vec![0; HEADER_BYTES];
        // Writing texts and numbers into memory cannot fail.
        let _ = encode(self, &mut bytes);
        bytes
    }

    /// The complete block.
    pub(super) fn block(&self, place: BlockPlace) -> Vec<u8> {
        let mut bytes = self.bytes();
        // What is on the disk is not known here. The next block says it.
        complete_block(&mut bytes, 0, 0, place);
        bytes
    }

    /// The names of the parts in which this run differs from an earlier one. If the first part, the scorer, is another one,
    /// the others cannot be compared.
    fn differs_from(&self, earlier: &DescribedRun) -> Vec<String> {
        let lacks = |run: &DescribedRun, part| !run.parts.contains(part);
        let other = self.parts.iter().filter(|part| lacks(earlier, part));
        let gone = earlier.parts.iter().filter(|part| lacks(self, part));
        let mut names: Vec<String> = Vec::new();
        for (name, _) in other.chain(gone) {
            if !names.contains(name) {
                names.push(name.clone());
            }
        }
        if names.first() == self.parts.first().map(|(name, _)| name) {
            names.truncate(1);
        }
        names
    }
}

/// Which runs the answers that were in a journal belong to.
#[derive(Debug)]
pub(super) struct EarlierRuns {
    /// This run.
    own: DescribedRun,
    /// The run whose answers are read now.
    current: Option<DescribedRun>,
    /// The last run with another fingerprint that has kept answers.
    last_other: Option<DescribedRun>,
    /// The number of answers with the fingerprint of this run.
    fitting: u64,
    /// The number of answers of other runs that may have cost money.
    paid_by_others: u64,
    /// The hashes of the outputs that runs with the fingerprint of this one have completed.
    outputs: Vec<u128>,
}

impl EarlierRuns {
    pub(super) fn new(own: &DescribedRun) -> Self {
        EarlierRuns {
            own: own.clone(),
            current: None,
            last_other: None,
            fitting: 0,
            paid_by_others: 0,
            outputs: Vec::new(),
        }
    }

    /// Notes that the answers behind belong to this run.
    pub(super) fn begin(&mut self, run: DescribedRun) {
        if run.parts == self.own.parts {
            self.outputs.extend(&run.outputs);
        }
        self.current = Some(run);
    }

    /// Whether the last run had the fingerprint of this one.
    pub(super) fn last_was_same(&self) -> bool {
        let last = self.current.as_ref();
        last.is_some_and(|run| run.parts == self.own.parts)
    }

    /// Whether a run with the fingerprint of this one has completed the output with this hash.
    pub(super) fn have_completed(&self, output: u128) -> bool {
        self.outputs.contains(&output)
    }

    /// Notes this number of answers of the current run.
    pub(super) fn add(&mut self, answers: u64) {
        match &self.current {
            Some(run) if run.parts == self.own.parts => self.fitting += answers,
            Some(run) if answers > 0 => {
                self.paid_by_others += u64::from(run.is_paid) * answers;
                self.last_other = Some(run.clone());
            }
            _ => {}
        }
    }

    /// Whether what this run keeps would be taken for answers of another run.
    pub(super) fn must_describe(&self) -> bool {
        let is_same =
            |run: &DescribedRun| run.parts == self.own.parts && run.is_paid == self.own.is_paid;
        !self.current.as_ref().is_some_and(is_same)
    }

    /// If the journal has answers, but none that could fit this run: what differs.
    pub(super) fn differences(&self) -> Option<Vec<String>> {
        let other = self.last_other.as_ref().filter(|_| self.fitting == 0)?;
        Some(self.own.differs_from(other))
    }

    /// The number of answers of runs with another fingerprint that may have cost money.
    pub(super) fn paid_by_others(&self) -> u64 {
        self.paid_by_others
    }
}

#[cfg(all(test, not(shuttle)))]
mod tests {
    use super::*;

    fn run(parts: &[(&str, u128)]) -> DescribedRun {
        let parts = parts.iter().map(|(name, hash)| ((*name).to_owned(), *hash));
        DescribedRun {
            is_paid: true,
            parts: parts.collect(),
            outputs: Vec::new(),
        }
    }

    #[test]
    fn differences_are_named_once() {
        let first = run(&[("the scorer", 1), ("the URL", 2), ("the body", 3)]);
        let second = run(&[("the scorer", 1), ("the URL", 4), ("the file a.py", 5)]);
        let names = second.differs_from(&first);
        assert_eq!(names, ["the URL", "the file a.py", "the body"]);
        assert_eq!(first.differs_from(&first), [""; 0]);
        let other = run(&[("the scorer", 9), ("--field", 2)]);
        assert_eq!(other.differs_from(&first), ["the scorer"]);
        assert_ne!(first.fingerprint(), second.fingerprint());
    }

    #[test]
    fn answers_are_counted_by_what_they_belong_to() {
        let (own, other) = (run(&[("a", 1)]), run(&[("a", 2)]));
        let mut runs = EarlierRuns::new(&own);
        assert!(runs.must_describe() && runs.differences().is_none());
        runs.begin(other);
        runs.add(1);
        assert_eq!(runs.differences(), Some(vec!["a".to_owned()]));
        runs.begin(own);
        assert!(!runs.must_describe());
        runs.add(1);
        assert_eq!((runs.differences(), runs.paid_by_others()), (None, 1));
    }
}
