//! Every measure against the plain one, over texts of every kind.

use manyhands::task::matching::{Matching, Measure};
use proptest::prelude::*;

use super::plain;

/// Letters of one alphabet, few enough for texts to have much in common.
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

/// Lengths where a word of bits is full, or nearly so.
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

/// A text and another made of it: a few edits, its tokens in another order, a piece of it between
/// others, or nothing of the kind.
fn pair() -> impl Strategy<Value = (String, String)> {
    let edits = prop::collection::vec((any::<prop::sample::Index>(), 0..5u8), 0..6);
    (text(), text(), edits, 0..6u8).prop_map(|(a, b, edits, kind)| {
        let mut chars: Vec<char> = a.chars().collect();
        for (place, edit) in edits {
            let place = place.index(chars.len() + 1);
            let inside = place < chars.len();
            match edit {
                0 => chars.insert(place, 'x'),
                1 if inside => drop(chars.remove(place)),
                2 if inside => chars[place] = 'y',
                3 if place + 1 < chars.len() => chars.swap(place, place + 1),
                _ => chars.rotate_left(place),
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

/// A number as RapidFuzz takes a cutoff.
fn single(cutoff: f64) -> f64 {
    f64::from(cutoff as f32)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn scores_are_those_of_the_plain_measures((a, b) in pair(), measure in measure()) {
        let expected = plain::score(measure, &a, &b, 0.0);
        prop_assert_eq!(found(Matching::by(measure), &a, &b), Some(expected));
    }

    #[test]
    fn a_cutoff_at_any_score_is_kept_to_the_last_bit(
        (a, b) in pair(),
        (c, d) in pair(),
        measure in measure(),
        same in any::<bool>(),
    ) {
        // The score of this very pair, or of another one.
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
        let nothing = match measure {
            Measure::TokenSet => plain::tokens(&a).is_empty(),
            Measure::Wratio => a.is_empty(),
            _ => false,
        };
        prop_assert_eq!(score, Some(if nothing { 0.0 } else { measure.most() }));
    }
}
