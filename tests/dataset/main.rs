//! These tests cover datasets: files and streams of text in every format, and synthetic reviews.

mod datasets;
mod documents;
mod fields;
mod formats;
mod samples;
mod streams;
mod synthetic;
mod synthetic_rules;
