//! The columns of a file whose records are values in a fixed order.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use twox_hash::XxHash3_128;

use crate::dataset::fields::{FieldValue, Fields, NamedValues};
use crate::error::BadRecord;

/// The values of a record, one after the other, in the order of the columns.
pub(super) trait CellReader<'a> {
    /// Returns the next value, or `None` after the last one.
    fn next(&mut self) -> Option<Cow<'a, str>>;

    /// Skips the next value. Returns `false` after the last one.
    fn skip(&mut self) -> bool;

    /// Skips the next values, but at most this number. Returns how many were skipped.
    fn skip_up_to(&mut self, most: usize) -> usize {
        (0..most).take_while(|_| self.skip()).count()
    }
}

/// The names of the columns of a file. All values are strings.
#[derive(Clone, Debug)]
pub(crate) struct Columns(Option<Arc<HeaderColumns>>);

#[derive(Debug)]
struct HeaderColumns {
    /// The names of the columns. No two are equal.
    names: Vec<String>,
    /// The names as they stand in the header, if some of them are equal.
    header: Option<Vec<String>>,
    /// The fields that will be read, if they are known, with their columns.
    wanted: Option<(Fields, Picks)>,
    /// A hash of the names.
    hash: u128,
}

/// The column of each selected field that the file has, with the place of the field among the selected fields. The
/// columns are in ascending order.
type Picks = Vec<(usize, usize)>;

impl Columns {
    /// No columns: each record contains the names of its own fields.
    pub(crate) const NONE: Columns = Columns(None);

    /// Columns with the names of a header. A name that the header repeats gets a number: see [`distinct`].
    pub(super) fn new(header: Vec<String>, wanted: Option<&Fields>) -> Self {
        let (names, header) = match distinct(&header) {
            Some(names) => (names, Some(header)),
            None => (header, None),
        };
        let wanted = wanted.map(|fields| (fields.clone(), picks(&names, fields)));
        let mut hasher = XxHash3_128::new();
        for name in &names {
            // No valid text contains this byte.
            hasher.write(&[name.as_bytes(), &[0xff]].concat());
        }
        Columns(Some(Arc::new(HeaderColumns {
            hash: hasher.finish_128(),
            names,
            header,
            wanted,
        })))
    }

    /// Returns all fields of a record.
    pub(super) fn all<'a>(
        &'a self,
        cells: &mut impl CellReader<'a>,
    ) -> Result<NamedValues<'a>, BadRecord> {
        let mut names = self.names().iter();
        let mut all = Vec::with_capacity(names.len());
        let mut found = 0;
        while let Some(cell) = cells.next() {
            found += 1;
            if let Some(name) = names.next() {
                all.push((Cow::Borrowed(name.as_str()), FieldValue::Text(cell)));
            }
        }
        self.check_number(found)?;
        Ok(all)
    }

    /// A hash of the names of the columns.
    pub(super) fn hash(&self) -> u128 {
        self.0.as_deref().map_or(0, |columns| columns.hash)
    }

    /// The names of the columns. No two are equal.
    pub(super) fn names(&self) -> &[String] {
        self.0.as_deref().map_or(&[], |columns| &columns.names)
    }

    /// The names as they stand in the header.
    pub(super) fn header(&self) -> &[String] {
        let header = self
            .0
            .as_deref()
            .and_then(|columns| columns.header.as_deref());
        header.unwrap_or(self.names())
    }

    /// Checks that the header has each of the wanted fields at most once, and that the fields that the task needs have
    /// a column.
    ///
    /// # Errors
    ///
    /// Returns an error if this is not true for a field. The error names the field and lists the columns. If there is no
    /// column for it, the error also has the remedy that `remedy` returns for its name.
    pub(super) fn check(
        &self,
        wanted: &Fields,
        remedy: impl Fn(&str) -> Option<String>,
    ) -> Result<(), BadRecord> {
        for (place, selector) in wanted.selectors().iter().enumerate() {
            let field = &selector.name;
            let named = (1..).zip(self.header()).filter(|(_, name)| *name == field);
            let numbers: Vec<String> = named.map(|(number, _)| number.to_string()).collect();
            let is_found = column_of(self.names(), wanted, place).is_some();
            let message = match numbers.len() {
                0 | 1 if is_found || place >= wanted.required() => continue,
                0 | 1 => {
                    let remedy =
                        remedy(field).map_or(String::new(), |remedy| format!("; {remedy}"));
                    let names = list(self.names());
                    format!("expected a field {field:?}; the fields of the header: {names}{remedy}")
                }
                several => format!(
                    "expected one field {field:?} in the header, found {several}; name the column by its number \
                     ({}) instead",
                    numbers.join(" or ")
                ),
            };
            return Err(BadRecord::new(message, None));
        }
        Ok(())
    }

    /// Reads `fields` from a record into `values`.
    #[inline]
    pub(super) fn read<'a>(
        &self,
        cells: &mut impl CellReader<'a>,
        fields: &Fields,
        values: &mut [FieldValue<'a>],
    ) -> Result<(), BadRecord> {
        match self.0.as_deref().and_then(|header| header.wanted.as_ref()) {
            Some((wanted, picks)) if wanted.is_same(fields) => self.pick(cells, picks, values),
            _ => self.pick(cells, &picks(self.names(), fields), values),
        }
    }

    #[inline]
    fn pick<'a>(
        &self,
        cells: &mut impl CellReader<'a>,
        picks: &[(usize, usize)],
        values: &mut [FieldValue<'a>],
    ) -> Result<(), BadRecord> {
        let mut found = 0;
        for (pick, (column, place)) in picks.iter().enumerate() {
            // A column may be selected twice: by its name and by its number.
            let before = pick.checked_sub(1).map(|before| picks[before]);
            if let Some((_, first)) = before.filter(|(before, _)| before == column) {
                values[*place] = values[first].clone();
                continue;
            }
            found += cells.skip_up_to(*column - found);
            let Some(cell) = cells.next() else {
                break;
            };
            found += 1;
            values[*place] = FieldValue::Text(cell);
        }
        found += cells.skip_up_to(usize::MAX);
        self.check_number(found)
    }

    fn check_number(&self, found: usize) -> Result<(), BadRecord> {
        let expected = self.names().len();
        if found == expected {
            return Ok(());
        }
        let fields = if expected == 1 { "field" } else { "fields" };
        let message = format!("expected {expected} {fields} as in the header, found {found}");
        Err(BadRecord::new(message, None))
    }

    /// Returns a record as one JSON object. A field that was selected by the number of its column is written a
    /// second time, with this number as its name, so that a worker process finds it.
    pub(super) fn to_json<'a>(&self, cells: &mut impl CellReader<'a>) -> Result<String, BadRecord> {
        let mut json = String::new();
        let mut found = 0;
        let mut by_number: Vec<(&str, String)> = Vec::new();
        while let Some(cell) = cells.next() {
            if let Some(name) = self.names().get(found) {
                let value = json_cell(&cell);
                add_member(&mut json, name, &value);
                let numbers = self.numbers_of(found);
                by_number.extend(numbers.map(|number| (number, value.clone())));
            }
            found += 1;
        }
        self.check_number(found)?;
        for (number, value) in &by_number {
            add_member(&mut json, number, value);
        }
        json.push_str(if json.is_empty() { "{}" } else { "}" });
        Ok(json)
    }

    /// The wanted fields that select this column by its number.
    fn numbers_of(&self, column: usize) -> impl Iterator<Item = &str> {
        let wanted = self.0.as_deref().and_then(|header| header.wanted.as_ref());
        let picks = wanted.into_iter().flat_map(move |(fields, picks)| {
            let of_column = picks.iter().filter(move |(picked, _)| *picked == column);
            of_column.map(|(_, place)| fields.name(*place))
        });
        picks.filter(move |name| self.names()[column] != **name)
    }
}

/// Returns names of which no two are equal, or `None` if the names of the header already are. The first column of a
/// repeated name keeps this name, the second column named `n` is called `n_2`, the third `n_3`. A number whose name
/// another column has is not used.
fn distinct(header: &[String]) -> Option<Vec<String>> {
    let mut taken: HashSet<String> = header.iter().cloned().collect();
    if taken.len() == header.len() {
        return None;
    }
    let mut seen: HashMap<&str, usize> = HashMap::new();
    let names = header.iter().map(|name| {
        let number = seen.entry(name).or_insert(0);
        *number += 1;
        while *number > 1 {
            let numbered = format!("{name}_{number}");
            if taken.insert(numbered.clone()) {
                return numbered;
            }
            *number += 1;
        }
        name.clone()
    });
    Some(names.collect())
}

/// The columns of the selected fields.
fn picks(names: &[String], fields: &Fields) -> Picks {
    let column = |place| column_of(names, fields, place).map(|column| (column, place));
    let mut picks: Picks = (0..fields.len()).filter_map(column).collect();
    picks.sort_unstable();
    picks
}

/// The column of the selected field at this place. An exact name comes first.
fn column_of(names: &[String], fields: &Fields, place: usize) -> Option<usize> {
    let selector = &fields.selectors()[place];
    let named = names.iter().position(|name| *name == selector.name);
    named.or_else(|| selector.column().filter(|column| *column < names.len()))
}

/// Returns a cell as JSON. An empty cell is `null`, because it is no value.
fn json_cell(cell: &str) -> String {
    match cell {
        "" => "null".to_owned(),
        text => json_string(text),
    }
}

fn add_member(json: &mut String, name: &str, value: &str) {
    json.push(if json.is_empty() { '{' } else { ',' });
    json.push_str(&json_string(name));
    json.push(':');
    json.push_str(value);
}

/// Returns a string as JSON.
fn json_string(text: &str) -> String {
    serde_json::to_string(text).unwrap_or_default()
}

/// The maximum number of names that are listed in a message.
const LISTED: usize = 8;
/// The maximum number of characters that are listed of each name.
const LISTED_CHARACTERS: usize = 40;

/// Returns a list of names for a message.
pub(in crate::dataset) fn list<N: AsRef<str>>(names: impl IntoIterator<Item = N>) -> String {
    let mut names = names.into_iter();
    let mut listed: Vec<String> = names
        .by_ref()
        .take(LISTED)
        .map(|name| {
            let name = name.as_ref();
            match name.char_indices().nth(LISTED_CHARACTERS) {
                Some((end, _)) => format!("{:?}…", &name[..end]),
                None => format!("{name:?}"),
            }
        })
        .collect();
    if listed.is_empty() {
        return "none".to_owned();
    }
    listed.extend(names.next().map(|_| "…".to_owned()));
    listed.join(", ")
}
