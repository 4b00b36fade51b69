//! How much memory finding answers takes.

/// How much of the tables is in memory. Tests use small sizes, so that few answers need many pages.
#[derive(Clone, Copy, Debug)]
pub(super) struct TableSizes {
    /// The number of stripes of pages of the journal and of the table by index. A stripe has up to 4 pages of each.
    pub(super) stripes: usize,
    /// The number of bytes of a page of the journal.
    pub(super) journal_page: usize,
    /// The number of slots of a page of the table by index.
    pub(super) slots_of_page: usize,
    /// The number of entries of the table by key that are sorted at once in memory.
    pub(super) sorted_at_once: usize,
    /// The number of entries of each sorted run that are read at once when the runs are merged.
    pub(super) merged_at_once: u64,
    /// The number of bits that tell which keys the table by key does not have.
    pub(super) filter_bits: u64,
}

impl TableSizes {
    /// The sizes of all runs: 2 MiB for pages of the journal, 1.5 MiB for slots, 16 MiB while entries are sorted, 4 MiB for
    /// the filter. Pages are so short that workers who read one after the other rarely need the same one.
    pub(super) const USUAL: TableSizes = TableSizes {
        stripes: 32,
        journal_page: 16 << 10,
        slots_of_page: 512,
        sorted_at_once: 1 << 18,
        merged_at_once: 512,
        filter_bits: 1 << 25,
    };
}
