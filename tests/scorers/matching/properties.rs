//! These tests compare every measure with its plain implementation, over generated texts.

use manyhands::task::matching::{Matching, Measure};
use proptest::prelude::*;

use super::plain;

/// Generates alphabets. Most of them are small, so that texts have many letters in common.
fn letters() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "[ab]",
        "[a-d ]",
        "[a-zA-Z0-9 .,-]",
        "[a\u{85}\u{a0}é ]",
        "[aāé\u{a0}\u{85}\u{1f}\u{2003} ]",
        "[日本語東京 \u{1F600}-\u{1F604}]",
        "\\PC",
    ])
}

/// Generates lengths of texts. Many of them are near a multiple of 64, at which a word of bits is full.
fn lengths() -> impl Strategy<Value = usize> {
    prop_oneof![
        0usize..12,
        0usize..80,
        prop::sample::select(vec![63, 64, 65, 127, 128, 129, 192, 193, 256, 257, 300]),
    ]
}

fn text() -> impl Strategy<Value = String> {
    (letters(), lengths()).prop_flat_map(|(letters, length)| {
        let pattern = format!("{letters}{{{length}}}");
        prop::string::string_regex(&pattern).expect("a pattern")
    })
}

/// Generates a text and a second text. The second text is unrelated or equal to the first one, or it is the first one
/// after some edits, either alone, followed by another text, with its tokens reversed, or cut in half.
fn pair() -> impl Strategy<Value = (String, String)> {
    let edits = prop::collection::vec((any::<prop::sample::Index>(), 0..5u8), 0..6);
    (text(), text(), edits, 0..6u8).prop_map(|(a, b, edits, kind)| {
        let mut chars: Vec<char> = a.chars().collect();
        for (place, edit) in edits {
            let at = place.index(chars.len() + 1);
            let inside = at < chars.len();
            match edit {
                0 => chars.insert(at, 'x'),
                1 if inside => drop(chars.remove(at)),
                2 if inside => chars[at] = 'y',
                3 if at + 1 < chars.len() => chars.swap(at, at + 1),
                _ => chars.rotate_left(at),
            }
        }
        let edited: String = chars.iter().collect();
        let other = match kind {
            0 => b,
            1 => a.clone(),
            2 => format!("{edited} {b}"),
            3 => {
                let mut words: Vec<&str> = edited.split(' ').collect();
                words.reverse();
                words.join(" ")
            }
            4 => chars.iter().take(chars.len() / 2).collect(),
            _ => edited,
        };
        (a, other)
    })
}

fn measure() -> impl Strategy<Value = Measure> {
    prop::sample::select(Measure::ALL.to_vec())
}

fn found(matching: Matching, a: &str, b: &str) -> Option<f64> {
    let found = matching.against([b]).score(a);
    found.first().map(|found| found.score)
}

/// Rounds a cutoff to single precision, which RapidFuzz uses.
fn single(cutoff: f64) -> f64 {
    f64::from(cutoff as f32)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn scores_equal_the_plain_implementation((a, b) in pair(), measure in measure()) {
        let expected = plain::score(measure, &a, &b, 0.0);
        prop_assert_eq!(found(Matching::by(measure), &a, &b), Some(expected));
    }

    #[test]
    fn a_cutoff_equal_to_a_score_is_exact_to_the_last_bit(
        (a, b) in pair(),
        (c, d) in pair(),
        measure in measure(),
        same in any::<bool>(),
    ) {
        // The cutoff is the score of this pair or of another pair.
        let cutoff = if same {
            plain::score(measure, &a, &b, 0.0)
        } else {
            plain::score(measure, &c, &d, 0.0)
        };
        let score = plain::score(measure, &a, &b, single(cutoff));
        let expected = (score >= single(cutoff)).then_some(score);
        prop_assert_eq!(found(Matching::by(measure).cutoff(cutoff), &a, &b), expected);
    }

    #[test]
    fn equal_texts_have_the_highest_score(a in text(), measure in measure()) {
        let score = found(Matching::by(measure), &a, &a);
        let scores_zero = match measure {
            Measure::TokenSet => plain::tokens(&a).is_empty(),
            Measure::Wratio => a.is_empty(),
            _ => false,
        };
        prop_assert_eq!(score, Some(if scores_zero { 0.0 } else { measure.max_score() }));
    }
}
