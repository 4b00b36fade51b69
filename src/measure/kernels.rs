//! What the copies of a ceiling run: arithmetic, reading memory, or the sequential program itself.

use std::hint::black_box;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::thread;
use std::time::{Duration, Instant};

use super::workload::Workload;
use crate::error::Error;
use crate::execution::Sequential;
use crate::machine::Machine;

/// Something that is run in copies, each with work of its own and nothing shared.
pub(super) trait Kernel: Sync {
    /// Before so many copies start.
    fn prepare(&self, _copies: usize) {}

    /// Runs one of the copies; how long it took, where it knows better than who calls it.
    fn run(&self, copy: usize) -> Result<Option<Duration>, Error>;
}

/// Arithmetic in registers alone: chains of integer and of floating-point multiplications and
/// additions, none of which waits for another chain.
///
/// There are as many as it takes to have something for each unit in each cycle: with fewer, two hardware
/// threads of a core would both find room, and seem to be two cores.
pub(super) struct Arithmetic {
    steps: u64,
}

/// A 64-bit multiplication can start in each cycle and takes three to four, an addition one, while
/// the floating-point chains take six to eight.
const WHOLE: usize = 6;
/// Two multiplications and two additions can start in each cycle, each of two numbers at once in the
/// vectors that every x86-64 and ARM64 has; sixteen registers hold them and the two constants.
const REAL: usize = 24;
/// How long one copy should take. Short, since each round waits for every ceiling; but longer than what
/// a thread that is preempted for once loses.
const ARITHMETIC: Duration = Duration::from_millis(5);

impl Arithmetic {
    /// With as many steps as take a copy some milliseconds on this machine.
    pub(super) fn calibrated() -> Self {
        let mut steps = 1 << 10;
        loop {
            let one = || {
                let began = Instant::now();
                compute(steps);
                began.elapsed()
            };
            // The shortest, since a thread may lose its core meanwhile.
            let took = one().min(one()).min(one());
            if took >= ARITHMETIC / 10 {
                let fitting = steps as f64 * ARITHMETIC.div_duration_f64(took);
                return Arithmetic {
                    steps: fitting as u64,
                };
            }
            steps *= 2;
        }
    }
}

impl Kernel for Arithmetic {
    fn run(&self, _copy: usize) -> Result<Option<Duration>, Error> {
        compute(self.steps);
        Ok(None)
    }
}

#[inline(never)]
fn compute(steps: u64) {
    let mut whole = black_box([1_u64; WHOLE]);
    let mut real = black_box([0.5_f64; REAL]);
    for _ in 0..steps {
        // Knuth's multiplier for a linear congruential generator, as MMIX has it.
        for number in &mut whole {
            *number = number
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
        }
        // Goes towards 1: neither overflow nor subnormal numbers, which take longer.
        for number in &mut real {
            *number = *number * 0.999_999 + 0.000_001;
        }
    }
    black_box((whole, real));
}

/// Reading memory, one byte after the other, and more of it than the caches hold.
///
/// All copies go round in the same strips, each on a strip of its own at a time: before one is read again
/// all the others have been, however many copies there are. So one copy alone finds no more of them in a
/// cache than many do, and together they are no larger than that takes.
pub(super) struct Memory {
    strips: Vec<Vec<u8>>,
    /// The first strip of the first copy.
    first: AtomicUsize,
    copies: AtomicUsize,
    /// The first strip of the next turn.
    next: AtomicUsize,
}

/// Bytes of a strip. Debug builds, whose times mean nothing, need not wait for so many.
const STRIP: usize = if cfg!(debug_assertions) {
    1 << 20
} else {
    16 << 20
};
/// How many strips a copy reads, one after the other: some milliseconds.
const STRIPS_EACH: usize = 6;
/// Bytes that one copy reads.
pub(super) const BYTES_EACH: usize = STRIP * STRIPS_EACH;
/// The strips together hold this many times what the last-level caches do.
const CACHES: u64 = 2;
/// What caches are taken to hold where the system does not tell.
const UNKNOWN_CACHE: u64 = 64 << 20;
/// One part in so many of the memory that is there may be taken …
const SHARE: u64 = 8;
/// … of so much where that is not told.
const UNKNOWN_MEMORY: u64 = 4 << 30;

impl Memory {
    /// Enough strips for so many copies; `None` where memory is scarce.
    pub(super) fn touched(copies: usize, machine: &Machine) -> Option<Self> {
        let strips = strips(copies, machine)?;
        // By several threads, so that they come to lie on several memory nodes, where there are.
        let touchers = copies.clamp(1, strips);
        let touch = |of: usize| {
            let mine = (of..strips).step_by(touchers);
            mine.map(|_| vec![1; STRIP]).collect::<Vec<Vec<u8>>>()
        };
        let strips = thread::scope(|scope| {
            let start = |of| thread::Builder::new().spawn_scoped(scope, move || touch(of));
            let threads: Vec<_> = (0..touchers).map(start).collect();
            let strips = threads.into_iter().enumerate().map(|(of, thread)| {
                let touched = thread.ok().and_then(|thread| thread.join().ok());
                touched.unwrap_or_else(|| touch(of))
            });
            strips.flatten().collect()
        });
        Some(Memory {
            strips,
            first: AtomicUsize::new(0),
            copies: AtomicUsize::new(1),
            next: AtomicUsize::new(0),
        })
    }
}

/// How many strips so many copies need, unless memory is scarce.
fn strips(copies: usize, machine: &Machine) -> Option<usize> {
    let cache = machine.cache.unwrap_or(UNKNOWN_CACHE);
    let strips = (cache * CACHES).div_ceil(STRIP as u64);
    let strips = strips.max(copies as u64);
    let limit = machine.control_group.and_then(|group| group.memory);
    let there = [machine.memory_available, limit];
    let there = there.into_iter().flatten().min().unwrap_or(UNKNOWN_MEMORY);
    let fits = strips.checked_mul(STRIP as u64)? <= there / SHARE;
    fits.then_some(strips as usize)
}

impl Memory {
    /// The strips of a copy, in their order.
    fn strips_of(&self, copy: usize) -> impl Iterator<Item = &[u8]> {
        let (first, copies) = (self.first.load(Relaxed), self.copies.load(Relaxed));
        let numbers = (0..STRIPS_EACH).map(move |turn| first + turn * copies + copy);
        numbers.map(|number| self.strips[number % self.strips.len()].as_slice())
    }
}

impl Kernel for Memory {
    fn prepare(&self, copies: usize) {
        let first = self.next.fetch_add(copies * STRIPS_EACH, Relaxed);
        self.first.store(first, Relaxed);
        self.copies.store(copies, Relaxed);
    }

    fn run(&self, copy: usize) -> Result<Option<Duration>, Error> {
        for strip in self.strips_of(copy) {
            // Finds nothing, as fast as memory allows: the search has vectors of every size there is.
            black_box(memchr::memchr(0, black_box(strip)));
        }
        Ok(None)
    }
}

/// The sequential program.
pub(super) struct Program<'w>(pub(super) &'w dyn Workload);

impl Kernel for Program<'_> {
    fn run(&self, _copy: usize) -> Result<Option<Duration>, Error> {
        let answered = self.0.run_on(&Sequential)?;
        Ok(Some(answered.timing.wall))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_strips_for_the_caches_and_for_every_copy_or_none() {
        let mut machine = Machine::look();
        machine.control_group = None;
        machine.memory_available = Some(1 << 40);
        machine.cache = Some(10 * STRIP as u64);
        assert_eq!(strips(2, &machine), Some(20));
        assert_eq!(strips(64, &machine), Some(64));
        machine.memory_available = Some(20 * 8 * STRIP as u64);
        assert_eq!(strips(2, &machine), Some(20));
        machine.memory_available = Some(20 * 8 * STRIP as u64 - 1);
        assert_eq!(strips(2, &machine), None);
    }

    #[test]
    fn copies_read_strips_of_their_own_and_go_round_in_all_of_them() {
        let mut machine = Machine::look();
        (machine.cache, machine.memory_available) = (Some(2 * STRIP as u64), None);
        machine.control_group = None;
        let memory = Memory::touched(3, &machine).unwrap();
        assert_eq!(memory.strips.len(), 4);
        let touched = |strip: &Vec<u8>| strip.len() == STRIP && strip.iter().all(|byte| *byte == 1);
        assert!(memory.strips.iter().all(touched));
        let number = |strip: &[u8]| {
            let mut all = memory.strips.iter();
            all.position(|one| std::ptr::eq(one.as_slice(), strip))
                .unwrap()
        };
        let mut before = Vec::new();
        for copies in [1, 3, 2, 1, 3] {
            memory.prepare(copies);
            let of = |copy| memory.strips_of(copy).map(number).collect::<Vec<_>>();
            let read: Vec<Vec<usize>> = (0..copies).map(of).collect();
            for turn in 0..STRIPS_EACH {
                before.extend(read.iter().map(|of_copy| of_copy[turn]));
            }
        }
        // Round and round, whoever reads.
        let round = (0..before.len()).map(|place| place % 4);
        assert!(round.eq(before));
    }
}
