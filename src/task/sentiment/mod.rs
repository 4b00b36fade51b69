//! VADER sentiment: how positive or negative a text is, by a lexicon and rules.
//!
//! The scores are those of the Python package vaderSentiment 3.3.2, to the last printed digit, for
//! every text: by default as on Python up to 3.11, and as on later ones by
//! [`Summation::Compensated`]. C. J. Hutto and E. E. Gilbert, "VADER: A Parsimonious Rule-based
//! Model for Sentiment Analysis of Social Media Text", ICWSM 2014.
//!
//! A first pass cuts the text into two-byte tokens, a second stops only at words that
//! have a valence, about one in eleven, and looks at their neighbours. Nothing is allocated for a
//! text once the thread has seen one as long.

mod casing;
mod contrast;
mod finish;
mod lexicon;
mod lookup;
mod rules;
mod scan;
mod translate;

use std::cell::RefCell;

use contrast::Weighted;
use lexicon::{Lexicon, Role, Token};
use scan::BACK;

/// How positive or negative a text is.
///
/// Proportions are rounded to three digits, the compound score to four, as Python's `round` does.
#[derive(Clone, Copy, Debug, Default, PartialEq, serde::Serialize)]
pub struct Polarity {
    /// The proportion of the text that is negative, from 0 to 1.
    pub neg: f64,
    /// The proportion of the text that is neutral, from 0 to 1.
    pub neu: f64,
    /// The proportion of the text that is positive, from 0 to 1.
    pub pos: f64,
    /// The sum of all valences, normalised to lie between -1, most negative, and 1, most positive.
    pub compound: f64,
}

/// The VADER sentiment scorer, for English.
///
/// ```
/// use manyhands::task::sentiment::Sentiment;
///
/// let polarity = Sentiment::new().score("VADER is smart, handsome, and funny!");
/// assert_eq!(polarity.pos, 0.752);
/// assert_eq!(polarity.compound, 0.8439);
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct Sentiment {
    summation: Summation,
}

/// How the valences of a text are added up: the reference leaves it to Python's `sum`, which changed
/// in Python 3.12.
///
/// The scores differ in about one text of ten thousand: where valences cancel, one way of adding
/// leaves nothing and the other a last bit, and with it all the emphasis of the exclamation marks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Summation {
    /// One after the other, as up to Python 3.11.
    #[default]
    Plain,
    /// With Neumaier's compensation, as since Python 3.12.
    Compensated,
}

impl Sentiment {
    /// A scorer. All share the same tables; the first to be made builds them, in a few milliseconds.
    #[must_use]
    pub fn new() -> Sentiment {
        // Here and not at the first record, whose cost would be taken for that of the others.
        Lexicon::shared();
        Sentiment::default()
    }

    /// The same scorer, adding up in another way.
    ///
    /// ```
    /// use manyhands::task::sentiment::{Sentiment, Summation};
    ///
    /// let text = "smart great worst dull!";
    /// let scorer = Sentiment::new();
    /// assert_eq!(scorer.summation(Summation::Compensated).score(text).compound, 0.0);
    /// assert_eq!(scorer.summation(Summation::Plain).score(text).compound, -0.0752);
    /// ```
    #[must_use]
    pub fn summation(self, summation: Summation) -> Sentiment {
        Sentiment { summation }
    }

    /// The polarity of a text; all zero if there is nothing in it but white space.
    ///
    /// Takes time proportional to the length of the text (for long texts with "but", to n log n in
    /// the number of words with a valence) and never fails.
    #[must_use]
    pub fn score(&self, text: &str) -> Polarity {
        thread_local! {
            static DESK: RefCell<Desk> = RefCell::default();
        }
        DESK.with_borrow_mut(|desk| desk.score(text, self.summation))
    }
}

/// What a desk may keep between texts, in bytes.
const KEPT_BYTES: usize = 1 << 20;

/// Working memory, one a thread and kept between texts.
#[derive(Default)]
struct Desk {
    translation: String,
    lower: Vec<u8>,
    tokens: Vec<Token>,
    valences: Vec<Weighted>,
}

impl Desk {
    fn score(&mut self, text: &str, summation: Summation) -> Polarity {
        let lexicon = Lexicon::shared();
        let text = translate::translate(text, &mut self.translation);
        let census = scan::scan(text, lexicon, &mut self.lower, &mut self.tokens);
        let emphatic = census.upper != 0 && census.upper != census.tokens;

        self.valences.clear();
        let mut but = None;
        for token in 0..census.tokens {
            let Some(window) = self.tokens[token..].first_chunk() else {
                break;
            };
            let word: Token = window[BACK];
            if !lexicon.is_weighty(word) {
                continue;
            }
            if lexicon.roles(word).has(Role::BUT) {
                but = but.or(Some(token));
                continue;
            }
            let valence = rules::valence(lexicon, window, emphatic);
            self.valences.push(Weighted { token, valence });
        }
        if let Some(but) = but {
            contrast::contrast(&mut self.valences, but);
        }
        let polarity = finish::finish(&self.valences, &census, summation);
        self.tidy();
        polarity
    }

    /// Gives back what an unusually long text needed.
    fn tidy(&mut self) {
        if self.translation.capacity() > KEPT_BYTES {
            self.translation = String::new();
        }
        if self.lower.capacity() > KEPT_BYTES {
            self.lower = Vec::new();
        }
        if self.tokens.capacity() * size_of::<Token>() > KEPT_BYTES {
            self.tokens = Vec::new();
        }
        if self.valences.capacity() * size_of::<Weighted>() > KEPT_BYTES {
            self.valences = Vec::new();
        }
    }
}
