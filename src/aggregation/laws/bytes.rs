//! The laws of a [`State`]: it can be loaded from the bytes that it saves, and from no others.

use std::any::Any;
use std::fmt::{Debug, Display};
use std::panic::{AssertUnwindSafe, catch_unwind};

use serde::Serialize;

use super::shape::{Merge, SplitMix64, Travel};
use super::{Laws, STRICT, WHOLE};
use crate::aggregation::state::forged;
use crate::aggregation::{Aggregator, State};

/// Number of damaged states that are tried for each kind of damage.
const DAMAGES: usize = 64;

impl<S, A> Laws<'_, S, A>
where
    A: Aggregator<S> + State,
    A::Output: Serialize + Debug,
{
    /// Checks that a state that is saved and loaded again gives the same result.
    pub(super) fn whole(&self) {
        let (half, all) = (self.scores.len() / 2, self.scores.len());
        for (loader, what) in [
            (self.fresh.clone(), "loaded by a fresh state"),
            (
                self.observed(0..all),
                "loaded by one that has seen all records",
            ),
        ] {
            let loaded = self.loaded(&loader, &self.expected_state, &what);
            self.compare(loaded, WHOLE, &what);
        }
        let saved = self.observed(0..half).save();
        let what = "saved after half of the records, loaded, and continued";
        let mut state = self.loaded(&self.fresh, &saved, &what);
        for record in half..all {
            state.observe(record as u64, &self.scores[record]);
        }
        self.compare(state, WHOLE, &what);
    }

    /// Checks that bytes that do not belong to a state of this kind are refused.
    pub(super) fn strict(&self) {
        let bytes = &self.expected_state;
        let mut random = SplitMix64(bytes.len() as u64);
        for length in self.places(&mut random) {
            let what = format_args!("the first {length} of {} bytes", bytes.len());
            self.refuse(&bytes[..length], &what);
        }
        for place in self.places(&mut random) {
            let mut damaged = bytes.clone();
            damaged[place] ^= 1 << random.below(8);
            self.refuse(&damaged, &format_args!("bytes of which {place} is damaged"));
        }
        for extra in 1..=8 {
            let longer = [bytes.as_slice(), &vec![0; extra]].concat();
            self.refuse(&longer, &format_args!("{extra} bytes too many"));
        }
        let (fresh, state) = (self.fresh.clone(), self.observed(0..self.scores.len()));
        self.refuse(
            &(state,).save(),
            &"the state of a tuple that holds one like it",
        );
        assert!(
            (fresh,).load(bytes).is_err(),
            "the aggregator is not {STRICT}: a tuple that holds it loaded its state"
        );
    }

    /// Checks that plain data that was changed and given a valid checksum, as another process could
    /// do, is refused, or loads as a state that works like any other.
    pub(super) fn robust(&self) {
        let mut random = SplitMix64(!(self.expected_state.len() as u64));
        for _ in 0..DAMAGES {
            let (damage, bit) = (random.below(4), random.below(8));
            let at = random.below(usize::MAX);
            let forged = forged(&self.expected_state, |plain| match plain.len() {
                0 => plain.push(1 << bit),
                length if damage == 0 => plain.truncate(at % length),
                length if damage == 1 => plain.insert(at % length, 0xff << bit),
                length => plain[at % length] ^= 1 << bit,
            });
            // An aggregator that overrides `save` may use another layout.
            let Some(bytes) = forged else { return };
            let works = || {
                self.fresh
                    .load(&bytes)
                    .ok()
                    .map(|state| self.use_state(state))
            };
            match catch_unwind(AssertUnwindSafe(works)) {
                Ok(None) => {}
                Ok(Some(saved)) => {
                    assert_canonical(&saved, &bytes);
                    self.loaded(&self.fresh, &saved, &"changed plain data that was loaded");
                }
                Err(panic) => panic!(
                    "the aggregator is not {STRICT}: it panicked on changed plain data: {}",
                    message_of(&*panic)
                ),
            }
        }
    }

    /// Checks that bytes in which an integer takes one byte more than necessary are refused,
    /// because they are another encoding of the same state.
    pub(super) fn canonical(&self) {
        let mut random = SplitMix64(self.expected_state.len() as u64);
        for at in self.places(&mut random) {
            let forged = forged(&self.expected_state, |plain| {
                if let Some(byte) = plain.get_mut(at).filter(|byte| **byte < 0x80) {
                    *byte |= 0x80;
                    plain.insert(at + 1, 0);
                }
            });
            let Some(bytes) = forged else { return };
            if let Ok(state) = self.fresh.load(&bytes) {
                assert_canonical(&state.save(), &bytes);
            }
        }
    }

    /// Uses a clone of a state in every way, and then returns the bytes that the original saves.
    fn use_state(&self, state: A) -> Vec<u8> {
        let half = self.scores.len() / 2;
        let mut later = state.clone();
        self.observe(&mut later, half..self.scores.len());
        let mut earlier = self.observed(0..half);
        earlier.merge(later);
        earlier.finish();
        state.save()
    }

    /// Merges one state into the other, after the states were saved and loaded as `merge`
    /// specifies.
    pub(super) fn merge_travelled(&self, earlier: &mut A, mut later: A, merge: &Merge) {
        let what = format_args!("{merge:?}");
        let reload = |loader: &A, state: A| self.loaded(loader, &state.save(), &what);
        match merge.travel {
            Travel::Stays => {}
            Travel::LoadedByFresh => later = reload(&self.fresh, later),
            Travel::LoadedByOther => later = reload(earlier, later),
            Travel::BothLoaded => {
                *earlier = reload(&self.fresh, earlier.clone());
                later = reload(earlier, later);
            }
        }
        earlier.merge(later);
    }

    /// Loads saved bytes. Loading must succeed, and saving the loaded state must give the same
    /// bytes.
    pub(super) fn loaded(&self, loader: &A, bytes: &[u8], what: &dyn Display) -> A {
        let loaded = match loader.load(bytes) {
            Ok(loaded) => loaded,
            Err(error) => panic!("the aggregator is not {WHOLE}: {what}: {error}"),
        };
        assert!(
            loaded.clone().save() == bytes,
            "what the aggregator saves is not {WHOLE}: {what}, and then saved again"
        );
        loaded
    }

    fn refuse(&self, bytes: &[u8], what: &dyn Display) {
        assert!(
            self.fresh.load(bytes).is_err(),
            "the aggregator is not {STRICT}: it loaded {what}"
        );
    }

    /// Returns every position in the bytes, or some positions if there are many.
    fn places(&self, random: &mut SplitMix64) -> Vec<usize> {
        let bytes = self.expected_state.len();
        if bytes <= DAMAGES {
            (0..bytes).collect()
        } else {
            (0..DAMAGES).map(|_| random.below(bytes)).collect()
        }
    }
}

fn assert_canonical(saved: &[u8], loaded: &[u8]) {
    assert!(
        saved == loaded,
        "the aggregator is not {STRICT}: it loaded a state from other bytes than it saves"
    );
}

/// Returns the message of a panic.
fn message_of(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("no message")
}
