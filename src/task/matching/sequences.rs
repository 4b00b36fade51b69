//! A ragged array: many short sequences in one allocation.

/// Sequences of values, which are accessed by index.
#[derive(Debug)]
pub(super) struct Sequences<T> {
    values: Vec<T>,
    /// For each sequence, the index at which its values end.
    ends: Vec<usize>,
}

impl<T> Sequences<T> {
    pub(super) fn new() -> Self {
        Sequences {
            values: Vec::new(),
            ends: Vec::new(),
        }
    }

    /// Appends a sequence, whose values `write` appends.
    pub(super) fn push(&mut self, write: impl FnOnce(&mut Vec<T>)) {
        write(&mut self.values);
        self.ends.push(self.values.len());
    }

    /// Sequences of these lengths that consist of one value.
    pub(super) fn filled(lengths: &[usize], value: T) -> Self
    where
        T: Clone,
    {
        let mut end = 0;
        let ends = lengths.iter().map(|length| {
            end += length;
            end
        });
        let ends = ends.collect();
        Sequences {
            values: vec![value; end],
            ends,
        }
    }

    /// Number of sequences.
    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &[T]> {
        (0..self.ends.len()).map(|index| self.get(index))
    }

    pub(super) fn get_mut(&mut self, index: usize) -> &mut [T] {
        let start = index.checked_sub(1).map_or(0, |before| self.ends[before]);
        &mut self.values[start..self.ends[index]]
    }

    #[inline]
    pub(super) fn get(&self, index: usize) -> &[T] {
        let start = index.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.values[start..self.ends[index]]
    }

    /// Releases unused memory.
    pub(super) fn shrink(&mut self) {
        self.values.shrink_to_fit();
        self.ends.shrink_to_fit();
    }
}
