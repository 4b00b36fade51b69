//! VADER sentiment: how positive or negative an English text is, by a lexicon and rules.
//!
//! For every text, the scores are those of the Python package vaderSentiment 3.3.2 to the last printed digit. By
//! default, they are the scores that the package gives on Python up to 3.11; with [`Summation::Compensated`], they
//! are its scores on later versions. Source: C. J. Hutto and E. E. Gilbert, "VADER: A Parsimonious Rule-based
//! Model for Sentiment Analysis of Social Media Text", ICWSM 2014.
//!
//! The first pass splits the text into tokens, each stored in two bytes. The second pass stops only at words
//! with a valence, about one word in eleven, and looks at their neighbours. Each thread keeps its memory for
//! the next text, so that only the longest texts allocate.

mod but_check;
mod casing;
mod lexicon;
mod perfect_hash;
mod polarity;
mod rules;
#[cfg(test)]
mod tables;
mod tokenize;
mod translate;
mod words;

use std::cell::RefCell;

use but_check::WordValence;
use lexicon::{Lexicon, Role, Token};
use tokenize::BACK;

/// How positive or negative a text is.
///
/// Proportions are rounded to three decimals and the compound score to four, with the same result as Python's
/// `round`.
#[derive(Clone, Copy, Debug, Default, PartialEq, serde::Serialize)]
pub struct Polarity {
    /// The proportion of the text that is negative, from 0 to 1.
    pub neg: f64,
    /// The proportion of the text that is neutral, from 0 to 1.
    pub neu: f64,
    /// The proportion of the text that is positive, from 0 to 1.
    pub pos: f64,
    /// The normalised sum of all valences, from -1 (most negative) to 1 (most positive).
    pub compound: f64,
}

/// The VADER sentiment scorer for English texts.
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

/// How the valences of a text are added up. The reference uses Python's `sum`, which changed in Python 3.12.
///
/// The scores differ for about one text in ten thousand: if the valences cancel, one summation gives zero and the
/// other gives a tiny rounding error, to which the emphasis of exclamation marks is then added in full.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Summation {
    /// The valences are added one after the other, as in Python up to 3.11.
    #[default]
    Plain,
    /// The valences are added with Neumaier's compensation, as in Python 3.12 and later.
    Compensated,
}

impl Sentiment {
    /// Creates a scorer. All scorers share their tables, which are part of the program.
    #[must_use]
    pub fn new() -> Sentiment {
        Sentiment::default()
    }

    /// Sets the summation. The default is [`Summation::Plain`].
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
    pub fn summation(mut self, summation: Summation) -> Self {
        self.summation = summation;
        self
    }

    /// Scores a text; all scores are zero if the text is empty or white space only.
    ///
    /// This takes time proportional to the length of the text, or O(n log n) for a long text with "but" that has n
    /// words with a valence.
    #[must_use]
    pub fn score(&self, text: &str) -> Polarity {
        thread_local! {
            static SCRATCH: RefCell<TextScratch> = RefCell::default();
        }
        SCRATCH.with_borrow_mut(|scratch| scratch.score(text, self.summation))
    }
}

/// Largest size of a buffer that is kept between texts, in bytes.
const MAX_KEPT_BYTES: usize = 1 << 20;

/// Scratch memory of a thread, reused from text to text.
#[derive(Default)]
struct TextScratch {
    translation: String,
    lower: Vec<u8>,
    tokens: Vec<Token>,
    valences: Vec<WordValence>,
}

impl TextScratch {
    fn score(&mut self, text: &str, summation: Summation) -> Polarity {
        let lexicon = Lexicon::shared();
        let text = translate::translate(text, &mut self.translation);
        let stats = tokenize::tokenize(text, lexicon, &mut self.lower, &mut self.tokens);
        let emphatic = stats.upper != 0 && stats.upper != stats.tokens;

        self.valences.clear();
        let mut but = None;
        for token in 0..stats.tokens {
            let Some(window) = self.tokens[token..].first_chunk() else {
                break;
            };
            let word: Token = window[BACK];
            if !lexicon.is_significant(word) {
                continue;
            }
            if lexicon.roles(word).has(Role::BUT) {
                but = but.or(Some(token));
                continue;
            }
            let valence = rules::valence(lexicon, window, emphatic);
            self.valences.push(WordValence { token, valence });
        }
        if let Some(but) = but {
            but_check::but_check(&mut self.valences, but);
        }
        let polarity = polarity::polarity(&self.valences, &stats, summation);
        self.shrink();
        polarity
    }

    /// Releases the memory that an unusually long text needed.
    fn shrink(&mut self) {
        if self.translation.capacity() > MAX_KEPT_BYTES {
            self.translation = String::new();
        }
        if self.lower.capacity() > MAX_KEPT_BYTES {
            self.lower = Vec::new();
        }
        if self.tokens.capacity() * size_of::<Token>() > MAX_KEPT_BYTES {
            self.tokens = Vec::new();
        }
        if self.valences.capacity() * size_of::<WordValence>() > MAX_KEPT_BYTES {
            self.valences = Vec::new();
        }
    }
}
