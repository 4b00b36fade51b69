//! How complete records are moved from the inputs of a stream to the buffer of a worker.

use memchr::memrchr2;

use super::InputChain;
use crate::dataset::format::{Boundaries, RecordSpan};
use crate::dataset::text::buffer::{Buffer, room_in};
use crate::dataset::text::fault::InputFault;

impl InputChain<'_> {
    /// Moves complete lines to the buffer, and returns their length in bytes.
    pub(super) fn move_lines(
        &mut self,
        boundaries: Boundaries,
        at_most: usize,
        buffer: &mut Buffer,
    ) -> Result<usize, InputFault> {
        let Boundaries::Lines(lines) = boundaries else {
            return Ok(0);
        };
        let after_cr = self.start.after_cr;
        let limit = self.limit();
        let too_long = |length| limit.excludes(length);
        let bytes = &self.ahead[self.taken..self.whole];
        // Every record has at least one byte. So if there are at most `at_most` bytes, they have at most `at_most`
        // records, and all lines can be moved without counting the records.
        let end = match at_most < bytes.len() {
            true => self.taken + lines.prefix(bytes, after_cr, too_long, at_most),
            false => self.whole,
        };
        let length = self.move_bytes(end, buffer)?;
        let ends = buffer.split_lines(0..length, lines, after_cr);
        self.start.lines += ends;
        self.count_column(&buffer.bytes()[..length]);
        self.start.after_cr = buffer.bytes().ends_with(b"\r");
        Ok(length)
    }

    /// Moves records that the scanner has found to the buffer, and returns the number of moved bytes.
    pub(super) fn move_found(
        &mut self,
        at_most: usize,
        buffer: &mut Buffer,
    ) -> Result<usize, InputFault> {
        let records = at_most
            .clamp(1, self.found.len().max(1))
            .min(self.found.len());
        // The bytes between two records are moved with the first one.
        let end = self
            .found
            .get(records)
            .map_or(self.whole, |next| next.start);
        let taken = self.taken;
        let spans = self.found.drain(..records).map(|span| RecordSpan {
            start: span.start - taken,
            end: span.end - taken,
            ..span
        });
        buffer.add(spans);
        let length = self.move_bytes(end, buffer)?;
        buffer.set_end(length);
        self.count_column(buffer.bytes());
        Ok(length)
    }

    /// Updates the number of bytes of the last line, after the bytes `moved` were moved.
    fn count_column(&mut self, moved: &[u8]) {
        self.start.column = match memrchr2(b'\n', b'\r', moved) {
            Some(end) => (moved.len() - end - 1) as u64,
            None => self.start.column + moved.len() as u64,
        };
    }

    /// Moves the bytes that were read, up to the place `end`, to the front of the buffer. Returns the number of moved
    /// bytes.
    fn move_bytes(&mut self, end: usize, buffer: &mut Buffer) -> Result<usize, InputFault> {
        let length = end - self.taken;
        if length == self.whole {
            // If all complete records are taken (this may be a single giant record), the memory itself is swapped,
            // and the incomplete rest is copied back.
            buffer.exchange(&mut self.ahead);
            let rest = buffer.room(self.whole..self.filled)?;
            room_in(&mut self.ahead, 0..rest.len())?.copy_from_slice(rest);
            self.forget(length);
        } else {
            let bytes = &self.ahead[self.taken..end];
            buffer.room(0..length)?.copy_from_slice(bytes);
            self.taken = end;
        }
        Ok(length)
    }
}
