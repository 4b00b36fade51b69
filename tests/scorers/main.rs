//! These tests compare the built-in scorers with independent references.

mod matching;
mod sentiment;
