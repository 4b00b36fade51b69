//! What the first bytes of an input show: text, compressed bytes, or a file of another kind.

use std::borrow::Cow;

use super::compression::Compression;
use super::encoding::other_encoding;

/// What the first bytes of an input show.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Beginning {
    /// More bytes are needed to tell. They cannot be a complete record of text.
    TooShort,
    Text,
    Compressed(Compression),
    /// The input is neither text nor compressed, for the reason in this message.
    Refused(Cow<'static, str>),
}

/// Returns what the first bytes of an input show. `is_all` tells that the input has no more bytes.
pub(super) fn beginning_of(first: &[u8], is_all: bool) -> Beginning {
    if let Some(compression) = Compression::of(first) {
        return Beginning::Compressed(compression);
    }
    if let Some(message) = other_encoding(first) {
        return Beginning::Refused(message.into());
    }
    if !is_all && (first.is_empty() || Compression::may_begin_with(first)) {
        return Beginning::TooShort;
    }
    Beginning::Text
}
