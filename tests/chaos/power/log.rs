//! Reads the log of strace: what the processes of a run did to the files of a folder.

use std::collections::HashMap;
use std::path::Path;

use crate::traced::words;

/// The calls that the log must have.
const CALLS: &str = "openat,write,pwrite64,fdatasync,fsync,rename,renameat,renameat2,link,linkat,unlink,unlinkat,\
                     ftruncate,lseek";

/// What a call does to a file of the folder. Files have the names that they had when the call began.
#[derive(Clone, Debug)]
pub(crate) enum Operation {
    Create(String),
    /// At this offset, or where the last such call has ended.
    Write(String, Option<u64>, Vec<u8>),
    Seek(String, u64),
    Truncate(String, u64),
    Sync(String),
    SyncFolder,
    Rename(String, String),
    Link(String, String),
    Remove(String),
    /// Something is written to standard output.
    Print,
}

/// A moment of a run.
#[derive(Clone, Debug)]
pub(crate) enum Event {
    /// The call with this number begins.
    Begin(usize),
    /// It has been done.
    End(usize),
}

/// What the processes of a run did to a folder.
pub(crate) struct Log {
    pub(crate) operations: Vec<Operation>,
    pub(crate) events: Vec<Event>,
}

/// The words before a command that write the log of the command to a file.
pub(crate) fn logging_to(path: &Path) -> Vec<String> {
    let mut before = words("strace -f -qq -y -xx -s 10000000 -e signal=none -o");
    before.push(path.display().to_string());
    before.extend(words(&format!("-e trace={CALLS}")));
    before
}

impl Log {
    pub(crate) fn parse(text: &str, folder: &Path) -> Self {
        let mut log = Log {
            operations: Vec::new(),
            events: Vec::new(),
        };
        // The number and the text of the call that a thread has begun. The event of its beginning has already a place.
        let mut begun: HashMap<&str, (usize, String)> = HashMap::new();
        // Events of calls, some of which turn out to do nothing.
        let mut events = Vec::new();
        let mut found = Vec::new();
        for line in text.lines() {
            let (thread, call) = line.split_once(' ').expect("a thread");
            let call = call.trim_start();
            if let Some(begin) = call.strip_suffix(" <unfinished ...>") {
                begun.insert(thread, (found.len(), begin.to_owned()));
                events.push(Event::Begin(found.len()));
                found.push(None);
            } else if let Some(rest) = call.strip_prefix("<... ") {
                let (_, rest) = rest.split_once(" resumed>").expect("the rest of a call");
                let Some((number, begin)) = begun.remove(thread) else {
                    continue;
                };
                found[number] = operation(&(begin + rest), folder);
                events.push(Event::End(number));
            } else {
                let number = found.len();
                found.push(operation(call, folder));
                events.extend([Event::Begin(number), Event::End(number)]);
            }
        }
        let mut numbers = HashMap::new();
        for (number, operation) in found.into_iter().enumerate() {
            if let Some(operation) = operation {
                numbers.insert(number, log.operations.len());
                log.operations.push(operation);
            }
        }
        let events = events.into_iter().filter_map(|event| match event {
            Event::Begin(number) => numbers.get(&number).copied().map(Event::Begin),
            Event::End(number) => numbers.get(&number).copied().map(Event::End),
        });
        log.events = events.collect();
        log
    }
}

/// What a call does to the folder, if it does something and was successful.
fn operation(call: &str, folder: &Path) -> Option<Operation> {
    let (call, result) = call.rsplit_once(" = ")?;
    if result.starts_with(['-', '?']) {
        return None;
    }
    let (name, arguments) = call.trim_end().trim_end_matches(')').split_once('(')?;
    let arguments: Vec<&str> = arguments.split(", ").collect();
    // A path is a word in quotes, and that of an open file is in angle brackets.
    let path = |argument: &str| {
        let begin = argument.find(['"', '<'])?;
        let path = unescaped(argument[begin + 1..].trim_end_matches(['"', '>']));
        String::from_utf8(path).ok()
    };
    let inside = |argument: &str| {
        let path = path(argument)?;
        let path = Path::new(&path);
        let parent = path.parent()?;
        let is_here = parent.as_os_str().is_empty() || same(parent, folder);
        let name = path.file_name()?.to_str()?.to_owned();
        (is_here && !name.starts_with('#')).then_some(name)
    };
    let number = |at: usize| arguments.get(at)?.parse::<u64>().ok();
    Some(match name {
        "openat" if arguments[2].contains("O_CREAT") => Operation::Create(inside(arguments[1])?),
        "write" if arguments[0].starts_with("1<") => Operation::Print,
        "write" | "pwrite64" => {
            let mut bytes = unescaped(arguments[1].trim_matches('"'));
            bytes.truncate(result.parse().ok()?);
            Operation::Write(inside(arguments[0])?, number(3), bytes)
        }
        "lseek" => Operation::Seek(inside(arguments[0])?, result.parse().ok()?),
        "ftruncate" => Operation::Truncate(inside(arguments[0])?, number(1)?),
        "fsync" | "fdatasync" if same(Path::new(&path(arguments[0])?), folder) => {
            Operation::SyncFolder
        }
        "fsync" | "fdatasync" => Operation::Sync(inside(arguments[0])?),
        "rename" => Operation::Rename(inside(arguments[0])?, inside(arguments[1])?),
        "renameat" | "renameat2" => Operation::Rename(inside(arguments[1])?, inside(arguments[3])?),
        "link" => Operation::Link(inside(arguments[0])?, inside(arguments[1])?),
        "linkat" => Operation::Link(inside(arguments[1])?, inside(arguments[3])?),
        "unlink" => Operation::Remove(inside(arguments[0])?),
        "unlinkat" => Operation::Remove(inside(arguments[1])?),
        _ => return None,
    })
}

/// Whether two paths are the same but for `.` in them.
fn same(one: &Path, other: &Path) -> bool {
    one.components().eq(other.components())
}

/// The bytes of a text in which every byte is `\x` and two digits.
fn unescaped(text: &str) -> Vec<u8> {
    let digits = text.split("\\x").skip(1);
    digits
        .map(|digits| u8::from_str_radix(&digits[..2], 16).expect("two digits"))
        .collect()
}
