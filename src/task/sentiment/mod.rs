//! VADER sentiment: how positive or negative a text is, by a lexicon and rules.
//!
//! The scores are those of the Python package vaderSentiment 3.3.2 on a current CPython, to the last
//! printed digit, for every text. C. J. Hutto and E. E. Gilbert, "VADER: A Parsimonious Rule-based
//! Model for Sentiment Analysis of Social Media Text", ICWSM 2014.
//!
//! One pass cuts the text into two-byte tokens ([`scan`](self)), a second stops only at words that
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
pub struct Sentiment {}

impl Sentiment {
    /// A scorer. All share the same tables, which the first one to score builds in about a
    /// millisecond.
    #[must_use]
    pub fn new() -> Sentiment {
        Sentiment {}
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
        DESK.with_borrow_mut(|desk| desk.score(text))
    }
}

/// What a desk may keep between texts, in bytes.
const KEPT_BYTES: usize = 1 << 20;

/// Working memory, one a thread and kept between texts.
#[derive(Default)]
struct Desk {
    translation: String,
    tokens: Vec<Token>,
    valences: Vec<Weighted>,
}

impl Desk {
    fn score(&mut self, text: &str) -> Polarity {
        let lexicon = Lexicon::shared();
        let text = translate::translate(text, &mut self.translation);
        let census = scan::scan(text, lexicon, &mut self.tokens);
        let emphatic = census.upper != 0 && census.upper != census.tokens;

        self.valences.clear();
        let mut but = None;
        for (token, window) in self.tokens.array_windows().enumerate() {
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
        let polarity = finish::finish(&self.valences, &census);
        self.tidy();
        polarity
    }

    /// Gives back what an unusually long text needed.
    fn tidy(&mut self) {
        if self.translation.capacity() > KEPT_BYTES {
            self.translation = String::new();
        }
        if self.tokens.capacity() * size_of::<Token>() > KEPT_BYTES {
            self.tokens = Vec::new();
        }
        if self.valences.capacity() * size_of::<Weighted>() > KEPT_BYTES {
            self.valences = Vec::new();
        }
    }
}
