//! The regression gate of `bench`: keeps a comparison, and holds a later one against it.

use std::path::PathBuf;

use clap::Args;
use manyhands::exit::Exit;
use manyhands::measure::Comparison;

use super::baselines::{Baselines, Name, Place, Share};
use super::fault::Fault;
use super::note;
use super::text::{ERROR, baseline, paint};

/// The arguments of the gate.
#[derive(Debug, Args)]
#[command(next_help_heading = "Regression gate")]
pub(super) struct GateArguments {
    /// Keep this comparison under a name, in place of the one that has it.
    #[arg(long, value_name = "NAME")]
    save_baseline: Option<Name>,

    /// Hold this comparison against the one kept under a name: the same work, measured before.
    #[arg(long, value_name = "NAME")]
    baseline: Option<Name>,

    /// Where comparisons are kept.
    #[arg(long, value_name = "FOLDER", default_value = ".manyhands/baselines")]
    baseline_dir: PathBuf,

    /// Exit with 7 if any time is more than this share above the baseline's, such as 5%, as surely as
    /// its interval tells: the lower end of it is. Nothing is saved then.
    #[arg(long, value_name = "P%", requires = "baseline")]
    fail_if_slower: Option<Share>,
}

/// What a comparison is held against, and where it is kept.
pub(super) struct Gate {
    earlier: Option<(Name, Comparison)>,
    place: Option<Place>,
    fail_if_slower: Option<Share>,
}

impl GateArguments {
    /// Reads and opens what there is to, before minutes are spent on measuring.
    pub(super) fn open(&self) -> Result<Gate, Fault> {
        let baselines = Baselines(self.baseline_dir.clone());
        let load = |name: &Name| Ok::<_, Fault>((name.clone(), baselines.load(name)?));
        let place = |name: &Name| baselines.place(name);
        Ok(Gate {
            earlier: self.baseline.as_ref().map(load).transpose()?,
            place: self.save_baseline.as_ref().map(place).transpose()?,
            fail_if_slower: self.fail_if_slower,
        })
    }
}

impl Gate {
    /// Holds the comparison against the earlier one, if there is one.
    pub(super) fn hold(&self, comparison: &mut Comparison) -> Result<(), manyhands::Error> {
        match &self.earlier {
            Some((name, earlier)) if comparison.agrees() => {
                comparison.compare_to_baseline(&name.to_string(), earlier)
            }
            _ => Ok(()),
        }
    }

    /// The exit code that the comparison comes to; keeps it if it is any good.
    pub(super) fn close(self, comparison: &Comparison, quiet: bool) -> Result<Exit, Fault> {
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
        if let Some(place) = self.place {
            let saved = place.save(comparison)?;
            if !quiet {
                note(format_args!("note: {saved}"));
            }
        }
        Ok(Exit::Success)
    }
}
