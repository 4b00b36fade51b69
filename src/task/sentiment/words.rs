//! What the scorer knows about a word: its roles in the rules, and its mean valence.
//!
//! The build script compiles this file too, since it makes the tables.

/// A set of roles, one bit each.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Role(pub(super) u64);

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

/// A word's mean valence and roles.
#[derive(Clone, Copy)]
pub(super) struct LexiconEntry {
    pub(super) mean: f64,
    pub(super) roles: Role,
}

impl LexiconEntry {
    pub(super) const NONE: LexiconEntry = LexiconEntry {
        mean: 0.0,
        roles: Role::NONE,
    };
}

/// Number of bits of a word's number.
pub(super) const NUMBER_BITS: u32 = 13;

/// Number of entries: one for each number of a word.
pub(super) const ENTRIES: usize = 1 << NUMBER_BITS;

/// The number of the placeholder for tokens before the start of a text.
pub(super) const BEFORE: u16 = ENTRIES as u16 - 1;
