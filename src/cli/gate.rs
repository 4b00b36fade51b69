//! The regression gate of `bench`, which saves a comparison as a baseline and compares a later comparison to it.

use std::path::PathBuf;
use std::str::FromStr;

use clap::Args;
use manyhands::exit::Exit;
use manyhands::measure::Comparison;
use manyhands::output::{BaselineFile, BaselineName, Baselines};

use super::command_error::CommandError;
use super::note;
use super::text::{ERROR, baseline, paint, plain};

/// The arguments of the gate.
#[derive(Debug, Args)]
#[command(next_help_heading = "Regression gate")]
pub(super) struct GateArguments {
    /// Save this comparison under this name, in place of an earlier one with the same name.
    #[arg(long, value_name = "NAME")]
    save_baseline: Option<BaselineName>,

    /// Compare with the comparison that was saved under this name. Both must measure the same work.
    #[arg(long, value_name = "NAME")]
    baseline: Option<BaselineName>,

    /// Keep the saved comparisons in this folder.
    #[arg(long, value_name = "FOLDER", default_value = ".manyhands/baselines")]
    baseline_dir: PathBuf,

    /// Exit with code 7, without saving, if any time exceeds that of the baseline by more than this share, such
    /// as 5%, even at the lower end of its confidence interval.
    #[arg(long, value_name = "P%", requires = "baseline")]
    fail_if_slower: Option<Share>,
}

/// The baseline to which a comparison is compared, and the file in which the comparison is saved.
pub(super) struct BaselineGate {
    earlier: Option<(BaselineName, Comparison)>,
    file: Option<BaselineFile>,
    fail_if_slower: Option<Share>,
}

impl GateArguments {
    /// Reads the baseline, and checks that the comparison can be saved later. This comes before the measurement,
    /// which takes minutes.
    pub(super) fn open(&self) -> Result<BaselineGate, CommandError> {
        let baselines = Baselines::new(&self.baseline_dir);
        let load = |name: &BaselineName| baselines.load(name).map(|loaded| (name.clone(), loaded));
        let prepare = |name: &BaselineName| baselines.prepare(name);
        Ok(BaselineGate {
            earlier: self.baseline.as_ref().map(load).transpose()?,
            file: self.save_baseline.as_ref().map(prepare).transpose()?,
            fail_if_slower: self.fail_if_slower,
        })
    }
}

impl BaselineGate {
    /// Compares the measurements with the measurements of the baseline, if the user has named a baseline.
    pub(super) fn compare(&self, comparison: &mut Comparison) -> Result<(), manyhands::Error> {
        match &self.earlier {
            Some((name, earlier)) if comparison.agrees() => {
                comparison.compare_to_baseline(&name.to_string(), earlier)
            }
            _ => Ok(()),
        }
    }

    /// Saves the comparison, unless its answers differ or it is too slow. Returns how the command ends.
    pub(super) fn close(self, comparison: &Comparison, quiet: bool) -> Result<Exit, CommandError> {
        if !comparison.agrees() {
            return Ok(Exit::Disagree);
        }
        if let (Some(Share(share)), Some(compared)) = (self.fail_if_slower, &comparison.baseline) {
            let slower = baseline::slower(compared, share);
            for line in &slower {
                note(format_args!("{} {line}", paint(ERROR, "slower:")));
            }
            if !slower.is_empty() {
                return Ok(Exit::Slower);
            }
            if let Some(line) = baseline::too_coarse(compared, share).filter(|_| !quiet) {
                note(format_args!("note: {line}"));
            }
        }
        if let Some(file) = self.file {
            let replaced = match file.save(comparison)? {
                true => ", in place of an earlier one",
                false => "",
            };
            if !quiet {
                let path = plain(file.path().display());
                note(format_args!("note: saved as baseline {path}{replaced}"));
            }
        }
        Ok(Exit::Success)
    }
}

/// A share that the user gives in percent, such as `5%`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Share(f64);

impl FromStr for Share {
    type Err = String;

    /// Parses a number followed by `%`. A number without `%` is an error, since 5 could mean 5 % or five times as
    /// slow.
    fn from_str(text: &str) -> Result<Self, String> {
        let percent = text
            .strip_suffix('%')
            .and_then(|number| number.trim().parse::<f64>().ok());
        match percent {
            Some(percent) if (0.0..=10_000.0).contains(&percent) => Ok(Share(percent / 100.0)),
            _ => Err("expected a share such as 5% or 2.5%".to_owned()),
        }
    }
}
