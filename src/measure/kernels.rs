//! The kernels of the ceilings: arithmetic, reading memory, and the sequential program.

use std::hint::black_box;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::thread;
use std::time::{Duration, Instant};

use super::runnable::Runnable;
use crate::error::Error;
use crate::execution::Sequential;
use crate::machine::Machine;

/// Something to run in copies that share no data.
pub(super) trait Kernel: Sync {
    /// Prepares the kernel for this number of copies. It is called before they start.
    fn prepare(&self, _copies: usize) {}

    /// Runs one of the copies. Returns the duration if the kernel measures it itself.
    fn run(&self, copy: usize) -> Result<Option<Duration>, Error>;
}

/// Computation in registers: independent chains of integer and floating-point multiplications and additions.
///
/// There are enough chains to keep every execution unit busy in every cycle. With fewer chains, two hardware
/// threads of a core would both find idle units and look like two cores.
pub(super) struct Arithmetic {
    steps: u64,
}

/// Number of integer chains. One 64-bit multiplication can start in each cycle. It takes three to four cycles,
/// and an addition takes one cycle; a step of the floating-point chains takes six to eight cycles.
const INTEGERS: usize = 6;
/// Number of floating-point chains. Two multiplications and two additions can start in each cycle. Each of them
/// works on two numbers, because the vectors of every x86-64 and ARM64 processor hold two. Sixteen registers
/// hold the chains and the two constants.
const FLOATS: usize = 24;
/// Target duration of one copy. It is short because every round includes every ceiling, but longer than the
/// time a thread loses when it is preempted once.
const ARITHMETIC_TIME: Duration = Duration::from_millis(5);

impl Arithmetic {
    /// Chooses the number of steps so that a copy takes [`ARITHMETIC_TIME`] on this machine.
    pub(super) fn calibrated() -> Self {
        let mut steps = 1 << 10;
        loop {
            let measure = || {
                let began = Instant::now();
                compute(steps);
                began.elapsed()
            };
            // The minimum counts, because the thread may lose its core during a measurement.
            let time = measure().min(measure()).min(measure());
            if time >= ARITHMETIC_TIME / 10 {
                let fitting = steps as f64 * ARITHMETIC_TIME.div_duration_f64(time);
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
    let mut integers = black_box([1_u64; INTEGERS]);
    let mut floats = black_box([0.5_f64; FLOATS]);
    for _ in 0..steps {
        // This is Knuth's linear congruential generator for MMIX.
        for number in &mut integers {
            *number = number
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
        }
        // The numbers approach 1: they neither overflow nor become subnormal, which would take longer.
        for number in &mut floats {
            *number = *number * 0.999_999 + 0.000_001;
        }
    }
    black_box((integers, floats));
}

/// Reading more memory than the caches hold, byte after byte.
///
/// All copies read the same strips in a circle, and at any time each copy reads a different strip. With any
/// number of copies, a strip is read again only after all others, so a single copy finds no more data in the
/// caches than many copies do.
pub(super) struct Memory {
    strips: Vec<Vec<u8>>,
    /// Index of the first strip of copy 0 in the current turn.
    first: AtomicUsize,
    /// Number of copies in the current turn.
    copies: AtomicUsize,
    /// Index of the first strip of the next turn.
    next: AtomicUsize,
}

/// Size of a strip in bytes. Debug builds use smaller strips, because their times mean nothing.
const STRIP: usize = if cfg!(debug_assertions) {
    1 << 20
} else {
    16 << 20
};
/// Number of strips that a copy reads in a turn. Reading them takes some milliseconds.
const STRIPS_EACH: usize = 6;
/// Number of bytes that a copy reads in a turn.
pub(super) const BYTES_EACH: usize = STRIP * STRIPS_EACH;
/// Total size of all strips, as a multiple of the size of the last-level caches.
const CACHES: u64 = 2;
/// Assumed size of the last-level caches in bytes if the system does not report it.
const UNKNOWN_CACHE: u64 = 64 << 20;
/// The strips may take at most the available memory divided by this number.
const MEMORY_DIVISOR: u64 = 8;
/// Assumed available memory in bytes if the system does not report it.
const UNKNOWN_MEMORY: u64 = 4 << 30;

impl Memory {
    /// Allocates enough strips for this number of copies; `None` if memory is scarce.
    pub(super) fn touched(copies: usize, machine: &Machine) -> Option<Self> {
        let strips = strips(copies, machine)?;
        // Several threads write the strips, so that they are spread over the memory nodes.
        let touchers = copies.clamp(1, strips);
        let touch = |first: usize| {
            let mine = (first..strips).step_by(touchers);
            mine.map(|_| vec![1; STRIP]).collect::<Vec<Vec<u8>>>()
        };
        let strips = thread::scope(|scope| {
            let start = |first| thread::Builder::new().spawn_scoped(scope, move || touch(first));
            let threads: Vec<_> = (0..touchers).map(start).collect();
            let strips = threads.into_iter().enumerate().map(|(first, thread)| {
                let touched = thread.ok().and_then(|thread| thread.join().ok());
                touched.unwrap_or_else(|| touch(first))
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

/// Number of strips for this number of copies; `None` if memory is scarce.
fn strips(copies: usize, machine: &Machine) -> Option<usize> {
    let cache = machine.cache.unwrap_or(UNKNOWN_CACHE);
    let strips = (cache * CACHES).div_ceil(STRIP as u64);
    let strips = strips.max(copies as u64);
    let limit = machine.control_group.and_then(|group| group.memory);
    let available = [machine.memory_available, limit];
    let available = available
        .into_iter()
        .flatten()
        .min()
        .unwrap_or(UNKNOWN_MEMORY);
    let fits = strips.checked_mul(STRIP as u64)? <= available / MEMORY_DIVISOR;
    fits.then_some(strips as usize)
}

impl Memory {
    /// The strips that a copy reads, in the order in which it reads them.
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
            // A search for a byte that does not occur is limited only by the speed of the memory, because it
            // uses the widest vectors of the processor.
            black_box(memchr::memchr(0, black_box(strip)));
        }
        Ok(None)
    }
}

/// The sequential program, as a kernel.
pub(super) struct MeasuredProgram<'w>(pub(super) &'w dyn Runnable);

impl Kernel for MeasuredProgram<'_> {
    fn run(&self, _copy: usize) -> Result<Option<Duration>, Error> {
        let outcome = self.0.run_on(&Sequential)?;
        Ok(Some(outcome.timing.wall))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strips_exceed_the_caches_and_suffice_for_every_copy_unless_memory_is_scarce() {
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
    fn copies_read_different_strips_and_all_strips_in_a_circle() {
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
        // The strips are read in a circle, regardless of which copy reads them.
        let circle = (0..before.len()).map(|place| place % 4);
        assert!(circle.eq(before));
    }
}
