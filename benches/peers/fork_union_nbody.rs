//! This workload is the simulation that fork_union publishes (`scripts/nbody.rs`,
//! github.com/ashvardanian/fork_union): 128 bodies attract each other. Each step has two passes. The first pass
//! computes the force on every body, which takes some tens of microseconds in all. The second pass moves every body,
//! which takes almost no time.
//!
//! Both passes write in place. A `Pipeline` cannot do that, because it lends records to a task and receives scores. A
//! channel cannot send an exclusive reference to workers that outlive the reference. So neither of them is a
//! contender here.

use manyhands::prelude::{Count, ParallelAggregate};

use crate::contenders::{OURS, Way, chili_pool, paralight_pool, rayon_pool, threads};
use crate::rounds::next;

const BODIES: usize = 128;
/// Number of steps of the simulation. fork_union publishes a million steps.
const STEPS: usize = 100;
const GRAVITY: f32 = 6.674e-11;
const TIME: f32 = 0.01;
/// Added to the square of each distance, so that the force between close bodies is limited.
const SOFTENING: f32 = 1e-9;

type Vector = [f32; 3];

#[derive(Clone)]
pub struct Body {
    position: Vector,
    velocity: Vector,
    mass: f32,
}

/// A contender that changes every record in place. The change depends on the index of the record.
trait InPlace {
    fn update<R: Send + Sync, F: Fn(usize, &mut R) + Sync>(&mut self, records: &mut [R], update: F);
}

pub struct Simulation(Vec<Body>);

impl Simulation {
    pub fn new() -> Self {
        let mut random = 128;
        let mut uniform = || (next(&mut random) >> 40) as f32 / (1 << 24) as f32;
        let bodies = (0..BODIES).map(|_| Body {
            position: [uniform(), uniform(), uniform()],
            velocity: [uniform(), uniform(), uniform()],
            mass: 1e20 + uniform() * 1e25,
        });
        Simulation(bodies.collect())
    }

    pub fn ways(&self) -> Vec<Way<'_>> {
        vec![
            Way::plain("sequential loop", || self.run(&mut Loop)),
            Way::new(OURS, |measure| {
                rayon_pool().install(|| measure(&mut || self.run(&mut Ours)));
            }),
            Way::new("rayon", |measure| {
                rayon_pool().install(|| measure(&mut || self.run(&mut Rayon)));
            }),
            Way::plain("orx-parallel", || self.run(&mut Orx)),
            Way::new("paralight", |measure| {
                let mut paralight = Paralight(paralight_pool());
                measure(&mut || self.run(&mut paralight));
            }),
            Way::new("chili", |measure| {
                let pool = chili_pool();
                let mut chili = Chili(pool.scope());
                measure(&mut || self.run(&mut chili));
            }),
            Way::plain("std::thread::scope", || self.run(&mut Scoped)),
            #[cfg(fork_union)]
            Way::new("fork_union", |measure| {
                let pool = fork_union::ThreadPool::try_spawn(threads());
                let mut pool = ForkUnion(pool.expect("threads"));
                measure(&mut || self.run(&mut pool));
            }),
        ]
    }

    /// Runs the simulation, and returns a checksum of the final positions.
    fn run(&self, by: &mut impl InPlace) -> u64 {
        let mut bodies = self.0.clone();
        let mut forces = vec![[0.0; 3]; bodies.len()];
        for _ in 0..STEPS {
            by.update(&mut forces, |place, force| {
                *force = attraction(&bodies, place)
            });
            by.update(&mut bodies, |place, body| body.push(forces[place]));
        }
        let coordinates = bodies.iter().flat_map(|body| body.position);
        coordinates.fold(0, |sum, x| {
            sum.wrapping_mul(31).wrapping_add(x.to_bits().into())
        })
    }
}

/// Returns the force of all bodies on one body.
fn attraction(bodies: &[Body], place: usize) -> Vector {
    let body = &bodies[place];
    let mut total = [0.0; 3];
    for other in bodies {
        let [dx, dy, dz] = [0, 1, 2].map(|axis| other.position[axis] - body.position[axis]);
        let inverse = inverse_root(dx * dx + dy * dy + dz * dz + SOFTENING);
        let force = GRAVITY * body.mass * other.mass * inverse * inverse * inverse;
        total[0] += force * dx;
        total[1] += force * dy;
        total[2] += force * dz;
    }
    total
}

/// Approximates 1/√x from the bits of x and one step of the method of Newton, as in the simulation of
/// fork_union.
fn inverse_root(x: f32) -> f32 {
    let guess = f32::from_bits(0x5f37_59df_u32.wrapping_sub(x.to_bits() >> 1));
    guess * (1.5 - 0.5 * x * guess * guess)
}

impl Body {
    fn push(&mut self, force: Vector) {
        for (axis, force) in force.into_iter().enumerate() {
            self.velocity[axis] += force / self.mass * TIME;
            self.position[axis] += self.velocity[axis] * TIME;
        }
    }
}

struct Loop;

impl InPlace for Loop {
    fn update<R: Send + Sync, F: Fn(usize, &mut R) + Sync>(
        &mut self,
        records: &mut [R],
        update: F,
    ) {
        for (place, record) in records.iter_mut().enumerate() {
            update(place, record);
        }
    }
}

struct Ours;

impl InPlace for Ours {
    fn update<R: Send + Sync, F: Fn(usize, &mut R) + Sync>(
        &mut self,
        records: &mut [R],
        update: F,
    ) {
        use rayon::prelude::*;
        let updates = records.par_iter_mut().enumerate();
        let count = updates
            .map(|(place, record)| update(place, record))
            .aggregate(Count::new());
        std::hint::black_box(count);
    }
}

struct Rayon;

impl InPlace for Rayon {
    fn update<R: Send + Sync, F: Fn(usize, &mut R) + Sync>(
        &mut self,
        records: &mut [R],
        update: F,
    ) {
        use rayon::prelude::*;
        let records = records.par_iter_mut().enumerate();
        records.for_each(|(place, record)| update(place, record));
    }
}

struct Orx;

impl InPlace for Orx {
    fn update<R: Send + Sync, F: Fn(usize, &mut R) + Sync>(
        &mut self,
        records: &mut [R],
        update: F,
    ) {
        use orx_parallel::*;
        let records = records.into_par().num_threads(threads());
        records
            .enumerate()
            .for_each(|(place, record)| update(place, record));
    }
}

struct Paralight(paralight::threads::ThreadPool);

impl InPlace for Paralight {
    fn update<R: Send + Sync, F: Fn(usize, &mut R) + Sync>(
        &mut self,
        records: &mut [R],
        update: F,
    ) {
        use paralight::prelude::*;
        let records = records
            .par_iter_mut()
            .enumerate()
            .with_thread_pool(&mut self.0);
        records.for_each(|(place, record)| update(place, record));
    }
}

struct Chili<'p>(chili::Scope<'p>);

impl InPlace for Chili<'_> {
    fn update<R: Send + Sync, F: Fn(usize, &mut R) + Sync>(
        &mut self,
        records: &mut [R],
        update: F,
    ) {
        halves(&mut self.0, 0, records, &update);
    }
}

fn halves<R: Send + Sync>(
    scope: &mut chili::Scope<'_>,
    first: usize,
    records: &mut [R],
    update: &(impl Fn(usize, &mut R) + Sync),
) {
    match records {
        [] => {}
        [record] => update(first, record),
        _ => {
            let middle = records.len() / 2;
            let (left, right) = records.split_at_mut(middle);
            scope.join(
                |scope| halves(scope, first, left, update),
                |scope| halves(scope, first + middle, right, update),
            );
        }
    }
}

struct Scoped;

impl InPlace for Scoped {
    fn update<R: Send + Sync, F: Fn(usize, &mut R) + Sync>(
        &mut self,
        records: &mut [R],
        update: F,
    ) {
        let share = records.len().div_ceil(threads()).max(1);
        std::thread::scope(|scope| {
            let mut shares = records.chunks_mut(share).zip((0..).step_by(share));
            let own = shares.next();
            let update = |(records, first): (&mut [R], usize)| {
                for (place, record) in (first..).zip(records) {
                    update(place, record);
                }
            };
            for share in shares {
                scope.spawn(move || update(share));
            }
            own.map(update);
        });
    }
}

#[cfg(fork_union)]
struct ForkUnion(fork_union::ThreadPool);

#[cfg(fork_union)]
impl InPlace for ForkUnion {
    fn update<R: Send + Sync, F: Fn(usize, &mut R) + Sync>(
        &mut self,
        records: &mut [R],
        update: F,
    ) {
        fork_union::for_each_prong_mut(&mut self.0, records, |record, prong| {
            update(prong.task_index, record);
        });
    }
}
