//! Chooses the writer for an array by its type.

use arrow_array::cast::AsArray;
use arrow_array::types::*;
use arrow_array::{Array, ArrayRef, RecordBatch};
use arrow_schema::{DataType, Field, IntervalUnit, TimeUnit};

use super::nested::{self, MemberWriter};
use super::scalars::{self, Calendar};
use super::writer::{ValueWriter, WriteValue};

/// The name of the extension type of UUIDs.
const UUID: &str = "arrow.uuid";

/// Returns the writer of the records of a record batch. A record becomes an object with the values of all columns.
pub(super) fn records_of(columns: &RecordBatch) -> MemberWriter {
    let schema = columns.schema();
    let fields = schema.fields().iter().zip(columns.columns());
    MemberWriter::new(fields.map(|(field, array)| (field.name().as_str(), values_of(field, array))))
}

/// Returns the writer of the values of an array. `field` describes the array.
fn values_of(field: &Field, array: &ArrayRef) -> ValueWriter {
    let write = match array.data_type() {
        DataType::Null => return all_null(),
        DataType::Dictionary(_, _) => return of_dictionary(field, array),
        DataType::RunEndEncoded(_, _) => of_nested(array),
        kind if kind.is_nested() => of_nested(array),
        kind if kind.is_temporal() => of_times(array),
        _ => of_scalars(field, array),
    };
    ValueWriter::new(array.nulls().cloned(), write)
}

fn all_null() -> ValueWriter {
    let write: WriteValue = Box::new(|_, json| json.extend_from_slice(b"null"));
    ValueWriter::new(None, write)
}

fn of_dictionary(field: &Field, array: &ArrayRef) -> ValueWriter {
    let dictionary = array.as_any_dictionary();
    let nulls = dictionary.keys().nulls().cloned();
    let values = values_of(field, dictionary.values());
    ValueWriter::new(nulls, nested::dictionary(array, values))
}

fn of_scalars(field: &Field, array: &ArrayRef) -> WriteValue {
    match array.data_type() {
        DataType::Boolean => scalars::booleans(array),
        DataType::Int8 => scalars::whole_numbers::<Int8Type>(array),
        DataType::Int16 => scalars::whole_numbers::<Int16Type>(array),
        DataType::Int32 => scalars::whole_numbers::<Int32Type>(array),
        DataType::Int64 => scalars::whole_numbers::<Int64Type>(array),
        DataType::UInt8 => scalars::whole_numbers::<UInt8Type>(array),
        DataType::UInt16 => scalars::whole_numbers::<UInt16Type>(array),
        DataType::UInt32 => scalars::whole_numbers::<UInt32Type>(array),
        DataType::UInt64 => scalars::whole_numbers::<UInt64Type>(array),
        DataType::Float16 => scalars::half_floats(array),
        DataType::Float32 => scalars::floats::<Float32Type>(array),
        DataType::Float64 => scalars::floats::<Float64Type>(array),
        DataType::Decimal32(..) => scalars::decimals::<Decimal32Type>(array),
        DataType::Decimal64(..) => scalars::decimals::<Decimal64Type>(array),
        DataType::Decimal128(..) => scalars::decimals::<Decimal128Type>(array),
        DataType::Decimal256(..) => scalars::decimals::<Decimal256Type>(array),
        DataType::Utf8 => scalars::texts::<Utf8Type>(array),
        DataType::LargeUtf8 => scalars::texts::<LargeUtf8Type>(array),
        DataType::Utf8View => scalars::text_views::<StringViewType>(array),
        DataType::Binary => scalars::texts::<BinaryType>(array),
        DataType::LargeBinary => scalars::texts::<LargeBinaryType>(array),
        DataType::BinaryView => scalars::text_views::<BinaryViewType>(array),
        DataType::FixedSizeBinary(_) => {
            scalars::bytes_of_one_size(array, field.extension_type_name() == Some(UUID))
        }
        other => unknown(other),
    }
}

fn of_times(array: &ArrayRef) -> WriteValue {
    match array.data_type() {
        DataType::Date32 => scalars::times::<Date32Type>(array, Calendar::Date),
        DataType::Date64 => scalars::times::<Date64Type>(array, Calendar::Date),
        DataType::Time32(TimeUnit::Second) => {
            scalars::times::<Time32SecondType>(array, Calendar::Time)
        }
        DataType::Time32(_) => scalars::times::<Time32MillisecondType>(array, Calendar::Time),
        DataType::Time64(TimeUnit::Microsecond) => {
            scalars::times::<Time64MicrosecondType>(array, Calendar::Time)
        }
        DataType::Time64(_) => scalars::times::<Time64NanosecondType>(array, Calendar::Time),
        DataType::Timestamp(unit, zone) => {
            let kind = match zone {
                Some(_) => Calendar::Instant,
                None => Calendar::Local,
            };
            match unit {
                TimeUnit::Second => scalars::times::<TimestampSecondType>(array, kind),
                TimeUnit::Millisecond => scalars::times::<TimestampMillisecondType>(array, kind),
                TimeUnit::Microsecond => scalars::times::<TimestampMicrosecondType>(array, kind),
                TimeUnit::Nanosecond => scalars::times::<TimestampNanosecondType>(array, kind),
            }
        }
        DataType::Duration(unit) => {
            let kind = Calendar::Duration;
            match unit {
                TimeUnit::Second => scalars::times::<DurationSecondType>(array, kind),
                TimeUnit::Millisecond => scalars::times::<DurationMillisecondType>(array, kind),
                TimeUnit::Microsecond => scalars::times::<DurationMicrosecondType>(array, kind),
                TimeUnit::Nanosecond => scalars::times::<DurationNanosecondType>(array, kind),
            }
        }
        DataType::Interval(IntervalUnit::YearMonth) => scalars::months(array),
        DataType::Interval(IntervalUnit::DayTime) => scalars::days_and_times(array),
        DataType::Interval(IntervalUnit::MonthDayNano) => scalars::months_days_and_times(array),
        other => unknown(other),
    }
}

fn of_nested(array: &ArrayRef) -> WriteValue {
    match array.data_type() {
        DataType::List(field) => {
            let values = values_of(field, array.as_list::<i32>().values());
            nested::lists::<i32>(array, values)
        }
        DataType::LargeList(field) => {
            let values = values_of(field, array.as_list::<i64>().values());
            nested::lists::<i64>(array, values)
        }
        DataType::ListView(field) => {
            let values = values_of(field, array.as_list_view::<i32>().values());
            nested::list_views::<i32>(array, values)
        }
        DataType::LargeListView(field) => {
            let values = values_of(field, array.as_list_view::<i64>().values());
            nested::list_views::<i64>(array, values)
        }
        DataType::FixedSizeList(field, _) => {
            let values = values_of(field, array.as_fixed_size_list().values());
            nested::lists_of_one_size(array, values)
        }
        DataType::Struct(fields) => {
            let members = fields.iter().zip(array.as_struct().columns());
            let members =
                members.map(|(field, array)| (field.name().as_str(), values_of(field, array)));
            nested::objects(MemberWriter::new(members))
        }
        DataType::Map(entries, _) => {
            let map = array.as_map();
            let DataType::Struct(fields) = entries.data_type() else {
                return unknown(entries.data_type());
            };
            let keys = values_of(&fields[0], map.keys());
            nested::maps(array, keys, values_of(&fields[1], map.values()))
        }
        DataType::Union(fields, _) => {
            let union = array.as_union();
            let children = fields
                .iter()
                .map(|(id, field)| (id, values_of(field, union.child(id))));
            nested::union(array, children.collect())
        }
        DataType::RunEndEncoded(ends, field) => {
            let values = |values: &ArrayRef| values_of(field, values);
            match ends.data_type() {
                DataType::Int16 => {
                    nested::runs::<Int16Type>(array, values(array.as_run::<Int16Type>().values()))
                }
                DataType::Int32 => {
                    nested::runs::<Int32Type>(array, values(array.as_run::<Int32Type>().values()))
                }
                _ => nested::runs::<Int64Type>(array, values(array.as_run::<Int64Type>().values())),
            }
        }
        other => unknown(other),
    }
}

/// The writer for a type that [`values_of`] does not know. A value becomes an object that no task takes for a text.
fn unknown(kind: &DataType) -> WriteValue {
    let json = serde_json::json!({ "unreadable": kind.to_string() }).to_string();
    Box::new(move |_, out| out.extend_from_slice(json.as_bytes()))
}
