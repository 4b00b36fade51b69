//! The built-in scorers against independent references.

mod matching;
mod sentiment;
