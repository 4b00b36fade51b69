//! `NaN`, `Infinity` and `-Infinity`, which JSON does not have, but which Python's module `json` writes.

/// Each word, and a JSON number of the same length that replaces it.
const REPLACEMENTS: [(&str, &str); 2] = [("NaN", "0.0"), ("Infinity", "0.000000")];

/// Returns a copy of a record in which all numbers that are not finite are replaced by numbers of JSON that are as
/// long, so that every other value stays at its place. `None` if there are no such numbers outside strings.
pub(crate) fn replaced(record: &str) -> Option<String> {
    rewritten(record, |copy, before, (_, number)| {
        copy.push_str(before);
        copy.push_str(number);
    })
}

/// Returns a value of a record as JSON: all numbers in it that are not finite become `null`.
pub(crate) fn nulled(value: &str) -> String {
    // A number is found by what surrounds it, so the value is made the only value of a list.
    let list = format!("[{value}]");
    let nulled = rewritten(&list, |copy, before, _| {
        copy.push_str(before.strip_suffix('-').unwrap_or(before));
        copy.push_str("null");
    });
    let inside = nulled
        .as_deref()
        .and_then(|list| list.get(1..list.len() - 1));
    inside.unwrap_or(value).to_owned()
}

/// Returns a copy of a record in which `append` has replaced all numbers that are not finite. It receives the copy so
/// far, the text before the number that has not been copied yet, and the name of the number with its replacement. The
/// sign of a number belongs to the text before it. `None` if there are no such numbers outside strings.
fn rewritten(
    record: &str,
    append: impl Fn(&mut String, &str, (&'static str, &'static str)),
) -> Option<String> {
    let mut copy = String::new();
    let mut copied = 0;
    let (mut in_string, mut escaped) = (false, false);
    for (place, byte) in record.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            b'N' | b'I' if !in_string => {
                if let Some(found) = number_at(record, place) {
                    append(&mut copy, &record[copied..place], found);
                    copied = place + found.0.len();
                }
            }
            _ => {}
        }
    }
    (copied > 0).then(|| copy + &record[copied..])
}

/// The name of the number that is not finite at this place, with the number of JSON that is as long.
fn number_at(record: &str, place: usize) -> Option<(&'static str, &'static str)> {
    let (before, written) = record.split_at(place);
    let mut all = REPLACEMENTS.iter();
    let found = all.find(|(name, _)| written.starts_with(name))?;
    let (before, after) = (before.as_bytes(), &written.as_bytes()[found.0.len()..]);
    let before = before.strip_suffix(b"-").unwrap_or(before);
    let is_end = |byte: Option<&u8>, ends: &[u8]| {
        byte.is_some_and(|byte| ends.contains(byte) || byte.is_ascii_whitespace())
    };
    (is_end(before.last(), b":,[") && is_end(after.first(), b",]}")).then_some(*found)
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
    #[test]
    fn in_a_value_only_the_numbers_that_are_not_finite_become_null() {
        for (value, expected) in [
            ("NaN", "null"),
            ("-Infinity", "null"),
            (
                r#"{"a": NaN, "b":[1,-Infinity ,"NaN"], "c": 2.50}"#,
                r#"{"a": null, "b":[1,null ,"NaN"], "c": 2.50}"#,
            ),
            ("[Infinity]", "[null]"),
            (r#""Infinity""#, r#""Infinity""#),
        ] {
            assert_eq!(nulled(value), expected);
        }
    }
}
