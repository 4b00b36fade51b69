//! `NaN`, `Infinity` and `-Infinity`, which JSON does not have, but which Python's module `json` writes.

/// Each word, and a JSON number of the same length that replaces it.
const REPLACEMENTS: [(&str, &str); 2] = [("NaN", "0.0"), ("Infinity", "0.000000")];

/// Returns a copy of a record in which all numbers that are not finite are replaced by numbers of JSON that are as
/// long, so that every other value stays at its place. `None` if there are no such numbers outside strings.
pub(super) fn replaced(record: &str) -> Option<String> {
    let mut copy = String::new();
    let mut copied = 0;
    let (mut in_string, mut escaped) = (false, false);
    for (place, byte) in record.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            b'N' | b'I' if !in_string => {
                if let Some(number) = number_at(record, place) {
                    copy.push_str(&record[copied..place]);
                    copy.push_str(number);
                    copied = place + number.len();
                }
            }
            _ => {}
        }
    }
    (copied > 0).then(|| copy + &record[copied..])
}

/// The number of JSON that replaces what is written at this place, if that is a value that is not finite.
fn number_at(record: &str, place: usize) -> Option<&'static str> {
    let (before, written) = record.split_at(place);
    let mut all = REPLACEMENTS.iter();
    let (name, number) = all.find(|(name, _)| written.starts_with(name))?;
    let (before, after) = (before.as_bytes(), &written.as_bytes()[name.len()..]);
    let before = before.strip_suffix(b"-").unwrap_or(before);
    let is_end = |byte: Option<&u8>, ends: &[u8]| {
        byte.is_some_and(|byte| ends.contains(byte) || byte.is_ascii_whitespace())
    };
    (is_end(before.last(), b":,[") && is_end(after.first(), b",]}")).then_some(*number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_values_outside_strings_are_replaced() {
        let same = |record: &str| replaced(record).is_none();
        assert_eq!(
            replaced(r#"{"NaN":NaN,"x":[-Infinity, Infinity],"y\\":"\":NaN,","z": NaN }"#)
                .as_deref(),
            Some(r#"{"NaN":0.0,"x":[-0.000000, 0.000000],"y\\":"\":NaN,","z": 0.0 }"#)
        );
        for record in [
            r#"{"a":"NaN"}"#,
            r#"{"a":1NaN}"#,
            r#"{"a":NaNN}"#,
            r#"{"a":Inf}"#,
            r#"{"a":NaN"#,
        ] {
            assert!(same(record), "{record}");
        }
    }
}
