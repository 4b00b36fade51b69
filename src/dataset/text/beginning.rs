//! Finds out from the first bytes of an input whether it is text, compressed, or a file of another kind. A file of
//! another kind is refused as a whole, and not record by record.

use super::columnar::ColumnarInput;
use super::compression::{Compression, begins};
use super::encoding::{BYTE_ORDER_MARK, without_mark};

/// The kind of an input, as its first bytes show it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Beginning {
    /// More bytes are needed to know the kind. The bytes so far cannot contain a complete record of text.
    TooShort,
    Text,
    Compressed(Compression),
    Columnar(ColumnarInput),
    Utf16,
    /// The input is neither text nor compressed, for the reason in this message.
    Refused(&'static str),
}

/// Marks with which files of other kinds begin, each with the message about such a file.
const OTHER_KINDS: &[(&[u8], &str)] = &[
    (
        b"PARE",
        "is an encrypted Parquet file, which this program cannot read; write it without encryption first",
    ),
    (
        b"FEA1\0\0",
        "is a Feather file of version 1, which this program cannot read; write it in version 2 (Arrow) first",
    ),
    (
        b"Obj\x01",
        "is an Avro file, which this program cannot read; convert it to CSV or JSON lines first",
    ),
    (
        b"SQLite format 3\0",
        "is a SQLite database; write a table of it to a CSV file first, e.g. with sqlite3 -csv -header",
    ),
    (
        b"%PDF-",
        "is a PDF document; save its text as UTF-8 first, e.g. with pdftotext",
    ),
    (
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
        "is an old Microsoft Office file (xls or doc); save it as CSV in UTF-8 first",
    ),
    (
        b"{\\rtf",
        "is an RTF document; save its text as UTF-8 first",
    ),
    (
        b"version https://git-lfs.github.com/spec/",
        "is a Git LFS pointer, which stands for a file that was not downloaded; get the file with git lfs pull",
    ),
    (
        b"Rar!\x1a\x07",
        "is a RAR archive; unpack it first, and name the files that were in it",
    ),
    (
        b"7z\xbc\xaf\x27\x1c",
        "is a 7z archive; unpack it first, and name the files that were in it",
    ),
    (
        b"\x04\x22\x4d\x18",
        "is lz4-compressed; unpack it first with lz4 -d",
    ),
    (
        b"\x1f\x9d",
        "is compressed by the old program compress; unpack it first with gzip -d",
    ),
    (
        b"LZIP\x01",
        "is lzip-compressed; unpack it first with lzip -d",
    ),
    (b"\x89PNG\r\n", "is a PNG image, which has no records"),
    (b"\xff\xd8\xff", "is a JPEG image, which has no records"),
    (b"GIF87a", "is a GIF image, which has no records"),
    (b"GIF89a", "is a GIF image, which has no records"),
    (b"\x7fELF", "is a program, which has no records"),
    (
        b"\x89HDF\r\n",
        "is an HDF5 file, which this program cannot read; convert it to CSV or JSON lines first",
    ),
    (
        b"\x93NUMPY",
        "is a NumPy array, which this program cannot read; convert it to CSV first",
    ),
    (
        b"\x80\x04\x95",
        "is a Python pickle, which this program cannot read; save the data as CSV or JSON lines first",
    ),
];

const ZIP: &[u8] = b"PK\x03\x04";
/// An archive without any file.
const EMPTY_ZIP: &[u8] = b"PK\x05\x06";
const UTF_32: &str = "is UTF-32; convert it to UTF-8 first, e.g. with iconv -f UTF-32 -t UTF-8";
const HTML: &str = "is an HTML page; save the records that it shows as text first. If it was \
                    downloaded in place of a file, check the address of the file";

/// The place of the mark in a tar archive, in bytes.
const TAR_PLACE: usize = 257;
/// The number of bytes of a zip archive that are searched for the names of its first files.
const ZIP_BYTES: usize = 2 << 10;
/// An HTML page begins after fewer blank bytes than this.
const BLANK_BYTES: usize = 64;
/// The number of bytes that are examined for UTF-16 without a byte-order mark.
const UNMARKED_BYTES: usize = 8;

/// Returns what the first bytes of an input show. `is_all` says whether the input has no more bytes. If `is_decoded` is
/// true, the user has named an encoding, so UTF-16 is accepted.
pub(super) fn beginning_of(first: &[u8], is_all: bool, is_decoded: bool) -> Beginning {
    if let Some(compression) = Compression::of(first) {
        return Beginning::Compressed(compression);
    }
    let encoding = if is_decoded {
        |_: &[u8], _| None
    } else {
        unicode
    };
    let kinds = [columnar, kind_by_mark, zip, html, tar, encoding];
    let found = kinds.iter().filter_map(|look| look(first, is_all)).next();
    match found {
        Some(beginning) => beginning,
        None if is_all => Beginning::Text,
        None if first.len() < 2 || Compression::may_begin_with(first) => Beginning::TooShort,
        None => Beginning::Text,
    }
}

/// Recognises a file that stores its records by column.
fn columnar(first: &[u8], is_all: bool) -> Option<Beginning> {
    if let Some(kind) = ColumnarInput::of(first) {
        return Some(Beginning::Columnar(kind));
    }
    (!is_all && ColumnarInput::may_begin_with(first)).then_some(Beginning::TooShort)
}

/// Finds the kind of a file that begins with a mark.
fn kind_by_mark(first: &[u8], is_all: bool) -> Option<Beginning> {
    let mut too_short = None;
    for (mark, message) in OTHER_KINDS {
        match begins(first, mark) {
            Some(true) => return Some(Beginning::Refused(message)),
            Some(false) => {}
            None => too_short = (!is_all).then_some(Beginning::TooShort),
        }
    }
    too_short
}

/// Recognises archives, and the office documents that are archives.
fn zip(first: &[u8], is_all: bool) -> Option<Beginning> {
    match [EMPTY_ZIP, ZIP].map(|mark| begins(first, mark)) {
        [Some(true), _] => return Some(Beginning::Refused("is an empty zip archive")),
        [_, Some(true)] => {}
        [Some(false), Some(false)] => return None,
        _ => return (!is_all).then_some(Beginning::TooShort),
    }
    let has = |name: &[u8]| memchr::memmem::find(first, name).is_some();
    if has(b"xl/") {
        return Some(Beginning::Refused(
            "is an Excel workbook (xlsx); save the sheet as CSV in UTF-8 first",
        ));
    }
    if has(b"opendocument.spreadsheet") {
        return Some(Beginning::Refused(
            "is an OpenDocument spreadsheet (ods); save the sheet as CSV in UTF-8 first",
        ));
    }
    if !is_all && first.len() < ZIP_BYTES {
        return Some(Beginning::TooShort);
    }
    let message = match has(b"[Content_Types].xml") {
        true => {
            "is an Office document, such as an Excel workbook (xlsx); save it as CSV in UTF-8 first"
        }
        false => "is a zip archive; unpack it first, and name the files that were in it",
    };
    Some(Beginning::Refused(message))
}

/// Recognises a page, which may begin with white space.
fn html(first: &[u8], is_all: bool) -> Option<Beginning> {
    if !is_all && BYTE_ORDER_MARK.starts_with(first) {
        return Some(Beginning::TooShort);
    }
    let first = without_mark(first);
    let all = first.len();
    let first = first.trim_ascii_start();
    if all - first.len() >= BLANK_BYTES {
        return None;
    }
    if first.is_empty() && !is_all {
        return Some(Beginning::TooShort);
    }
    for mark in [&b"<!doctype html"[..], b"<html"] {
        let length = first.len().min(mark.len());
        if first[..length].eq_ignore_ascii_case(&mark[..length]) {
            match length == mark.len() {
                true => return Some(Beginning::Refused(HTML)),
                false if length > 0 && !is_all => return Some(Beginning::TooShort),
                false => {}
            }
        }
    }
    None
}

/// Recognises a tar archive, which begins with the name of its first file, filled up with zeros.
fn tar(first: &[u8], is_all: bool) -> Option<Beginning> {
    let line = first.split(|byte| *byte == b'\n').next().unwrap_or(first);
    if line.first() == Some(&0) || !line.contains(&0) {
        return None;
    }
    match first.get(TAR_PLACE..TAR_PLACE + 5) {
        Some(b"ustar") => Some(Beginning::Refused(
            "is a tar archive; unpack it first, and name the files that were in it",
        )),
        None if !is_all && line.len() == first.len() => Some(Beginning::TooShort),
        _ => None,
    }
}

/// Recognises text in UTF-16 or UTF-32.
fn unicode(first: &[u8], is_all: bool) -> Option<Beginning> {
    match first {
        [0xff, 0xfe, 0, 0, ..] => Some(Beginning::Refused(UTF_32)),
        [0xff, 0xfe, _, _, ..] => Some(Beginning::Utf16),
        [0xff, 0xfe, rest @ ..] if is_all || rest.first().is_some_and(|byte| *byte != 0) => {
            Some(Beginning::Utf16)
        }
        [0xfe, 0xff, ..] => Some(Beginning::Utf16),
        [0xff] | [0xfe] | [0xff, 0xfe, ..] | [0xef] | [0xef, 0xbb] if !is_all => {
            Some(Beginning::TooShort)
        }
        _ => unmarked_utf_16(first, is_all),
    }
}

/// Recognises UTF-16 without a byte-order mark by the zero in every second byte.
fn unmarked_utf_16(first: &[u8], is_all: bool) -> Option<Beginning> {
    let all = &first[..first.len().min(UNMARKED_BYTES)];
    let zeros_at = |rest: usize| {
        let mut bytes = all.iter().enumerate();
        bytes.all(|(place, byte)| (*byte == 0) == (place % 2 == rest))
    };
    if all.len() < 2 || !(zeros_at(0) || zeros_at(1)) {
        return None;
    }
    Some(match all.len() < UNMARKED_BYTES && !is_all {
        true => Beginning::TooShort,
        false => Beginning::Utf16,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(first: &[u8]) -> &'static str {
        match beginning_of(first, true, false) {
            Beginning::Refused(message) => message,
            Beginning::Utf16 => "UTF-16",
            Beginning::Columnar(kind) => kind.name(),
            other => panic!("{first:?} is {other:?}"),
        }
    }

    #[test]
    fn a_file_of_another_kind_is_named() {
        let mut tar = b"folder/in.jsonl".to_vec();
        tar.resize(TAR_PLACE, 0);
        tar.extend(b"ustar\0");
        let workbook = b"PK\x03\x04\x14\0\x06\0[Content_Types].xml and xl/workbook.xml";
        for (first, name) in [
            (&b"PAR1\x15\x04"[..], "Parquet"),
            (b"ARROW1\0\0", "an Arrow file"),
            (b"\xff\xff\xff\xff\x10\0\0\0", "an Arrow stream"),
            (b"SQLite format 3\0", "SQLite"),
            (b"%PDF-1.7", "PDF"),
            (b"version https://git-lfs.github.com/spec/v1\n", "Git LFS"),
            (workbook, "xlsx"),
            (&workbook[..27], "xlsx"),
            (b"PK\x03\x04\x14\0\0\0in.jsonl", "zip"),
            (b"PK\x05\x06", "zip"),
            (b" \r\n<!DOCTYPE html>", "HTML"),
            (b"\xef\xbb\xbf<HTML lang=\"en\">", "HTML"),
            (b"\xff\xfe", "UTF-16"),
            (b"\xff\xfe{\0", "UTF-16"),
            (b"\xff\xfe\0\0", "UTF-32"),
            (b"\xfe\xff\0{", "UTF-16"),
            (b"{\0\"\0t\0e\0", "UTF-16"),
            (b"\0{\0\"\0t\0e", "UTF-16"),
            (&tar, "tar"),
        ] {
            assert!(message(first).contains(name), "{}", message(first));
            // A shorter beginning shows no text, unless a complete line has been read.
            // A tar archive is read in blocks, and begins like text.
            for length in (0..first.len()).filter(|_| name != "tar") {
                let short = beginning_of(&first[..length], false, false);
                assert_ne!(short, Beginning::Text, "{name}: {length} bytes");
            }
        }
    }

    #[test]
    fn text_is_text_as_soon_as_it_can_be_no_other_kind() {
        for first in [
            &b"{\"text\":\"good\"}"[..],
            b"version: 2",
            b"PAR1,PAR2",
            b"<p>",
            b"BZh good",
            b"\n\n1",
            b"\0\0\0",
            b"ab\0\n",
            b"\xef\xbb\xbf{",
            b"\xc3\xa9",
        ] {
            assert_eq!(
                beginning_of(first, false, false),
                Beginning::Text,
                "{first:?}"
            );
        }
        for first in [&b""[..], b"x", b"\n", b"<", b"vers", b"\xff", b"\xef\xbb"] {
            assert_eq!(beginning_of(first, false, false), Beginning::TooShort);
            assert_eq!(beginning_of(first, true, false), Beginning::Text);
        }
        // The mark may arrive in pieces, whether or not an encoding is named.
        for length in 1..=3 {
            let mark = beginning_of(&b"\xef\xbb\xbf"[..length], false, true);
            assert_eq!(mark, Beginning::TooShort);
        }
        let late = [&b" ".repeat(BLANK_BYTES)[..], b"<html>"].concat();
        assert_eq!(beginning_of(&late, true, false), Beginning::Text);
        // UTF-32 begins like UTF-16.
        for first in [&b"\xff\xfe"[..], b"\xff\xfe\0"] {
            assert_eq!(beginning_of(first, false, false), Beginning::TooShort);
            assert_eq!(beginning_of(first, true, false), Beginning::Utf16);
        }
        assert_eq!(
            beginning_of(b"\xff\xfe1\0\n\0", false, true),
            Beginning::Text
        );
    }
}
