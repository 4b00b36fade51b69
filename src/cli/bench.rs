//! `manyhands bench`: measures how well scoring scales on this machine, and explains what limits it.

use std::collections::HashSet;
use std::io::{self, Cursor, Write as _};
use std::path::PathBuf;
use std::time::Instant;

use clap::Args;
use manyhands::Machine;
use manyhands::dataset::TextStream;
use manyhands::dataset::synthetic::Synthetic;
use manyhands::execution::Threads;
use manyhands::exit::Exit;
use manyhands::machine::usable_cores;
use manyhands::measure::{Comparison, Options, check_plan, compare_plan};
use manyhands::output::{PageFile, visible};
use manyhands::page;
use manyhands::plan::arguments::{WITH, count, from_one};
use manyhands::plan::{AnyScorer, ExecutorName, Opened, Plan, Sampling};

use super::command_error::CommandError;
use super::gate::GateArguments;
use super::page_arguments::PageArguments;
use super::progress::Progress;
use super::scoring_arguments::{ScoringArguments, endpoints, scorers};
use super::text;

/// The arguments of `bench`.
#[derive(Debug, Args)]
pub struct Bench {
    /// Score the records of these files [default: generated reviews].
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,

    #[arg(id = WITH, long = "with", value_name = "SCORER", help = scorers(),
        value_parser = AnyScorer::known_name, default_value = AnyScorer::default().name())]
    scorer: &'static str,

    #[command(flatten)]
    scoring: ScoringArguments,

    /// Score this many generated reviews.
    #[arg(
        long,
        value_name = "N",
        default_value = "20k",
        value_parser = count::<u64>,
        conflicts_with = "files"
    )]
    records: u64,

    /// Measure with these numbers of worker threads, or shares of the cores that this process may use
    /// [default: 1, 2, 4 and so on, up to all cores].
    #[arg(long, short = 'j', value_name = "N,...", value_delimiter = ',')]
    threads: Vec<Threads>,

    /// Compare these executors with sequential: work-stealing, task-queue, process-pool.
    #[arg(
        long,
        value_name = "NAME,...",
        value_delimiter = ',',
        default_value = "work-stealing,task-queue"
    )]
    executors: Vec<ExecutorName>,

    /// Measure this many rounds. Each round runs every executor with every number of threads, in random order.
    #[arg(long, value_name = "N", default_value = "20", value_parser = from_one)]
    rounds: usize,

    /// Start the random numbers from this seed. They determine the order of the runs, the bootstrap and the sample.
    #[arg(long, value_name = "S", default_value_t = Sampling::SEED)]
    seed: u64,

    /// Print the comparison as one JSON object, with every turn of every round.
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    page: PageArguments,

    /// Overwrite the page if it exists.
    #[arg(long, requires = "html")]
    force: bool,

    /// Measure nothing, and print the facts about this machine: processor, cores, quota, load, memory.
    #[arg(long)]
    machine: bool,

    #[command(flatten)]
    gate: GateArguments,
}

impl Bench {
    pub(super) fn run(self, quiet: bool) -> Result<Exit, CommandError> {
        if self.machine {
            return self.print_machine();
        }
        let gate = self.gate.open()?;
        let plan = self.scoring.plan(&self.files, self.scorer, self.seed)?;
        check_plan(&plan)?;
        let page = self.open_page(&plan)?;
        let began = Instant::now();
        let opened = self.open(&plan)?.load()?;
        let loading = began.elapsed();
        let name = self.name(&plan);
        let bar = Progress::turns(quiet);
        let advance = |done, total| bar.move_to_of(done as u64, total as u64);
        let options = Options::default()
            .rounds(self.rounds)
            .seed(self.seed)
            .name(&name)
            .loading(loading)
            .progress(&advance);
        let comparison = compare_plan(&opened, &self.configurations(), &options);
        bar.finish();
        let mut comparison = comparison?;
        // The measurement took minutes, so its report is printed even if comparing to the baseline or writing the
        // page fails.
        let compared = gate.compare(&mut comparison);
        let written = page.map(|file| file.write(&page::of_comparison(&comparison)));
        let report = self.report(&comparison).and_then(|text| print(&text));
        report.map_err(CommandError::write("cannot write the report"))?;
        written.transpose()?;
        compared?;
        gate.close(&comparison, quiet)
    }

    fn print_machine(&self) -> Result<Exit, CommandError> {
        let machine = Machine::look();
        let facts = match self.json {
            true => visible::to_json(&machine).map(|json| json + "\n"),
            false => Ok(text::machine::facts(&machine)),
        };
        let printed = facts
            .map_err(io::Error::from)
            .and_then(|facts| print(&facts));
        printed.map_err(CommandError::write("cannot write the facts"))?;
        Ok(Exit::Success)
    }

    /// Opens the file of the page. The file must not be one of the inputs.
    fn open_page(&self, plan: &Plan) -> Result<Option<PageFile>, CommandError> {
        let mut endpoints = endpoints(plan);
        endpoints.standard_output("the report")?;
        self.page.open(&mut endpoints, self.force)
    }

    /// Returns the name that reports use for the workload.
    fn name(&self, plan: &Plan) -> String {
        let records = match self.files.as_slice() {
            [] => format!("{} generated reviews", self.records),
            [file] => file.display().to_string(),
            files => format!("{} files", files.len()),
        };
        format!("{} over {}", self.scorer, text::selection(plan, &records))
    }

    fn open(&self, plan: &Plan) -> Result<Opened, manyhands::Error> {
        if !self.files.is_empty() {
            return plan.open();
        }
        let reviews = Synthetic::new(self.records, 1);
        let mut lines = Vec::new();
        for index in 0..self.records {
            reviews.write(index, &mut lines);
        }
        plan.open_over(TextStream::new("generated reviews", Cursor::new(lines)))
    }

    /// Returns all combinations of an executor and a number of threads.
    fn configurations(&self) -> Vec<(ExecutorName, Threads)> {
        let threads = if self.threads.is_empty() {
            powers_of_two(usable_cores())
        } else {
            self.threads.clone()
        };
        let of = |&executor: &ExecutorName| threads.iter().map(move |&threads| (executor, threads));
        // Different values of the option may mean the same number of threads, such as 50% and 1 on two cores.
        let mut seen = HashSet::new();
        let all = self.executors.iter().flat_map(of);
        all.filter(|(executor, threads)| seen.insert((executor.name(), threads.here())))
            .collect()
    }

    /// Returns the comparison as JSON or as text.
    fn report(&self, comparison: &Comparison) -> io::Result<String> {
        if self.json {
            return Ok(visible::to_json(comparison)? + "\n");
        }
        Ok(text::comparison::report(comparison))
    }
}

fn print(text: &str) -> io::Result<()> {
    let mut stdout = anstream::stdout().lock();
    stdout.write_all(text.as_bytes())?;
    stdout.flush()
}

/// Returns the powers of two (1, 2, 4 and so on) up to the number of cores, and the number of cores itself.
fn powers_of_two(cores: usize) -> Vec<Threads> {
    let powers = std::iter::successors(Some(1), |threads| Some(threads * 2));
    let below = powers.take_while(|&threads| threads < cores);
    below
        .chain([cores])
        .filter_map(|threads| Threads::number(threads).ok())
        .collect()
}
