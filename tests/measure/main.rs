//! Comparisons of executors and their statistics.

mod baseline;
mod comparison;
mod statistics;
