//! Records as places in a text, and what has to be known before a text to find them.

/// Where one record is in a text, its line ending left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::dataset) struct Span {
    pub(in crate::dataset) start: usize,
    pub(in crate::dataset) end: usize,
    /// Number of lines of the text before the line in which the record begins.
    pub(in crate::dataset) lines_before: u64,
}

/// What decides, at a place in a text, how the bytes after it are cut. Formats of one record a line know one
/// state only, [`Between`](State::Between).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::dataset) enum State {
    /// Between two records, or before the first one.
    #[default]
    Between,
    /// At the beginning of a field of a record that has begun.
    FieldStart,
    /// In a field without quotes.
    Unquoted,
    /// In a quoted field, where a line end is text.
    Quoted,
    /// After a quote in a quoted field: it closes the field, or is the first of two that stand for one.
    QuoteInQuoted,
}

impl State {
    /// Every state, in the order of their numbers.
    pub(super) const ALL: [State; 5] = [
        State::Between,
        State::FieldStart,
        State::Unquoted,
        State::Quoted,
        State::QuoteInQuoted,
    ];
}

/// What some text amounts to, if it is in a certain state at its start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::dataset) struct Tally {
    /// Number of records that begin in it.
    pub(in crate::dataset) records: u64,
    /// The state at its end.
    pub(in crate::dataset) end: State,
}

/// A [`Tally`] for every state at the start of some text, so that the text can be counted before anyone knows
/// what comes before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::dataset) struct Tallies([Tally; State::ALL.len()]);

impl Tallies {
    /// Of text in which every record is one line.
    pub(in crate::dataset) fn of_lines(records: u64) -> Self {
        let end = State::Between;
        Tallies([Tally { records, end }; State::ALL.len()])
    }

    /// One tally for each of [`State::ALL`].
    pub(super) fn new(tallies: [Tally; State::ALL.len()]) -> Self {
        Tallies(tallies)
    }

    /// The tally of the text if it is in this state at its start.
    pub(in crate::dataset) fn from(&self, state: State) -> Tally {
        self.0[state as usize]
    }
}
