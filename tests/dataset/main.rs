//! Datasets: files and streams of JSON lines, and synthetic reviews.

mod datasets;
mod streams;
mod synthetic;
mod synthetic_rules;
