//! What each shard has contributed to a merged answer, as JSON.

use serde::Serialize;

use crate::dataset::Shard;
use crate::plan::MergedShard;

#[derive(Serialize)]
pub(super) struct ShardJson {
    shard: Shard,
    records: u64,
    wall: f64,
    cpu: Option<f64>,
}

impl ShardJson {
    pub(super) fn of(one: &MergedShard) -> Self {
        ShardJson {
            shard: one.shard,
            records: one.records,
            wall: one.wall.as_secs_f64(),
            cpu: one.cpu.map(|cpu| cpu.as_secs_f64()),
        }
    }
}
