//! `manyhands generate`: writes generated reviews. The same seed gives the same bytes.

use std::io;
use std::ops::Range;

use clap::Args;
use manyhands::aggregation::Count;
use manyhands::dataset::LentRecord;
use manyhands::dataset::synthetic::Synthetic;
use manyhands::exit::Exit;
use manyhands::plan::arguments::count;
use manyhands::sink::{InOrder, RecordOutcome, Room, Sink};
use manyhands::{Error, Pipeline};

use super::command_error::CommandError;
use super::progress::Progress;

/// The arguments of `generate`.
#[derive(Debug, Args)]
pub struct Generate {
    /// Write this many reviews.
    #[arg(long, short = 'n', value_name = "N", value_parser = count::<usize>)]
    records: usize,

    /// Start the random numbers from this seed. The same seed gives the same reviews.
    #[arg(long, value_name = "S", default_value_t = 1)]
    seed: u64,
}

impl Generate {
    pub(super) fn run(self, quiet: bool) -> Result<Exit, CommandError> {
        let reviews = Synthetic::new(self.records as u64, self.seed);
        let lines = ReviewLines {
            reviews,
            out: InOrder::new(io::stdout()),
        };
        let bar = Progress::records(self.records as u64, quiet);
        let written = Pipeline::new(&(0..self.records), |_: &usize| ())
            .progress(&|records| bar.advance(records))
            .scores(&lines)
            .aggregate(Count::new());
        bar.finish();
        match written {
            // The message of the library's error would call the reviews "the scores", so the error is replaced.
            Err(Error::Output(error)) => {
                Err(CommandError::write("cannot write the reviews")(error))
            }
            other => Ok(other.map(|_| Exit::Success)?),
        }
    }
}

/// Writes the reviews in order. The workers make the reviews at the same time as they format the lines.
struct ReviewLines {
    reviews: Synthetic,
    out: InOrder<io::Stdout>,
}

impl Sink<()> for ReviewLines {
    fn render(
        &self,
        index: u64,
        _: RecordOutcome<'_, ()>,
        _: Option<LentRecord<'_>>,
        bytes: &mut Vec<u8>,
    ) {
        self.reviews.write(index, bytes);
    }

    fn write(&self, records: Range<u64>, bytes: Vec<u8>) -> io::Result<Room> {
        self.out.write(records, bytes)
    }
}
