//! Frequent keys as plain data.

use std::collections::HashMap;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::counters::Counters;
use super::{Frequent, TrackedKey};
use crate::aggregation::hashing::hash_of;
use crate::aggregation::state::counted;
use crate::aggregation::{Kind, State, StateError};

/// [`Frequent`] as plain data.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub enum PlainFrequent<K> {
    /// The lowest number, the key and the count of each key, ordered by number.
    Exact(Vec<(u64, K, u64)>),
    /// There were too many keys to count each of them exactly.
    Estimated {
        /// Number of records.
        records: u64,
        /// The keys with the lowest numbers, ordered by number.
        keys: Vec<(u64, K)>,
        /// The counters of the sketch, line by line.
        cells: Vec<u64>,
    },
}

impl<K: Clone + Serialize + DeserializeOwned> Frequent<K> {
    /// Inserts these keys, each with its number and count.
    fn hold(&mut self, keys: impl IntoIterator<Item = (u64, K, u64)>) -> Result<(), StateError> {
        let mut before = None;
        for (number, key, count) in keys {
            let hash = hash_of(&key);
            let place = Some((number, hash));
            if place <= before {
                return Err(StateError::Impossible("the keys are out of order"));
            }
            before = place;
            let seen = TrackedKey { key, number, count };
            if self.keys.insert(hash, seen).is_some() {
                return Err(StateError::Impossible("a key occurs twice"));
            }
        }
        Ok(())
    }
}

impl<K: Clone + Send + Serialize + DeserializeOwned> State for Frequent<K> {
    type Plain = PlainFrequent<K>;

    fn kind(&self) -> Kind {
        Kind::new("frequent", 1).with(&self.share)
    }

    fn into_plain(mut self) -> PlainFrequent<K> {
        if self.counters.is_some() {
            self.narrow();
        }
        let mut keys: Vec<(u64, TrackedKey<K>)> = self.keys.into_iter().collect();
        keys.sort_unstable_by_key(|(hash, seen)| (seen.number, *hash));
        let keys = keys.into_iter().map(|(_, seen)| seen);
        match self.counters {
            None => PlainFrequent::Exact(
                keys.map(|seen| (seen.number, seen.key, seen.count))
                    .collect(),
            ),
            Some(counters) => PlainFrequent::Estimated {
                records: self.records,
                keys: keys.map(|seen| (seen.number, seen.key)).collect(),
                cells: counters.into_cells(),
            },
        }
    }

    fn restore(&self, plain: PlainFrequent<K>) -> Result<Self, StateError> {
        let mut state = Frequent {
            records: 0,
            keys: HashMap::default(),
            counters: None,
            threshold: u64::MAX,
            ..*self
        };
        match plain {
            PlainFrequent::Exact(keys) => {
                if keys.len() > state.most {
                    return Err(StateError::Impossible("more keys than are counted exactly"));
                }
                state.records = counted(keys.iter().map(|&(_, _, count)| count))?;
                if keys.iter().any(|&(_, _, count)| count == 0) {
                    return Err(StateError::Impossible("a key with a count of 0"));
                }
                state.hold(keys)?;
            }
            PlainFrequent::Estimated {
                records,
                keys,
                cells,
            } => {
                counted([records])?;
                if keys.len() != state.most || records <= state.most as u64 {
                    return Err(StateError::Impossible("too few keys or records"));
                }
                let counters = Counters::of(state.width(), cells, records);
                let counters = counters.ok_or(StateError::Impossible(
                    "counters that do not add up to the number of records",
                ))?;
                state.records = records;
                state.threshold = keys.last().map_or(u64::MAX, |&(number, _)| number);
                state.hold(keys.into_iter().map(|(number, key)| (number, key, 0)))?;
                if state.keys.keys().any(|&hash| counters.at_most(hash) == 0) {
                    return Err(StateError::Impossible("a key with a count of 0"));
                }
                state.counters = Some(counters);
            }
        }
        Ok(state)
    }
}
