//! How a reviewer writes: case, excitement, spacing, faces (emoticons and emoji), and apostrophes.
//!
//! A voice is drawn once per review, so that the habits in one text are consistent.

use super::random::Random;

/// The habits of one reviewer.
#[derive(Debug)]
pub(super) struct Voice {
    pub(super) case: Case,
    /// One in this many emphatic words is in CAPITALS.
    pub(super) emphasis: u32,
    /// How excited the ends of sentences are: 0 is calm, 1 is lively, and 2 is carried away.
    excitement: usize,
    /// The text that is written between some sentences instead of a space.
    pub(super) spacing: &'static str,
    /// One in this many sentences is followed by a face. If this is 0, no sentence has a face.
    faces: u32,
    /// The text that is written for an apostrophe within a word.
    pub(super) apostrophe: &'static str,
    /// Whether the text is followed by a sentence in another language.
    pub(super) abroad: bool,
}

/// The case of a whole text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Case {
    Sentence,
    Lower,
    Shout,
}

const CASES: [(u32, Case); 3] = [(89, Case::Sentence), (8, Case::Lower), (3, Case::Shout)];

/// The spacings, each with its share of the reviews in thousandths.
const SPACINGS: [(u32, &str); 9] = [
    (850, " "),
    (30, "  "),
    (30, "\n"),
    (20, "\n\n"),
    (30, "<br /><br />"),
    (10, "<br />"),
    (12, "\t"),
    (12, "\u{a0}"),
    (6, "\r\n"),
];

const APOSTROPHES: [(u32, &str); 3] = [(93, "'"), (3, "’"), (4, "")];

/// For each level of excitement, how many sentences in a thousand end with each of the [`MARKS`].
const ENDS: [[u32; 6]; 3] = [
    [950, 30, 0, 0, 0, 20],
    [620, 300, 40, 20, 0, 20],
    [160, 360, 180, 160, 100, 40],
];
const MARKS: [&str; 6] = [".", "!", "!!", "!!!", "!!!!!!", "..."];

const QUESTION_ENDS: [[u32; 6]; 3] = [
    [970, 20, 0, 0, 0, 10],
    [700, 140, 60, 20, 0, 80],
    [300, 200, 160, 120, 60, 160],
];
const QUESTION_MARKS: [&str; 6] = ["?", "??", "???", "????", "??????", "?!"];

#[rustfmt::skip]
const SMILES: [&str; 20] = [
    ":)", ":)", ":-)", ":D", ":-D", "<3", ";)", ";-)", "=)", "xD", ":P", "^_^",
    "😀", "😊", "👍", "❤️", "🎉", "😂", "🙌🏽", "😍😍",
];

#[rustfmt::skip]
const FROWNS: [&str; 14] = [
    ":(", ":(", ":-(", ":/", ":-/", ":'(", ">:(", "</3", "😡", "😞", "👎", "💔", "😭", "🙄",
];

impl Voice {
    /// Draws the voice of a review with `rating` stars. Most reviews with a mild rating are calm.
    pub(super) fn draw(random: &mut Random, rating: u8) -> Self {
        let heat = match rating {
            1 | 5 => [60, 27, 13],
            2 | 4 => [75, 20, 5],
            _ => [90, 9, 1],
        };
        Self {
            case: draw_from(random, &CASES),
            emphasis: if random.one_in(7) { 4 } else { 80 },
            excitement: random.weighted(&heat),
            spacing: draw_from(random, &SPACINGS),
            faces: if random.one_in(10) { 3 } else { 0 },
            apostrophe: draw_from(random, &APOSTROPHES),
            abroad: random.one_in(30),
        }
    }

    /// Draws the space between two sentences.
    pub(super) fn space(&self, random: &mut Random) -> &'static str {
        // On average every third gap has the reviewer's spacing. If all gaps had it, the words next to them could run
        // together.
        if random.one_in(3) { self.spacing } else { " " }
    }

    /// Draws the punctuation that ends a sentence.
    pub(super) fn end(&self, random: &mut Random, question: bool) -> &'static str {
        if question {
            QUESTION_MARKS[random.weighted(&QUESTION_ENDS[self.excitement])]
        } else {
            MARKS[random.weighted(&ENDS[self.excitement])]
        }
    }

    /// Draws the face after a sentence, if there is one, and whether it follows the sentence without a space.
    pub(super) fn face(&self, random: &mut Random, pleased: bool) -> Option<(&'static str, bool)> {
        if self.faces == 0 || !random.one_in(self.faces) {
            return None;
        }
        let face = random.pick(if pleased { &SMILES[..] } else { &FROWNS[..] });
        Some((face, random.one_in(3)))
    }
}

/// Draws one of the choices according to their weights.
fn draw_from<T: Copy, const N: usize>(random: &mut Random, choices: &[(u32, T); N]) -> T {
    choices[random.weighted(&choices.map(|(weight, _)| weight))].1
}
