//! The outputs of a run: scores files, pages, and text that is safe for a terminal.
//!
//! A file is written under a temporary name, `.manyhands-` and some letters, in its final folder. It is renamed
//! into place only after a complete run, so a run that ends early leaves nothing that looks complete. The
//! scores that such a run has written to `OUT` are kept as `OUT.partial`. If a file cannot be renamed in the
//! end, it is kept under another name, and the error says which.
//!
//! [`Endpoints`] compares the inputs and outputs of a command as files, not as paths, and refuses an output
//! that is also an input or another output.

mod baselines;
mod destination;
mod endpoints;
mod identity;
mod leftovers;
#[cfg(feature = "html")]
mod page;
mod replaced;
mod requested;
mod scores;
pub mod visible;

pub use baselines::{BaselineFile, BaselineName, Baselines};
pub use destination::{Destination, PartialFile};
pub use endpoints::Endpoints;
pub use leftovers::{Leftover, leftovers};
#[cfg(feature = "html")]
pub use page::PageFile;
pub use requested::Output;
pub use scores::{ScoresFile, ScoresFormat};
