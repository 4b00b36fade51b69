//! The words of the grammar: the alternatives for each named slot of a sentence.
//!
//! Words that the sentiment lexicon knows are in separate lists for praise and for blame. The tests below check this
//! with VADER.

/// The alternatives for a slot, or `None` if the grammar has no slot of this name.
///
/// `product`, `thing`, `part` and `used` are not in this function, because their words depend on the product.
pub(super) fn alternatives(slot: &str) -> Option<&'static [&'static str]> {
    Some(match slot {
        "good" => GOOD,
        "bad" => BAD,
        "fine" => FINE,
        "poor" => POOR,
        "very" => VERY,
        "rather" => RATHER,
        "hardly" => HARDLY,
        "loved" => LOVED,
        "hated" => HATED,
        "joy" => JOY,
        "woe" => WOE,
        "well" => WELL,
        "badly" => BADLY,
        "not" => NOT,
        "didnt" => DIDNT,
        "someone" => SOMEONE,
        "when" => WHEN,
        "where" => WHERE,
        "long" => LONG,
        "number" => NUMBER,
        "price" => PRICE,
        "best" => BEST,
        "worst" => WORST,
        "memory" => MEMORY,
        "place" => PLACE,
        "glue" => GLUE,
        "cheer" => CHEER,
        "groan" => GROAN,
        _ => return None,
    })
}

/// Slots whose words a reviewer may put in CAPITALS for emphasis.
pub(super) fn is_emphatic(slot: &str) -> bool {
    matches!(
        slot,
        "good" | "bad" | "very" | "loved" | "hated" | "joy" | "woe" | "not" | "best" | "worst"
    )
}

/// Adjectives that the lexicon knows as positive.
#[rustfmt::skip]
const GOOD: &[&str] = &[
    "amazing", "awesome", "beautiful", "brilliant", "charming", "clever", "comfortable", "cool", "delightful",
    "elegant", "enjoyable", "excellent", "exciting", "fabulous", "fantastic", "fun", "funny", "good", "good",
    "gorgeous", "great", "great", "helpful", "impressive", "inspired", "interesting", "lovely", "magnificent",
    "nice", "nice", "perfect", "pleasant", "pleasing", "rich", "satisfying", "smart", "splendid", "strong",
    "stunning", "super", "superb", "sweet", "terrific", "thoughtful", "useful", "wonderful",
];

/// Adjectives that the lexicon knows as negative.
#[rustfmt::skip]
const BAD: &[&str] = &[
    "annoying", "appalling", "awful", "bad", "bad", "boring", "broken", "confusing", "defective", "depressing",
    "disappointing", "disgusting", "dismal", "dreadful", "dull", "embarrassing", "faulty", "frustrating", "hopeless",
    "horrible", "horrid", "inferior", "irritating", "lame", "lousy", "miserable", "nasty", "painful", "pathetic",
    "poor", "poor", "ridiculous", "rotten", "sad", "stupid", "terrible", "terrible", "ugly", "unpleasant",
    "useless", "weak", "worthless",
];

/// Words of praise that the lexicon does not know.
#[rustfmt::skip]
const FINE: &[&str] = &[
    "solid-looking", "sturdy", "reliable", "smooth", "snappy", "well-made", "spot on", "witty", "top-notch",
    "seamless", "incredible", "first-rate",
];

/// Words of blame that the lexicon does not know.
#[rustfmt::skip]
const POOR: &[&str] = &[
    "flimsy", "overpriced", "half-baked", "clumsy", "shoddy", "sloppy", "tedious", "pointless", "mediocre",
    "wobbly", "bloated", "unfinished",
];

/// Words that strengthen the word after them.
#[rustfmt::skip]
const VERY: &[&str] = &[
    "absolutely", "amazingly", "completely", "decidedly", "deeply", "entirely", "especially", "exceptionally",
    "extremely", "flippin", "fully", "hella", "highly", "hugely", "incredibly", "intensely", "particularly",
    "purely", "quite", "quite", "really", "really", "really", "remarkably", "so", "so", "substantially",
    "thoroughly", "totally", "tremendously", "unbelievably", "unusually", "utterly", "very", "very", "very", "very",
];

/// Words that weaken the word after them, singly and in pairs.
#[rustfmt::skip]
const RATHER: &[&str] = &[
    "slightly", "somewhat", "kind of", "kind of", "sort of", "sort of", "kinda", "sorta", "kind-of",
    "marginally", "partly", "almost", "occasionally", "less",
];

const HARDLY: &[&str] = &["hardly", "barely", "scarcely"];

#[rustfmt::skip]
const LOVED: &[&str] = &[
    "loved", "loved", "enjoyed", "liked", "adored", "appreciated", "admired", "treasured", "praised",
];

#[rustfmt::skip]
const HATED: &[&str] = &["hated", "hated", "regretted", "disliked", "dreaded", "resented", "despised", "loathed"];

#[rustfmt::skip]
const JOY: &[&str] = &[
    "joy", "delight", "pleasure", "treat", "success", "triumph", "winner", "treasure", "bargain", "thrill", "masterpiece",
];

#[rustfmt::skip]
const WOE: &[&str] = &[
    "disaster", "disappointment", "mess", "failure", "waste", "insult", "shame", "scam", "fraud", "tragedy",
];

#[rustfmt::skip]
const WELL: &[&str] = &[
    "beautifully", "perfectly", "nicely", "wonderfully", "brilliantly", "happily", "easily", "well", "well",
];

#[rustfmt::skip]
const BADLY: &[&str] = &["badly", "sadly", "terribly", "horribly", "miserably", "awkwardly", "painfully"];

/// Negations of the word after them, in the present and the past.
#[rustfmt::skip]
const NOT: &[&str] = &[
    "isn't", "isn't", "is not", "is not", "wasn't", "wasn't", "was not", "is never", "was never", "is rarely",
    "is seldom", "ain't", "cannot be called", "is nowhere near",
];

#[rustfmt::skip]
const DIDNT: &[&str] = &["didn't", "didn't", "did not", "don't", "couldn't", "cannot say I"];

#[rustfmt::skip]
const SOMEONE: &[&str] = &[
    "my sister", "my husband", "my wife", "my brother", "a colleague", "my neighbour", "my flatmate", "our son",
    "our eldest", "my mother-in-law", "everyone at home", "the whole family",
];

#[rustfmt::skip]
const WHEN: &[&str] = &[
    "last week", "on Monday", "after two months", "in March", "over the weekend", "a year ago", "this morning",
    "last night", "the day I turned 40", "before the holidays",
];

#[rustfmt::skip]
const WHERE: &[&str] = &[
    "on the train", "at home", "at the office", "on the sofa", "in the garden", "in the kitchen", "on the road",
    "at the bus stop", "at my parents' place", "in bed",
];

#[rustfmt::skip]
const LONG: &[&str] = &["two hours", "three days", "a week", "ten days", "a month", "half a year"];

#[rustfmt::skip]
const NUMBER: &[&str] = &["two", "three", "4", "five", "6", "ten", "12", "20", "a dozen"];

#[rustfmt::skip]
const PRICE: &[&str] = &[
    "$5", "$9.99", "$14.50", "$20", "$25", "$31.75", "$49", "$120", "30 bucks", "ten dollars", "15 euros",
    "40 pounds", "eight quid", "€19,90",
];

#[rustfmt::skip]
const BEST: &[&str] = &["best", "finest", "greatest", "nicest", "most enjoyable", "most impressive"];

#[rustfmt::skip]
const WORST: &[&str] = &["worst", "dullest", "ugliest", "most annoying", "saddest", "most useless"];

/// Phrases about memories, some of which are not plain ASCII.
#[rustfmt::skip]
const MEMORY: &[&str] = &[
    "the café", "déjà vu", "my fiancée", "a soufflé", "smörgåsbord", "an encore", "a road trip", "the seaside",
    "grandmother", "the first snow", "an old postcard", "a school trip", "porridge", "the dentist", "a lighthouse",
];

#[rustfmt::skip]
const PLACE: &[&str] = &[
    "Lisbon", "Leeds", "Oslo", "Turin", "Ghent", "Chicago", "Kyoto", "Nairobi", "Lima", "Perth", "Lyon", "Austin",
    "Boston", "Hanoi", "Cork", "Porto", "Bergen", "Toledo", "Tampa", "Zürich",
];

/// Texts that connect two phrases, one of which is an emoji without spaces.
const GLUE: &[&str] = &[", ", ", ", ", ", ", and ", ", and ", " - ", "... ", "😍"];

#[rustfmt::skip]
const CHEER: &[&str] = &["wow", "yay", "haha", "bravo", "hooray", "lol", "woohoo", "yes"];

const GROAN: &[&str] = &["ugh", "meh", "sigh", "sorry", "damn", "oh no", "nope"];

#[cfg(test)]
mod tests {
    use super::*;
    use std::cmp::Ordering;
    use vader_parity::SentimentIntensityAnalyzer;

    /// Words of praise are scored as praise, words of blame are scored as blame, and the other words are scored as
    /// neutral.
    #[test]
    fn words_are_in_the_right_list() {
        let vader = SentimentIntensityAnalyzer::new();
        let lists = [
            (Ordering::Greater, [GOOD, JOY, LOVED, WELL]),
            (Ordering::Less, [BAD, WOE, HATED, BADLY]),
            (Ordering::Equal, [FINE, POOR, PLACE, PRICE]),
        ];
        for (side, lists) in lists {
            for word in lists.into_iter().flatten() {
                let compound = vader.polarity_scores(word).compound;
                assert_eq!(compound.partial_cmp(&0.0), Some(side), "{word}: {compound}");
            }
        }
    }

    /// Words that strengthen, weaken or negate have this effect on the word after them.
    #[test]
    fn words_change_the_word_after_them() {
        let vader = SentimentIntensityAnalyzer::new();
        let score = |words: &str| {
            vader
                .polarity_scores(&format!("it was {words} good"))
                .compound
        };
        for word in VERY {
            assert!(score(word) > score("all"), "{word}");
        }
        for word in RATHER.iter().chain(HARDLY) {
            assert!(score(word) < score("all"), "{word}");
        }
        for word in NOT.iter().filter(|word| !word.ends_with("near")) {
            assert!(score(word) < 0.0, "{word}");
        }
    }
}
