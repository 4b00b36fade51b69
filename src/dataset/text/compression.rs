//! Kinds of compression, and how each is recognised.

use std::path::Path;

/// A kind of compression that is recognised by the first bytes of a file, regardless of the file's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Compression {
    Gzip,
    Zstd,
    Bzip2,
    Xz,
}

/// The length of the longest mark of a kind of compression, in bytes.
pub(super) const LONGEST_MARK: usize = 10;

/// A block of bzip2 begins with the digits of pi. An empty file begins with the digits of the square root of pi.
const BZIP2_BLOCKS: [&[u8]; 2] = [b"1AY&SY", b"\x17\x72\x45\x38\x50\x90"];

impl Compression {
    const ALL: [Compression; 4] = [
        Compression::Gzip,
        Compression::Zstd,
        Compression::Bzip2,
        Compression::Xz,
    ];

    /// The name of the kind of compression.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Compression::Gzip => "gzip",
            Compression::Zstd => "zstd",
            Compression::Bzip2 => "bzip2",
            Compression::Xz => "xz",
        }
    }

    /// The endings that file names of this kind have after the ending of the format.
    const fn endings(self) -> [&'static str; 2] {
        match self {
            Compression::Gzip => ["gz", "gzip"],
            Compression::Zstd => ["zst", "zstd"],
            Compression::Bzip2 => ["bz2", "bzip2"],
            Compression::Xz => ["xz", "lzma2"],
        }
    }

    /// Recognises the compression of bytes that begin with `first`.
    pub(super) fn of(first: &[u8]) -> Option<Self> {
        let is = |compression: &Compression| compression.mark(first) == Some(true);
        Self::ALL.into_iter().find(is)
    }

    /// Whether more bytes are needed to know if the bytes that begin with `first` are compressed.
    pub(super) fn may_begin_with(first: &[u8]) -> bool {
        let may_be = |compression: &Compression| compression.mark(first).is_none();
        first.len() < LONGEST_MARK && Self::ALL.iter().any(may_be)
    }

    /// Whether the bytes begin with the mark of this kind. `None` if there are too few bytes to know it.
    fn mark(self, first: &[u8]) -> Option<bool> {
        match self {
            Compression::Gzip => begins(first, b"\x1f\x8b"),
            Compression::Zstd => match first {
                // The first frame may be a *skippable frame*, which contains no data.
                [0x50..=0x5f, rest @ ..] => begins(rest, b"\x2a\x4d\x18"),
                first => begins(first, b"\x28\xb5\x2f\xfd"),
            },
            Compression::Bzip2 => match first {
                [b'B', b'Z', b'h', b'1'..=b'9', block @ ..] => {
                    let blocks = BZIP2_BLOCKS.map(|mark| begins(block, mark));
                    match blocks {
                        [Some(false), Some(false)] => Some(false),
                        blocks if blocks.contains(&Some(true)) => Some(true),
                        _ => None,
                    }
                }
                [b'B', b'Z', b'h', ..] if first.len() > 3 => Some(false),
                first => begins(first, b"BZh").filter(|is| !is),
            },
            Compression::Xz => begins(first, b"\xfd7zXZ\0"),
        }
    }

    /// Whether bytes begin with the mark of this kind.
    pub(super) fn is_mark_of(self, first: &[u8]) -> bool {
        self.mark(first) == Some(true)
    }

    /// If this build cannot read the kind of compression, returns a message that says so and what to do.
    pub(super) fn missing(self) -> Option<String> {
        match self {
            Compression::Gzip | Compression::Zstd => None,
            Compression::Bzip2 if cfg!(feature = "bzip2") => None,
            Compression::Xz if cfg!(feature = "xz") => None,
            other => Some(other.left_out()),
        }
    }

    pub(super) fn left_out(self) -> String {
        let name = self.name();
        format!(
            "is {name}-compressed, and this program was built without {name}; unpack the file with \
             {name} -d, or build the program with --features {name}"
        )
    }
}

/// Whether the bytes begin with this mark. `None` if there are too few bytes to know it.
pub(super) fn begins(first: &[u8], mark: &[u8]) -> Option<bool> {
    if first.len() < mark.len() && mark.starts_with(first) {
        return None;
    }
    Some(first.starts_with(mark))
}

/// If a file name has the ending of a kind of compression, such as `.gz`, returns the name without this ending, and
/// otherwise the whole name.
pub(super) fn unpacked_name(name: &Path) -> &Path {
    let ending = name.extension().and_then(|ending| ending.to_str());
    let ending = ending.unwrap_or_default();
    let is_of = |one: &Compression| {
        let mut endings = one.endings().into_iter();
        endings.any(|known| known.eq_ignore_ascii_case(ending))
    };
    match name.file_stem() {
        Some(stem) if Compression::ALL.iter().any(is_of) => Path::new(stem),
        _ => name,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_is_known_by_its_first_bytes() {
        for (first, expected) in [
            (&b"\x1f\x8b"[..], Some(Compression::Gzip)),
            (b"\x28\xb5\x2f\xfd", Some(Compression::Zstd)),
            (b"\x57\x2a\x4d\x18", Some(Compression::Zstd)),
            (b"BZh91AY&SY", Some(Compression::Bzip2)),
            (b"BZh1\x17\x72\x45\x38\x50\x90", Some(Compression::Bzip2)),
            (b"\xfd7zXZ\0", Some(Compression::Xz)),
            (b"BZh91AY&SX", None),
            (b"BZh01AY&SY", None),
            (b"BZx91AY&SY", None),
            (b"P*M,18", None),
            (b"\x1f\x8c", None),
            (b"{\"text\":1}", None),
        ] {
            assert_eq!(Compression::of(first), expected, "{first:?}");
            assert!(!Compression::may_begin_with(first), "{first:?}");
            for length in 0..first.len() {
                let short = &first[..length];
                assert_eq!(Compression::of(short), None, "{short:?}");
                let may_be = Compression::may_begin_with(short);
                assert!(may_be || expected.is_none(), "{short:?}");
            }
        }
        assert!(!Compression::may_begin_with(b"{"));
    }

    #[test]
    fn the_ending_of_the_compression_is_taken_off_a_name() {
        for (name, expected) in [
            ("folder/r.jsonl.gz", "r.jsonl"),
            ("R.JSONL.GZ", "R.JSONL"),
            ("r.csv.zst", "r.csv"),
            ("r.csv.bz2", "r.csv"),
            ("r.csv.Xz", "r.csv"),
            ("folder/r.csv", "folder/r.csv"),
            ("gz", "gz"),
            (".gz", ".gz"),
        ] {
            assert_eq!(unpacked_name(Path::new(name)), Path::new(expected));
        }
    }
}
