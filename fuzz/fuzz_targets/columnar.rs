//! Parquet and Arrow files, mostly damaged: no damage may cause a panic, and a file that is read as a stream has the
//! records of the file in parts.

#![no_main]

use libfuzzer_sys::fuzz_target;
use manyhands::dataset::{Dataset as _, OpenOptions};
use manyhands_fuzz::{AllSeen, Folder, Reading, message};

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
    let in_order = ended(reading.read(&stream, 0..1000));
    let parts = match source.is_stream() {
        true => 0..3,
        false => 0..source.parts(),
    };
    assert_eq!(ended(reading.read(&source, parts)), in_order);
});

/// Returns damage as the error that ends the reading. A stream reports damage to its first record in this way, and all
/// other damage is reported as a record that is the last one. Both end a run with the same exit code.
fn ended((mut records, error): AllSeen) -> AllSeen {
    let last = records
        .last()
        .and_then(|(_, _, content)| content.as_ref().err());
    let damage = last.filter(|message| message.starts_with("cannot be read on"));
    match damage.map(|message| format!("r: {message}")) {
        Some(message) => {
            records.pop();
            (records, Some(message))
        }
        None => (records, error),
    }
}
