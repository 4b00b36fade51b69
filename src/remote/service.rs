//! A service that scores records: each record is sent to it in a call over HTTP.
//!
//! A record's way: `body` makes the body of the call from it, and `options` has what all calls have in common. `calling`
//! sends it through the `client`, follows a `redirect`, and receives the answer (`receiving`). The answer says how fast
//! further calls may come (`rate_limit`, `waiting`). If it is a success, `reading` takes values out of it (`pick`,
//! `expect`, `budget`, `pointer`); otherwise, `outcome` decides whether the call is tried again.
//!
//! The secrets among the options (`url`, `header`) are known to `secrets`, which removes them from every text that comes
//! from outside, such as an answer that repeats the key.

mod body;
mod budget;
mod calling;
mod client;
mod expect;
mod header;
mod options;
mod outcome;
mod pick;
mod pointer;
mod rate_limit;
mod reading;
mod receiving;
mod redirect;
mod resolver;
mod secrets;
mod statistics;
#[cfg(all(test, not(shuttle)))]
mod tests;
mod url;
mod waiting;

pub use body::{BadBodyTemplate, BodyTemplate};
pub use budget::{BadBudget, ServiceBudget};
pub use calling::{CallBody, Service};
pub use expect::{BadExpect, Expect};
pub use header::HeaderTemplate;
pub use options::ServiceOptions;
pub use pick::{BadPick, Pick};
pub use pointer::{BadPointer, JsonPointer};
pub use statistics::{ServiceLatency, ServiceStatistics};
pub use url::ServiceUrl;
