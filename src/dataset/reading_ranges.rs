//! The ranges in which one thread reads a dataset from its beginning to its end.

use std::ops::Range;

use super::Dataset;

/// Number of bytes that are read together, if the dataset is not a stream.
const READ_BYTES: u64 = 64 << 10;

/// Returns the ranges of parts to read one after the other. Of a stream, at most `records` records are read together, and the
/// ranges never end. Parts of a small file are so short that reading them one by one would take longer than scoring them.
pub(crate) fn reading_ranges(
    dataset: &impl Dataset,
    records: usize,
) -> impl Iterator<Item = Range<usize>> {
    let is_stream = dataset.is_stream();
    let all = if is_stream {
        usize::MAX
    } else {
        dataset.parts()
    };
    let together = match is_stream {
        true => records,
        false => {
            let each = dataset.size(0..all) / (all.max(1) as u64);
            let together = usize::try_from(READ_BYTES / each.max(1));
            together.unwrap_or(all).max(1)
        }
    };
    let mut begin: usize = 0;
    std::iter::from_fn(move || {
        if is_stream {
            return Some(0..together);
        }
        let parts = begin..all.min(begin.saturating_add(together));
        begin = parts.end;
        (!parts.is_empty()).then_some(parts)
    })
}
