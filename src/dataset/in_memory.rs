//! Records in memory: slices, vectors, arrays, and ranges of integers.

use std::ops::{ControlFlow, Range};

use super::{Dataset, Position, ReadOutcome};
use crate::error::{BadRecord, Error};

impl<R: Sync> Dataset for [R] {
    type Record<'a> = R;

    fn parts(&self) -> usize {
        self.len()
    }

    #[inline]
    fn read<V>(&self, parts: Range<usize>, mut visit: V) -> Result<ReadOutcome, Error>
    where
        V: FnMut(Position, Result<&R, BadRecord>) -> ControlFlow<()>,
    {
        let first = parts.start as u64;
        for (index, record) in (first..).zip(&self[parts]) {
            if visit(
                Position {
                    index,
                    ..Position::default()
                },
                Ok(record),
            )
            .is_break()
            {
                break;
            }
        }
        Ok(ReadOutcome::default())
    }

    fn size(&self, parts: Range<usize>) -> u64 {
        parts.len() as u64
    }
}

/// Implements [`Dataset`] for a type that is read as a slice.
macro_rules! as_slice {
    ([$($generics:tt)*] $type:ty) => {
        impl<$($generics)*> Dataset for $type {
            type Record<'a> = R;

            fn parts(&self) -> usize {
                self.len()
            }

            #[inline]
            fn read<V>(&self, parts: Range<usize>, visit: V) -> Result<ReadOutcome, Error>
            where
                V: FnMut(Position, Result<&R, BadRecord>) -> ControlFlow<()>,
            {
                self.as_slice().read(parts, visit)
            }

            fn size(&self, parts: Range<usize>) -> u64 {
                self.as_slice().size(parts)
            }
        }
    };
}

as_slice!([R: Sync] Vec<R>);
as_slice!([R: Sync, const N: usize] [R; N]);

/// Integers as records, for work that is derived from a number, such as simulations.
impl Dataset for Range<usize> {
    type Record<'a> = usize;

    fn parts(&self) -> usize {
        self.len()
    }

    #[inline]
    fn read<V>(&self, parts: Range<usize>, mut visit: V) -> Result<ReadOutcome, Error>
    where
        V: FnMut(Position, Result<&usize, BadRecord>) -> ControlFlow<()>,
    {
        for part in parts {
            let at = Position {
                index: part as u64,
                ..Position::default()
            };
            if visit(at, Ok(&(self.start + part))).is_break() {
                break;
            }
        }
        Ok(ReadOutcome::default())
    }

    fn size(&self, parts: Range<usize>) -> u64 {
        parts.len() as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The sizes of some parts and of no part, and the number of parts.
    fn sizes<D: Dataset + ?Sized>(records: &D) -> (u64, u64, usize) {
        (records.size(1..4), records.size(2..2), records.parts())
    }

    #[test]
    fn each_record_is_a_part_of_size_one() {
        let records = vec!['a', 'b', 'c', 'd', 'e'];
        assert_eq!(sizes(records.as_slice()), (3, 0, 5));
        assert_eq!(sizes(&records), (3, 0, 5));
        assert_eq!(sizes(&[0_u8; 5]), (3, 0, 5));
        assert_eq!(sizes(&(10..15)), (3, 0, 5));
    }
}
