//! What determines the answer for a record beside the record itself.

use std::path::Path;

use twox_hash::XxHash3_128;

use super::Plan;
use super::partial::{contents_of, hash_of};
use super::scorer::Outside;
use crate::error::Error;

/// Returns a hash of what determines the answers of a plan beside the records: the scorer with its options, the fields that
/// it scores, and the contents of the files that it reads and of those that are arguments of its program. What only
/// limits a run has no effect, and headers of calls have none, because they contain keys, which change.
///
/// # Errors
///
/// Returns an error if a file cannot be read, or if the plan names a file whose name is not Unicode.
pub(super) fn fingerprint(plan: &Plan) -> Result<u128, Error> {
    let scorer = plan.scorer.for_answers();
    let mut hasher = XxHash3_128::new();
    let mut add = |bytes: &[u8]| {
        hasher.write(&(bytes.len() as u64).to_le_bytes());
        hasher.write(bytes);
    };
    let options = (&scorer, &plan.fields, plan.missing);
    let options = serde_json::to_vec(&options).map_err(|error| {
        Error::Plan(format!(
            "the options of the scorer cannot be written down: {error}; give the files that it reads names that are Unicode"
        ))
    })?;
    add(&options);
    match scorer.outside() {
        Some(Outside::Program(exec)) => {
            // A name without a folder is looked up, and may be another file tomorrow without any effect on the answers.
            let program = exec.program.first().map(Path::new);
            let program = program.filter(|path| path.components().count() > 1 && path.is_file());
            if let Some(program) = program {
                add(&hash_of(program)?.to_le_bytes());
            }
        }
        #[cfg(feature = "http")]
        // Written down, a URL has no query. But the query may choose the model.
        Some(Outside::Service(http)) => add(&http.service.url.short_hash().to_le_bytes()),
        // Another version of this program may give other answers.
        None => add(env!("CARGO_PKG_VERSION").as_bytes()),
    }
    for (name, hash) in contents_of(plan)? {
        add(&name);
        add(&hash.unwrap_or_default().to_le_bytes());
    }
    Ok(hasher.finish_128())
}

#[cfg(test)]
mod tests {
    #[cfg(feature = "http")]
    #[test]
    fn the_whole_url_counts_and_headers_do_not() {
        use super::fingerprint;
        use crate::plan::{HttpOptions, Plan};
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
