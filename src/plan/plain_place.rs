//! Places as plain data.

use std::path::Path;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::path_text::path_of;
use crate::error::Place;

/// A [`Place`] as plain data. The path need not be valid UTF-8.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct PlainPlace {
    path: Vec<u8>,
    pub(super) line: u64,
    column: Option<u64>,
}

impl From<&Place> for PlainPlace {
    fn from(place: &Place) -> Self {
        PlainPlace {
            path: place.path.as_os_str().as_encoded_bytes().to_vec(),
            line: place.line,
            column: place.column,
        }
    }
}

impl From<PlainPlace> for Place {
    fn from(place: PlainPlace) -> Self {
        let path: Arc<Path> = Arc::from(path_of(place.path));
        Place {
            path,
            line: place.line,
            column: place.column,
        }
    }
}
