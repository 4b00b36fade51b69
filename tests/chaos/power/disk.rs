//! A disk that may lose what was not synced.

use std::collections::BTreeMap;

use super::log::{Event, Log, Operation};
use crate::scene::Files;

/// What changes the bytes of a file.
#[derive(Clone, Debug)]
enum Change {
    Write(u64, Vec<u8>),
    Truncate(u64),
}

/// What changes the names of the folder.
#[derive(Clone, Debug)]
enum Naming {
    Name(String, usize),
    Rename(String, String, usize),
    Remove(String),
}

/// A file with everything that was done to it.
#[derive(Default)]
struct DiskFile {
    before: Vec<u8>,
    changes: Vec<Change>,
    /// The number of the changes that are certain.
    certain: usize,
    /// Where the next write without an offset goes.
    cursor: u64,
}

/// How much of what was not synced the disk has nevertheless.
#[derive(Clone, Copy)]
enum Luck {
    Nothing,
    Everything,
    Some,
}

/// The folder as the processes of a run and the disk see it.
pub(crate) struct Disk {
    files: Vec<DiskFile>,
    names_before: BTreeMap<String, usize>,
    namings: Vec<Naming>,
    /// The number of the changes of names that are certain.
    certain: usize,
    /// The names as the processes see them.
    names: BTreeMap<String, usize>,
    /// The file of each call that has begun, and what a sync makes certain.
    begun: BTreeMap<usize, (Option<usize>, usize)>,
    /// Whether something was printed.
    pub(crate) has_printed: bool,
}

impl Disk {
    /// A disk that has these files.
    pub(crate) fn with(files: &Files) -> Self {
        let names: BTreeMap<_, _> = files.keys().cloned().zip(0..).collect();
        let file = |before: &Vec<u8>| DiskFile {
            before: before.clone(),
            ..DiskFile::default()
        };
        Disk {
            files: files.values().map(file).collect(),
            names_before: names.clone(),
            namings: Vec::new(),
            certain: 0,
            names,
            begun: BTreeMap::new(),
            has_printed: false,
        }
    }

    /// Lets an event happen.
    pub(crate) fn happens(&mut self, event: &Event, log: &Log) {
        match event {
            Event::Begin(number) => {
                let begun = self.begin(&log.operations[*number]);
                self.begun.insert(*number, begun);
            }
            Event::End(number) => {
                let (file, certain) = self.begun.remove(number).expect("it has begun");
                self.end(&log.operations[*number], file, certain);
            }
        }
    }

    /// The file of a call, and the number of changes that a sync will make certain.
    fn begin(&self, operation: &Operation) -> (Option<usize>, usize) {
        match operation {
            Operation::Write(name, ..)
            | Operation::Seek(name, _)
            | Operation::Truncate(name, _)
            | Operation::Sync(name) => {
                let file = self.names.get(name).copied();
                (file, file.map_or(0, |file| self.files[file].changes.len()))
            }
            _ => (None, self.namings.len()),
        }
    }

    fn end(&mut self, operation: &Operation, file: Option<usize>, certain: usize) {
        // Files that have lost their names do not matter.
        let file = file.map(|file| &mut self.files[file]);
        match (operation, file) {
            (Operation::Write(_, at, bytes), Some(file)) => {
                let begin = at.unwrap_or(file.cursor);
                if at.is_none() {
                    file.cursor += bytes.len() as u64;
                }
                file.changes.push(Change::Write(begin, bytes.clone()));
            }
            (Operation::Seek(_, to), Some(file)) => file.cursor = *to,
            (Operation::Truncate(_, length), Some(file)) => {
                file.changes.push(Change::Truncate(*length));
            }
            (Operation::Sync(_), Some(file)) => file.certain = file.certain.max(certain),
            (Operation::SyncFolder, _) => self.certain = self.certain.max(certain),
            (Operation::Create(name), _) if !self.names.contains_key(name) => {
                self.files.push(DiskFile::default());
                self.name(Naming::Name(name.clone(), self.files.len() - 1));
            }
            (Operation::Rename(from, to), _) => {
                let file = self.names[from];
                self.name(Naming::Rename(from.clone(), to.clone(), file));
            }
            (Operation::Link(from, to), _) => self.name(Naming::Name(to.clone(), self.names[from])),
            (Operation::Remove(name), _) => self.name(Naming::Remove(name.clone())),
            (Operation::Print, _) => self.has_printed = true,
            _ => {}
        }
    }

    fn name(&mut self, naming: Naming) {
        naming.apply(&mut self.names);
        self.namings.push(naming);
    }

    /// The files as the processes see them.
    pub(crate) fn seen(&self) -> Files {
        let bytes = |file: usize| {
            let file = &self.files[file];
            let all = file.changes.iter().map(|change| (change, change.length()));
            file.after(all)
        };
        let names = self.names.iter();
        names
            .map(|(name, file)| (name.clone(), bytes(*file)))
            .collect()
    }

    /// The files that the disk has if the power fails now.
    pub(crate) fn left(&self, random: &mut fastrand::Rng) -> Files {
        let mut names = self.names_before.clone();
        let luck = Luck::draw(random);
        for (number, naming) in self.namings.iter().enumerate() {
            if number < self.certain || luck.keeps(random) {
                naming.apply(&mut names);
            }
        }
        let mut left = Files::new();
        for (name, file) in names {
            let luck = Luck::draw(random);
            let file = &self.files[file];
            let changes = file.changes.iter().enumerate();
            let kept = changes.filter_map(|(number, change)| {
                if number < file.certain || luck.keeps(random) {
                    return Some((change, change.length()));
                }
                // Some of the bytes of a write may be there.
                let is_torn = matches!(luck, Luck::Some) && random.bool();
                let is_write = matches!(change, Change::Write(..));
                (is_torn && is_write).then(|| (change, random.usize(..=change.length())))
            });
            let kept: Vec<_> = kept.collect();
            left.insert(name, file.after(kept.into_iter()));
        }
        left
    }
}

impl Luck {
    fn draw(random: &mut fastrand::Rng) -> Self {
        match random.u8(..4) {
            0 => Luck::Nothing,
            1 => Luck::Everything,
            _ => Luck::Some,
        }
    }

    fn keeps(self, random: &mut fastrand::Rng) -> bool {
        match self {
            Luck::Nothing => false,
            Luck::Everything => true,
            Luck::Some => random.bool(),
        }
    }
}

impl Change {
    /// The number of bytes that it writes.
    fn length(&self) -> usize {
        match self {
            Change::Write(_, bytes) => bytes.len(),
            Change::Truncate(_) => 0,
        }
    }
}

impl DiskFile {
    /// The bytes of the file after these changes, each with the number of bytes that its write has written.
    fn after<'a>(&self, changes: impl Iterator<Item = (&'a Change, usize)>) -> Vec<u8> {
        let mut after = self.before.clone();
        for (change, length) in changes {
            match change {
                Change::Write(at, bytes) => {
                    let begin = *at as usize;
                    if after.len() < begin + length {
                        after.resize(begin + length, 0);
                    }
                    after[begin..begin + length].copy_from_slice(&bytes[..length]);
                }
                Change::Truncate(length) => after.resize(*length as usize, 0),
            }
        }
        after
    }
}

impl Naming {
    fn apply(&self, names: &mut BTreeMap<String, usize>) {
        match self {
            Naming::Name(name, file) => {
                names.insert(name.clone(), *file);
            }
            Naming::Rename(from, to, file) => {
                names.remove(from);
                names.insert(to.clone(), *file);
            }
            Naming::Remove(name) => {
                names.remove(name);
            }
        }
    }
}
