//! The version of a plan that is written down.

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The current version. It increases whenever a change would give an existing written plan another meaning.
const CURRENT: u32 = 1;

/// The version of the form in which a plan is written down. Only plans of the current version are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct PlanVersion;

impl Serialize for PlanVersion {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_u32(CURRENT)
    }
}

impl<'de> Deserialize<'de> for PlanVersion {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        match u32::deserialize(from)? {
            CURRENT => Ok(PlanVersion),
            other => Err(D::Error::custom(format!(
                "the plan has version {other}, and this program reads version {CURRENT}; write it \
                 again with the same version of the program"
            ))),
        }
    }
}
