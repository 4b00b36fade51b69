//! The summary of the scores of one column.

use std::collections::BTreeMap;

use serde::Serialize;

use super::label_counts::{LabelCounts, LabelSummary};
use super::scorer::{Cell, ColumnKind, NamedCell};
use crate::aggregation::{
    Aggregator, Bins, ByRef, Histogram, Kind, MomentSummary, Moments, OfRef, QuantileSummary,
    Quantiles, Shift, State, StateError,
};

/// Number of bins in the histogram of a column. If its range is not known, this is the largest number of bins.
const BINS: usize = 20;

/// The summary of a column of numbers.
///
/// A record may have NaN or an infinity in a column. As with NumPy, sum, mean, variance and standard deviation are then
/// not finite. Quantiles leave NaN out, and infinities are numbers like any other. The histogram counts all three
/// separately.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct NumberSummary {
    /// Count, sum, mean, variance and standard deviation of the numbers.
    pub moments: MomentSummary,
    /// The smallest number, the largest number, and quantiles between them.
    pub quantiles: QuantileSummary,
    /// How the numbers are distributed. If the range of the column is known before the run, the bins cover this
    /// range. Otherwise, they cover the numbers that were found, see [`Quantiles::bins`]; then there is no histogram
    /// if no number is finite. All counts are exact.
    pub histogram: Option<Bins>,
}

/// The most numbers that are passed to the aggregators in one call.
const TOGETHER: usize = 64;

type Numbers = (Moments, Quantiles, Option<Histogram>);

/// The state of one column: its numbers and its labels. A column that is not known before the run may have both.
#[derive(Clone)]
pub(super) struct ColumnState {
    kind: ColumnKind,
    numbers: Numbers,
    labels: LabelCounts,
}

impl ColumnState {
    pub(super) fn new(kind: ColumnKind) -> Self {
        let range = match kind {
            ColumnKind::Numbers { range } => range,
            ColumnKind::Labels | ColumnKind::Other => None,
        };
        let histogram = range.map(|(least, largest)| Histogram::new(least, largest, BINS));
        ColumnState {
            kind,
            numbers: (Moments::new(), Quantiles::new(), histogram),
            labels: LabelCounts::new(),
        }
    }
}

impl ColumnState {
    /// Observes the cells of consecutive records. Up to [`TOGETHER`] numbers are observed in one call, which is faster
    /// than one call for each number. The index that such a call passes may be wrong if cells without a number are
    /// between the numbers, but these states do not use indexes.
    pub(super) fn observe_cells<'c>(&mut self, first: u64, cells: impl Iterator<Item = &'c Cell>) {
        let mut numbers = [0.0; TOGETHER];
        let mut filled = 0;
        for (index, cell) in (first..).zip(cells) {
            match cell {
                Cell::Number(number) => {
                    numbers[filled] = *number;
                    filled += 1;
                    if filled == TOGETHER {
                        self.numbers.observe_slice(first, &numbers);
                        filled = 0;
                    }
                }
                other => self.observe(index, other),
            }
        }
        self.numbers.observe_slice(first, &numbers[..filled]);
    }
}

impl Aggregator<Cell> for ColumnState {
    type Output = (Option<NumberSummary>, Option<LabelSummary>);
    const COMMUTATIVE: bool = true;

    #[inline]
    fn observe(&mut self, index: u64, cell: &Cell) {
        if let Some(number) = cell.number() {
            self.numbers.observe(index, &number);
        } else if let Some(label) = cell.label() {
            self.labels.observe(index, label);
        }
    }

    fn fork(&self) -> Self {
        ColumnState {
            kind: self.kind,
            numbers: Aggregator::<f64>::fork(&self.numbers),
            labels: self.labels.fork(),
        }
    }

    fn merge(&mut self, later: Self) {
        Aggregator::<f64>::merge(&mut self.numbers, later.numbers);
        self.labels.merge(later.labels);
    }

    /// Returns a summary of the numbers and a summary of the labels. A column of numbers always has a summary of
    /// the numbers, and a column of labels always has a summary of the labels, even if there are no records. In
    /// all other cases, each summary is present only if at least one record has a number or a label, respectively.
    fn finish(self) -> Self::Output {
        let (moments, quantiles, histogram) = self.numbers;
        let histogram = match histogram {
            Some(histogram) => Some(histogram.finish()),
            None => quantiles.bins(BINS),
        };
        let (moments, quantiles) = (moments.finish(), quantiles.finish());
        let labels = self.labels.finish();
        let has_numbers = moments.count > 0 || matches!(self.kind, ColumnKind::Numbers { .. });
        let has_labels = labels.count > 0 || self.kind == ColumnKind::Labels;
        let numbers = has_numbers.then_some(NumberSummary {
            moments,
            quantiles,
            histogram,
        });
        (numbers, has_labels.then_some(labels))
    }
}

impl State for ColumnState {
    type Plain = (<Numbers as State>::Plain, <LabelCounts as State>::Plain);

    fn kind(&self) -> Kind {
        let parts = [self.numbers.kind(), self.labels.kind()];
        Kind::new("column", 1).with(&self.kind).around(parts)
    }

    fn into_plain(self) -> Self::Plain {
        (self.numbers.into_plain(), self.labels.into_plain())
    }

    fn restore(&self, (numbers, labels): Self::Plain) -> Result<Self, StateError> {
        Ok(ColumnState {
            kind: self.kind,
            numbers: self.numbers.restore(numbers)?,
            labels: self.labels.restore(labels)?,
        })
    }
}

impl Shift for ColumnState {
    fn shift(self, by: u64) -> Result<Self, StateError> {
        Ok(ColumnState {
            labels: self.labels.shift(by)?,
            ..self
        })
    }
}

type ByName =
    ByRef<OfRef<ColumnState, fn(&NamedCell) -> &Cell, Cell>, String, str, fn(&NamedCell) -> &str>;

/// The states of the columns that are not known before the run, by the name of the column.
#[derive(Clone)]
pub(super) struct FoundColumns(ByName);

impl FoundColumns {
    pub(super) fn new() -> Self {
        let cell: fn(&NamedCell) -> &Cell = |(_, cell)| cell;
        let name: fn(&NamedCell) -> &str = |(name, _)| name;
        FoundColumns(
            ColumnState::new(ColumnKind::Other)
                .of_ref(cell)
                .by_ref(name),
        )
    }
}

impl Aggregator<[NamedCell]> for FoundColumns {
    type Output = BTreeMap<String, (Option<NumberSummary>, Option<LabelSummary>)>;
    const COMMUTATIVE: bool = true;

    #[inline]
    fn observe(&mut self, index: u64, cells: &[NamedCell]) {
        for cell in cells {
            self.0.observe(index, cell);
        }
    }

    fn fork(&self) -> Self {
        FoundColumns(self.0.fork())
    }

    fn merge(&mut self, later: Self) {
        self.0.merge(later.0);
    }

    fn finish(self) -> Self::Output {
        self.0.finish()
    }
}

impl State for FoundColumns {
    type Plain = <ByName as State>::Plain;

    fn kind(&self) -> Kind {
        Kind::new("columns", 1).around([self.0.kind()])
    }

    fn into_plain(self) -> Self::Plain {
        self.0.into_plain()
    }

    fn restore(&self, plain: Self::Plain) -> Result<Self, StateError> {
        self.0.restore(plain).map(FoundColumns)
    }
}

impl Shift for FoundColumns {
    fn shift(self, by: u64) -> Result<Self, StateError> {
        self.0.shift(by).map(FoundColumns)
    }
}
