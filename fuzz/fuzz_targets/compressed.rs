//! Compressed text, damaged or not: undamaged data has the records of the text that was compressed, and data that arrives
//! in pieces has the records of the data as a whole.

#![no_main]

use std::io::Write as _;

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use manyhands_fuzz::{Reading, assert_same};

#[derive(Arbitrary, Debug)]
enum Compression {
    /// The text is not compressed.
    None,
    Gzip,
    Zstd,
    Bzip2,
    Xz,
}

/// A change of one byte of the compressed data, a cut of the data, or a byte that is added to its end.
#[derive(Arbitrary, Debug)]
enum Damage {
    Change { place: u16, by: u8 },
    Cut { length: u16 },
    Append { byte: u8 },
}

fn pack(compression: &Compression, text: &[u8]) -> Vec<u8> {
    match compression {
        Compression::None => text.to_vec(),
        Compression::Gzip => {
            let level = flate2::Compression::fast();
            let mut encoder = flate2::write::GzEncoder::new(Vec::new(), level);
            encoder.write_all(text).expect("memory");
            encoder.finish().expect("memory")
        }
        Compression::Zstd => zstd::encode_all(text, 1).expect("memory"),
        Compression::Bzip2 => {
            let level = bzip2::Compression::fast();
            let mut encoder = bzip2::write::BzEncoder::new(Vec::new(), level);
            encoder.write_all(text).expect("memory");
            encoder.finish().expect("memory")
        }
        Compression::Xz => {
            let options = lzma_rust2::XzOptions::with_preset(0);
            let mut encoder = lzma_rust2::XzWriter::new(Vec::new(), options).expect("memory");
            encoder.write_all(text).expect("memory");
            encoder.finish().expect("memory")
        }
    }
}

fuzz_target!(
    |input: (Reading, Compression, Vec<Damage>, u8, bool, &[u8])| {
        let (reading, compression, damages, piece, twice, text) = input;
        let options = reading.options();
        let mut packed = pack(&compression, text);
        if twice {
            packed.extend(pack(&compression, text));
        }
        if damages.is_empty() && !text.is_empty() {
            let text = if twice {
                [text, text].concat()
            } else {
                text.to_vec()
            };
            let expected = reading.read_stream(&options, &text, usize::MAX);
            let unpacked = reading.read_stream(&options, &packed, usize::MAX);
            // A text that itself begins like compressed data is refused.
            let twice = unpacked
                .1
                .as_ref()
                .is_some_and(|error| error.contains("compressed twice"));
            assert!(twice || unpacked == expected, "{unpacked:?} {expected:?}");
        }
        for damage in damages {
            match damage {
                Damage::Change { place, by } if !packed.is_empty() => {
                    let place = usize::from(place) % packed.len();
                    packed[place] ^= by;
                }
                Damage::Cut { length } => packed.truncate(length.into()),
                Damage::Append { byte } => packed.push(byte),
                Damage::Change { .. } => {}
            }
        }
        let whole = reading.read_stream(&options, &packed, usize::MAX);
        let pieces = reading.read_stream(&options, &packed, piece.into());
        assert_same(&whole, &pieces);
    }
);
