//! Writers for arrays of single values: numbers, texts, times.

use arrow_array::cast::AsArray;
use arrow_array::types::{
    ArrowPrimitiveType, ArrowTemporalType, ByteArrayType, ByteViewType, DecimalType, Float16Type,
    IntervalDayTimeType, IntervalMonthDayNanoType, IntervalYearMonthType,
};
use arrow_array::{Array, ArrowNativeTypeOp, PrimitiveArray};
use serde::Serialize;

use super::writer::{WriteValue, push_bytes, push_float, push_json, push_quoted, push_uuid};

pub(super) fn booleans(array: &dyn Array) -> WriteValue {
    let values = array.as_boolean().values().clone();
    Box::new(move |index, json| {
        let value = values.value(index);
        json.extend_from_slice(if value { b"true" } else { b"false" });
    })
}

pub(super) fn whole_numbers<T: ArrowPrimitiveType>(array: &dyn Array) -> WriteValue
where
    T::Native: Serialize,
{
    let values = array.as_primitive::<T>().values().clone();
    Box::new(move |index, json| push_json(json, &values[index]))
}

/// A number of less precision than an `f64` is written with the digits of the `f64` that has the same value.
pub(super) fn floats<T: ArrowPrimitiveType>(array: &dyn Array) -> WriteValue
where
    T::Native: Into<f64>,
{
    let values = array.as_primitive::<T>().values().clone();
    Box::new(move |index, json| push_float(json, values[index].into()))
}

pub(super) fn half_floats(array: &dyn Array) -> WriteValue {
    let values = array.as_primitive::<Float16Type>().values().clone();
    Box::new(move |index, json| push_float(json, values[index].to_f64()))
}

/// Decimal numbers are written with all their digits.
pub(super) fn decimals<T: DecimalType>(array: &dyn Array) -> WriteValue {
    let array = array.as_primitive::<T>().clone();
    Box::new(move |index, json| json.extend_from_slice(array.value_as_string(index).as_bytes()))
}

pub(super) fn texts<T: ByteArrayType>(array: &dyn Array) -> WriteValue
where
    T::Native: AsRef<[u8]>,
    for<'a> &'a T::Native: Into<TextOrBytes<'a>>,
{
    let array = array.as_bytes::<T>().clone();
    Box::new(move |index, json| array.value(index).into().push(json))
}

pub(super) fn text_views<T: ByteViewType>(array: &dyn Array) -> WriteValue
where
    for<'a> &'a T::Native: Into<TextOrBytes<'a>>,
{
    let array = array.as_byte_view::<T>().clone();
    Box::new(move |index, json| array.value(index).into().push(json))
}

/// A text, or bytes that may be a text.
pub(super) enum TextOrBytes<'a> {
    Text(&'a str),
    Bytes(&'a [u8]),
}

impl<'a> From<&'a str> for TextOrBytes<'a> {
    fn from(text: &'a str) -> Self {
        TextOrBytes::Text(text)
    }
}

impl<'a> From<&'a [u8]> for TextOrBytes<'a> {
    fn from(bytes: &'a [u8]) -> Self {
        TextOrBytes::Bytes(bytes)
    }
}

impl TextOrBytes<'_> {
    #[inline]
    fn push(self, json: &mut Vec<u8>) {
        match self {
            TextOrBytes::Text(text) => push_json(json, text),
            TextOrBytes::Bytes(bytes) => push_bytes(json, bytes),
        }
    }
}

pub(super) fn bytes_of_one_size(array: &dyn Array, is_uuid: bool) -> WriteValue {
    let array = array.as_fixed_size_binary().clone();
    let is_uuid = is_uuid && array.value_length() == 16;
    Box::new(move |index, json| match array.value(index) {
        bytes if is_uuid => push_uuid(json, bytes),
        bytes => push_bytes(json, bytes),
    })
}

/// The kinds of dates, times and durations.
#[derive(Clone, Copy, Debug)]
pub(super) enum Calendar {
    Date,
    Time,
    /// A date with a time, without a time zone.
    Local,
    /// An instant, which is written in UTC.
    Instant,
    Duration,
}

/// Dates, times and durations are written in the forms of ISO 8601. A value that is too large or too small for these
/// forms is written as the number that the file has.
pub(super) fn times<T>(array: &dyn Array, kind: Calendar) -> WriteValue
where
    T: ArrowTemporalType,
    T::Native: Serialize + ArrowNativeTypeOp,
    i64: From<T::Native>,
{
    let array = array.as_primitive::<T>().clone();
    Box::new(move |index, json| {
        let written = push_time(&array, kind, index, json);
        if written.is_none() {
            push_json(json, &array.value(index));
        }
    })
}

fn push_time<T>(
    array: &PrimitiveArray<T>,
    kind: Calendar,
    index: usize,
    json: &mut Vec<u8>,
) -> Option<()>
where
    T: ArrowTemporalType,
    i64: From<T::Native>,
{
    match kind {
        Calendar::Date => push_quoted(json, format_args!("{:?}", array.value_as_date(index)?)),
        Calendar::Time => push_quoted(json, format_args!("{:?}", array.value_as_time(index)?)),
        Calendar::Local => push_quoted(json, format_args!("{:?}", array.value_as_datetime(index)?)),
        Calendar::Instant => {
            push_quoted(json, format_args!("{:?}Z", array.value_as_datetime(index)?))
        }
        Calendar::Duration => {
            push_quoted(json, format_args!("{}", array.value_as_duration(index)?));
        }
    }
    Some(())
}

pub(super) fn months(array: &dyn Array) -> WriteValue {
    let values = array
        .as_primitive::<IntervalYearMonthType>()
        .values()
        .clone();
    Box::new(move |index, json| push_quoted(json, format_args!("P{}M", values[index])))
}

pub(super) fn days_and_times(array: &dyn Array) -> WriteValue {
    let values = array.as_primitive::<IntervalDayTimeType>().values().clone();
    Box::new(move |index, json| {
        let value = values[index];
        let seconds = Seconds::of(i128::from(value.milliseconds) * 1_000_000);
        push_quoted(json, format_args!("P{}DT{seconds}S", value.days));
    })
}

pub(super) fn months_days_and_times(array: &dyn Array) -> WriteValue {
    let values = array
        .as_primitive::<IntervalMonthDayNanoType>()
        .values()
        .clone();
    Box::new(move |index, json| {
        let value = values[index];
        let seconds = Seconds::of(i128::from(value.nanoseconds));
        let (months, days) = (value.months, value.days);
        push_quoted(json, format_args!("P{months}M{days}DT{seconds}S"));
    })
}

/// A number of seconds with its fraction.
struct Seconds {
    sign: &'static str,
    whole: u128,
    nanos: u128,
}

impl Seconds {
    fn of(nanos: i128) -> Self {
        let sign = if nanos < 0 { "-" } else { "" };
        let nanos = nanos.unsigned_abs();
        Seconds {
            sign,
            whole: nanos / 1_000_000_000,
            nanos: nanos % 1_000_000_000,
        }
    }
}

impl std::fmt::Display for Seconds {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}{}", self.sign, self.whole)?;
        if self.nanos == 0 {
            return Ok(());
        }
        let digits = format!("{:09}", self.nanos);
        write!(f, ".{}", digits.trim_end_matches('0'))
    }
}
