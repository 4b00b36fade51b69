//! The group of a record, in a form that is cheap to look up.

use std::cell::RefCell;
use std::collections::HashSet;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// Largest number of bytes of a key that is kept without an allocation.
const INLINE: usize = 30;
/// Largest number of long keys that a thread remembers.
const REMEMBERED: usize = 4096;

/// The byte before a text. A missing value is the byte 0 alone.
const TEXT: u8 = 1;
/// The byte after a text. No UTF-8 contains it.
const END: u8 = 0xff;

/// The text that a report shows for a missing value.
const NO_VALUE: &str = "(no value)";

/// The name of a group: a text for each field by which records are grouped, or `None` for the records that have no
/// value in that field. `None` is different from every text, even from the empty text.
pub type GroupName = Vec<Option<String>>;

/// The group of a record as bytes: for each field, a byte that says whether there is a text, and the text with its
/// end.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(into = "Vec<u8>", from = "Vec<u8>")]
pub(super) struct GroupKey(KeyBytes);

#[derive(Clone, Debug)]
enum KeyBytes {
    /// The bytes, and how many of them are in use.
    Inline([u8; INLINE], u8),
    /// A long key. The records of this group that the thread has seen lately share it.
    Shared(Arc<[u8]>),
}

impl PartialEq for KeyBytes {
    fn eq(&self, other: &Self) -> bool {
        self.bytes() == other.bytes()
    }
}

impl KeyBytes {
    fn bytes(&self) -> &[u8] {
        match self {
            KeyBytes::Inline(bytes, used) => &bytes[..usize::from(*used)],
            KeyBytes::Shared(bytes) => bytes,
        }
    }
}

thread_local! {
    static KNOWN: RefCell<KnownKeys> = RefCell::default();
}

/// The memory in which a thread builds keys, and the long keys that it has built, so that a record of a known group
/// allocates nothing.
#[derive(Default)]
struct KnownKeys {
    building: Vec<u8>,
    long: HashSet<Arc<[u8]>, foldhash::fast::RandomState>,
}

impl KnownKeys {
    fn shared(&mut self) -> Arc<[u8]> {
        if let Some(known) = self.long.get(&*self.building) {
            return Arc::clone(known);
        }
        if self.long.len() >= REMEMBERED {
            self.long.clear();
        }
        let key: Arc<[u8]> = Arc::from(&*self.building);
        self.long.insert(Arc::clone(&key));
        key
    }
}

impl GroupKey {
    /// Builds a key. `build` adds the value of each field with [`KeyBuilder::add`].
    pub(super) fn build<E>(
        build: impl FnOnce(&mut KeyBuilder<'_>) -> Result<(), E>,
    ) -> Result<Self, E> {
        KNOWN.with_borrow_mut(|known| {
            known.building.clear();
            build(&mut KeyBuilder(&mut known.building))?;
            let length = known.building.len();
            let mut bytes = [0; INLINE];
            Ok(GroupKey(match bytes.get_mut(..length) {
                Some(inline) => {
                    inline.copy_from_slice(&known.building);
                    KeyBytes::Inline(bytes, length as u8)
                }
                None => KeyBytes::Shared(known.shared()),
            }))
        })
    }

    /// The bytes of the key. Keys are equal exactly if their bytes are.
    pub(super) fn bytes(&self) -> &[u8] {
        self.0.bytes()
    }
}

/// Adds the values of the fields to a key.
pub(super) struct KeyBuilder<'k>(&'k mut Vec<u8>);

impl KeyBuilder<'_> {
    /// Adds the value of the next field.
    pub(super) fn add(&mut self, value: Option<&str>) {
        match value {
            None => self.0.push(0),
            Some(text) => {
                self.0.push(TEXT);
                self.0.extend_from_slice(text.as_bytes());
                self.0.push(END);
            }
        }
    }
}

impl From<GroupKey> for Vec<u8> {
    fn from(key: GroupKey) -> Self {
        key.bytes().to_vec()
    }
}

impl From<Vec<u8>> for GroupKey {
    fn from(bytes: Vec<u8>) -> Self {
        let built = GroupKey::build(|key| {
            *key.0 = bytes;
            Ok::<(), std::convert::Infallible>(())
        });
        match built {
            Ok(key) => key,
            Err(never) => match never {},
        }
    }
}

/// The name of the group that has this key.
pub(super) fn name_of(mut key: &[u8]) -> GroupName {
    let mut name = Vec::new();
    while let Some((first, rest)) = key.split_first() {
        if *first != TEXT {
            name.push(None);
            key = rest;
            continue;
        }
        let end = rest
            .iter()
            .position(|byte| *byte == END)
            .unwrap_or(rest.len());
        name.push(Some(String::from_utf8_lossy(&rest[..end]).into_owned()));
        key = rest.get(end + 1..).unwrap_or_default();
    }
    name
}

/// The name of a group as reports show it. A missing value is shown as `(no value)`. A text that looks like this, or
/// like a quoted text, is in quotes, so no text looks like a missing value. The names of several fields are separated
/// by commas, and a text with a comma is in quotes.
///
/// ```
/// use manyhands::plan::shown_group;
///
/// assert_eq!(shown_group(&[Some("books".to_owned())]), "books");
/// assert_eq!(shown_group(&[Some("books ".to_owned())]), "\"books \"");
/// assert_eq!(shown_group(&[None]), "(no value)");
/// assert_eq!(shown_group(&[Some("(no value)".to_owned()), None]), r#""(no value)", (no value)"#);
/// ```
pub fn shown_group(name: &[Option<String>]) -> String {
    let several = name.len() > 1;
    let shown = |value: &Option<String>| match value {
        None => NO_VALUE.to_owned(),
        Some(text)
            if text.starts_with('"')
                || text.trim() == NO_VALUE
                || !text.is_empty() && text.trim() != text =>
        {
            format!("{text:?}")
        }
        Some(text) if several && (text.contains(',') || text.trim().is_empty()) => {
            format!("{text:?}")
        }
        Some(text) => text.clone(),
    };
    let shown: Vec<String> = name.iter().map(shown).collect();
    shown.join(", ")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn key(values: &[Option<String>]) -> GroupKey {
        let built = GroupKey::build(|key| {
            values.iter().for_each(|value| key.add(value.as_deref()));
            Ok::<(), ()>(())
        });
        built.expect("a key")
    }

    fn values() -> impl Strategy<Value = GroupName> {
        let text = prop_oneof![
            "",
            "[ab]",
            "(none)|null|\0|é",
            "[a-b]{20,60}",
            any::<String>()
        ];
        proptest::collection::vec(proptest::option::of(text), 2..3)
    }

    proptest! {
        #[test]
        fn keys_are_equal_exactly_if_names_are(one in values(), other in values()) {
            prop_assert_eq!(key(&one) == key(&other), one == other);
            prop_assert_eq!(name_of(key(&one).bytes()), one.clone());
            let bytes = postcard::to_stdvec(&key(&one)).expect("bytes");
            prop_assert_eq!(postcard::from_bytes::<GroupKey>(&bytes).expect("a key"), key(&one));
        }
    }

    #[test]
    fn a_long_key_that_is_known_is_shared() {
        let name = [Some("long ".repeat(20))];
        let (KeyBytes::Shared(one), KeyBytes::Shared(other)) = (key(&name).0, key(&name).0) else {
            panic!("a long key is inline");
        };
        assert!(Arc::ptr_eq(&one, &other));
        for number in 0..2 * REMEMBERED {
            key(&[Some(format!("{number:050}"))]);
        }
        KNOWN.with_borrow(|known| assert!(known.long.len() <= REMEMBERED));
    }
}
