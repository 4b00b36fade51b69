//! Characters that cannot be seen, or that a terminal obeys: which they are, and how outputs write
//! them out.
//!
//! Text, JSON and pages share one list. It is defined below all of them, since the report of a plan is
//! JSON too.

pub use crate::visible::{characters, escaped, is_hidden, json, json_serializer, to_json};
