//! Keeps the results of records that are done out of order until their turn comes.

use std::collections::BTreeMap;
use std::ops::Range;

/// Ranges of consecutive records, each with a payload. The ranges are added in any order, and are removed in
/// the order of the records, from record 0 on.
#[derive(Debug)]
pub(crate) struct Turns<T> {
    next: u64,
    waiting: BTreeMap<u64, (u64, T)>,
}

impl<T> Turns<T> {
    pub(crate) fn new() -> Self {
        Turns {
            next: 0,
            waiting: BTreeMap::new(),
        }
    }

    /// The index of the record whose turn it is.
    pub(crate) fn next(&self) -> u64 {
        self.next
    }

    /// The number of ranges that wait for their turn.
    pub(crate) fn waiting(&self) -> usize {
        self.waiting.len()
    }

    /// Whether the range whose turn it is has been added.
    pub(crate) fn is_due(&self) -> bool {
        self.waiting.contains_key(&self.next)
    }

    /// Stores the payload of some records until their turn. Returns false, and stores nothing, if their turn
    /// is over.
    pub(crate) fn put(&mut self, records: Range<u64>, what: T) -> bool {
        let in_time = records.start >= self.next;
        if in_time {
            self.waiting.insert(records.start, (records.end, what));
        }
        in_time
    }

    /// Removes and returns the range whose turn it is, if it has been added.
    pub(crate) fn take(&mut self) -> Option<(Range<u64>, T)> {
        let (end, what) = self.waiting.remove(&self.next)?;
        let records = self.next..end;
        self.next = end;
        Some((records, what))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_leave_in_order_whenever_they_come() {
        let mut turns = Turns::new();
        assert_eq!((turns.next(), turns.waiting(), turns.take()), (0, 0, None));
        assert!(turns.put(5..6, 'c') && turns.put(3..5, 'b'));
        assert_eq!((turns.next(), turns.waiting(), turns.take()), (0, 2, None));
        assert!(!turns.is_due());
        assert!(turns.put(0..3, 'a'));
        assert!(turns.is_due());
        assert_eq!(turns.take(), Some((0..3, 'a')));
        assert_eq!((turns.next(), turns.waiting()), (3, 2));
        assert!(!turns.put(0..3, 'x') && !turns.put(2..4, 'x'));
        assert_eq!(turns.take(), Some((3..5, 'b')));
        assert_eq!(turns.take(), Some((5..6, 'c')));
        assert_eq!((turns.next(), turns.waiting(), turns.take()), (6, 0, None));
        // A range may arrive exactly when its turn has come.
        assert!(turns.put(6..7, 'd'));
        assert_eq!(turns.take(), Some((6..7, 'd')));
    }

    #[test]
    fn a_range_without_records_takes_its_turn() {
        let mut turns = Turns::new();
        assert!(turns.put(0..0, "header"));
        assert_eq!(turns.take(), Some((0..0, "header")));
        assert!(turns.put(0..1, "line"));
        assert_eq!(turns.take(), Some((0..1, "line")));
    }
}
