//! The aggregators against the laws, and against arithmetic that cannot round.

#[path = "aggregators/exact.rs"]
mod exact;
#[path = "aggregators/laws.rs"]
mod laws;
#[path = "aggregators/order.rs"]
mod order;
#[path = "aggregators/scores.rs"]
mod scores;
