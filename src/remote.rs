//! Scores records outside this process: in worker processes, and in processes of a program of the user.
//!
//! The processes of a [`ProcessPool`] receive text and plain data, so a [`Plan`](crate::plan::Plan) can be sent to
//! them and a closure cannot. If a process dies while it scores a record (because memory or stack runs out, or
//! because it is killed), only that record fails. A [`Program`] may be any program that answers lines with lines.

// Records that are scored outside this process pass through one interface, the trait `Elsewhere`. `ScoredElsewhere`
// presents them as a dataset and knows only this trait. The process pool is one implementation of it. A program of the
// user is a dataset itself, since it may keep its answers back for longer than one read of the dataset.

#[cfg(any(unix, feature = "http"))]
mod answer;
mod blame;
mod conversation;
#[cfg(test)]
pub(crate) mod in_process;
#[cfg(any(unix, feature = "http"))]
mod kinds;
#[cfg(test)]
mod laws;
mod process_pool;
#[cfg(unix)]
mod program;
mod scored_elsewhere;
mod send_as;
#[cfg(feature = "http")]
mod service;
mod spawn;
mod start_history;

#[cfg(any(unix, feature = "http"))]
pub use answer::{AnswerValue, ProgramAnswer};
pub use conversation::RecordReply;
pub(crate) use conversation::{Elsewhere, ask};
#[cfg(any(unix, feature = "http"))]
pub(crate) use kinds::ColumnKinds;
pub use process_pool::ProcessPool;
pub(crate) use process_pool::{Coordinator, WorkerProcess, serve};
#[cfg(unix)]
pub use program::{Answered, Program, guard};
#[cfg(unix)]
pub(crate) use program::{ProgramLimits, Surroundings};
pub(crate) use scored_elsewhere::ScoredElsewhere;
pub(crate) use send_as::on_one_line;
pub use send_as::{SendAs, UnknownSendAs};
#[cfg(feature = "http")]
pub use service::{
    BadBodyTemplate, BadBudget, BadExpect, BadPick, BadPointer, BodyTemplate, CallBody, Expect,
    HeaderTemplate, JsonPointer, Pick, Service, ServiceBudget, ServiceLatency, ServiceOptions,
    ServiceStatistics, ServiceUrl,
};
