//! The task collection: records, addressable as parts.
