//! How a scores file is written: its format and its compression.

use std::path::Path;

#[cfg(feature = "parquet")]
use super::columnar::ColumnarKind;
use crate::error::Error;
use crate::output::encoder::OutputCompression;

/// The format of the lines of a scores file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ScoresFormat {
    /// Each line is one JSON object.
    JsonLines,
    /// The file is a table of comma-separated values with a header line.
    Csv,
    /// The file is a table of tab-separated values with a header line. A value is quoted as in CSV if it contains a
    /// tab, a line end or a quote.
    Tsv,
    /// The file is a Parquet file, whose values are compressed with Zstandard. Columns have types, see
    /// [`ScoresOptions::columns`].
    #[cfg(feature = "parquet")]
    Parquet,
    /// The file is an Arrow IPC file, which is also called Feather (version 2). Its values are not compressed. Columns
    /// have types, see [`ScoresOptions::columns`].
    #[cfg(feature = "parquet")]
    Arrow,
}

/// How the values of a scores file are laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Layout {
    JsonLines,
    /// A table of text, with this byte between two values.
    Delimited(u8),
    #[cfg(feature = "parquet")]
    Columnar(ColumnarKind),
}

impl ScoresFormat {
    /// The endings of names that choose a format.
    const ENDINGS: &[(&str, ScoresFormat)] = &[
        ("jsonl", ScoresFormat::JsonLines),
        ("ndjson", ScoresFormat::JsonLines),
        ("json", ScoresFormat::JsonLines),
        ("csv", ScoresFormat::Csv),
        ("tsv", ScoresFormat::Tsv),
        ("tab", ScoresFormat::Tsv),
        #[cfg(feature = "parquet")]
        ("parquet", ScoresFormat::Parquet),
        #[cfg(feature = "parquet")]
        ("arrow", ScoresFormat::Arrow),
        #[cfg(feature = "parquet")]
        ("feather", ScoresFormat::Arrow),
    ];

    /// The endings and names of the columnar formats. Builds without the feature `parquet` know them for their error.
    const COLUMNAR: [(&str, &str); 3] = [
        ("parquet", "Parquet"),
        ("arrow", "Arrow"),
        ("feather", "Arrow"),
    ];

    pub(super) fn layout(self) -> Layout {
        match self {
            ScoresFormat::JsonLines => Layout::JsonLines,
            ScoresFormat::Csv => Layout::Delimited(b','),
            ScoresFormat::Tsv => Layout::Delimited(b'\t'),
            #[cfg(feature = "parquet")]
            ScoresFormat::Parquet => Layout::Columnar(ColumnarKind::Parquet),
            #[cfg(feature = "parquet")]
            ScoresFormat::Arrow => Layout::Columnar(ColumnarKind::Arrow),
        }
    }

    /// Whether the file has columns.
    pub(super) fn is_table(self) -> bool {
        self != ScoresFormat::JsonLines
    }
}

/// How a scores file is written.
///
/// ```
/// use std::path::Path;
/// use manyhands::output::{OutputCompression, ScoresFormat, ScoresOptions};
///
/// let options = ScoresOptions::of(Path::new("scores.TSV.gz"))?;
/// assert_eq!(options, ScoresOptions::new(ScoresFormat::Tsv).compression(OutputCompression::Gzip));
/// # Ok::<(), manyhands::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScoresOptions {
    pub(in crate::output) format: ScoresFormat,
    pub(in crate::output) compression: OutputCompression,
    pub(in crate::output) columns: Option<Vec<String>>,
    pub(in crate::output) csv_safe: bool,
}

impl ScoresOptions {
    /// Writes a file of this format, without compression.
    pub fn new(format: ScoresFormat) -> Self {
        ScoresOptions {
            format,
            compression: OutputCompression::None,
            columns: None,
            csv_safe: false,
        }
    }

    /// Returns the options that the name of a file chooses, in capitals or not. The ending `.gz` or `.zst` compresses
    /// the file. The ending before it, or the only one, chooses the format: JSON lines for `.jsonl`, `.ndjson` and
    /// `.json`, CSV for `.csv`, TSV for `.tsv` and `.tab`, and, with the feature `parquet`, Parquet for `.parquet` and
    /// Arrow IPC for `.arrow` and `.feather`. A name without an ending, such as `-`, means JSON lines.
    ///
    /// # Errors
    ///
    /// Returns [`Error::Plan`], with a list of the endings, if the name has any other ending. Also returns
    /// [`Error::Plan`], with a remedy, if the name asks for a columnar file that is compressed as a whole: programs
    /// could not read such a file, because they begin at its end.
    pub fn of(path: &Path) -> Result<Self, Error> {
        let compression = OutputCompression::of(path);
        let name = match compression {
            OutputCompression::None => path,
            _ => Path::new(path.file_stem().unwrap_or_default()),
        };
        let format = match name.extension() {
            None => Some(ScoresFormat::JsonLines),
            Some(_) => chosen(name, ScoresFormat::ENDINGS),
        };
        let format = format.ok_or_else(|| unknown(path, name))?;
        let options = ScoresOptions::new(format).compression(compression);
        match options.check_compression() {
            Ok(()) => Ok(options),
            Err(reason) => Err(Error::Plan(format!("{}: {reason}", path.display()))),
        }
    }

    /// Sets the compression of the file.
    #[must_use]
    pub fn compression(mut self, compression: OutputCompression) -> Self {
        self.compression = compression;
        self
    }

    /// Names the further columns of a table, in their order. These are the columns whose names are not known before the
    /// run, such as those of all fields of a record. Fields that have no column are left out.
    ///
    /// Without this option, a table has the further columns that its first 1,000 records need, in the order in which
    /// they appear. The lines of these records are held back until the header can be written. If they become longer
    /// than 16 MiB, the columns of fewer records are used.
    ///
    /// The columns of Parquet and Arrow files have types. The numbers of a scorer are floating-point numbers, and the
    /// numbers of records and lines are whole numbers of 64 bits. A copied field has the narrowest type that holds
    /// all values of the first 1,000 records exactly: booleans, whole numbers of 64 bits, floating-point numbers
    /// (decimals are rounded), or else text. In a column of text, a value that is no text is written as JSON. Cells of
    /// delimited text are texts. A value of a later record that does not fit the type of its column is left out and
    /// counted, see [`ScoresFile::unfit`](super::ScoresFile::unfit).
    #[must_use]
    pub fn columns<N: Into<String>>(mut self, names: impl IntoIterator<Item = N>) -> Self {
        self.columns = Some(names.into_iter().map(Into::into).collect());
        self
    }

    /// Sets whether texts in a table that a spreadsheet would run as a formula are preceded by an apostrophe. These are
    /// the texts that begin with `=`, `+`, `-`, `@`, a tab or a carriage return, and are no numbers. By default, texts
    /// are not changed, since other programs read the apostrophe as a part of the text.
    #[must_use]
    pub fn csv_safe(mut self, is_safe: bool) -> Self {
        self.csv_safe = is_safe;
        self
    }

    /// Checks that these options fit each other and the columns of a file. `has_further` says whether columns may
    /// become known only during the run. `known` contains the names of the columns that are known before the run.
    ///
    /// # Errors
    ///
    /// Returns [`Error::Plan`] if they do not fit.
    pub(super) fn check<'n>(
        &self,
        has_further: bool,
        mut known: impl Iterator<Item = &'n str>,
    ) -> Result<(), Error> {
        let refused = |message: String| Err(Error::Plan(message));
        let is_table = self.format.is_table();
        if let Err(reason) = self.check_compression() {
            return refused(format!("the scores: {reason}"));
        }
        if self.csv_safe && !matches!(self.format.layout(), Layout::Delimited(_)) {
            return refused(
                "--csv-safe changes the texts of a table; write the scores to a .csv or .tsv file"
                    .to_owned(),
            );
        }
        let Some(columns) = &self.columns else {
            return Ok(());
        };
        if !is_table || !has_further {
            return refused(
                "--columns names the columns of the fields that --keep '*' adds to a table; write \
                 the scores to a file with columns, such as .csv, with --keep '*'"
                    .to_owned(),
            );
        }
        let mut names = columns.iter().enumerate();
        let twice = |(place, name): &(usize, &String)| columns[..*place].contains(*name);
        if let Some((_, name)) = names.find(twice) {
            return refused(format!("--columns names the column {name:?} twice"));
        }
        match known.find(|name| columns.iter().any(|column| column == name)) {
            Some(name) => refused(format!(
                "--columns names {name:?}, which is a column of every scores file of this scorer; name \
                 columns of the input only"
            )),
            None => Ok(()),
        }
    }
}

impl ScoresOptions {
    /// Checks that a file of the format can be compressed as these options ask. The error is the reason why it cannot.
    fn check_compression(&self) -> Result<(), &'static str> {
        match (self.format.layout(), self.compression) {
            #[cfg(feature = "parquet")]
            (Layout::Columnar(kind), OutputCompression::Gzip | OutputCompression::Zstd) => {
                Err(kind.why_not_compressed())
            }
            _ => Ok(()),
        }
    }
}

/// Returns the value that belongs to the ending of a name in this list.
fn chosen<T: Copy>(name: &Path, endings: &[(&str, T)]) -> Option<T> {
    let ending = name.extension()?.to_str()?;
    let mut endings = endings.iter();
    let chosen = endings.find(|(known, _)| known.eq_ignore_ascii_case(ending));
    chosen.map(|(_, choice)| *choice)
}

/// The error about a name whose ending chooses no format. `name` is the name without the ending of its compression.
fn unknown(path: &Path, name: &Path) -> Error {
    let path = path.display();
    let columnar = if cfg!(feature = "parquet") {
        "; or .parquet, .arrow or .feather"
    } else {
        ""
    };
    Error::Plan(match chosen(name, &ScoresFormat::COLUMNAR) {
        Some(format) => format!(
            "{path}: this build cannot write {format} files; use .csv or .jsonl, or build the program with the feature \
             parquet (cargo install manyhands --features parquet)"
        ),
        None => format!(
            "{path}: the ending names no format that scores can be written in; use .jsonl, .ndjson or .json (JSON \
             lines), .csv, .tsv or .tab, or one of these followed by .gz or .zst (compressed){columnar}"
        ),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_chooses_format_and_compression() {
        use OutputCompression::{Gzip, None, Zstd};
        use ScoresFormat::{Csv, JsonLines, Tsv};
        for (name, format, compression) in [
            ("-", JsonLines, None),
            ("out", JsonLines, None),
            (".gz", JsonLines, None),
            ("a.b/out", JsonLines, None),
            ("out.NDJSON", JsonLines, None),
            ("out.json", JsonLines, None),
            ("out.Csv", Csv, None),
            ("out.x.csv", Csv, None),
            ("out.tab", Tsv, None),
            ("a.b/out.gz", JsonLines, Gzip),
            ("OUT.JSONL.GZ", JsonLines, Gzip),
            ("out.csv.gzip", Csv, Gzip),
            ("out.tsv.zst", Tsv, Zstd),
            ("out.csv.ZSTD", Csv, Zstd),
        ] {
            let options = ScoresOptions::of(Path::new(name)).expect(name);
            let expected = ScoresOptions::new(format).compression(compression);
            assert_eq!(options, expected, "{name}");
        }
        for name in ["out.txt", "out.csv.bz2", "out.csv.gz.gz", "out.txt.zst"] {
            let error = ScoresOptions::of(Path::new(name))
                .expect_err(name)
                .to_string();
            assert!(
                error.starts_with(&format!("{name}: the ending names no format")),
                "{error}"
            );
        }
    }

    #[cfg(not(feature = "parquet"))]
    #[test]
    fn a_build_without_the_columnar_formats_says_how_to_get_them() {
        for name in ["out.parquet", "OUT.ARROW", "out.feather", "out.parquet.zst"] {
            let error = ScoresOptions::of(Path::new(name))
                .expect_err(name)
                .to_string();
            assert!(
                error.starts_with(&format!("{name}: this build cannot write ")),
                "{error}"
            );
            assert!(error.contains("feature parquet"), "{error}");
        }
    }

    #[cfg(feature = "parquet")]
    #[test]
    fn a_columnar_file_is_not_compressed_as_a_whole() {
        for (name, format) in [
            ("out.PARQUET", ScoresFormat::Parquet),
            ("out.arrow", ScoresFormat::Arrow),
            ("out.feather", ScoresFormat::Arrow),
        ] {
            let options = ScoresOptions::of(Path::new(name)).expect(name);
            assert_eq!(options, ScoresOptions::new(format));
            for ending in ["gz", "zst"] {
                let name = format!("{name}.{ending}");
                let error = ScoresOptions::of(Path::new(&name)).expect_err(&name);
                let error = error.to_string();
                assert!(error.starts_with(&format!("{name}: ")), "{error}");
                assert!(error.contains("end the name in .parquet"), "{error}");
            }
        }
    }
}
