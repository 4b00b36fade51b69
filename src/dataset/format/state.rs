//! Records as places in a text, and the state that must be known at the start of a text to find its records.

/// The place of one record in a text, without its line ending.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::dataset) struct RecordSpan {
    pub(in crate::dataset) start: usize,
    pub(in crate::dataset) end: usize,
    /// Number of lines of the text before the line in which the record begins.
    pub(in crate::dataset) lines_before: u64,
    /// The places at which the record's delimiters begin and end in the list of delimiters that was made when the record
    /// was found. `None` if they are not listed.
    pub(in crate::dataset) delimiters: Option<(u32, u32)>,
}

/// Where a place of a text is in relation to the records: between two records, or at a certain point of a record.
/// This determines how the bytes after the place are split into records. Formats of one record per line use only
/// [`Between`](ScanState::Between).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::dataset) enum ScanState {
    /// Between two records, or before the first one.
    #[default]
    Between,
    /// At the beginning of a field of a record that has begun.
    FieldStart,
    /// In a field without quotes.
    Unquoted,
    /// In a quoted field, in which a line end is part of the text.
    Quoted,
    /// After a quote in a quoted field. The quote either closes the field, or is the first of two quotes that
    /// represent a single one.
    QuoteInQuoted,
}

impl ScanState {
    /// All states, in ascending order of their numeric values.
    pub(super) const ALL: [ScanState; 5] = [
        ScanState::Between,
        ScanState::FieldStart,
        ScanState::Unquoted,
        ScanState::Quoted,
        ScanState::QuoteInQuoted,
    ];
}

/// The number of records that begin in some text, and the state at the end of the text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::dataset) struct Tally {
    /// Number of records that begin in the text.
    pub(in crate::dataset) records: u64,
    /// The state at the end of the text.
    pub(in crate::dataset) end: ScanState,
}

/// A [`Tally`] for every state at the start of some text, so that the records of the text can be counted before the
/// state at the start of the text is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::dataset) struct Tallies([Tally; ScanState::ALL.len()]);

impl Tallies {
    /// The tallies of a text in which every record is one line.
    pub(in crate::dataset) fn of_lines(records: u64) -> Self {
        let end = ScanState::Between;
        Tallies([Tally { records, end }; ScanState::ALL.len()])
    }

    /// One tally for each of [`ScanState::ALL`].
    pub(super) fn new(tallies: [Tally; ScanState::ALL.len()]) -> Self {
        Tallies(tallies)
    }

    /// The tally of the text if its start is in the state `state`.
    pub(in crate::dataset) fn from(&self, state: ScanState) -> Tally {
        self.0[state as usize]
    }
}
