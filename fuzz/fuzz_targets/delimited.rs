//! Delimited text: each record that can be read has the cells that the crate `csv` finds in it.

#![no_main]

use std::ops::ControlFlow;

use libfuzzer_sys::fuzz_target;
use manyhands::dataset::{Dataset as _, Delimiter, FormatName, OpenOptions};

fuzz_target!(|input: (u8, &[u8])| {
    let (delimiter, text) = input;
    let Some(delimiter) = Delimiter::new(delimiter) else {
        return;
    };
    let options = OpenOptions::new()
        .format(FormatName::Csv)
        .delimiter(delimiter)
        .header(false);
    let stream = options.reader("r.csv", text);
    loop {
        let outcome = stream.read(0..1000, |_, record| {
            let Ok(record) = record else {
                return ControlFlow::Continue(());
            };
            let Ok(fields) = record.fields() else {
                return ControlFlow::Continue(());
            };
            if record.as_str().starts_with('\u{feff}') {
                // The crate `csv` skips a byte-order mark at the beginning of its input, but this one is data.
                return ControlFlow::Continue(());
            }
            let mut reader = csv::ReaderBuilder::new()
                .delimiter(delimiter.byte())
                .has_headers(false)
                .flexible(true)
                .from_reader(record.as_str().as_bytes());
            let mut records = reader.records();
            let expected = records.next().expect("one record").expect("UTF-8");
            assert!(records.next().is_none(), "{:?}", record.as_str());
            let found: Vec<String> = fields
                .iter()
                .map(|(_, value)| value.as_text().unwrap_or_default().into_owned())
                .collect();
            assert_eq!(found, expected.iter().collect::<Vec<_>>());
            ControlFlow::Continue(())
        });
        match outcome {
            Ok(outcome) if !outcome.ended => {}
            _ => return,
        }
    }
});
