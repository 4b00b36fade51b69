//! Records in memory: slices, vectors, arrays, and ranges of integers.

use std::ops::{ControlFlow, Range};

use super::{At, Dataset, Reading};
use crate::error::{BadRecord, Error};

impl<R: Sync> Dataset for [R] {
    type Record<'a> = R;

    fn parts(&self) -> usize {
        self.len()
    }

    #[inline]
    fn read<V>(&self, parts: Range<usize>, mut visit: V) -> Result<Reading, Error>
    where
        V: FnMut(At, Result<&R, BadRecord>) -> ControlFlow<()>,
    {
        let first = parts.start as u64;
        for (index, record) in (first..).zip(&self[parts]) {
            if visit(
                At {
                    index,
                    file: 0,
                    line: 0,
                    fetched: false,
                },
                Ok(record),
            )
            .is_break()
            {
                break;
            }
        }
        Ok(Reading::default())
    }

    fn extent(&self, parts: Range<usize>) -> u64 {
        parts.len() as u64
    }
}

/// A dataset that is another one underneath.
macro_rules! as_slice {
    ([$($generics:tt)*] $type:ty) => {
        impl<$($generics)*> Dataset for $type {
            type Record<'a> = R;

            fn parts(&self) -> usize {
                self.len()
            }

            #[inline]
            fn read<V>(&self, parts: Range<usize>, visit: V) -> Result<Reading, Error>
            where
                V: FnMut(At, Result<&R, BadRecord>) -> ControlFlow<()>,
            {
                self.as_slice().read(parts, visit)
            }

            fn extent(&self, parts: Range<usize>) -> u64 {
                self.as_slice().extent(parts)
            }
        }
    };
}

as_slice!([R: Sync] Vec<R>);
as_slice!([R: Sync, const N: usize] [R; N]);

/// Integers as records: for work that is made from a number, such as simulations.
impl Dataset for Range<usize> {
    type Record<'a> = usize;

    fn parts(&self) -> usize {
        self.len()
    }

    #[inline]
    fn read<V>(&self, parts: Range<usize>, mut visit: V) -> Result<Reading, Error>
    where
        V: FnMut(At, Result<&usize, BadRecord>) -> ControlFlow<()>,
    {
        for part in parts {
            let at = At {
                index: part as u64,
                file: 0,
                line: 0,
                fetched: false,
            };
            if visit(at, Ok(&(self.start + part))).is_break() {
                break;
            }
        }
        Ok(Reading::default())
    }

    fn extent(&self, parts: Range<usize>) -> u64 {
        parts.len() as u64
    }
}
