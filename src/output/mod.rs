//! The outputs of a run, which are scores files, pages, and text that is safe to print on a terminal.
//!
//! A file is first written in its final folder under a temporary name, which is `.manyhands-` followed by some letters.
//! It is renamed into place only after a complete run, so a run that ends early leaves no file that looks complete. The
//! scores that such a run has written are kept as `OUT.partial`, where `OUT` is the name of the output. The compressed
//! data of a compressed file is completed, and a columnar file gets its footer. If a complete file cannot be renamed,
//! it is kept under another name, which the error states.
//!
//! [`Endpoints`] compares the inputs and outputs of a command as files, not as paths, and refuses an output
//! that is also an input or another output.

mod baselines;
mod complete;
mod destination;
mod encoder;
mod endpoints;
mod failures;
mod frames;
mod identity;
mod joined;
mod kept;
mod leftovers;
#[cfg(feature = "html")]
mod page;
mod replaced;
mod requested;
mod run_files;
mod scores;
pub mod visible;
mod written;

pub use crate::plan::{WrittenFailures, WrittenFile};
pub use baselines::{BaselineFile, BaselineName, Baselines};
pub use complete::{CompleteFile, CompleteRunFiles};
pub use destination::{Destination, PartialFile};
pub use encoder::OutputCompression;
pub use endpoints::Endpoints;
pub use failures::FailuresFile;
pub use joined::{
    FirstLines, Joined, JoinedFailures, ShardFailures, ShardFiles, ShardScores, join_failures,
    join_scores, match_files,
};
pub use leftovers::{Leftover, leftovers, remove_leftovers_of};
#[cfg(feature = "html")]
pub use page::PageFile;
pub use requested::Output;
pub use run_files::RunFiles;
pub use scores::{LeftOutFields, ScoresFile, ScoresFormat, ScoresOptions, UnfitValues};
