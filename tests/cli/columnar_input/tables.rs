//! Tables of every type, each with its records as JSON.

use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use arrow_array::builder::{
    BinaryBuilder, Decimal128Builder, FixedSizeListBuilder, Int64Builder, ListBuilder, MapBuilder,
    StringBuilder, StringDictionaryBuilder, StringViewBuilder,
};
use arrow_array::types::Int32Type;
use arrow_array::{
    Array, ArrayRef, BooleanArray, Date32Array, DurationMillisecondArray, FixedSizeBinaryArray,
    Float32Array, Float64Array, Int8Array, Int64Array, LargeStringArray, NullArray, RecordBatch,
    StringArray, StructArray, Time64MicrosecondArray, TimestampMicrosecondArray,
    TimestampSecondArray, UInt64Array,
};
use arrow_schema::{DataType, Field, Fields, Schema};
use parquet::arrow::ArrowWriter;
use parquet::file::properties::WriterProperties;
use serde_json::{Value, json};

/// Returns the JSON values of a column, if each is made from a number by this function.
type JsonOf<'a> = dyn Fn(&dyn Fn(i64) -> Value) -> Vec<Value> + 'a;

/// The number of kinds of columns.
pub(super) const KINDS: usize = 22;

/// Builds a column of this kind from numbers, and returns its values as JSON too.
pub(super) fn column(kind: usize, seeds: &[Option<i64>]) -> (ArrayRef, Vec<Value>) {
    let values = |value: &dyn Fn(i64) -> Value| -> Vec<Value> {
        seeds
            .iter()
            .map(|seed| seed.map_or(Value::Null, value))
            .collect()
    };
    let texts: Vec<Option<String>> = seeds.iter().map(|seed| seed.map(text_of)).collect();
    let as_text = values(&|seed| text_of(seed).into());
    let map = |value: fn(i64) -> i64| seeds.iter().map(move |seed| seed.map(value));
    match kind {
        0 => (
            Arc::new(Int64Array::from(seeds.to_vec())),
            values(&|seed| seed.into()),
        ),
        1 => {
            let array: UInt64Array = seeds
                .iter()
                .map(|seed| seed.map(|seed| seed as u64))
                .collect();
            (Arc::new(array), values(&|seed| (seed as u64).into()))
        }
        2 => {
            let array: Int8Array = seeds
                .iter()
                .map(|seed| seed.map(|seed| seed as i8))
                .collect();
            (Arc::new(array), values(&|seed| (seed as i8).into()))
        }
        3 => {
            let array: Float64Array = seeds
                .iter()
                .map(|seed| seed.map(|seed| seed as f64 / 7.0))
                .collect();
            (Arc::new(array), values(&|seed| (seed as f64 / 7.0).into()))
        }
        4 => {
            let array: Float32Array = seeds
                .iter()
                .map(|seed| seed.map(|seed| seed as f32 / 7.0))
                .collect();
            (
                Arc::new(array),
                values(&|seed| f64::from(seed as f32 / 7.0).into()),
            )
        }
        5 => {
            let array: BooleanArray = seeds
                .iter()
                .map(|seed| seed.map(|seed| seed % 2 == 0))
                .collect();
            (Arc::new(array), values(&|seed| (seed % 2 == 0).into()))
        }
        6 => (
            Arc::new(texts.into_iter().collect::<StringArray>()),
            as_text,
        ),
        7 => (
            Arc::new(texts.into_iter().collect::<LargeStringArray>()),
            as_text,
        ),
        8 => {
            let mut builder = StringViewBuilder::new();
            texts
                .iter()
                .for_each(|text| builder.append_option(text.as_ref()));
            (Arc::new(builder.finish()), as_text)
        }
        9 => {
            let mut builder = StringDictionaryBuilder::<Int32Type>::new();
            texts
                .iter()
                .for_each(|text| builder.append_option(text.as_ref()));
            (Arc::new(builder.finish()), as_text)
        }
        10 => {
            let mut builder = Decimal128Builder::new()
                .with_precision_and_scale(38, 3)
                .expect("valid");
            map(|seed| seed).for_each(|seed| builder.append_option(seed.map(i128::from)));
            (
                Arc::new(builder.finish()),
                values(&|seed| decimal_of(seed).parse::<f64>().expect("a number").into()),
            )
        }
        11 => {
            // One hour after the epoch, one second later for each unit.
            let array: TimestampMicrosecondArray =
                map(|seed| (3600 + seed.rem_euclid(60)) * 1_000_000).collect();
            (
                Arc::new(array),
                values(&|seed| format!("1970-01-01T01:00:{:02}", seed.rem_euclid(60)).into()),
            )
        }
        12 => {
            let array: TimestampSecondArray = map(|seed| 3600 + seed.rem_euclid(60)).collect();
            let array = array.with_timezone("Europe/Berlin");
            (
                Arc::new(array),
                values(&|seed| format!("1970-01-01T01:00:{:02}Z", seed.rem_euclid(60)).into()),
            )
        }
        13 => {
            let array: Date32Array = seeds
                .iter()
                .map(|seed| seed.map(|seed| seed.rem_euclid(31) as i32))
                .collect();
            (
                Arc::new(array),
                values(&|seed| format!("1970-01-{:02}", seed.rem_euclid(31) + 1).into()),
            )
        }
        14 => {
            let array: Time64MicrosecondArray =
                map(|seed| seed.rem_euclid(60) * 1_000_000).collect();
            (
                Arc::new(array),
                values(&|seed| format!("00:00:{:02}", seed.rem_euclid(60)).into()),
            )
        }
        15 => {
            let array: DurationMillisecondArray =
                map(|seed| seed.rem_euclid(60) * 1000 + 1500).collect();
            (
                Arc::new(array),
                values(&|seed| format!("PT{}.5S", seed.rem_euclid(60) + 1).into()),
            )
        }
        16 => {
            let mut builder = BinaryBuilder::new();
            for seed in seeds {
                builder.append_option(seed.map(|seed| bytes_of(seed).0));
            }
            (Arc::new(builder.finish()), values(&|seed| bytes_of(seed).1))
        }
        17 => (
            Arc::new(NullArray::new(seeds.len())),
            vec![Value::Null; seeds.len()],
        ),
        _ => nested_column(kind, seeds, &values),
    }
}

fn nested_column(
    kind: usize,
    seeds: &[Option<i64>],
    values: &JsonOf<'_>,
) -> (ArrayRef, Vec<Value>) {
    let elements = |seed: i64| {
        (0..seed.rem_euclid(3))
            .map(|n| (n != 1).then_some(seed ^ n))
            .collect::<Vec<_>>()
    };
    match kind {
        18 => {
            let mut builder = ListBuilder::new(Int64Builder::new());
            seeds
                .iter()
                .for_each(|seed| builder.append_option(seed.map(elements)));
            (
                Arc::new(builder.finish()),
                values(&|seed| json!(elements(seed))),
            )
        }
        19 => {
            let mut builder = FixedSizeListBuilder::new(StringBuilder::new(), 2);
            for seed in seeds {
                for n in 0..2 {
                    builder
                        .values()
                        .append_option(seed.map(|seed| text_of(seed ^ n)));
                }
                builder.append(seed.is_some());
            }
            (
                Arc::new(builder.finish()),
                values(&|seed| json!([text_of(seed), text_of(seed ^ 1)])),
            )
        }
        20 => {
            let mut builder = MapBuilder::new(None, StringBuilder::new(), Int64Builder::new());
            for seed in seeds {
                for (n, value) in seed
                    .map(elements)
                    .unwrap_or_default()
                    .into_iter()
                    .enumerate()
                {
                    builder.keys().append_value(format!("k\"{n}"));
                    builder.values().append_option(value);
                }
                builder
                    .append(seed.is_some())
                    .expect("as many keys as values");
            }
            let object = |seed| {
                let members = elements(seed).into_iter().enumerate();
                members
                    .map(|(n, value)| (format!("k\"{n}"), json!(value)))
                    .collect::<serde_json::Map<_, _>>()
            };
            (
                Arc::new(builder.finish()),
                values(&|seed| object(seed).into()),
            )
        }
        21 => {
            let (numbers, number_values) = column(0, seeds);
            let (lists, list_values) = column(18, seeds);
            let fields = Fields::from(vec![
                Field::new("a", DataType::Int64, true),
                Field::new("b.c", lists.data_type().clone(), true),
            ]);
            let nulls = seeds.iter().map(Option::is_some).collect::<Vec<_>>().into();
            let array = StructArray::new(fields, vec![numbers, lists], Some(nulls));
            let both = number_values.into_iter().zip(list_values).zip(seeds);
            let objects = both.map(|((a, b), seed)| match seed {
                Some(_) => json!({"a": a, "b.c": b}),
                None => Value::Null,
            });
            let objects = objects.collect();
            (Arc::new(array), objects)
        }
        _ => panic!("there are {KINDS} kinds"),
    }
}

/// A text with characters that JSON escapes.
fn text_of(seed: i64) -> String {
    match seed.rem_euclid(5) {
        0 => String::new(),
        1 => format!("{seed} \"é\"\n\u{1}"),
        2 => "a common text that is longer than twelve bytes".to_owned(),
        _ => seed.to_string(),
    }
}

fn decimal_of(seed: i64) -> String {
    let (sign, value) = (if seed < 0 { "-" } else { "" }, seed.unsigned_abs());
    format!("{sign}{}.{:03}", value / 1000, value % 1000)
}

fn bytes_of(seed: i64) -> (Vec<u8>, Value) {
    match seed % 2 {
        0 => (text_of(seed).into_bytes(), text_of(seed).into()),
        _ => (b"\xff\x0a".to_vec(), json!({"hex": "ff0a"})),
    }
}

/// A column of UUIDs.
pub(super) fn uuids() -> (Field, ArrayRef) {
    let bytes: Vec<u8> = (0..16).map(|n| n * 17).collect();
    let array = FixedSizeBinaryArray::try_from_iter([bytes].into_iter()).expect("of one length");
    let field = Field::new("id", array.data_type().clone(), true);
    let metadata = [("ARROW:extension:name".to_owned(), "arrow.uuid".to_owned())];
    (field.with_metadata(metadata), Arc::new(array))
}

/// Puts columns together.
pub(super) fn table(columns: Vec<(&str, ArrayRef)>) -> RecordBatch {
    let fields: Vec<Field> = columns
        .iter()
        .map(|(name, array)| Field::new(*name, array.data_type().clone(), true))
        .collect();
    let arrays = columns.into_iter().map(|(_, array)| array).collect();
    RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays).expect("columns of one length")
}

pub(super) fn write_parquet(path: &Path, table: &RecordBatch, properties: WriterProperties) {
    let file = File::create(path).expect("a file");
    let writer = ArrowWriter::try_new(file, table.schema(), Some(properties));
    let mut writer = writer.expect("it can be written");
    writer.write(table).expect("it can be written");
    writer.close().expect("it can be written");
}

/// Writes an Arrow file, or a stream if `is_stream` is true, with record batches of `length` records.
pub(super) fn write_arrow(path: &Path, table: &RecordBatch, length: usize, is_stream: bool) {
    use arrow_ipc::writer::{FileWriter, StreamWriter};

    let file = File::create(path).expect("a file");
    let pieces = (0..table.num_rows()).step_by(length.max(1));
    let pieces = pieces.map(|at| table.slice(at, length.min(table.num_rows() - at)));
    if is_stream {
        let mut writer = StreamWriter::try_new(file, &table.schema()).expect("it can be written");
        pieces.for_each(|piece| writer.write(&piece).expect("it can be written"));
        writer.finish().expect("it can be written");
    } else {
        let mut writer = FileWriter::try_new(file, &table.schema()).expect("it can be written");
        pieces.for_each(|piece| writer.write(&piece).expect("it can be written"));
        writer.finish().expect("it can be written");
    }
}
