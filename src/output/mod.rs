//! Where the results of a run go: scores files, pages, and what a terminal may be shown.
//!
//! A file that is written has a temporary name, `.manyhands-` and some letters, in the folder where it is
//! to stand. It gets its own name only when it is whole, so that a run that ends early leaves nothing that
//! looks finished. What such a run has written of `OUT` is kept as `OUT.partial`. Nothing that was written
//! is thrown away because of a name: if the file cannot get its name in the end, it is kept under another
//! one, and the error says which.
//!
//! [`Endpoints`] tells the inputs and outputs of a command apart by what they are, not by how their paths
//! are spelled, and refuses two that are one.

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

pub use destination::{Destination, Kept};
pub use endpoints::Endpoints;
pub use leftovers::{Leftover, leftovers};
#[cfg(feature = "html")]
pub use page::PageFile;
pub use requested::Output;
pub use scores::{ScoresFile, ScoresFormat};
