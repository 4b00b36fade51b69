//! Files that store their records by column: Parquet and Arrow IPC. A record becomes one line of JSON.

#[cfg(feature = "parquet")]
mod arrow_file;
#[cfg(feature = "parquet")]
mod block;
#[cfg(feature = "parquet")]
mod broken;
#[cfg(feature = "parquet")]
mod file;
#[cfg(feature = "parquet")]
mod files;
#[cfg(feature = "parquet")]
mod group;
mod kind;
#[cfg(feature = "parquet")]
mod nested;
#[cfg(feature = "parquet")]
mod parquet_file;
#[cfg(feature = "parquet")]
mod projection;
#[cfg(feature = "parquet")]
mod reader;
#[cfg(feature = "parquet")]
mod scalars;
#[cfg(any(feature = "parquet", all(test, shuttle)))]
mod shared_blocks;
#[cfg(feature = "parquet")]
mod stored;
#[cfg(feature = "parquet")]
mod values;
#[cfg(feature = "parquet")]
mod writer;

#[cfg(feature = "parquet")]
pub use files::ColumnarFiles;
pub(in crate::dataset) use kind::ColumnarInput;
#[cfg(feature = "parquet")]
pub(super) use reader::ColumnarReader;
