//! The parts of files of text.

use std::ops::Range;

use crate::dataset::text::file::TextFile;

/// The number of parts into which the data is cut, unless the parts would be shorter or longer than [`PART_BYTES`]
/// allows. The number is large enough that even many workers can share the end of a run evenly.
const PARTS_AIM: u64 = 1 << 16;
/// The minimum and the maximum length of a part in bytes: with shorter parts there would be many more parts than
/// records, and longer parts would fill the memory.
const PART_BYTES: (u64, u64) = (32, 1 << 20);
/// The maximum number of parts. It is limited because what comes before each part is kept in memory. If there is more
/// data, the parts are longer.
const PARTS_MOST: u64 = 1 << 22;

/// One file, with the numbers of its parts.
#[derive(Debug)]
pub(super) struct FileParts {
    pub(super) text: TextFile,
    /// The bytes in which the records of the dataset begin: all bytes of the file, unless the dataset is a shard.
    pub(super) range: Range<u64>,
    pub(super) parts: Range<usize>,
}

impl FileParts {
    /// The bytes of this file that belong to the parts. The range is empty if all parts are in other files.
    pub(super) fn bytes(&self, parts: &Range<usize>, part_bytes: u64) -> Range<u64> {
        let offset = |part: usize| {
            let part = part.clamp(self.parts.start, self.parts.end) - self.parts.start;
            let bytes = (part as u64).saturating_mul(part_bytes);
            self.range.end.min(self.range.start.saturating_add(bytes))
        };
        offset(parts.start)..offset(parts.end)
    }

    /// Number of lines before the first record that are counted. A shard that begins inside a file counts the lines from
    /// there.
    pub(super) fn lines_before(&self) -> u64 {
        match self.range.start {
            0 => self.text.header_lines,
            _ => 0,
        }
    }
}

/// A file, and the bytes in which the records of the dataset begin.
pub(super) struct WantedText {
    pub(super) text: TextFile,
    pub(super) range: Range<u64>,
}

impl WantedText {
    pub(super) fn whole(text: TextFile) -> Self {
        let range = 0..text.length;
        WantedText { text, range }
    }
}

/// Number of bytes of these files in which records of the dataset begin.
pub(super) fn total_bytes(texts: &[WantedText]) -> u64 {
    let bytes = texts.iter().map(|text| text.range.end - text.range.start);
    bytes.fold(0, u64::saturating_add)
}

/// The length of a part in bytes, if the data has `total` bytes.
pub(super) fn part_bytes_for(total: u64) -> u64 {
    let most = PART_BYTES.1.max(total / PARTS_MOST);
    (total / PARTS_AIM).clamp(PART_BYTES.0, most)
}
