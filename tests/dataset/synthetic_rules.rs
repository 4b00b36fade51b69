//! The first synthetic reviews trigger every rule of the sentiment scorer.
//!
//! The list of rules follows the reference, `vaderSentiment` 3.3.2 (Hutto & Gilbert, ICWSM 2014), rule by rule.
//! The tests split each text into words as the reference does, and search these words for the triggers of the rules.

use std::collections::HashMap;

use manyhands::dataset::synthetic::Synthetic;
use vader_parity::SentimentIntensityAnalyzer;

/// Number of reviews that are searched, followed by the minimum number of reviews that must trigger each rule.
const RECORDS: u64 = 2_000;
const AT_LEAST: usize = 2;

const NEGATIONS: [&str; 16] = [
    "not", "never", "isn't", "wasn't", "ain't", "didn't", "don't", "couldn't", "won't", "cannot",
    "neither", "nor", "without", "rarely", "seldom", "nothing",
];
const BOOSTERS: [&str; 10] = [
    "very",
    "really",
    "so",
    "utterly",
    "totally",
    "extremely",
    "quite",
    "absolutely",
    "hella",
    "incredibly",
];
const DAMPENERS: [&str; 8] = [
    "slightly",
    "somewhat",
    "kinda",
    "sorta",
    "marginally",
    "almost",
    "hardly",
    "barely",
];

/// A text, the words into which the reference splits it, and whether the lexicon contains each word.
struct Seen {
    text: String,
    words: Vec<String>,
    lower: Vec<String>,
    known: Vec<bool>,
}

impl Seen {
    /// Whether one of `words` is `ahead` places before a word of the lexicon.
    fn before(&self, words: &[&str], ahead: usize) -> bool {
        (ahead..self.lower.len())
            .any(|at| self.known[at] && words.contains(&self.lower[at - ahead].as_str()))
    }

    /// Whether the text contains this sequence of words. `*` is any word, and `+` is any word of the lexicon.
    fn says(&self, phrase: &str) -> bool {
        self.times(phrase) > 0
    }

    fn times(&self, phrase: &str) -> usize {
        let wanted: Vec<_> = phrase.split(' ').collect();
        (0..self.lower.len().saturating_sub(wanted.len() - 1))
            .filter(|&at| {
                wanted.iter().zip(at..).all(|(&word, at)| match word {
                    "*" => true,
                    "+" => self.known[at],
                    word => self.lower[at] == word,
                })
            })
            .count()
    }

    /// Whether a word of the lexicon is in capital letters.
    fn stresses(&self) -> bool {
        self.words.iter().zip(&self.known).any(|(word, &known)| {
            known && word.len() > 2 && word.bytes().all(|letter| letter.is_ascii_uppercase())
        })
    }

    fn shouts(&self) -> bool {
        self.words.len() > 3
            && !self
                .text
                .contains(|letter: char| letter.is_ascii_lowercase())
    }

    fn marks(&self, mark: char) -> usize {
        self.text.matches(mark).count()
    }

    /// Whether the text contains a character of the first kind directly followed by a character of the second kind.
    fn adjoins(&self, first: fn(char) -> bool, second: fn(char) -> bool) -> bool {
        let next = self.text.chars().skip(1);
        self.text
            .chars()
            .zip(next)
            .any(|(one, other)| first(one) && second(other))
    }
}

fn is_emoji(letter: char) -> bool {
    matches!(letter, '\u{1F300}'..='\u{1FAFF}' | '❤')
}

type Rule = (&'static str, fn(&Seen) -> bool);

#[rustfmt::skip]
const RULES: &[Rule] = &[
    ("a booster before", |seen| seen.before(&BOOSTERS, 1)),
    ("a booster two before", |seen| seen.before(&BOOSTERS, 2)),
    ("a booster three before", |seen| seen.before(&BOOSTERS, 3)),
    ("a dampener before", |seen| seen.before(&DAMPENERS, 1)),
    ("a dampener two before", |seen| seen.before(&DAMPENERS, 2)),
    ("kind of", |seen| seen.says("kind of +")),
    ("sort of", |seen| seen.says("sort of +")),
    ("kind-of", |seen| seen.says("kind-of +")),
    ("just enough", |seen| seen.says("just enough +")),
    ("CAPITALS among others", |seen| seen.stresses() && !seen.shouts()),
    ("CAPITALS alone", |seen| seen.stresses() && seen.shouts()),
    ("a booster in CAPITALS", |seen| !seen.shouts() && seen.words.iter().any(|word| {
        word.len() > 2 && BOOSTERS.iter().any(|booster| booster.to_ascii_uppercase() == *word)
    })),
    ("a negation before", |seen| seen.before(&NEGATIONS, 1)),
    ("a negation two before", |seen| seen.before(&NEGATIONS, 2)),
    ("a negation three before", |seen| seen.before(&NEGATIONS, 3)),
    ("a contraction without its apostrophe", |seen| seen.before(&["isnt", "wasnt", "didnt", "dont"], 1)),
    ("a typographic apostrophe", |seen| seen.text.contains("n’t")),
    ("uh-uh", |seen| seen.says("uh-uh")),
    ("despite", |seen| seen.says("despite * +")),
    ("never so", |seen| seen.says("never so +")),
    ("never so, two before", |seen| seen.says("never so * +")),
    ("never this", |seen| seen.says("never this +")),
    ("never … this", |seen| seen.says("never * this +")),
    ("without doubt", |seen| seen.says("without doubt +")),
    ("without doubt a", |seen| seen.says("without doubt a +")),
    ("without a doubt", |seen| seen.says("without a doubt +")),
    ("least first", |seen| seen.lower.first().is_some_and(|word| word == "least")),
    ("least", |seen| seen.says("the least +")),
    ("at least", |seen| seen.says("at least +")),
    ("very least", |seen| seen.says("very least +")),
    ("no before", |seen| seen.says("no +")),
    ("no … or", |seen| seen.says("no * or +")),
    ("no … nor", |seen| seen.says("no * nor +")),
    ("the shit", |seen| seen.says("* * the shit")),
    ("the bomb", |seen| seen.says("* * the bomb")),
    ("bad ass", |seen| seen.says("* * * bad ass")),
    ("badass", |seen| seen.says("badass")),
    ("bus stop", |seen| seen.says("* * bus stop")),
    ("yeah right", |seen| seen.says("* * * yeah right")),
    ("kiss of death", |seen| seen.says("* * * kiss of death")),
    ("to die for", |seen| seen.says("to die for +")),
    ("beating heart", |seen| seen.says("* * * beating heart")),
    ("but once", |seen| seen.times("but") == 1),
    ("but twice and more", |seen| seen.times("but") > 1),
    ("BUT", |seen| !seen.shouts() && seen.words.iter().any(|word| word == "BUT")),
    ("!", |seen| seen.marks('!') == 1),
    ("!!", |seen| seen.marks('!') == 2),
    ("!!!", |seen| seen.marks('!') == 3),
    ("more ! than count", |seen| seen.marks('!') > 4),
    ("?", |seen| seen.marks('?') == 1),
    ("??", |seen| seen.marks('?') == 2),
    ("???", |seen| seen.marks('?') == 3),
    ("more ? than count", |seen| seen.marks('?') > 3),
    (":) apart", |seen| seen.words.iter().any(|word| word == ":)")),
    (":-( apart", |seen| seen.words.iter().any(|word| word == ":-(")),
    ("<3 apart", |seen| seen.words.iter().any(|word| word == "<3")),
    (":D apart", |seen| seen.words.iter().any(|word| word == ":D")),
    ("an emoticon glued to a word's end", |seen| seen.text.contains(".:") || seen.text.contains("!:")),
    ("an emoji apart", |seen| seen.adjoins(|one| one == ' ', is_emoji)),
    ("an emoji after punctuation", |seen| seen.adjoins(|one| one.is_ascii_punctuation(), is_emoji)),
    ("an emoji glued to words", |seen| seen.adjoins(char::is_alphabetic, is_emoji) && seen.adjoins(is_emoji, char::is_alphabetic)),
    ("emoji in a run", |seen| seen.adjoins(is_emoji, is_emoji)),
    ("an emoji of two code points", |seen| seen.text.contains("❤\u{fe0f}") || seen.text.contains('\u{1F3FD}')),
    ("brackets and quotes around a word", |seen| seen.text.contains(" (") && seen.text.contains(')') || seen.text.contains(" \"")),
    ("punctuation apart", |seen| seen.words.iter().any(|word| word == "--")),
    ("an entity", |seen| seen.text.contains("&amp;")),
    ("a line break of HTML", |seen| seen.text.contains("<br />")),
    ("a backslash", |seen| seen.text.contains('\\')),
    ("a tab", |seen| seen.text.contains('\t')),
    ("a line end", |seen| seen.text.contains("\n\n")),
    ("a line end of Windows", |seen| seen.text.contains("\r\n")),
    ("two spaces", |seen| seen.text.contains("  ")),
    ("a no-break space", |seen| seen.text.contains('\u{a0}')),
    ("an ideographic space", |seen| seen.text.contains('\u{3000}')),
    ("white space at the end", |seen| seen.text.trim_end().len() < seen.text.len()),
    ("accents", |seen| seen.text.contains(['é', 'ü', 'ó', 'ç'])),
    ("Cyrillic", |seen| seen.text.contains(|letter| ('а'..='я').contains(&letter))),
    ("Han", |seen| seen.text.contains(|letter| ('\u{4e00}'..='\u{9fff}').contains(&letter))),
    ("Arabic or Hebrew", |seen| seen.text.contains(|letter| ('\u{590}'..='\u{6ff}').contains(&letter))),
    ("nothing but white space", |seen| seen.text.trim().is_empty()),
    ("next to nothing", |seen| !seen.text.is_empty() && seen.text.trim().len() < 4),
];

#[test]
fn synthetic_reviews_trigger_every_rule() {
    let vader = SentimentIntensityAnalyzer::new();
    let mut lexicon: HashMap<String, bool> = HashMap::new();
    let mut found = vec![0; RULES.len()];
    let reviews = Synthetic::new(RECORDS, 1);
    for index in 0..RECORDS {
        let text = reviews.review(index).text;
        let words: Vec<_> = text.split_whitespace().map(cut).collect();
        let lower: Vec<_> = words.iter().map(|word| word.to_lowercase()).collect();
        let known = lower.iter().map(|word| {
            *lexicon
                .entry(word.clone())
                .or_insert_with(|| vader.polarity_scores(word).compound != 0.0)
        });
        let known = known.collect();
        let seen = Seen {
            text,
            words,
            lower,
            known,
        };
        for (found, (_, rule)) in found.iter_mut().zip(RULES) {
            *found += usize::from(rule(&seen));
        }
    }
    let rare: Vec<_> = RULES
        .iter()
        .zip(&found)
        .filter(|&(_, &found)| found < AT_LEAST)
        .collect();
    let rare: Vec<_> = rare
        .iter()
        .map(|((name, _), found)| format!("{name}: {found}"))
        .collect();
    assert!(rare.is_empty(), "too rare in {RECORDS} reviews: {rare:#?}");
}

/// Removes the punctuation around a word, unless at most two characters would be left.
fn cut(word: &str) -> String {
    let bare = word.trim_matches(|letter: char| letter.is_ascii_punctuation());
    if bare.chars().count() <= 2 {
        word
    } else {
        bare
    }
    .to_owned()
}
