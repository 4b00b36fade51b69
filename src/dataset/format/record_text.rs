//! The text of one record, as a format reads it.

/// The text of one record.
#[derive(Clone, Copy, Debug)]
pub(in crate::dataset) struct RecordText<'a> {
    pub(in crate::dataset) text: &'a str,
    /// The delimiters that separate the fields. `None` if their places are not known.
    pub(in crate::dataset) delimiters: Option<ListedDelimiters<'a>>,
}

/// The delimiters that separate the fields of a record.
#[derive(Clone, Copy, Debug)]
pub(in crate::dataset) struct ListedDelimiters<'a> {
    /// The places of the delimiters, counted in bytes from the same byte as `start`.
    pub(in crate::dataset) places: &'a [u32],
    /// The place at which the record begins.
    pub(in crate::dataset) start: u32,
}

impl<'a> ListedDelimiters<'a> {
    /// Number of fields.
    pub(super) fn fields(self) -> usize {
        self.places.len() + 1
    }

    /// The field with this number, counted from 0, with its quotes if it has any. `None` if there are fewer fields.
    #[inline]
    pub(super) fn field(self, record: &str, number: usize) -> Option<&str> {
        let place = |number: usize| self.places.get(number).map(|place| place - self.start);
        let begin = match number.checked_sub(1) {
            None => 0,
            Some(before) => place(before)? as usize + 1,
        };
        let end = place(number).map_or(record.len(), |end| end as usize);
        record.get(begin..end)
    }
}
