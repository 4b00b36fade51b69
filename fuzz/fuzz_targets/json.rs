//! A record of JSON lines has the fields that serde_json finds in it, and a record that is not JSON fails.

#![no_main]

use libfuzzer_sys::fuzz_target;
use manyhands::dataset::{FieldValue, Fields, TextRecord};
use serde_json::Value;

const NAMES: [&str; 3] = ["text", "a", "b"];

fuzz_target!(|record: &str| {
    let fields = Fields::new([NAMES[0]], NAMES[1..].iter().copied());
    let record_of = TextRecord::json(record);
    let found = fields.of(&record_of);
    let Ok(parsed) = serde_json::from_str::<Value>(record) else {
        // Manyhands accepts Python's NaN and Infinity, which are not JSON, and numbers that a `Value` cannot hold.
        let may_differ = ["NaN", "Infinity", "e", "E"];
        if may_differ.iter().any(|word| record.contains(word)) {
            return;
        }
        assert!(found.is_err(), "{record:?} is not JSON");
        return;
    };
    let Value::Object(members) = parsed else {
        assert!(found.is_err(), "{record:?} is no object");
        return;
    };
    let found = found.expect("an object");
    for (place, name) in NAMES.iter().enumerate() {
        let value = found.get(place);
        match members.get(*name) {
            None | Some(Value::Null) => assert!(value.is_missing(), "{name} of {record:?}"),
            Some(Value::String(text)) => {
                assert_eq!(
                    value.as_text().as_deref(),
                    Some(&**text),
                    "{name} of {record:?}"
                );
            }
            Some(other) => {
                let FieldValue::Json(json) = value else {
                    panic!("{name} of {record:?} is {value:?}");
                };
                let value: Value = serde_json::from_str(json).expect("JSON");
                assert_eq!(value, *other, "{name} of {record:?}");
            }
        }
    }
});
