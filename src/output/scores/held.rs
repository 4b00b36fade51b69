//! Lines of a table that wait in memory (*held lines*) because the further columns of the table are not known yet.
//!
//! A line begins with a mark, its length and the index of its record. No finished line begins with this mark. The first
//! values of the line follow, then its last values, then the names and values of the fields whose columns are not
//! known. Each of these is preceded by its length. The format of the table decides in which form the values are held.

/// The first byte of a held line. A finished line begins with the number of its record, whose first byte is another one
/// in every format.
const MARK: u8 = 0;

/// The length of a mark, a length and an index.
const HEAD: usize = 1 + size_of::<u64>() + size_of::<u64>();

/// A line that was held back.
#[derive(Clone, Copy, Debug)]
pub(super) struct HeldLine<'a> {
    /// The index of the record.
    pub(super) index: u64,
    /// The values that come first.
    pub(super) beginning: &'a [u8],
    /// The values that come last, and the line end.
    pub(super) ending: &'a [u8],
    fields: &'a [u8],
    all: &'a [u8],
}

impl<'a> HeldLine<'a> {
    /// Splits a held line off the bytes. Returns `None` if the bytes do not begin with a held line.
    pub(super) fn split_off(bytes: &'a [u8]) -> Option<(Self, &'a [u8])> {
        let (head, _) = bytes.split_at_checked(HEAD)?;
        if head[0] != MARK {
            return None;
        }
        let (length, index) = (number(&head[1..])?, number(&head[9..])?);
        let (all, rest) = bytes.split_at_checked(usize::try_from(length).ok()?)?;
        let (beginning, after) = value(&all[HEAD..])?;
        let (ending, fields) = value(after)?;
        let line = HeldLine {
            index,
            beginning,
            ending,
            fields,
            all,
        };
        Some((line, rest))
    }

    /// The bytes of the line.
    pub(super) fn bytes(&self) -> &'a [u8] {
        self.all
    }

    /// The names and values of the fields whose columns are not known.
    pub(super) fn values(&self) -> impl Iterator<Item = (&'a str, &'a [u8])> + use<'a> {
        let mut rest = self.fields;
        std::iter::from_fn(move || {
            let (name, after) = value(rest)?;
            let (held, after) = value(after)?;
            rest = after;
            Some((std::str::from_utf8(name).ok()?, held))
        })
    }
}

/// Appends the head of a held line. The line ends where [`end_held`] is called.
pub(super) fn begin_held(index: u64, bytes: &mut Vec<u8>) -> usize {
    let begin = bytes.len();
    bytes.push(MARK);
    bytes.extend_from_slice(&[0; size_of::<u64>()]);
    bytes.extend_from_slice(&index.to_le_bytes());
    begin
}

/// Ends the held line that begins at this place.
pub(super) fn end_held(begin: usize, bytes: &mut [u8]) {
    let length = (bytes.len() - begin) as u64;
    bytes[begin + 1..begin + 1 + size_of::<u64>()].copy_from_slice(&length.to_le_bytes());
}

/// Appends what `write` appends, preceded by its length.
pub(super) fn hold_value(bytes: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) {
    let begin = bytes.len();
    bytes.extend_from_slice(&[0; size_of::<u64>()]);
    let first = bytes.len();
    write(bytes);
    let length = (bytes.len() - first) as u64;
    bytes[begin..first].copy_from_slice(&length.to_le_bytes());
}

fn value(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let length = usize::try_from(number(bytes)?).ok()?;
    bytes[size_of::<u64>()..].split_at_checked(length)
}

fn number(bytes: &[u8]) -> Option<u64> {
    Some(u64::from_le_bytes(*bytes.first_chunk()?))
}
