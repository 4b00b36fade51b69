//! Several parts in one block of bytes, each preceded by its length.

/// The number of bytes of a length.
const LENGTH: usize = size_of::<u64>();

/// Appends what `write` appends as one part.
pub(super) fn push_frame(bytes: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) {
    let begin = bytes.len();
    bytes.extend_from_slice(&[0; LENGTH]);
    let first = bytes.len();
    write(bytes);
    let length = (bytes.len() - first) as u64;
    bytes[begin..first].copy_from_slice(&length.to_le_bytes());
}

/// Splits the first part off. Returns `None` if there are no more parts.
pub(super) fn split_frame(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let length = u64::from_le_bytes(*bytes.first_chunk()?);
    bytes[LENGTH..].split_at_checked(usize::try_from(length).ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_come_back_in_order() {
        let mut bytes = Vec::new();
        let parts = [&b"a"[..], b"", b"\0\0\0\0\0\0\0\0\0"];
        for part in parts {
            push_frame(&mut bytes, |bytes| bytes.extend_from_slice(part));
        }
        let mut rest = &bytes[..];
        let mut found = Vec::new();
        while let Some((part, after)) = split_frame(rest) {
            found.push(part);
            rest = after;
        }
        assert_eq!(found, parts);
        assert!(rest.is_empty());
        assert_eq!(split_frame(&bytes[..8]), None);
    }
}
