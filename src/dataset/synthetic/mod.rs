//! Product reviews generated from a seed, for measurements and tests.
//!
//! The texts are not copied from real reviews. They come from a grammar of sentences and words that were written for
//! this project, read like reviews, and are as difficult to process as real reviews.
//!
//! - **Rules.** Every rule of the VADER sentiment scorer (Hutto & Gilbert, *VADER: A parsimonious rule-based model
//!   for sentiment analysis of social media text*, ICWSM 2014) is triggered: boosters and dampeners, negation up to
//!   three words before the word that it affects, "least", "no … or …", "but" once and several times, idioms,
//!   emphasis by CAPITALS and by `!` and `?`, emoticons and emoji.
//! - **Text.** Quotes, backslashes, tabs, line ends and no-break spaces, `<br />`, accents and other
//!   scripts, and sometimes a text that is nearly empty.
//! - **Groups.** 320 products in 8 categories and five classes of quality. Product n is reviewed 1/n as often as the
//!   first product (Zipf's law). The stars depend on the product, and the mood of the text depends on the stars.
//! - **Length.** The target length of a text in bytes, by quantile (linear in between):
//!
//!   | quantile | 1 % | 5 % | 10 % | 20 % | 30 % | 40 % | 50 % | 60 % | 70 % | 80 % | 90 % | 95 % | 99 % | 100 % |
//!   |---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|
//!   | target in bytes | 8 | 24 | 45 | 90 | 145 | 210 | 290 | 390 | 520 | 720 | 1,100 | 1,600 | 3,200 | 8,000 |
//!
//!   A text consists of whole sentences, so its length differs from the target by at most half a sentence. On
//!   average, a text has about 510 bytes, and a record as a line of JSON has about 600 bytes.
//!
//! The same seed gives the same bytes on every platform and with every compiler, because all arithmetic is on
//! integers and the random number generator (SplitMix64) is part of this module.

mod catalogue;
mod categories;
mod grammar;
mod length;
mod random;
mod sentences;
mod voice;
mod words;

use catalogue::Product;
use random::Random;
pub(super) use random::number_of;
use serde::Serialize;

/// Reviews generated from a seed.
///
/// Record `index` depends on the seed and on `index` alone. Therefore any worker can generate any range, and a longer
/// dataset begins with all records of a shorter dataset from the same seed.
///
/// # Examples
///
/// ```
/// use manyhands::dataset::synthetic::Synthetic;
///
/// let reviews = Synthetic::new(1_000, 7);
/// let mut lines = Vec::new();
/// for index in 0..reviews.records() {
///     reviews.write(index, &mut lines);
/// }
/// assert_eq!(lines.iter().filter(|&&byte| byte == b'\n').count(), 1_000);
/// assert!(lines.starts_with(br#"{"id":"r000001","product":""#));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Synthetic {
    records: u64,
    seed: u64,
}

/// One synthetic review. Its fields are serialised in this order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Review {
    /// The letter `r` and the number of the record, counted from 1, with six digits or more.
    pub id: String,
    /// The name of the product. No two products have the same name.
    pub product: String,
    /// The category of the product, one of 8.
    pub category: &'static str,
    /// Number of stars, from 1 (worst) to 5 (best).
    pub rating: u8,
    /// The text of the review, which is rarely empty.
    pub text: String,
}

impl Synthetic {
    /// Creates a dataset of `records` records that are generated from `seed`.
    pub fn new(records: u64, seed: u64) -> Self {
        Self { records, seed }
    }

    /// Number of records.
    pub fn records(&self) -> u64 {
        self.records
    }

    /// The review at `index`, counted from 0.
    ///
    /// An `index` past the last record is not an error: the result is the record at `index` of a longer dataset with
    /// the same seed.
    ///
    /// # Examples
    ///
    /// ```
    /// use manyhands::dataset::synthetic::Synthetic;
    ///
    /// let review = Synthetic::new(10, 7).review(3);
    /// assert_eq!(review.id, "r000004");
    /// assert_eq!(review, Synthetic::new(1_000_000, 7).review(3));
    /// ```
    pub fn review(&self, index: u64) -> Review {
        let mut random = Random::of(self.seed, index);
        let product = Product::draw(&mut random);
        let rating = product.rate(&mut random);
        let target = length::draw(&mut random);
        let text = grammar::write(&mut random, product, rating, target);
        Review {
            id: format!("r{:06}", u128::from(index) + 1),
            product: product.name().join(" "),
            category: product.category().name,
            rating,
            text,
        }
    }

    /// Appends the review at `index` to `line` as one line of JSON with its line end.
    ///
    /// # Examples
    ///
    /// ```
    /// use manyhands::dataset::synthetic::Synthetic;
    ///
    /// let mut line = Vec::new();
    /// Synthetic::new(10, 7).write(9, &mut line);
    /// assert!(line.starts_with(br#"{"id":"r000010","#));
    /// assert!(line.ends_with(b"}\n"));
    /// ```
    pub fn write(&self, index: u64, line: &mut Vec<u8>) {
        serde_json::to_writer(&mut *line, &self.review(index))
            .expect("strings and a small number always serialise, and a Vec takes any bytes");
        line.push(b'\n');
    }
}
