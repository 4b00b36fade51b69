//! These tests compare the sentiment scorer with an independent port of vaderSentiment, and with numbers that
//! vaderSentiment itself printed.

use manyhands::task::sentiment::{Polarity, Sentiment, Summation};
use proptest::prelude::*;
use std::sync::LazyLock;
use vader_parity::SentimentIntensityAnalyzer;

static ORACLE: LazyLock<SentimentIntensityAnalyzer> =
    LazyLock::new(SentimentIntensityAnalyzer::new);

const LEXICON: &str = include_str!("../../data/vader/lexicon.tsv");
const EMOJI: &str = include_str!("../../data/vader/emoji.tsv");

fn bits(polarity: Polarity) -> [u64; 4] {
    [polarity.neg, polarity.neu, polarity.pos, polarity.compound].map(f64::to_bits)
}

/// Scores a text with the summation of Python 3.12 and later, which the port uses.
fn score(text: &str) -> Polarity {
    Sentiment::new()
        .summation(Summation::Compensated)
        .score(text)
}

fn expected(text: &str) -> Polarity {
    let scores = ORACLE.polarity_scores(text);
    Polarity {
        neg: scores.neg,
        neu: scores.neu,
        pos: scores.pos,
        compound: scores.compound,
    }
}

#[track_caller]
fn assert_exact(text: &str) {
    let (ours, theirs) = (score(text), expected(text));
    assert_eq!(bits(ours), bits(theirs), "{ours:?} {theirs:?} {text:?}");
}

fn words() -> Vec<&'static str> {
    LEXICON
        .lines()
        .filter_map(|line| Some(line.split_once('\t')?.0))
        .collect()
}

fn emoji() -> Vec<&'static str> {
    EMOJI
        .lines()
        .filter_map(|line| Some(line.split_once('\t')?.0))
        .collect()
}

/// The words that the rules name, and a few other words.
const RULE_WORDS: &str = "the shit bomb bad ass badass bus stop yeah right kiss of death to die for \
    beating heart kind sort just enough kind-of kinda so this never without doubt at least very or \
    nor no not but and isn't ain't n't don't hadn't've cannot uh-uh very extremely barely hardly \
    slightly less little somewhat a movie it great good sad I xn'ty";

/// The phrases that the rules name.
const PHRASES: [&str; 20] = [
    "the shit",
    "the bomb",
    "bad ass",
    "bus stop",
    "yeah right",
    "kiss of death",
    "to die for",
    "beating heart",
    "kind of",
    "sort of",
    "just enough",
    "never so",
    "never this",
    "without a doubt",
    "without doubt",
    "at least",
    "very least",
    "no good or great",
    "no , nor good",
    "least",
];

const WIDE: [&str; 24] = [
    "É", "é", "ß", "ǅ", "Ⅷ", "ⓐ", "ª", "Σ", "ς", "İ", "ı", "K", "ŉ", "ᾈ", "中", "ʰ", "Ꭰ", "ა", "Ა",
    "\u{301}", "\u{200b}", "\u{feff}", "’", "ﬁ",
];

const SPACES: [&str; 16] = [
    " ",
    " ",
    " ",
    " ",
    " ",
    " ",
    "  ",
    "\n",
    "\t",
    "\u{a0}",
    "\u{85}",
    "\u{3000}",
    "\u{1c}",
    "\u{1f}",
    "\u{2028}",
    "\u{1680} ",
];

fn word() -> BoxedStrategy<String> {
    let rule_words: Vec<&str> = RULE_WORDS.split_whitespace().collect();
    let cased = |word: String| {
        prop_oneof![
            6 => Just(word.to_lowercase()),
            2 => Just(word.to_uppercase()),
            1 => Just(word.clone()),
            1 => any::<u32>().prop_map(move |capitals| {
                let flip = |(at, c): (usize, char)| {
                    if capitals >> (at % 32) & 1 == 0 { c } else { c.to_ascii_uppercase() }
                };
                word.chars().enumerate().map(flip).collect::<String>()
            }),
        ]
    };
    prop_oneof![
        5 => prop::sample::select(words()).prop_map(String::from).prop_flat_map(cased),
        6 => prop::sample::select(rule_words).prop_map(String::from).prop_flat_map(cased),
        3 => prop::sample::select(PHRASES.to_vec()).prop_map(String::from).prop_flat_map(cased),
        1 => prop::sample::select(emoji()).prop_map(String::from),
        1 => prop::sample::select(WIDE.to_vec()).prop_map(String::from),
        1 => "[ -~]{1,4}",
        1 => "[a-zA-Z']{1,40}",
        1 => prop::sample::select(vec!["good", "great", "but", "no", "3:)"]).prop_map(String::from),
    ]
    .boxed()
}

/// Generates texts of words with punctuation before and after them, with or without spaces between the words.
fn text() -> impl Strategy<Value = String> {
    let glue = prop_oneof![
        12 => prop::sample::select(SPACES.to_vec()).prop_map(String::from),
        1 => Just(String::new()),
        3 => ("[!-/:-@\\[-`{-~]{0,3}", prop::sample::select(SPACES.to_vec()), "[!\"'(*?]{0,2}")
            .prop_map(|(after, space, before)| format!("{after}{space}{before}")),
        1 => prop::sample::select(WIDE.to_vec()).prop_map(String::from),
    ];
    prop::collection::vec((word(), glue), 0..30).prop_map(|parts| {
        parts
            .into_iter()
            .flat_map(|(word, glue)| [word, glue])
            .collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12_000, ..ProptestConfig::default() })]

    #[test]
    fn generated_texts_score_exactly(text in text()) {
        let (ours, theirs) = (score(&text), expected(&text));
        prop_assert_eq!(bits(ours), bits(theirs), "{:?} {:?}", ours, theirs);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, ..ProptestConfig::default() })]

    #[test]
    fn any_text_scores_exactly(text in any::<String>()) {
        let (ours, theirs) = (score(&text), expected(&text));
        prop_assert_eq!(bits(ours), bits(theirs), "{:?} {:?}", ours, theirs);
    }

    /// The texts contain many equal valences around several words "but". Some texts are long enough for the indexed
    /// search.
    #[test]
    fn texts_with_but_and_equal_valences_score_exactly(
        words in prop::collection::vec(
            prop::sample::select(vec!["good", "GOOD", "great", "bad", "sad", "but", "x", "very", "not"]),
            0..900,
        ),
    ) {
        let text = words.join(" ");
        let (ours, theirs) = (score(&text), expected(&text));
        prop_assert_eq!(bits(ours), bits(theirs), "{:?} {:?}", ours, theirs);
    }
}

/// Scores every word alone and next to other words, in several spellings. Scores every emoji between spaces and
/// inside words.
#[test]
fn every_word_and_emoji_scores_exactly() {
    assert_eq!((words().len(), emoji().len()), (7_487, 1_212));
    for word in words() {
        assert_exact(word);
        assert_exact(&format!(
            "it was very {} but not {word}!",
            word.to_uppercase()
        ));
        assert_exact(&format!("\"{word}...\" kind of"));
    }
    for emoji in emoji() {
        assert_exact(&format!("x {emoji} y"));
        assert_exact(&format!("good{emoji}{emoji}ness not{emoji}"));
    }
}

/// The class of a character (space, uppercase, lowercase, titlecase, emoji, Kelvin sign) shows in the scores of
/// texts around it.
#[test]
fn every_character_has_the_class_of_the_reference() {
    // Beyond plane 3 there are no letters or spaces, so samples are enough: planes 4 to 13 are unassigned, plane
    // 14 has tags and variation selectors, and planes 15 and 16 are for private use.
    let samples = ('\u{40000}'..=char::MAX).step_by(997);
    for c in ('\0'..'\u{40000}').chain(samples) {
        // The first word is in upper case unless the character is lowercase. All words of the second text are in
        // upper case only if the character is uppercase.
        assert_exact(&format!("GOOD{c} good bad {c}GREAT b{c}AD {c} li{c}e"));
        assert_exact(&format!("GOOD {c} BAD"));
    }
}

/// The expected numbers were printed by vaderSentiment 3.3.2 on CPython.
#[test]
fn scores_equal_the_numbers_that_the_reference_printed() {
    for (text, neg, neu, pos, compound) in REFERENCE {
        let polarity = Polarity {
            neg,
            neu,
            pos,
            compound,
        };
        for summation in [Summation::Plain, Summation::Compensated] {
            let ours = Sentiment::new().summation(summation).score(text);
            assert_eq!(bits(ours), bits(polarity), "{text}");
        }
    }
}

/// The two summations differ in the last bit of the sum. The emphasis of the exclamation mark makes that visible.
#[test]
fn each_summation_gives_the_score_of_its_python() {
    let compound = |summation, text| Sentiment::new().summation(summation).score(text).compound;
    let text = "smart great worst dull!";
    assert_eq!(compound(Summation::Plain, text), -0.0752);
    assert_eq!(compound(Summation::Compensated, text), 0.0);
}

/// The lexicon of the reference defines some words twice. Only the last definition counts.
#[test]
fn the_last_definition_of_a_word_counts() {
    for word in [
        ":-p", "d:", "d=", "fav", "lmao", "lol", "muah", "o.o", "ok", "sob", "x-d", "x-p", "xd",
        "xp",
    ] {
        assert_exact(word);
    }
    // This is the score for a valence of 1.8. The first definition has 2.9.
    assert_eq!(Sentiment::new().score("lol").compound, 0.4215);
}

#[test]
fn white_space_scores_zero() {
    for text in ["", " ", "\n\t\u{1c}\u{a0}\u{3000}"] {
        assert_eq!(Sentiment::new().score(text), Polarity::default());
        assert_exact(text);
    }
}

/// Scores tokens of many lengths at every distance from the edges of blocks. The scorer examines the 64 bytes of a
/// block at once.
#[test]
fn edges_of_blocks_do_not_show() {
    for before in 0..140 {
        for word in [
            "great!!",
            "GREAT",
            "isn't good",
            "xn'ty good",
            "tenderheartednesses",
            ":)",
            "'",
            "\u{1F600}",
        ] {
            let (space, filler) = (" ".repeat(before), "x".repeat(before));
            for text in [
                format!("{space}{word}"),
                format!("{filler} {word}"),
                format!("{filler} not {word} sad"),
                format!("{word}{filler} {word}{space}"),
            ] {
                assert_exact(&text);
            }
        }
    }
}

/// Long texts are scored exactly, and have no effect on the next score.
#[test]
fn long_texts_score_exactly() {
    let sentence = "It isn't GOOD, but never so great \u{1F600}; the plot was kind of sad! ";
    let long = sentence.repeat(10_000);
    assert_exact(&long);
    assert_exact(sentence);
    assert_exact(&"x".repeat(3 << 20));
    assert_exact(sentence);
}

#[rustfmt::skip]
const REFERENCE: [(&str, f64, f64, f64, f64); 16] = [
    ("VADER is smart, handsome, and funny.", 0.0, 0.254, 0.746, 0.8316),
    ("VADER is smart, handsome, and funny!", 0.0, 0.248, 0.752, 0.8439),
    ("VADER is very smart, handsome, and funny.", 0.0, 0.299, 0.701, 0.8545),
    ("VADER is VERY SMART, handsome, and FUNNY!!!", 0.0, 0.233, 0.767, 0.9342),
    ("VADER is not smart, handsome, nor funny.", 0.646, 0.354, 0.0, -0.7424),
    ("The book was only kind of good.", 0.0, 0.697, 0.303, 0.3832),
    ("The plot was good, but the characters are uncompelling and the dialog is not great.", 0.327, 0.579, 0.094, -0.7042),
    ("Today SUX!", 0.779, 0.221, 0.0, -0.5461),
    ("At least it isn't a horrible book.", 0.0, 0.678, 0.322, 0.431),
    ("Not bad at all", 0.0, 0.513, 0.487, 0.431),
    ("Catch utf-8 emoji such as such as 💘 and 💋 and 😁", 0.0, 0.615, 0.385, 0.875),
    ("Roger Dodger is one of the least compelling variations on this theme.", 0.132, 0.868, 0.0, -0.1695),
    ("he is at least smart", 0.0, 0.597, 0.403, 0.4019),
    ("these are the shittiest of times", 0.468, 0.532, 0.0, -0.6597),
    ("That was the bomb, yeah right?", 0.273, 0.364, 0.364, 0.25),
    ("GOOD 🔛 bad", 0.371, 0.212, 0.416, 0.1091),
];
