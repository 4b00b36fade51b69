//! Which columns of a file are read.

use arrow_schema::{DataType, Schema};

use crate::dataset::fields::Fields;
use crate::dataset::format::list;
use crate::dataset::text::options::OpenOptions;
use crate::similar::most_similar;

/// Returns the places of the columns of a file that are read: those of the wanted fields, or all of them.
///
/// # Errors
///
/// Returns a message if the file lacks a field that the task needs, or has several columns with the name of the field.
pub(super) fn wanted_columns(schema: &Schema, options: &OpenOptions) -> Result<Vec<usize>, String> {
    let Some(fields) = options.wanted_fields() else {
        return Ok((0..schema.fields().len()).collect());
    };
    for place in 0..fields.required() {
        check(schema, fields, place)?;
    }
    let is_wanted = |name: &str| {
        let mut selectors = fields.selectors().iter();
        selectors.any(|selector| {
            let first = selector.path.first();
            selector.name == name || first.is_some_and(|first| first == name)
        })
    };
    let columns = schema.fields().iter().enumerate();
    let wanted =
        columns.filter(|(_, field)| options.reads_whole_records() || is_wanted(field.name()));
    Ok(wanted.map(|(column, _)| column).collect())
}

/// Checks that the schema has exactly one column with the name of a field, or no such column but a value at the end of
/// the field's path. `place` is the place of the field in `fields`.
fn check(schema: &Schema, fields: &Fields, place: usize) -> Result<(), String> {
    let selector = &fields.selectors()[place];
    let names = || schema.fields().iter().map(|field| field.name());
    match names().filter(|name| **name == selector.name).count() {
        1 => Ok(()),
        0 => {
            let is_there = selector.path.split_first().is_some_and(|(first, steps)| {
                let mut columns = schema.fields().iter();
                let column = columns.find(|field| field.name() == first);
                column.is_some_and(|column| has_path(column.data_type(), steps))
            });
            if is_there {
                return Ok(());
            }
            let name = &selector.name;
            let all: Vec<String> = names().cloned().collect();
            let similar = most_similar(name, &all);
            let similar = similar.map(|similar| format!("; did you mean {similar:?}?"));
            Err(format!(
                "has no field {name:?}; its columns: {}{}",
                list(&all),
                similar.unwrap_or_default()
            ))
        }
        several => {
            let name = &selector.name;
            Err(format!(
                "has {several} columns with the name {name:?}, but a field must have one"
            ))
        }
    }
}

/// Whether a value of this type may contain a value to which these steps lead.
fn has_path(kind: &DataType, steps: &[String]) -> bool {
    let Some((step, rest)) = steps.split_first() else {
        return true;
    };
    match kind {
        DataType::Struct(members) => {
            let mut members = members.iter();
            let member = members.find(|member| member.name() == step);
            member.is_some_and(|member| has_path(member.data_type(), rest))
        }
        DataType::List(element)
        | DataType::LargeList(element)
        | DataType::FixedSizeList(element, _)
        | DataType::ListView(element)
        | DataType::LargeListView(element) => {
            step.bytes().all(|byte| byte.is_ascii_digit()) && has_path(element.data_type(), rest)
        }
        DataType::Dictionary(_, value) => has_path(value, steps),
        DataType::RunEndEncoded(_, value) => has_path(value.data_type(), steps),
        DataType::Map(_, _) | DataType::Union(_, _) => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use arrow_schema::Field;

    use super::*;

    #[test]
    fn only_the_columns_of_wanted_fields_are_read() {
        let text = |name: &str| Field::new(name, DataType::Utf8, true);
        let user = DataType::Struct(vec![text("name"), text("a.b")].into());
        let tags = DataType::List(text("element").into());
        let schema = Schema::new(vec![
            text("text"),
            Field::new("user", user, true),
            Field::new("tags", tags, true),
            text("user.city"),
            text("twice"),
            text("twice"),
        ]);
        let wanted = |texts: &[&str], others: &[&str]| {
            let fields = Fields::new(texts.iter().copied(), others.iter().copied());
            wanted_columns(&schema, &OpenOptions::new().fields(fields))
        };
        assert_eq!(wanted(&["text"], &["none"]), Ok(vec![0]));
        assert_eq!(
            wanted(&["user.name"], &["/tags/0", "twice"]),
            Ok(vec![1, 2, 4, 5])
        );
        assert_eq!(wanted(&["user.city"], &[]), Ok(vec![1, 3]));
        assert_eq!(wanted(&["/user/a.b"], &[]), Ok(vec![1]));
        for lacking in ["txt", "user.age", "tags.x", "text.x", "user.name.x"] {
            let told = wanted(&[lacking], &[]).expect_err(lacking);
            let expected = format!("has no field {lacking:?}; its columns: \"text\", \"user\", ");
            assert!(told.starts_with(&expected), "{told}");
        }
        let told = wanted(&["twice"], &[]).expect_err("two of them");
        assert!(
            told.starts_with("has 2 columns with the name \"twice\""),
            "{told}"
        );
        let all = OpenOptions::new().fields(Fields::new(["text"], [""; 0]));
        let all = wanted_columns(&schema, &all.whole_records(true));
        assert_eq!(all, Ok((0..6).collect()));
        assert_eq!(
            wanted_columns(&schema, &OpenOptions::new()),
            Ok((0..6).collect())
        );
    }
}
