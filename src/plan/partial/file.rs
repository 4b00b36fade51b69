//! The file of a partial answer.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use twox_hash::XxHash3_128;

use super::{PartialAnswer, PartialBody, refused};
use crate::error::Error;

/// The version of the layout. It increases whenever the meaning of the bytes changes.
const FORMAT: u32 = 1;
/// The largest number of bytes of the first line.
const LINE_BYTES: u64 = 64 << 10;
/// The largest number of names of inputs in the first line.
const NAMED: usize = 20;
/// Number of bytes of the checksum of the first line and the body.
const CHECKSUM_BYTES: u64 = 16;

const NO_PARTIAL: &str =
    "is not the partial answer of a shard; name files that --partial has written";
const DAMAGED: &str = "is damaged or cut short; score its shard again";

/// The first line of the file.
#[derive(Serialize, Deserialize)]
struct FirstLine {
    manyhands: String,
    format: u32,
    version: String,
    #[serde(default)]
    shards: String,
    #[serde(default)]
    scorer: String,
    #[serde(default)]
    files: Vec<String>,
    #[serde(default)]
    records: u64,
    #[serde(default)]
    scored: u64,
    #[serde(default)]
    failed: u64,
    #[serde(default)]
    skipped: u64,
    #[serde(default)]
    seconds: f64,
}

/// Where the state of a partial answer is.
#[derive(Debug)]
pub(in crate::plan) enum StateSource {
    Memory(Vec<u8>),
    /// In the file, from this byte on.
    File {
        path: PathBuf,
        from: u64,
        bytes: u64,
    },
}

impl StateSource {
    /// The bytes of the state.
    ///
    /// # Errors
    ///
    /// Returns an error if the file cannot be read, or has changed.
    pub(in crate::plan) fn read(&self) -> Result<Vec<u8>, Error> {
        match self {
            StateSource::Memory(bytes) => Ok(bytes.clone()),
            StateSource::File { path, from, bytes } => {
                let mut state = Vec::new();
                let read = File::open(path).and_then(|mut file| {
                    let left = file.metadata()?.len().saturating_sub(*from).min(*bytes);
                    // The vector is not grown step by step, which would copy a large state several times.
                    let _ = state.try_reserve_exact(usize::try_from(left).unwrap_or(0));
                    file.seek(SeekFrom::Start(*from))?;
                    file.take(*bytes).read_to_end(&mut state)
                });
                read.map_err(|error| Error::unreadable(path, error))?;
                match state.len() as u64 == *bytes {
                    true => Ok(state),
                    false => Err(refused(path, DAMAGED)),
                }
            }
        }
    }
}

impl PartialAnswer {
    /// Writes the partial answer to a file, see the [layout](PartialAnswer).
    ///
    /// # Errors
    ///
    /// Returns an error if the bytes cannot be written, or if the state cannot be read from the file that has it.
    pub fn write(&self, to: &mut impl Write) -> io::Result<()> {
        let state = self.state.read().map_err(io::Error::other)?;
        let mut head = serde_json::to_vec(&first_line(&self.body)).map_err(io::Error::other)?;
        head.push(b'\n');
        let body = (&self.body, state.len() as u64);
        let body = postcard::to_stdvec(&body).map_err(io::Error::other)?;
        head.extend((body.len() as u64).to_le_bytes());
        head.extend(body);
        let checksum = XxHash3_128::oneshot(&head);
        head.extend(checksum.to_le_bytes());
        to.write_all(&head)?;
        to.write_all(&state)?;
        to.flush()
    }

    /// Opens the file of a partial answer. Its state is not read before [`merge`](crate::plan::merge) needs it, so that
    /// large states of many shards do not have to fit in memory together.
    ///
    /// # Errors
    ///
    /// Returns [`Error::Input`] if the file cannot be read, and [`Error::Merge`] if it is no partial answer, has another
    /// version, or is damaged.
    pub fn open(path: &Path) -> Result<Self, Error> {
        let unreadable = |error| Error::unreadable(path, error);
        let file = File::open(path).map_err(unreadable)?;
        let length = file.metadata().map_err(unreadable)?.len();
        let mut file = BufReader::new(file);
        let mut head = Vec::new();
        let line = (&mut file).take(LINE_BYTES).read_until(b'\n', &mut head);
        let line = line.map_err(unreadable)? as u64;
        check_line(&head).map_err(|reason| refused(path, reason))?;
        let damaged = || refused(path, DAMAGED);
        let mut number = [0; 8];
        let cut_short = |error: io::Error| match error.kind() {
            io::ErrorKind::UnexpectedEof => damaged(),
            _ => unreadable(error),
        };
        file.read_exact(&mut number).map_err(cut_short)?;
        head.extend(number);
        let body = u64::from_le_bytes(number);
        let begin = line + number.len() as u64;
        let from = begin.checked_add(body).ok_or_else(damaged)?;
        let from = from.checked_add(CHECKSUM_BYTES).ok_or_else(damaged)?;
        if from > length {
            return Err(damaged());
        }
        let begin = head.len();
        head.resize(begin + body as usize, 0);
        file.read_exact(&mut head[begin..]).map_err(cut_short)?;
        let mut checksum = [0; CHECKSUM_BYTES as usize];
        file.read_exact(&mut checksum).map_err(cut_short)?;
        if XxHash3_128::oneshot(&head).to_le_bytes() != checksum {
            return Err(damaged());
        }
        let (body, bytes): (PartialBody, u64) = match postcard::take_from_bytes(&head[begin..]) {
            Ok((body, [])) => body,
            _ => return Err(damaged()),
        };
        if !body.is_sound() || from.checked_add(bytes) != Some(length) {
            return Err(damaged());
        }
        Ok(PartialAnswer {
            body,
            state: StateSource::File {
                path: path.to_owned(),
                from,
                bytes,
            },
            path: Some(path.to_owned()),
        })
    }
}

fn first_line(body: &PartialBody) -> FirstLine {
    let name = |path: &Vec<u8>| String::from_utf8_lossy(path).into_owned();
    let files = body
        .inputs
        .iter()
        .take(NAMED)
        .map(|input| name(&input.path));
    let seconds: f64 = body.each.iter().map(|one| one.wall.as_secs_f64()).sum();
    FirstLine {
        manyhands: "partial".to_owned(),
        format: FORMAT,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        shards: match body.first == body.last {
            true => format!("{}/{}", body.first, body.of),
            false => format!("{}-{}/{}", body.first, body.last, body.of),
        },
        scorer: body.scorer.clone(),
        files: files.collect(),
        records: body.records,
        scored: body.records - body.failed - body.skipped,
        failed: body.failed,
        skipped: body.skipped,
        seconds: (seconds * 1e3).round() / 1e3,
    }
}

/// Checks that the first line is that of a partial answer of this version.
fn check_line(line: &[u8]) -> Result<(), String> {
    let line: FirstLine = match serde_json::from_slice(line) {
        Ok(found) if line.ends_with(b"\n") => found,
        _ => return Err(NO_PARTIAL.to_owned()),
    };
    if line.manyhands != "partial" {
        return Err(NO_PARTIAL.to_owned());
    }
    if line.format != FORMAT {
        return Err(format!(
            "is a partial answer in the format {} of version {}, and this program reads the format {FORMAT}; score and merge \
             all shards with the same version of the program",
            line.format, line.version
        ));
    }
    Ok(())
}
