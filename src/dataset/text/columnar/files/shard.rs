//! A shard of some columnar files, which is cut between two records.

use std::ops::Range;

use super::{ColumnarFiles, PARTS_AIM};
use crate::dataset::shard::{
    InputList, Shard, ShardCuts, ShardEdge, ShardExtent, ShardStart, file_at,
};

impl ColumnarFiles {
    /// Returns the part of the dataset that belongs to a shard, and where it is cut. A cut inside a file is at the record
    /// whose number has the same share of the file's records as the cut has of its bytes.
    pub(in crate::dataset) fn shard(self, shard: Shard) -> (Self, ShardCuts) {
        let files = self.files.iter();
        let inputs = InputList::of(files.map(|file| (&*file.path, file.length)));
        let places = shard.bytes(inputs.bytes);
        let begin = self.edge(places.start);
        let end = match shard.is_last() {
            true => ShardEdge::before_file(self.files.len()),
            false => self.edge(places.end),
        };
        let wanted = self.record_at(&begin)..self.record_at(&end);
        let part_records = ((wanted.end - wanted.start) / PARTS_AIM).max(1);
        let limit = self.limit;
        let files = Self::divide(self.into_files(), part_records, limit, wanted);
        (files, ShardCuts { inputs, begin, end })
    }

    /// The cut at a place of the dataset, which is a number of bytes.
    fn edge(&self, place: u64) -> ShardEdge {
        let (file, place) = file_at(self.files.iter().map(|file| file.length), place);
        if place == 0 {
            return ShardEdge::before_file(file);
        }
        let found = &self.files[file];
        let offset = u128::from(found.records) * u128::from(place) / u128::from(found.length);
        ShardEdge {
            offset: u64::try_from(offset).unwrap_or(u64::MAX),
            ..ShardEdge::before_file(file)
        }
    }

    /// The number, among the records of all files, of the first record after a cut.
    fn record_at(&self, edge: &ShardEdge) -> u64 {
        let file = self.files.get(edge.file as usize);
        file.map_or_else(
            || self.all_records(),
            |file| file.first_record + edge.offset,
        )
    }

    /// Returns what the shard covers.
    pub(in crate::dataset) fn extent(&self, cuts: ShardCuts) -> ShardExtent {
        let first = self.files.get(cuts.begin.file as usize);
        let end_of_first = first.map_or(0, |file| file.first_record + file.records);
        let first_records = end_of_first
            .min(self.wanted.end)
            .saturating_sub(self.wanted.start);
        cuts.extent(ShardStart::Unquoted, first_records, 0)
    }

    /// The parts that contain the wanted records.
    pub(super) fn wanted_parts(&self) -> Range<usize> {
        match self.wanted.is_empty() {
            true => 0..0,
            false => {
                let last = self.part_of(self.wanted.end - 1);
                self.part_of(self.wanted.start)..last + 1
            }
        }
    }

    /// The part that contains the record with this number among the records of all files.
    fn part_of(&self, record: u64) -> usize {
        // Files and groups without records contain no record, and the last of those that begin at the same record has it.
        let file = self
            .files
            .partition_point(|file| file.first_record <= record)
            .saturating_sub(1);
        let Some(file) = self.files.get(file) else {
            return 0;
        };
        let record = record - file.first_record;
        let group = file
            .groups
            .partition_point(|group| group.record <= record)
            .saturating_sub(1);
        let (Some(stored), Some(place)) = (file.file.groups.get(group), file.groups.get(group))
        else {
            return file.parts.start;
        };
        place.part + stored.part_of(record - place.record, self.part_records) as usize
    }
}
