//! How many records and lines come before each part of some files, counted by the workers that read the parts.
//!
//! Parts are read in any order, but a record's number depends on all previous parts. In some formats, the place where
//! a part's first record begins also depends on the previous parts. Each worker therefore *claims* the parts it
//! fetches, counts them as soon as it has their bytes and before it scores any of their records, and publishes the
//! counts. The counts of several parts are combined by the worker that publishes the last of them.
//!
//! A worker that needs the number of its first record sleeps while another worker fetches a previous part, and counts
//! previous parts itself if no worker has claimed them. Sleeping causes no deadlock even on a thread of a rayon pool,
//! because a worker with a claim only fetches bytes and counts them, does not wait for any other worker before it has
//! finished, and gives up its claim if it fails.

#[cfg(all(test, shuttle))]
mod model;

use std::collections::BTreeMap;
use std::ops::Range;

use crate::dataset::format::{LineCount, ScanState, Tallies};
use crate::error::Error;
use crate::sync::{Condvar, Mutex, MutexGuard, lock, wait};

/// What comes before one particular part of the files.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Start {
    /// Number of records of the dataset before the part.
    pub(super) records: u64,
    /// Number of lines of the file before the part.
    pub(super) lines: u64,
    /// Number of bytes before the part in the line in which the part begins. Always 0 in a file, because the records of
    /// a file are found from the beginning of their line.
    pub(super) column: u64,
    /// The state at the start of the part, which shows where in a record the part begins.
    pub(super) state: ScanState,
    /// Whether the byte before the part is a `\r`. A `\n` at the start of the part then belongs to the same line end.
    /// Always false if every record is a line.
    pub(super) after_cr: bool,
}

/// What comes before each part, as far as it is known.
#[derive(Debug)]
pub(super) struct Numbering {
    parts: usize,
    progress: Mutex<NumberingProgress>,
    /// Notified when a worker has counted the parts of its claim, or has given up its claim.
    changed: Condvar,
}

#[derive(Debug, Default)]
struct NumberingProgress {
    /// What comes before the parts where a worker began or ended, by their indexes. The end of the files has the index
    /// after the last part.
    known: BTreeMap<usize, Start>,
    /// Groups of parts that a worker is counting, or has counted before it was known what comes before them. There
    /// are about as many groups as workers.
    groups: Vec<Group>,
    next_id: u64,
}

#[derive(Debug)]
struct Group {
    id: u64,
    parts: Range<usize>,
    /// `None` while a worker is counting the parts.
    counts: Option<Vec<CountedParts>>,
}

/// The counts of consecutive parts of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct CountedParts {
    /// The index of the part after these parts.
    pub(super) end: usize,
    /// The tallies of these parts, for each state in which the parts may begin.
    pub(super) tallies: Tallies,
    pub(super) lines: LineCount,
    /// If the file ends with these parts, the number of lines before the first record of the next file.
    pub(super) next_file: Option<u64>,
}

impl CountedParts {
    /// Returns the start of the part after these parts, if `start` is the start of these parts.
    pub(super) fn after(self, start: Start) -> Start {
        let tally = self.tallies.from(start.state);
        let records = start.records + tally.records;
        match self.next_file {
            Some(lines) => Start {
                records,
                lines,
                ..Start::default()
            },
            None => {
                let (lines, after_cr) = self.lines.after(start.lines, start.after_cr);
                Start {
                    records,
                    lines,
                    column: 0,
                    state: tally.end,
                    after_cr,
                }
            }
        }
    }
}

/// The error that is returned if parts no longer contain the same records as before, which means that the file has
/// changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Changed {
    /// The index of the part after these parts.
    pub(super) end: usize,
}

impl Numbering {
    /// Creates a numbering of `parts` parts, none of which has been counted. `first` is what comes before the first
    /// one.
    pub(super) fn new(parts: usize, first: Start) -> Self {
        let progress = NumberingProgress {
            known: BTreeMap::from([(0, first)]),
            ..NumberingProgress::default()
        };
        Numbering {
            parts,
            progress: Mutex::new(progress),
            changed: Condvar::new(),
        }
    }

    /// Number of parts.
    pub(super) fn parts(&self) -> usize {
        self.parts
    }

    /// Claims these parts for the calling worker, which is about to count them.
    pub(super) fn claim(&self, parts: Range<usize>) -> Claim<'_> {
        self.claim_in(&mut lock(&self.progress), parts)
    }

    fn claim_in(&self, progress: &mut NumberingProgress, parts: Range<usize>) -> Claim<'_> {
        let id = progress.next_id;
        progress.next_id += 1;
        progress.groups.push(Group {
            id,
            parts,
            counts: None,
        });
        Claim {
            numbering: self,
            id,
            is_counted: false,
        }
    }

    /// Returns what comes before a part. Calls `count` for previous parts that no worker has claimed. The calling
    /// worker must already have counted all its own claims.
    ///
    /// # Errors
    ///
    /// Returns the error of `count`, or the error that `changed` creates if parts have changed.
    pub(super) fn start_of(
        &self,
        part: usize,
        mut count: impl FnMut(Range<usize>) -> Result<Vec<CountedParts>, Error>,
        changed: impl Fn(Changed) -> Error,
    ) -> Result<Start, Error> {
        loop {
            let progress = lock(&self.progress);
            if let Some(start) = progress.known.get(&part) {
                return Ok(*start);
            }
            let (unclaimed, claim) = match self.wait_or_claim(progress, part) {
                None => continue,
                Some(claimed) => claimed,
            };
            claim.counted(count(unclaimed)?).map_err(&changed)?;
        }
    }

    /// Finds the parts that must be counted next to learn what comes before `part`. If another worker is counting
    /// them, waits and then returns `None`, so that the caller checks again. If no worker has claimed those parts,
    /// claims them instead.
    fn wait_or_claim<'a>(
        &'a self,
        mut progress: MutexGuard<'a, NumberingProgress>,
        part: usize,
    ) -> Option<(Range<usize>, Claim<'a>)> {
        let first = progress.last_known(part);
        let is_counted_now = |group: &Group| group.counts.is_none() && group.parts.contains(&first);
        if progress.groups.iter().any(is_counted_now) {
            drop(wait(&self.changed, progress));
            return None;
        }
        let starts = progress.groups.iter().map(|group| group.parts.start);
        let end = starts.filter(|start| *start > first).min();
        let unclaimed = first..end.unwrap_or(part).min(part);
        let claim = self.claim_in(&mut progress, unclaimed.clone());
        Some((unclaimed, claim))
    }
}

impl NumberingProgress {
    /// The last part before `part` for which it is known what comes before it.
    fn last_known(&self, part: usize) -> usize {
        let last = self.known.range(..part).next_back();
        last.map_or(0, |(known, _)| *known)
    }

    /// For each group of counted parts for which it is known what comes before the group, computes what comes after
    /// it.
    fn fit_together(&mut self) -> Result<(), Changed> {
        let is_due = |known: &BTreeMap<usize, Start>, group: &Group| {
            group.counts.is_some() && known.contains_key(&group.parts.start)
        };
        while let Some(place) = self
            .groups
            .iter()
            .position(|group| is_due(&self.known, group))
        {
            let group = self.groups.swap_remove(place);
            let mut start = self
                .known
                .get(&group.parts.start)
                .copied()
                .unwrap_or_default();
            for count in group.counts.unwrap_or_default() {
                start = count.after(start);
                if *self.known.entry(count.end).or_insert(start) != start {
                    return Err(Changed { end: count.end });
                }
            }
        }
        Ok(())
    }
}

/// Parts that a worker is about to count. If the claim is dropped without counts, any worker may claim the parts.
#[derive(Debug)]
pub(super) struct Claim<'a> {
    numbering: &'a Numbering,
    id: u64,
    is_counted: bool,
}

impl Claim<'_> {
    /// Publishes the counts of the parts, in order.
    ///
    /// # Errors
    ///
    /// Returns an error if parts no longer contain the same records as before.
    pub(super) fn counted(mut self, counts: Vec<CountedParts>) -> Result<(), Changed> {
        let mut progress = lock(&self.numbering.progress);
        if let Some(group) = progress.groups.iter_mut().find(|group| group.id == self.id) {
            group.counts = Some(counts);
        }
        self.is_counted = true;
        let fits = progress.fit_together();
        self.numbering.changed.notify_all();
        fits
    }
}

impl Drop for Claim<'_> {
    fn drop(&mut self) {
        if !self.is_counted {
            let mut progress = lock(&self.numbering.progress);
            progress.groups.retain(|group| group.id != self.id);
            self.numbering.changed.notify_all();
        }
    }
}

#[cfg(all(test, not(shuttle)))]
mod tests {
    use super::*;

    /// Part n has n records of two lines each; a file ends after part 3.
    fn counts(parts: Range<usize>) -> Vec<CountedParts> {
        let count = |part: usize| CountedParts {
            end: part + 1,
            tallies: Tallies::of_lines(part as u64),
            lines: LineCount::of_lines(2 * part as u64),
            next_file: (part == 3).then_some(0),
        };
        parts.map(count).collect()
    }

    fn start(part: usize) -> Start {
        let lines = if part > 3 { 4..part } else { 0..part };
        Start {
            records: (0..part as u64).sum(),
            lines: lines.map(|part| 2 * part as u64).sum(),
            ..Start::default()
        }
    }

    fn no_change(changed: Changed) -> Error {
        panic!("{changed:?}")
    }

    fn start_of(numbering: &Numbering, part: usize) -> (Start, Vec<(usize, usize)>) {
        let mut counted = Vec::new();
        let count = |parts: Range<usize>| {
            counted.push((parts.start, parts.end));
            Ok(counts(parts))
        };
        let start = numbering.start_of(part, count, no_change);
        (start.expect("nothing fails"), counted)
    }

    #[test]
    fn parts_that_no_worker_has_claimed_are_counted_once() {
        let numbering = Numbering::new(8, Start::default());
        assert_eq!(numbering.parts(), 8);
        assert_eq!(start_of(&numbering, 0), (start(0), vec![]));
        assert_eq!(start_of(&numbering, 5), (start(5), vec![(0, 5)]));
        assert_eq!(start_of(&numbering, 5), (start(5), vec![]));
        assert_eq!(start_of(&numbering, 2), (start(2), vec![]));
        assert_eq!(start_of(&numbering, 8), (start(8), vec![(5, 8)]));
    }

    #[test]
    fn counts_fit_together_in_any_order() {
        let numbering = Numbering::new(8, Start::default());
        let (first, second) = (numbering.claim(0..3), numbering.claim(3..6));
        second.counted(counts(3..6)).expect("as before");
        assert!(!lock(&numbering.progress).known.contains_key(&6));
        first.counted(counts(0..3)).expect("as before");
        assert_eq!(start_of(&numbering, 6), (start(6), vec![]));
        assert!(lock(&numbering.progress).groups.is_empty());
    }

    #[test]
    fn only_the_gap_before_a_counted_part_is_counted() {
        let numbering = Numbering::new(8, Start::default());
        numbering
            .claim(3..6)
            .counted(counts(3..6))
            .expect("as before");
        assert_eq!(start_of(&numbering, 6), (start(6), vec![(0, 3)]));
    }

    #[test]
    fn the_worker_that_waits_counts_a_claim_that_was_given_up() {
        let numbering = Numbering::new(8, Start::default());
        std::thread::scope(|scope| {
            let claim = numbering.claim(0..4);
            let waiting = scope.spawn(|| start_of(&numbering, 6));
            drop(claim);
            let (found, counted) = waiting.join().expect("it ends");
            assert_eq!(found, start(6));
            assert!(
                [vec![(0, 6)], vec![(0, 4), (4, 6)]].contains(&counted),
                "{counted:?}"
            );
        });
    }

    #[test]
    fn an_error_of_the_count_is_returned_and_frees_its_claim() {
        let numbering = Numbering::new(8, Start::default());
        let unreadable = |_: Range<usize>| Err(Error::Plan("unreadable".to_owned()));
        let error = numbering.start_of(4, unreadable, no_change);
        assert_eq!(error.expect_err("it fails").to_string(), "unreadable");
        assert_eq!(start_of(&numbering, 4), (start(4), vec![(0, 4)]));
    }

    #[test]
    fn parts_that_hold_other_records_than_before_are_an_error() {
        let numbering = Numbering::new(8, Start::default());
        assert_eq!(start_of(&numbering, 4).0, start(4));
        let mut changed = counts(2..4);
        changed[1].tallies = Tallies::of_lines(9);
        let told = numbering.claim(2..4).counted(changed);
        assert_eq!(told, Err(Changed { end: 4 }));
    }
}
