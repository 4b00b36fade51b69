//! What the scorer knows about each word: its mean valence, and its roles in the rules.
//!
//! The lexicon numbers its words, so that a text becomes a list of two-byte tokens and the rules compare bits
//! instead of strings.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use super::perfect_hash::PerfectHash;

/// Lines of `word<TAB>mean valence`; see `data/README.md` for the source.
const MEANS: &str = include_str!("../../../data/vader/lexicon.tsv");

/// A set of roles, one bit each.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Role(u64);

macro_rules! roles {
    ($($name:ident = $bit:literal),* $(,)?) => {
        $(pub(super) const $name: Role = Role(1 << $bit);)*
    };
}

#[rustfmt::skip]
impl Role {
    pub(super) const NONE: Role = Role(0);

    // Classes of words.
    roles! { LEXICON = 0, BOOSTS = 1, DAMPENS = 2, NEGATES = 3 }

    // Words that a rule names.
    roles! {
        NEVER = 4, SO = 5, THIS = 6, WITHOUT = 7, DOUBT = 8, LEAST = 9, AT = 10, VERY = 11,
        NO = 12, OR = 13, NOR = 14, BUT = 15, KIND = 16, SORT = 17, OF = 18, JUST = 19, ENOUGH = 20,
        THE = 21, SHIT = 22, BOMB = 23, BAD = 24, ASS = 25, BUS = 26, STOP = 27, YEAH = 28,
        RIGHT = 29, KISS = 30, DEATH = 31, TO = 32, DIE = 33, FOR = 34, BEATING = 35, HEART = 36,
    }
}

impl Role {
    /// A set with the roles of both sets.
    pub(super) const fn and(self, other: Role) -> Role {
        Role(self.0 | other.0)
    }

    /// Whether any role of `other` is in this set.
    #[inline]
    pub(super) const fn has(self, other: Role) -> bool {
        self.0 & other.0 != 0
    }
}

/// Words that negate a valence.
const NEGATIONS: &str = "ain't aint aren't arent can't cannot cant couldn't couldnt daren't darent despite didn't \
    didnt doesn't doesnt don't dont hadn't hadnt hasn't hasnt haven't havent isn't isnt \
    mightn't mightnt mustn't mustnt needn't neednt neither never none nope nor not nothing \
    nowhere oughtn't oughtnt rarely seldom shan't shant shouldn't shouldnt uh-uh uhuh wasn't \
    wasnt weren't werent without won't wont wouldn't wouldnt";

/// Words that raise the magnitude of a valence.
const BOOSTERS: &str = "absolutely amazingly awfully completely considerable considerably decidedly deeply effing \
    enormous enormously entirely especially exceptional exceptionally extreme extremely \
    fabulously flippin flipping frackin fracking frickin fricking friggin frigging fuckin \
    fucking fuggin fugging fully greatly hella highly hugely incredible incredibly intensely \
    major majorly more most particularly purely quite really remarkably so substantially \
    thoroughly total totally tremendous tremendously uber unbelievably unusually utter utterly \
    very";

/// Words that lower the magnitude of a valence.
const DAMPENERS: &str = "almost barely hardly kind-of kinda kindof less little marginal marginally occasional \
    occasionally partly scarce scarcely slight slightly somewhat sort-of sorta sortof";

/// The words that a rule names.
#[rustfmt::skip]
const NAMED: [(&str, Role); 33] = [
    ("never", Role::NEVER), ("so", Role::SO), ("this", Role::THIS), ("without", Role::WITHOUT),
    ("doubt", Role::DOUBT), ("least", Role::LEAST), ("at", Role::AT), ("very", Role::VERY),
    ("no", Role::NO), ("or", Role::OR), ("nor", Role::NOR), ("but", Role::BUT),
    ("kind", Role::KIND), ("sort", Role::SORT), ("of", Role::OF), ("just", Role::JUST),
    ("enough", Role::ENOUGH), ("the", Role::THE), ("shit", Role::SHIT), ("bomb", Role::BOMB),
    ("bad", Role::BAD), ("ass", Role::ASS), ("bus", Role::BUS), ("stop", Role::STOP),
    ("yeah", Role::YEAH), ("right", Role::RIGHT), ("kiss", Role::KISS), ("death", Role::DEATH),
    ("to", Role::TO), ("die", Role::DIE), ("for", Role::FOR), ("beating", Role::BEATING),
    ("heart", Role::HEART),
];

/// A token of a text in two bytes: the number of its word, whether it contains "n't", and whether it is in
/// upper case.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Token(u16);

impl Token {
    const WORD: u16 = 0x1fff;
    const CONTRACTED: u16 = 0x2000;
    const UPPER: u16 = 0x8000;

    /// A token that is not in the lexicon. It is also the placeholder for tokens after the end of a text.
    pub(super) const UNKNOWN: Token = Token(0);
    /// The placeholder for tokens before the start of a text. The rules ignore neighbours that have their own
    /// valence, so this placeholder counts as such a neighbour.
    pub(super) const BEFORE: Token = Token(Token::WORD);

    /// A token with this word; `upper` if the token is in upper case.
    #[inline]
    pub(super) fn new(word: u16, upper: bool) -> Token {
        Token(word | u16::from(upper) << 15)
    }

    /// Marks the token as containing "n't".
    pub(super) fn contract(&mut self) {
        self.0 |= Token::CONTRACTED;
    }

    #[inline]
    pub(super) fn is_upper(self) -> bool {
        self.0 & Token::UPPER != 0
    }

    #[inline]
    fn word(self) -> u16 {
        self.0 & Token::WORD
    }
}

/// A word's mean valence and roles.
#[derive(Clone, Copy)]
struct LexiconEntry {
    mean: f64,
    roles: Role,
}

impl LexiconEntry {
    const NONE: LexiconEntry = LexiconEntry {
        mean: 0.0,
        roles: Role::NONE,
    };
}

/// All words with their roles and mean valences.
pub(super) struct Lexicon {
    words: PerfectHash,
    /// The entries, indexed by the number of the word. Words without a valence, except "but", come first.
    entries: Box<[LexiconEntry; Token::WORD as usize + 1]>,
    /// The smallest number of a word that has a valence or is "but".
    first_significant: u16,
}

impl Lexicon {
    /// The lexicon of all scorers, built on first use.
    pub(super) fn shared() -> &'static Lexicon {
        static SHARED: LazyLock<Lexicon> = LazyLock::new(Lexicon::build);
        &SHARED
    }

    fn build() -> Lexicon {
        // If a word has several lines, the last one counts, as in the reference.
        let mut words: BTreeMap<&'static str, LexiconEntry> = MEANS
            .lines()
            .filter_map(|line| line.split_once('\t'))
            .filter_map(|(word, mean)| Some((word, mean.parse().ok()?)))
            .map(|(word, mean)| {
                (
                    word,
                    LexiconEntry {
                        mean,
                        roles: Role::LEXICON,
                    },
                )
            })
            .collect();
        let mut add = |word, roles| {
            let entry = words.entry(word).or_insert(LexiconEntry::NONE);
            entry.roles = entry.roles.and(roles);
        };
        NAMED.iter().for_each(|&(word, role)| add(word, role));
        for (words, role) in [
            (NEGATIONS, Role::NEGATES),
            (BOOSTERS, Role::BOOSTS),
            (DAMPENERS, Role::DAMPENS),
        ] {
            words.split_whitespace().for_each(|word| add(word, role));
        }

        let mut entries = Box::new([LexiconEntry::NONE; Token::WORD as usize + 1]);
        entries[usize::from(Token::BEFORE.word())].roles = Role::LEXICON;
        let (significant, others): (Vec<_>, Vec<_>) = words
            .into_iter()
            .partition(|(_, entry)| entry.roles.has(Role::LEXICON.and(Role::BUT)));
        let first_significant = others.len() as u16 + 1;
        let mut numbers = Vec::with_capacity(others.len() + significant.len());
        for (number, (word, entry)) in (1..Token::WORD).zip(others.into_iter().chain(significant)) {
            entries[usize::from(number)] = entry;
            numbers.push((word, number));
        }
        Lexicon {
            words: PerfectHash::new(&numbers),
            entries,
            first_significant,
        }
    }

    /// The numbers of the words, by lowercase spelling.
    #[inline]
    pub(super) fn words(&self) -> &PerfectHash {
        &self.words
    }

    /// Whether the rules apply to the token: it has a valence, or it is "but".
    #[inline]
    pub(super) fn is_significant(&self, token: Token) -> bool {
        token.word() >= self.first_significant
    }

    #[inline]
    pub(super) fn mean(&self, token: Token) -> f64 {
        self.entries[usize::from(token.word())].mean
    }

    #[inline]
    pub(super) fn roles(&self, token: Token) -> Role {
        let roles = self.entries[usize::from(token.word())].roles;
        if token.0 & Token::CONTRACTED != 0 {
            roles.and(Role::NEGATES)
        } else {
            roles
        }
    }
}
