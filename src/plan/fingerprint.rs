//! What determines the answer for a record beside the record itself.

use std::path::Path;

use serde::Serialize;
use serde_json::Value;
use twox_hash::XxHash3_128;

use super::Plan;
use super::partial::{contents_of, hash_of};
use super::scorer::Outside;
use crate::error::Error;
use crate::journal::DescribedRun;

/// Describes what determines the answers of a plan beside the records: the scorer with its options, the fields that
/// it reads, and the contents of the files that it reads and of those that are arguments of its program. What only
/// limits a run has no effect, and headers of calls have none, because they contain keys, which change.
///
/// # Errors
///
/// Returns an error if a file cannot be read, or if the plan names a file whose name is not Unicode.
pub(super) fn fingerprint(plan: &Plan) -> Result<DescribedRun, Error> {
    let mut parts = FingerprintParts::default();
    parts.add("the scorer", plan.scorer.name().as_bytes());
    parts.add_options(json(&plan.scorer.for_answers())?);
    if plan.scorer.reads_fields() {
        parts.add_json("--field", &json(&plan.fields)?);
    }
    let missing = plan.missing.unwrap_or(plan.scorer.missing());
    // Other policies give a record without a value no answer, so they change none.
    if plan
        .scorer
        .answers_without_value(missing, plan.fields.len())
    {
        parts.add_json("--missing", &json(&missing)?);
    }
    match plan.scorer.outside() {
        Some(Outside::Program(exec)) => {
            // A name without a folder is looked up, and may be another file tomorrow without any effect on the answers.
            let program = exec.program.first().map(Path::new);
            let program = program.filter(|path| path.components().count() > 1 && path.is_file());
            if let Some(program) = program {
                let name = format!("the program {}", program.display());
                parts.add(name, &hash_of(program)?.to_le_bytes());
            }
        }
        // Written down, a URL has no query. But the query may choose the model.
        #[cfg(feature = "http")]
        Some(Outside::Service(http)) => {
            parts.add("the URL", &http.service.url.short_hash().to_le_bytes());
        }
        // Another version of this program may give other answers.
        None => parts.add(
            "the version of manyhands",
            env!("CARGO_PKG_VERSION").as_bytes(),
        ),
    }
    for (name, hash) in contents_of(plan)? {
        let name = format!("the file {}", String::from_utf8_lossy(&name));
        parts.add(name, &hash.unwrap_or_default().to_le_bytes());
    }
    Ok(DescribedRun {
        is_paid: plan.scorer.outside().is_some(),
        parts: parts.0,
        outputs: Vec::new(),
    })
}

fn json(value: &impl Serialize) -> Result<Value, Error> {
    serde_json::to_value(value).map_err(|error| {
        Error::Plan(format!(
            "the options of the scorer cannot be written down: {error}; give the files that it reads names that are Unicode"
        ))
    })
}

/// The parts of a fingerprint: the name of each in messages, and its hash.
#[derive(Default)]
struct FingerprintParts(Vec<(String, u128)>);

impl FingerprintParts {
    fn add(&mut self, name: impl Into<String>, bytes: &[u8]) {
        self.0.push((name.into(), XxHash3_128::oneshot(bytes)));
    }

    fn add_json(&mut self, name: impl Into<String>, value: &Value) {
        self.add(name, value.to_string().as_bytes());
    }

    /// Adds the options of a scorer, which are written down as an object in one or several others.
    fn add_options(&mut self, options: Value) {
        let Value::Object(options) = options else {
            return self.add_json("the options of the scorer", &options);
        };
        for (key, value) in options {
            let name = match key.as_str() {
                "program" => "the program or its arguments".to_owned(),
                "against" => "the reference".to_owned(),
                "url" | "method" | "body" => format!("the {key}").replace("url", "URL"),
                "picks" | "expects" => format!("--{}", key.trim_end_matches('s')),
                _ => match value {
                    Value::Object(_) => {
                        self.add_options(value);
                        continue;
                    }
                    _ => format!("the option {key}"),
                },
            };
            self.add_json(name, &value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::fingerprint;
    use crate::plan::{AnyScorer, Missing, NumberOptions, Plan};

    #[test]
    fn a_policy_for_missing_values_counts_only_if_it_gives_answers() {
        let of = |scorer: AnyScorer, fields: &[&str], missing| {
            let mut plan = Plan::new(["in.jsonl"]);
            plan.scorer = scorer;
            plan.fields = fields.iter().map(|field| (*field).to_owned()).collect();
            plan.missing = missing;
            fingerprint(&plan).unwrap()
        };
        let (fail, skip, empty) = (
            Some(Missing::Fail),
            Some(Missing::Skip),
            Some(Missing::Empty),
        );
        for fields in [&["a"][..], &["a", "b"]] {
            let text = |missing| of(AnyScorer::default(), fields, missing);
            assert_eq!(text(None), text(fail));
            assert_eq!(text(None), text(skip));
            assert_ne!(text(None), text(empty));
            let number = |missing| of(NumberOptions::default().into(), fields, missing);
            assert_eq!(number(None), number(skip));
            // With several fields, a record that has only some of them has an answer.
            assert_eq!(number(skip) == number(fail), fields.len() == 1);
            assert_ne!(number(None), number(empty));
        }
    }

    #[cfg(feature = "http")]
    #[test]
    fn the_whole_url_counts_and_headers_do_not() {
        use crate::plan::HttpOptions;
        use crate::remote::ServiceOptions;

        let of = |url: &str, header: &str| {
            let mut service = ServiceOptions::new(url);
            service.headers.push(header.into());
            let mut plan = Plan::new(["in.jsonl"]);
            plan.scorer = HttpOptions::new(service).into();
            fingerprint(&plan).unwrap()
        };
        let first = of("http://localhost/x?model=A", "Authorization: one");
        assert_eq!(
            first,
            of("http://localhost/x?model=A", "Authorization: two")
        );
        assert_ne!(
            first,
            of("http://localhost/x?model=B", "Authorization: one")
        );
        assert_ne!(
            first,
            of("http://localhost/y?model=A", "Authorization: one")
        );
    }
}
