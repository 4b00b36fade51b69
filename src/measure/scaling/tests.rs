//! Laws fitted to speed-ups with known coefficients.

use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::machine::Machine;
use crate::measure::figures::Turn;

/// Divides throughputs by the first one, that of a single thread.
fn speed_ups(measured: &[(f64, f64)]) -> Vec<(f64, f64)> {
    let (_, one) = measured[0];
    measured
        .iter()
        .map(|(threads, rate)| (*threads, rate / one))
        .collect()
}

/// Numbers of users and scripts per hour of a Sun SPARCcenter 2000 in the benchmark SPEC SDM 91, from Gunther's
/// book. The coefficients are those that version 1 of the R package usl (Möding) printed for its data set
/// `specsdm91`; that version fitted without weights, as the book does.
#[test]
fn the_book_s_coefficients_of_spec_sdm_91() {
    let measured = [
        (1.0, 64.9),
        (18.0, 995.9),
        (36.0, 1652.4),
        (72.0, 1853.2),
        (108.0, 1828.9),
        (144.0, 1775.0),
        (216.0, 1702.2),
    ];
    let law = Law::universal_by_the_book(&speed_ups(&measured));
    assert!((law.contention - 1.704689e-2).abs() < 5e-9, "{law:?}");
    assert!((law.coherency - 7.892498e-5).abs() < 5e-12, "{law:?}");
}

/// Numbers of processors and rays per second of the ray tracer in the book. According to the documentation of
/// the same package, the peak of the law is *just below 450 processors*.
#[test]
fn the_book_s_coefficients_of_a_ray_tracer() {
    let measured = [
        (1.0, 20.0),
        (4.0, 78.0),
        (8.0, 130.0),
        (12.0, 170.0),
        (16.0, 190.0),
        (20.0, 200.0),
        (24.0, 210.0),
        (28.0, 230.0),
        (32.0, 260.0),
        (48.0, 280.0),
        (64.0, 310.0),
    ];
    let law = Law::universal_by_the_book(&speed_ups(&measured));
    assert!((law.contention - 0.05002).abs() < 5e-6, "{law:?}");
    let peak = law.peak().unwrap();
    assert!((449.0..450.0).contains(&peak), "{peak}");
}

#[test]
fn coefficients_out_of_range_are_clipped() {
    // Doubling the threads more than doubles the speed.
    let measured = [(1.0, 1.0), (2.0, 2.1), (4.0, 4.4), (8.0, 9.0)];
    assert_eq!(Law::universal(&measured), Law::default());
    assert_eq!(Law::amdahl(&measured), Law::default());
    // Scaling improves with more threads: the unconstrained fit has a negative coherency.
    let measured = [(1.0, 1.0), (2.0, 1.4), (4.0, 2.4), (8.0, 4.6), (16.0, 9.0)];
    let law = Law::universal(&measured);
    assert_eq!((law.coherency, law.peak()), (0.0, None));
    assert_eq!(law, Law::amdahl(&measured));
    assert!(law.contention > 0.0);
    // Scaling is perfect at first and then falls: the whole loss is attributed to coherency.
    let measured = [(1.0, 1.0), (2.0, 2.0), (4.0, 3.9), (8.0, 6.0), (16.0, 5.0)];
    let law = Law::universal(&measured);
    assert!(law.contention == 0.0 && law.coherency > 0.0, "{law:?}");
}

#[test]
fn contention_is_at_most_1() {
    let beyond = Law {
        contention: 2.0,
        coherency: 0.5,
    };
    let measured = [2.0, 4.0, 8.0].map(|threads| (threads, beyond.speed_up(threads)));
    let law = Law::universal(&measured);
    assert!(law.contention == 1.0 && law.coherency > 0.5, "{law:?}");
    assert_eq!(law.peak(), Some(1.0));
    assert_eq!(Law::amdahl(&measured).contention, 1.0);
}

#[test]
fn too_little_data_gives_the_ideal_law() {
    for measured in [&[][..], &[(1.0, 1.0)], &[(2.0, f64::NAN)], &[(2.0, 0.0)]] {
        assert_eq!(Law::universal(measured), Law::default());
        assert_eq!(Law::amdahl(measured), Law::default());
    }
}

#[test]
fn a_fit_needs_six_numbers_of_threads() {
    let mut comparison = Comparison::new(
        String::new(),
        Default::default(),
        Default::default(),
        Machine::look(),
    );
    comparison.settings.confidence = 0.95;
    // Made-up times with a serial share of a fifth, which scatter from round to round.
    let law = Law {
        contention: 0.2,
        coherency: 0.0,
    };
    let turn = |round: usize, threads: usize| Turn {
        round,
        wall: Duration::from_secs_f64(
            (1.0 + 0.01 * ((round * 7 + threads * 3) % 5) as f64) / law.speed_up(threads as f64),
        ),
        ..Turn::default()
    };
    let measurement = |threads| Measurement {
        executor: "task-queue".to_owned(),
        threads,
        turns: (0..5).map(|round| turn(round, threads)).collect(),
        ..Measurement::default()
    };
    comparison.measurements = std::iter::once(1).chain(1..=6).map(measurement).collect();
    comparison
        .machine
        .allowed
        .as_mut()
        .unwrap()
        .hardware_threads = 6;
    let [fit] = &fits(&comparison)[..] else {
        panic!("one executor")
    };
    assert_eq!(
        (&fit.refused, &fit.doubtful, fit.measured_to),
        (&None, &None, 6)
    );
    let serial = fit.amdahl.unwrap();
    assert!((serial.value - 0.2).abs() < 0.02, "{serial:?}");
    assert!(serial.low <= serial.value && serial.value <= serial.high && serial.low < serial.high);
    assert_eq!(fit.curve.len(), 24);
    for point in &fit.curve {
        assert_eq!(point.extrapolated, point.threads > 6);
        assert!(point.speed_up.low <= point.speed_up.value);
        assert!(point.speed_up.value <= point.speed_up.high);
    }

    comparison
        .machine
        .allowed
        .as_mut()
        .unwrap()
        .hardware_threads = 2;
    let doubtful = fits(&comparison).remove(0).doubtful.unwrap();
    assert!(doubtful.contains("up to 6 threads shared 2"), "{doubtful}");

    comparison.measurements.pop();
    let refused = fits(&comparison).remove(0);
    let reason = refused.refused.unwrap();
    assert!(reason.starts_with("5 numbers of threads"), "{reason}");
    assert!(refused.curve.is_empty() && refused.amdahl.is_none());
}

#[test]
fn points_of_a_curve_are_evenly_spaced() {
    assert_eq!(evenly_spaced(4).collect::<Vec<_>>(), [1, 2, 3, 4]);
    assert_eq!(evenly_spaced(1).collect::<Vec<_>>(), [1]);
    let many: Vec<usize> = evenly_spaced(4096).collect();
    assert_eq!((many.len(), many[0], many[63]), (64, 1, 4096));
    assert!(many.is_sorted_by(|one, next| one < next));
}

proptest! {
    #[test]
    fn exact_speed_ups_give_back_the_law(
        contention in 0.0..1.0,
        coherency in 0.0..0.1,
        threads in prop::collection::btree_set(2_u32..200, 2..12),
    ) {
        let law = Law { contention, coherency };
        let exact = |threads: u32| (f64::from(threads), law.speed_up(f64::from(threads)));
        let exact: Vec<(f64, f64)> = threads.into_iter().map(exact).collect();
        for fitted in [Law::universal(&exact), Law::universal_by_the_book(&exact)] {
            prop_assert!((fitted.contention - contention).abs() < 1e-6, "{:?}", fitted);
            prop_assert!((fitted.coherency - coherency).abs() < 1e-6, "{:?}", fitted);
        }
    }

    /// No other law with valid coefficients fits better. A convex sum of squares has a single minimum, so it
    /// is enough to try laws nearby.
    #[test]
    fn no_law_nearby_fits_better(
        measured in prop::collection::vec((2.0..100.0_f64, 0.1..50.0_f64), 1..8),
        steps in prop::collection::vec((-0.1..0.1_f64, -0.1..0.1_f64), 20),
    ) {
        let fitting = Fitting::of(&measured, relative);
        let least = fitting.least();
        prop_assert!((0.0..=1.0).contains(&least.contention) && least.coherency >= 0.0);
        for (contention, coherency) in steps {
            let near = Law {
                contention: (least.contention + contention).clamp(0.0, 1.0),
                coherency: (least.coherency + coherency).max(0.0),
            };
            let scale = fitting.error(near).abs() + 1.0;
            prop_assert!(fitting.error(least) <= fitting.error(near) + 1e-9 * scale);
        }
    }
}
