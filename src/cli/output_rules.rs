//! How the outputs of a run are written.

use manyhands::output::Output;

/// How the outputs of a run that it writes record by record are written.
#[derive(Clone, Copy, Debug)]
pub(super) struct OutputRules {
    /// Whether existing files are replaced.
    pub(super) force: bool,
    /// Whether the run scores a shard. A shard is scored as a whole or not at all, so what is left of it is of no use, and its
    /// partial answer names its files by their hashes.
    pub(super) is_shard: bool,
    /// Whether the run has a journal, which is removed only when the outputs are on the disk.
    pub(super) has_journal: bool,
    /// Whether the run goes on where an earlier one has ended, whose partial files it replaces.
    pub(super) resumes: bool,
    /// Whether an existing page is replaced. A run that ends early writes its page, and so does one that is killed before it
    /// has printed its report.
    pub(super) replaces_page: bool,
}

impl OutputRules {
    /// Sets how the page is written.
    pub(super) fn apply_to_page(self, page: Output) -> Output {
        page.force(self.force || self.replaces_page)
            .replace_partial(self.resumes)
    }

    /// Sets how this output is written.
    pub(super) fn apply(self, output: Output) -> Output {
        output
            .force(self.force)
            .keep_partial(!self.is_shard)
            .replace_partial(self.resumes)
            .synced(self.is_shard || self.has_journal)
            .hashed(self.is_shard)
            // Engines run a shard twice at the same time. The first attempt that ends has written the files.
            .exclusive(!self.is_shard)
    }
}
