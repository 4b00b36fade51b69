//! What must be the same for all shards of a dataset: the plan without what does not change an answer, and the contents of
//! the files that the scorer reads.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use twox_hash::XxHash3_128;

use crate::error::Error;
use crate::limit::Limit;
use crate::plan::scorer::Outside;
use crate::plan::{ExecutorName, Plan};

/// The length of a read.
const READ_BYTES: usize = 1 << 20;

/// Returns the plan as JSON, without the names of the inputs, which are compared on their own, and without what may differ
/// between machines.
///
/// # Errors
///
/// Returns an error if the plan cannot be written as JSON, because it names a file whose name is not Unicode.
pub(in crate::plan) fn same_for_all_shards(plan: &Plan) -> Result<String, Error> {
    let plan = Plan {
        files: Vec::new(),
        shard: None,
        shard_start: None,
        keep: Vec::new(),
        executor: ExecutorName::default(),
        program: None,
        threads: None,
        pin: false,
        limit: Limit::none(),
        deadline: None,
        timeout: None,
        retries: None,
        ..plan.clone()
    };
    serde_json::to_string(&plan).map_err(|error| {
        Error::Plan(format!(
            "the plan of a shard cannot be written down: {error}; give the files that the scorer reads names that are Unicode"
        ))
    })
}

/// The name of a file, and a hash of its contents, if it is a regular file.
pub(in crate::plan) type NamedHash = (Vec<u8>, Option<u128>);

/// The files that the scorer reads, or that are arguments of its program, each with a hash of its contents. The hash is
/// `None` if the path names no regular file.
///
/// # Errors
///
/// Returns an error if a file cannot be read.
pub(in crate::plan) fn contents_of(plan: &Plan) -> Result<Vec<NamedHash>, Error> {
    let mut paths = plan.scorer.inputs();
    if let Some(Outside::Program(exec)) = plan.scorer.outside() {
        let arguments = exec.program.iter().skip(1).map(Path::new);
        paths.extend(arguments.filter(|path| path.is_file()));
    }
    let contents = paths.into_iter().map(|path| {
        let name = path.as_os_str().as_encoded_bytes().to_vec();
        let hash = path.is_file().then(|| hash_of(path)).transpose()?;
        Ok((name, hash))
    });
    contents.collect()
}

/// A hash of the contents of a file.
///
/// # Errors
///
/// Returns an error if the file cannot be read.
pub(in crate::plan) fn hash_of(path: &Path) -> Result<u128, Error> {
    let unreadable = |error| Error::unreadable(path, error);
    let mut file = File::open(path).map_err(unreadable)?;
    let mut hasher = XxHash3_128::new();
    let mut bytes = vec![0; READ_BYTES];
    loop {
        match file.read(&mut bytes) {
            Ok(0) => return Ok(hasher.finish_128()),
            Ok(read) => hasher.write(&bytes[..read]),
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(unreadable(error)),
        }
    }
}
