//! `http`: a service over HTTP.

use serde::{Deserialize, Serialize};

use super::columns::RESERVED;
use super::outside::{ScoredOutside, found_columns};
use super::{AnyScorer, Outside, PreparedScorer, Scorer, ScorerColumns};
use crate::error::Error;
use crate::plan::Plan;
use crate::remote::{Pick, Service, ServiceOptions};
use crate::visible::escaped;

/// The scorer `http`: a service over HTTP. Each record is sent in a call of its own, several calls are in flight at the same
/// time, and calls that fail for a reason that may pass are repeated.
///
/// An answer is JSON, and is read as an [answer](crate::remote::ProgramAnswer) of a program is: numbers and texts become
/// columns. [`ServiceOptions::picks`] takes values out of larger answers.
///
/// The plan's [limit](Plan::limit) bounds the calls in flight (16 by default) and the calls per second, its
/// [timeout](Plan::timeout) is the time for a call (60 s by default), and its [retries](Plan::retries) are the number of
/// times that a record is sent again.
///
/// ```no_run
/// use manyhands::plan::{HttpOptions, Plan, RunOptions};
/// use manyhands::remote::ServiceOptions;
///
/// let mut service = ServiceOptions::new("https://example.com/score");
/// service.headers.push("Authorization: Bearer $TOKEN".into());
/// let mut plan = Plan::new(["reviews.csv"]);
/// plan.scorer = HttpOptions::new(service).into();
/// let answer = plan.open()?.run(RunOptions::default())?;
/// println!("{}", answer.report.value.scores["score"].moments.mean);
/// # Ok::<(), manyhands::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct HttpOptions {
    /// What the service is called with.
    pub service: ServiceOptions,
    /// Whether the number of calls in flight adapts to what the service allows. The plan's limit is then the most.
    pub adaptive: bool,
}

impl HttpOptions {
    /// The options to call a service.
    pub fn new(service: ServiceOptions) -> Self {
        HttpOptions {
            service,
            adaptive: false,
        }
    }

    /// Returns an error if the options make no sense.
    fn check(&self, plan: &Plan) -> Result<(), Error> {
        if plan.missing.is_some() {
            return Err(Error::Plan(
                "the service gets the values that its body asks for, and a record without one of them fails; leave out \
                 --missing"
                    .to_owned(),
            ));
        }
        Service::check(&self.service)?;
        self.check_names(plan)
    }

    /// Checks the names of the columns as far as they are known before the first call, which may cost something.
    fn check_names(&self, plan: &Plan) -> Result<(), Error> {
        let mut names = self.service.picks.iter().map(Pick::name);
        let kept = plan.kept_fields();
        let is_taken =
            |name: &&str| RESERVED.contains(name) || kept.iter().any(|kept| kept == name);
        if let Some(name) = names.clone().find(is_taken) {
            return Err(Error::Plan(format!(
                "a line of scores has the name \"{}\" already; give the value of --pick another name",
                escaped(name)
            )));
        }
        let Some(rank) = plan.rank.as_deref().filter(|_| names.len() > 0) else {
            return Ok(());
        };
        if names.any(|name| name == rank) {
            return Ok(());
        }
        let names: Vec<&str> = self.service.picks.iter().map(Pick::name).collect();
        Err(Error::Plan(format!(
            "the records cannot be ranked by \"{}\", because no value with --pick has this name; they are {}",
            escaped(rank),
            escaped(&names.join(", "))
        )))
    }
}

impl Scorer for HttpOptions {
    fn columns(&self, plan: &Plan) -> ScorerColumns {
        found_columns(plan)
    }

    fn for_answers(&self) -> Option<AnyScorer> {
        let defaults = ServiceOptions::new(self.service.url.clone());
        Some(AnyScorer::from(HttpOptions::new(ServiceOptions {
            headers: Vec::new(),
            budget: None,
            insecure: defaults.insecure,
            max_answer: defaults.max_answer,
            ..self.service.clone()
        })))
    }

    fn subtitle(&self) -> Option<String> {
        Some(format!("by {}", self.service.url))
    }

    fn outside(&self) -> Option<Outside<'_>> {
        Some(Outside::Service(self))
    }

    fn reads_fields(&self) -> bool {
        false
    }

    fn prepare(&self, plan: &Plan) -> Result<Box<dyn PreparedScorer>, Error> {
        self.check(plan)?;
        Ok(Box::new(ScoredOutside("calls to the service")))
    }
}

#[cfg(feature = "cli")]
mod arguments {
    //! The arguments of `http` on a command line.

    use std::path::Path;

    use super::super::arguments::FromArguments;
    use super::HttpOptions;
    use crate::error::Error;
    use crate::remote::{
        BodyTemplate, Expect, HeaderTemplate, Pick, ServiceBudget, ServiceOptions, ServiceUrl,
    };

    /// The arguments of `http` on a command line.
    #[derive(Debug, clap::Args)]
    #[command(next_help_heading = "With http")]
    pub(in crate::plan::scorer) struct HttpArguments {
        /// Send each record to this URL. It must be https, unless the host is this machine.
        #[arg(long, value_name = "URL")]
        url: Option<ServiceUrl>,

        /// Call the service with this method [default: POST].
        #[arg(long, value_name = "METHOD")]
        method: Option<String>,

        /// Send this header with each call, such as 'Authorization: Bearer $TOKEN'. The variable is read from the
        /// environment, so write the header in single quotes. Its value appears in no output.
        #[arg(long, value_name = "'NAME: VALUE'")]
        header: Vec<HeaderTemplate>,

        /// Send this JSON, in which {{field}} stands for a field of the record, or the JSON of this file (@request.json)
        /// [default: the whole record].
        #[arg(long, value_name = "TEMPLATE|@FILE")]
        body: Option<String>,

        /// Take this value out of each answer as a column: score=/result/score. If the value is a text that holds JSON, a
        /// second pointer takes a value out of that: label=/choices/0/message/content#/label.
        #[arg(long, value_name = "NAME=/POINTER")]
        pick: Vec<Pick>,

        /// Ask again once, and then fail the record, if this value is not a number, text or boolean (score=number), not
        /// in a range (score=0..1), or none of these labels (label=good|bad).
        #[arg(long, value_name = "NAME=WHAT")]
        expect: Vec<Expect>,

        /// Stop with exit code 9 once the numbers at this place of all answers together reach N, such as
        /// /usage/total_tokens=2M.
        #[arg(long, value_name = "/POINTER=N")]
        budget: Option<ServiceBudget>,

        /// Allow http without encryption to other machines.
        #[arg(long)]
        insecure: bool,
    }

    impl FromArguments for HttpOptions {
        type Arguments = HttpArguments;

        fn from_arguments(arguments: HttpArguments) -> Result<Self, Error> {
            let HttpArguments {
                url,
                method,
                header,
                body,
                pick,
                expect,
                budget,
                insecure,
            } = arguments;
            let Some(url) = url else {
                let message = "expected the URL of the service, such as: --with http --url https://example.com/score";
                return Err(Error::Plan(message.to_owned()));
            };
            let mut service = ServiceOptions::new(url);
            if let Some(method) = method {
                service.method = method;
            }
            service.headers = header;
            service.body = body.as_deref().map(template).transpose()?;
            service.picks = pick;
            service.expects = expect;
            service.budget = budget;
            service.insecure = insecure;
            Ok(HttpOptions::new(service))
        }
    }

    /// Reads a template, or the file of a template.
    fn template(text: &str) -> Result<BodyTemplate, Error> {
        let refuse = |message: String| Error::Plan(message);
        match text.strip_prefix('@') {
            None => text.parse().map_err(|bad| refuse(format!("--body: {bad}"))),
            Some(path) => {
                let text = std::fs::read_to_string(path).map_err(|error| Error::Input {
                    path: Path::new(path).to_owned(),
                    message: format!("expected the body of a call: {error}"),
                    source: Some(error),
                })?;
                text.parse().map_err(|bad| refuse(format!("{path}: {bad}")))
            }
        }
    }

    /// Replaces the secrets in the words of a command line: the values of headers, and the user and the query of the URL.
    ///
    /// ```
    /// use manyhands::plan::arguments::without_secrets;
    ///
    /// let words = ["score", "--url=https://me:pw@example.com/?key=1", "--header", "X-Key: abc"].map(str::to_owned);
    /// let shown = without_secrets(words.to_vec()).join(" ");
    /// assert!(!shown.contains("pw") && !shown.contains("key=1") && !shown.contains("abc"), "{shown}");
    /// ```
    pub fn without_secrets(words: Vec<String>) -> Vec<String> {
        type Shown = fn(&str) -> String;

        let shown = |option: &str| -> Option<Shown> {
            match option {
                "--url" => Some(|url| ServiceUrl::from(url).to_string()),
                "--header" => Some(|header| HeaderTemplate::from(header).to_string()),
                _ => None,
            }
        };
        let mut next: Option<Shown> = None;
        let word = |word: String| {
            if let Some(shown) = next.take() {
                return shown(&word);
            }
            if let Some((option, value)) = word.split_once('=')
                && let Some(shown) = shown(option)
            {
                return format!("{option}={}", shown(value));
            }
            next = shown(&word);
            word
        };
        words.into_iter().map(word).collect()
    }
}

#[cfg(feature = "cli")]
pub use arguments::without_secrets;
