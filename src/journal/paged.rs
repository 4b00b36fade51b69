//! Files of which some pages are in memory, for all threads.

use std::io;
use std::sync::Arc;

use super::disk::{JournalDisk, read_full, write_all};
use super::threads::{ThreadsApart, apart};
use crate::sync::{Mutex, lock};

/// The number of pages that a stripe holds in memory.
const PAGES_OF_STRIPE: usize = 4;

/// A file whose pages are shared by all threads. Each page belongs to a stripe, which has a lock. What is changed in a
/// page reaches the file when the page gives its memory to another one.
pub(super) struct PagedFile {
    disk: Arc<dyn JournalDisk>,
    page_bytes: usize,
    stripes: Box<[ThreadsApart<Mutex<Stripe>>]>,
}

#[derive(Default)]
struct Stripe {
    pages: Vec<HeldPage>,
    /// The number of uses of any page so far.
    uses: u64,
}

struct HeldPage {
    number: u64,
    bytes: Vec<u8>,
    is_changed: bool,
    /// The number of uses of the stripe when this page was used last.
    used: u64,
}

/// Whether bytes of a page were changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Change {
    Changed,
    Unchanged,
}

impl PagedFile {
    /// Uses a file in pages of this length. The pages in memory take at most 4 times `stripes` times `page_bytes` bytes.
    pub(super) fn new(disk: Arc<dyn JournalDisk>, page_bytes: usize, stripes: usize) -> Self {
        PagedFile {
            disk,
            page_bytes,
            stripes: apart(stripes),
        }
    }

    /// Reads or changes bytes, all of which must be in one page. Bytes behind the end of the file are zeros. No other thread
    /// sees the bytes in the meantime.
    pub(super) fn with<T>(
        &self,
        at: u64,
        length: usize,
        act: impl FnOnce(&mut [u8]) -> (T, Change),
    ) -> io::Result<T> {
        let number = at / self.page_bytes as u64;
        let begin = (at % self.page_bytes as u64) as usize;
        let mut stripe = lock(&self.stripes[number as usize % self.stripes.len()].0);
        let page = stripe.page(&*self.disk, number, self.page_bytes)?;
        let (value, change) = act(&mut page.bytes[begin..begin + length]);
        page.is_changed |= change == Change::Changed;
        Ok(value)
    }

    /// Fills the room with the bytes from this offset on, which may be in several pages.
    pub(super) fn read(&self, mut at: u64, mut room: &mut [u8]) -> io::Result<()> {
        while !room.is_empty() {
            let left = self.page_bytes - (at % self.page_bytes as u64) as usize;
            let (now, later) = room.split_at_mut(left.min(room.len()));
            self.with(at, now.len(), |bytes| {
                now.copy_from_slice(bytes);
                ((), Change::Unchanged)
            })?;
            at += now.len() as u64;
            room = later;
        }
        Ok(())
    }
}

impl Stripe {
    /// Finds a page in memory, or reads it.
    fn page(
        &mut self,
        disk: &dyn JournalDisk,
        number: u64,
        page_bytes: usize,
    ) -> io::Result<&mut HeldPage> {
        self.uses += 1;
        let held = self.pages.iter().position(|page| page.number == number);
        let place = match held {
            Some(place) => place,
            None => self.load(disk, number, page_bytes)?,
        };
        let page = &mut self.pages[place];
        page.used = self.uses;
        Ok(page)
    }

    /// Reads a page, in the memory of the one that was not used for the longest time.
    fn load(
        &mut self,
        disk: &dyn JournalDisk,
        number: u64,
        page_bytes: usize,
    ) -> io::Result<usize> {
        let oldest = (0..self.pages.len()).min_by_key(|place| self.pages[*place].used);
        let mut bytes = match oldest.filter(|_| self.pages.len() >= PAGES_OF_STRIPE) {
            Some(oldest) => {
                let page = &self.pages[oldest];
                if page.is_changed {
                    write_all(disk, &page.bytes, page.number * page_bytes as u64)?;
                }
                self.pages.swap_remove(oldest).bytes
            }
            None => vec![0; page_bytes],
        };
        let read = read_full(disk, &mut bytes, number * page_bytes as u64)?;
        bytes[read..].fill(0);
        self.pages.push(HeldPage {
            number,
            bytes,
            is_changed: false,
            used: self.uses,
        });
        Ok(self.pages.len() - 1)
    }
}

#[cfg(all(test, not(shuttle)))]
mod tests {
    use super::super::simulated_tests::SimulatedDisk;
    use super::*;

    #[test]
    fn changes_are_kept_when_pages_leave_the_memory() {
        let disk = SimulatedDisk::new(vec![1; 10]);
        let file = PagedFile::new(disk, 8, 2);
        for number in (0..200_u8).rev() {
            let changed = file.with(u64::from(number) * 4, 2, |bytes| {
                let before = bytes[0];
                bytes.fill(number);
                (before, Change::Changed)
            });
            assert_eq!(changed.unwrap(), u8::from(number < 3));
        }
        let mut bytes = vec![0; 800];
        file.read(0, &mut bytes).unwrap();
        for (number, bytes) in bytes.chunks(4).enumerate() {
            let untouched = [0, 1][usize::from(number < 2)];
            let expected = [number as u8, number as u8, untouched, untouched];
            assert_eq!(bytes, expected, "{number}");
        }
    }
}
