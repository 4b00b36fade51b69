//! How the outputs of a run are written.

use manyhands::output::Output;
use manyhands::plan::RunJournal;

/// How the outputs of a run that it writes record by record are written.
#[derive(Clone, Copy, Debug)]
pub(super) struct OutputRules<'a> {
    /// Whether existing files are replaced.
    pub(super) force: bool,
    /// Whether the run scores a shard. A shard is scored as a whole or not at all, so what is left of it is of no use, and its
    /// partial answer names its files by their hashes.
    pub(super) is_shard: bool,
    /// Whether the run has a journal, which is removed only when the outputs are on the disk.
    pub(super) has_journal: bool,
    /// Whether the run goes on where an earlier one has ended, whose partial files it replaces.
    pub(super) resumes: bool,
    /// The journal from which the run goes on. The run replaces the outputs that an earlier run of the same command has completed.
    pub(super) journal: Option<&'a RunJournal>,
}

impl OutputRules<'_> {
    /// Whether an existing file of this output is replaced.
    fn replaces(self, output: &Output) -> bool {
        let has_completed = |journal: &RunJournal| journal.has_completed(output.path());
        self.force || self.journal.is_some_and(has_completed)
    }

    /// Sets how the partial answer of a shard is written.
    pub(super) fn apply_to_partial(self, partial: Output) -> Output {
        let force = self.replaces(&partial);
        partial
            .force(force)
            .replace_partial(self.resumes)
            .synced(true)
    }

    /// Sets how the page is written.
    pub(super) fn apply_to_page(self, page: Output) -> Output {
        let force = self.replaces(&page);
        page.force(force).replace_partial(self.resumes)
    }

    /// Sets how this output is written.
    pub(super) fn apply(self, output: Output) -> Output {
        let force = self.replaces(&output);
        output
            .force(force)
            .keep_partial(!self.is_shard)
            .replace_partial(self.resumes)
            .synced(self.is_shard || self.has_journal)
            .hashed(self.is_shard)
            // Engines run a shard twice at the same time. The first attempt that ends has written the files.
            .exclusive(!self.is_shard)
    }
}
