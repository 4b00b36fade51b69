//! Groups with so little room that a few keys fill it.
