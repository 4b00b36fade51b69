//! The parser of lists of names.

use std::str::FromStr;

use crate::dataset::comma_separated;

/// Names of fields, separated by commas like the cells of CSV. A name that contains a comma or begins with a quote is
/// written in quotes, and each quote inside is written twice.
///
/// ```
/// use manyhands::plan::arguments::FieldNames;
///
/// let names: FieldNames = r#"id,"price, net","#.parse()?;
/// assert_eq!(names.0, ["id", "price, net", ""]);
/// assert!("\"price".parse::<FieldNames>().is_err());
/// # Ok::<(), String>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FieldNames(pub Vec<String>);

impl FromStr for FieldNames {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let names = comma_separated(text).map(FieldNames);
        names.ok_or_else(|| "expected a closing quote after a name in quotes".to_owned())
    }
}

impl FieldNames {
    /// All names of several lists, in their order.
    pub fn all(lists: &[FieldNames]) -> Vec<String> {
        lists
            .iter()
            .flat_map(|list| list.0.iter().cloned())
            .collect()
    }
}
