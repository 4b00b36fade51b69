//! Parquet and Arrow files, mostly damaged: no damage may cause a panic, and a file that is read as a stream has the
//! records of the file in parts.

#![no_main]

use libfuzzer_sys::fuzz_target;
use manyhands::dataset::{Dataset as _, OpenOptions};
use manyhands_fuzz::{Folder, Reading, message};

thread_local! {
    static FOLDER: Folder = Folder::default();
}

fuzz_target!(|bytes: &[u8]| {
    let options = OpenOptions::new();
    let reading = Reading::default();
    let path = FOLDER.with(|folder| folder.write(reading.name(), bytes));
    let open = || options.open(&[&path]);
    let (source, stream) = match (open(), options.stream(&[&path])) {
        (Ok(source), Ok(stream)) => (source, stream),
        (Err(one), Err(other)) => return assert_eq!(message(&one), message(&other)),
        (one, other) => panic!("{one:?} {other:?}"),
    };
    let in_order = reading.read(&stream, 0..1000);
    if source.is_stream() {
        return assert_eq!(reading.read(&source, 0..3), in_order);
    }
    assert_eq!(reading.read(&source, 0..source.parts()), in_order);
});
