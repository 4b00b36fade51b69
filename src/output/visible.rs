//! Escapes characters that are invisible or that control a terminal.
//!
//! Text, JSON and pages use the same list of such characters.

pub use crate::visible::{characters, escaped, is_hidden, json, json_serializer, to_json};
