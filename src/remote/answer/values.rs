//! The values of an answer.

/// The name of the value of an answer that is a bare number.
pub(super) const SCORE: &str = "score";

/// The answer of a program for one record: its values, each with its name.
///
/// A program answers a record with one JSON value on a line of its standard output. The answer can also be read from a
/// text, which shows how a line is understood:
///
/// - A number is a value named `score`. `NaN`, `Infinity` and `-Infinity`, which Python writes, are numbers too.
/// - A text, which is a JSON string, is a value named `label`.
/// - An object gives each of its members as a value. If a name is repeated, its last value counts. A member that is
///   `null` is left out, so the record has no value of that name. Booleans, lists and objects are kept as JSON, in
///   which a number that is not finite becomes `null`.
/// - `null` is an answer without values.
/// - An object with a member `error` that is not `null` says that the record failed, and why.
///
/// ```
/// use manyhands::remote::{ProgramAnswer, AnswerValue};
///
/// let answer: ProgramAnswer = r#"{"score": 0.5, "topic": "food", "words": [3, 5], "tone": null}"#.parse()?;
/// assert_eq!(answer.score(), Some(0.5));
/// assert_eq!(answer.text("topic"), Some("food"));
/// assert_eq!(answer.get("words"), Some(&AnswerValue::Json("[3, 5]".into())));
/// assert_eq!(answer.get("tone"), None);
///
/// assert_eq!("0.5".parse::<ProgramAnswer>()?.score(), Some(0.5));
/// assert_eq!(r#""food""#.parse::<ProgramAnswer>()?.text("label"), Some("food"));
///
/// let refused = r#"{"error": "the model knows no French"}"#.parse::<ProgramAnswer>();
/// assert_eq!(refused.unwrap_err().to_string(), "the model knows no French");
/// # Ok::<(), Box<dyn std::error::Error + Send + Sync>>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ProgramAnswer {
    values: Vec<(String, AnswerValue)>,
}

/// One value of an [`ProgramAnswer`].
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum AnswerValue {
    /// A number. It may be NaN or infinite.
    Number(f64),
    /// A text.
    Text(Box<str>),
    /// Any other value, as JSON.
    Json(Box<str>),
}

impl ProgramAnswer {
    /// The value with this name.
    pub fn get(&self, name: &str) -> Option<&AnswerValue> {
        let mut values = self.values.iter();
        let found = values.find(|(known, _)| known == name)?;
        Some(&found.1)
    }

    /// The value with this name, if it is a number. The number may be NaN or infinite.
    pub fn number(&self, name: &str) -> Option<f64> {
        match self.get(name)? {
            AnswerValue::Number(number) => Some(*number),
            _ => None,
        }
    }

    /// The value with this name, if it is a text.
    pub fn text(&self, name: &str) -> Option<&str> {
        match self.get(name)? {
            AnswerValue::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The number named `score`, which is the name of an answer that is a bare number.
    pub fn score(&self) -> Option<f64> {
        self.number(SCORE)
    }

    /// All values with their names, in the order in which the program wrote them. No name comes twice.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &AnswerValue)> {
        self.values
            .iter()
            .map(|(name, value)| (name.as_str(), value))
    }

    /// All values with their names, in the order of [`iter`](ProgramAnswer::iter). The values can be changed.
    pub(in crate::remote) fn iter_mut(&mut self) -> impl Iterator<Item = (&str, &mut AnswerValue)> {
        let values = self.values.iter_mut();
        values.map(|(name, value)| (name.as_str(), value))
    }

    /// All values with their names, in the order of [`iter`](ProgramAnswer::iter).
    pub(crate) fn into_values(self) -> Vec<(String, AnswerValue)> {
        self.values
    }

    /// An answer with these values. No name may come twice.
    pub(crate) fn new(values: Vec<(String, AnswerValue)>) -> Self {
        ProgramAnswer { values }
    }

    /// An answer with one value.
    pub(super) fn of(name: &str, value: AnswerValue) -> Self {
        ProgramAnswer::new(vec![(name.to_owned(), value)])
    }
}
