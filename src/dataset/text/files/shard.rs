//! A shard of some files of text.

use super::TextFiles;
use super::parts::{WantedText, part_bytes_for, total_bytes};
use crate::dataset::format::ScanState;
use crate::dataset::shard::{
    InputList, Shard, ShardCuts, ShardEdge, ShardExtent, ShardStart, file_at,
};
use crate::error::Error;

impl TextFiles {
    /// Returns the part of the dataset that belongs to a shard, and where it is cut. `start` is what the shard assumes
    /// about its beginning; `None` guesses it.
    ///
    /// # Errors
    ///
    /// Returns an error if the bytes at a cut cannot be read.
    pub(in crate::dataset) fn shard(
        self,
        shard: Shard,
        start: Option<ShardStart>,
    ) -> Result<(Self, ShardCuts), Error> {
        let texts = self.files.iter().map(|file| &file.text);
        let inputs = InputList::of(texts.map(|text| (&*text.path, text.length)));
        let places = shard.bytes(inputs.bytes);
        let mut begin = self.edge(places.start)?;
        let end = match shard.is_last() {
            true => ShardEdge::before_file(self.files.len()),
            false => self.edge(places.end)?,
        };
        if begin.is_inside() {
            begin.state = match start {
                Some(start) => start,
                None => self.likely_start(&begin)?,
            };
        }
        let cuts = ShardCuts { inputs, begin, end };
        let limit = self.limit;
        let texts = self.into_texts().into_iter().zip(0_u64..);
        let texts = texts.map(|(WantedText { mut text, .. }, file)| {
            let place = |edge: &ShardEdge| match file.cmp(&edge.file) {
                std::cmp::Ordering::Less => text.length,
                std::cmp::Ordering::Equal => edge.offset,
                std::cmp::Ordering::Greater => 0,
            };
            let range = place(&begin)..place(&end);
            if range.is_empty() {
                text.close()?;
            }
            Ok(WantedText { text, range })
        });
        let texts = texts.collect::<Result<Vec<_>, Error>>()?;
        let part_bytes = part_bytes_for(total_bytes(&texts));
        let state = match begin.state {
            ShardStart::Unquoted => ScanState::Between,
            ShardStart::Quoted => ScanState::Quoted,
        };
        Ok((Self::cut(texts, part_bytes, limit, state), cuts))
    }

    /// The cut at a place of the dataset, moved to the beginning of a line.
    fn edge(&self, place: u64) -> Result<ShardEdge, Error> {
        let lengths = self.files.iter().map(|file| file.text.length);
        let (file, place) = file_at(lengths, place);
        if place == 0 {
            return Ok(ShardEdge::before_file(file));
        }
        let text = &self.files[file].text;
        let offset = text.line_start(place)?;
        if offset == text.length {
            return Ok(ShardEdge::before_file(file + 1));
        }
        Ok(ShardEdge {
            offset,
            around: Some(text.hash_around(offset)?),
            ..ShardEdge::before_file(file)
        })
    }

    fn likely_start(&self, begin: &ShardEdge) -> Result<ShardStart, Error> {
        let text = &self.files[begin.file as usize].text;
        Ok(start_of(text.likely_state(begin.offset)?))
    }

    /// Returns what the shard covers, after a run that has read it to its end.
    ///
    /// # Errors
    ///
    /// Returns an error if a file cannot be read.
    pub(in crate::dataset) fn extent(&self, cuts: ShardCuts) -> Result<ShardExtent, Error> {
        let end = self.start_of(self.numbering.parts())?;
        let first = self.files.get(cuts.begin.file as usize);
        let first = first.map_or(Ok(0), |first| {
            Ok::<_, Error>(self.start_of(first.parts.end)?.records)
        })?;
        let (state, lines) = match cuts.end.is_inside() {
            true => (start_of(end.state), end.lines),
            false => (ShardStart::Unquoted, 0),
        };
        Ok(cuts.extent(state, first, lines))
    }
}

/// What a state at the beginning of a line means for a shard that begins there.
fn start_of(state: ScanState) -> ShardStart {
    match state {
        ScanState::Quoted => ShardStart::Quoted,
        _ => ShardStart::Unquoted,
    }
}
