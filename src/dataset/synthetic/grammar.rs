//! Writes a text: draws sentences by mood, fills their slots, and applies the reviewer's habits.

use super::catalogue::Product;
use super::random::{Fresh, Random};
use super::sentences::{
    ABROAD_BAD, ABROAD_GOOD, BLAME, CHEERS, FACT, FALL, GROANS, NEXT_TO_NOTHING, PRAISE, RISE,
};
use super::voice::{Case, Voice};
use super::words;

/// For each number of stars, the percentages of sentences that praise, that blame, that state facts, and that contain
/// a "but".
const MOODS: [[u32; 4]; 5] = [
    [4, 64, 24, 8],
    [12, 48, 26, 14],
    [30, 28, 24, 18],
    [50, 12, 24, 14],
    [66, 3, 23, 8],
];

/// A text whose target length is below this number of bytes is a remark, because no sentence is that short.
const REMARK: usize = 32;

/// Half the typical length of a sentence, in bytes. Another sentence is written only if it is expected to bring the
/// text closer to its target length.
const HALF_A_SENTENCE: usize = 26;

/// A text that is being written.
struct Writer<'a> {
    random: &'a mut Random,
    product: Product,
    voice: Voice,
    text: String,
    sentences: Fresh<12>,
    words: Fresh<6>,
}

/// Writes a review of about `target` bytes by a reviewer who gave `product` a rating of `rating` stars.
pub(super) fn write(random: &mut Random, product: Product, rating: u8, target: usize) -> String {
    if random.one_in(200) {
        return random.pick(NEXT_TO_NOTHING).to_owned();
    }
    let voice = Voice::draw(random, rating);
    let mut writer = Writer {
        random,
        product,
        voice,
        text: String::with_capacity(target + 160),
        sentences: Fresh::new(),
        words: Fresh::new(),
    };
    writer.compose(rating, target);
    writer.text
}

impl Writer<'_> {
    fn compose(&mut self, rating: u8, target: usize) {
        if target < REMARK {
            let pleased = self.is_pleased(rating);
            self.say(if pleased { CHEERS } else { GROANS }, pleased);
        } else {
            self.say_at_length(rating, target);
        }
        if self.voice.abroad {
            let pleased = self.is_pleased(rating);
            self.say(if pleased { ABROAD_GOOD } else { ABROAD_BAD }, pleased);
        }
        if self.random.one_in(60) {
            self.text.push_str(self.voice.spacing);
        }
        if self.voice.case == Case::Shout {
            self.text.make_ascii_uppercase();
        }
        if self.voice.apostrophe != "'" {
            self.text = with_apostrophe(&self.text, self.voice.apostrophe);
        }
    }

    fn say_at_length(&mut self, rating: u8, target: usize) {
        let moods = &MOODS[usize::from(rating.clamp(1, 5)) - 1];
        while self.text.is_empty() || self.text.len() + HALF_A_SENTENCE < target {
            match self.random.weighted(moods) {
                0 => self.say(PRAISE, true),
                1 => self.say(BLAME, false),
                2 => {
                    let pleased = self.is_pleased(rating);
                    let of_its_kind = self.random.one_in(2);
                    let facts = self.product.category().facts;
                    self.say(if of_its_kind { facts } else { FACT }, pleased);
                }
                _ if self.is_pleased(rating) => self.say(RISE, true),
                _ => self.say(FALL, false),
            }
        }
    }

    /// Whether the reviewer praises in the next sentence.
    fn is_pleased(&mut self, rating: u8) -> bool {
        match rating {
            ..=1 => self.random.one_in(25),
            2 => self.random.one_in(8),
            3 => self.random.one_in(2),
            4 => !self.random.one_in(8),
            5.. => !self.random.one_in(25),
        }
    }

    /// Writes one of the sentences, with the gap before it and the face (emoticon or emoji), if any, after it.
    fn say(&mut self, sentences: &[&'static str], pleased: bool) {
        if !self.text.is_empty() {
            let space = self.voice.space(self.random);
            self.text.push_str(space);
        }
        let start = self.text.len();
        let sentence = self.sentences.draw(self.random, sentences);
        self.expand(sentence);
        if self.voice.case == Case::Lower {
            self.text[start..].make_ascii_lowercase();
        } else {
            self.capitalise(start);
        }
        let question = self.text.ends_with('?');
        if question {
            self.text.pop();
        }
        if question || !self.text.ends_with(['.', ':', '!', ')', '*']) {
            let end = self.voice.end(self.random, question);
            self.text.push_str(end);
        }
        if let Some((face, glued)) = self.voice.face(self.random, pleased) {
            if !glued {
                self.text.push(' ');
            }
            self.text.push_str(face);
        }
    }

    /// Writes a template and fills its slots.
    fn expand(&mut self, template: &'static str) {
        let mut rest = template;
        while let Some((literal, after)) = rest.split_once('{') {
            let (slot, tail) = after.split_once('}').unwrap_or((after, ""));
            self.push(literal);
            self.fill(slot);
            rest = tail;
        }
        self.push(rest);
    }

    fn fill(&mut self, slot: &'static str) {
        let start = self.text.len();
        let category = self.product.category();
        match slot {
            "product" => {
                let [first, second] = self.product.name();
                self.push(first);
                self.push(" ");
                self.push(second);
            }
            "thing" => self.push(self.product.thing()),
            "part" => self.fill_from(category.parts),
            "used" => self.fill_from(category.used),
            named => self.fill_from(words::alternatives(named).unwrap_or(&[""])),
        }
        if words::is_emphatic(slot) && self.random.one_in(self.voice.emphasis) {
            self.text[start..].make_ascii_uppercase();
        }
    }

    fn fill_from(&mut self, alternatives: &[&'static str]) {
        let word = self.words.draw(self.random, alternatives);
        self.push(word);
    }

    /// Appends words, and changes "a" to "an" if the next word needs it.
    fn push(&mut self, words: &str) {
        let article = self.text.strip_suffix("a ").is_some_and(|before| {
            !before.ends_with(|last: char| last.is_ascii_alphanumeric() || last == '\'')
        });
        if article && sounds_like_a_vowel(words) {
            self.text.pop();
            self.text.push_str("n ");
        }
        self.text.push_str(words);
    }

    /// Capitalises the first letter from `start` on, which may follow an opening quote or bracket. Only ASCII letters
    /// count, because other letters depend on the compiler's version of Unicode.
    fn capitalise(&mut self, start: usize) {
        let mut opening = self.text[start..].bytes().take(2);
        if let Some(past) = opening.position(|byte| byte.is_ascii_alphabetic()) {
            let first = start + past;
            self.text[first..=first].make_ascii_uppercase();
        }
    }
}

/// Whether the article before the words is "an". This depends on the first letter, with exceptions such as "useful".
fn sounds_like_a_vowel(words: &str) -> bool {
    words.starts_with(['a', 'e', 'i', 'o', 'u', 'A', 'E', 'I', 'O'])
        && !["use", "uni", "one"].iter().any(|y| words.starts_with(y))
}

/// Returns the text with `apostrophe` in place of the apostrophes inside words. Apostrophes in emoticons are kept.
fn with_apostrophe(text: &str, apostrophe: &str) -> String {
    let mut written = String::with_capacity(text.len() + 16);
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('\'') {
        let inside = before.ends_with(|last: char| last.is_ascii_alphabetic())
            && after.starts_with(|next: char| next.is_ascii_alphabetic());
        written.push_str(before);
        written.push_str(if inside { apostrophe } else { "'" });
        rest = after;
    }
    written.push_str(rest);
    written
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every slot of every sentence can be filled, with words that contain no further slots.
    #[test]
    fn every_slot_can_be_filled() {
        for template in [PRAISE, BLAME, FACT, RISE, FALL, CHEERS, GROANS].concat() {
            let mut rest = template;
            while let Some((_, after)) = rest.split_once('{') {
                let (slot, tail) = after.split_once('}').expect(template);
                rest = tail;
                if ["product", "thing", "part", "used"].contains(&slot) {
                    continue;
                }
                let words = words::alternatives(slot).unwrap_or(&["{}"]);
                assert!(
                    !words.concat().contains(['{', '}']),
                    "{{{slot}}} in {template}"
                );
            }
        }
    }

    #[test]
    fn apostrophes_change_inside_words_only() {
        assert_eq!(with_apostrophe("isn't 'so' :'(", "’"), "isn’t 'so' :'(");
        assert_eq!(with_apostrophe("isn't 'so' :'(", ""), "isnt 'so' :'(");
    }
}
