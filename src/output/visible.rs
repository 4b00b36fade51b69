//! Characters that are invisible or that control a terminal, and how outputs escape them.
//!
//! Text, JSON and pages share one list.

pub use crate::visible::{characters, escaped, is_hidden, json, json_serializer, to_json};
