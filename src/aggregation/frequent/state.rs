//! Frequent keys as plain data.

use std::collections::HashMap;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::counters::Counters;
use super::{Frequent, TrackedKey, stays};
use crate::aggregation::hashing::hash_of;
use crate::aggregation::state::counted;
use crate::aggregation::{Kind, State, StateError};

/// [`Frequent`] as plain data.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub enum PlainFrequent<K> {
    /// Each key with its count, ordered by the hash of the key.
    Exact(Vec<(K, u64)>),
    /// There were too many keys to count each of them exactly.
    Estimated {
        /// Number of records.
        records: u64,
        /// The keys that may be frequent, ordered by their hash.
        keys: Vec<K>,
        /// The counters of the sketch, line by line.
        cells: Vec<u64>,
    },
}

impl<K: Clone + Serialize + DeserializeOwned> Frequent<K> {
    /// Inserts these keys, each with its count.
    fn insert_all(&mut self, keys: impl IntoIterator<Item = (K, u64)>) -> Result<(), StateError> {
        let mut before = None;
        for (key, count) in keys {
            let hash = hash_of(&key);
            if before.is_some_and(|before| before >= hash) {
                return Err(StateError::Impossible(
                    "the keys are out of order, or a key occurs twice",
                ));
            }
            before = Some(hash);
            self.keys.insert(hash, TrackedKey { key, count });
        }
        Ok(())
    }
}

impl<K: Clone + Send + Serialize + DeserializeOwned> State for Frequent<K> {
    type Plain = PlainFrequent<K>;

    fn kind(&self) -> Kind {
        Kind::new("frequent", 2).with(&self.share)
    }

    fn into_plain(self) -> PlainFrequent<K> {
        let mut keys: Vec<(u64, TrackedKey<K>)> = self.keys.into_iter().collect();
        if let Some(counters) = &self.counters {
            keys.retain(|&(hash, _)| stays(self.least, counters, hash, self.records));
        }
        keys.sort_unstable_by_key(|&(hash, _)| hash);
        let keys = keys.into_iter().map(|(_, known)| known);
        match self.counters {
            None => PlainFrequent::Exact(keys.map(|known| (known.key, known.count)).collect()),
            Some(counters) => PlainFrequent::Estimated {
                records: self.records,
                keys: keys.map(|known| known.key).collect(),
                cells: counters.into_cells(),
            },
        }
    }

    fn restore(&self, plain: PlainFrequent<K>) -> Result<Self, StateError> {
        let mut state = Frequent {
            records: 0,
            keys: HashMap::default(),
            counters: None,
            room: self.most,
            ..*self
        };
        match plain {
            PlainFrequent::Exact(keys) => {
                if keys.len() > state.most {
                    return Err(StateError::Impossible("more keys than are counted exactly"));
                }
                state.records = counted(keys.iter().map(|&(_, count)| count))?;
                if keys.iter().any(|&(_, count)| count == 0) {
                    return Err(StateError::Impossible("a key with a count of 0"));
                }
                state.insert_all(keys)?;
            }
            PlainFrequent::Estimated {
                records,
                keys,
                cells,
            } => {
                counted([records])?;
                if records <= state.most as u64 {
                    return Err(StateError::Impossible("too few records"));
                }
                let counters = Counters::of(state.width(), cells, records);
                let counters = counters.ok_or(StateError::Impossible(
                    "counters that do not add up to the number of records",
                ))?;
                state.insert_all(keys.into_iter().map(|key| (key, 0)))?;
                let stays = |&hash: &u64| stays(state.least, &counters, hash, records);
                if !state.keys.keys().all(stays) {
                    return Err(StateError::Impossible("a key with too low a count"));
                }
                state.records = records;
                state.room = state.most.max(2 * state.keys.len());
                state.counters = Some(counters);
            }
        }
        Ok(state)
    }
}
