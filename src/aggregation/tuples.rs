//! Tuples of aggregators that observe the same scores.

use super::{Aggregator, Kind, Shift, State, StateError};

impl<S: ?Sized> Aggregator<S> for () {
    type Output = ();
    const COMMUTATIVE: bool = true;

    #[inline]
    fn observe(&mut self, _index: u64, _score: &S) {}

    #[inline]
    fn observe_slice(&mut self, _first: u64, _scores: &[S])
    where
        S: Sized,
    {
    }

    fn merge(&mut self, _later: ()) {}

    fn finish(self) {}
}

impl State for () {
    type Plain = ();

    fn kind(&self) -> Kind {
        Kind::new("tuple", 1).around([])
    }

    fn into_plain(self) {}

    fn restore(&self, _plain: ()) -> Result<(), StateError> {
        Ok(())
    }
}

macro_rules! side_by_side {
    ($($aggregator:ident $place:tt),+) => {
        impl<S: ?Sized, $($aggregator: Aggregator<S>),+> Aggregator<S> for ($($aggregator,)+) {
            type Output = ($($aggregator::Output,)+);
            const COMMUTATIVE: bool = $($aggregator::COMMUTATIVE)&&+;

            #[inline]
            fn observe(&mut self, index: u64, score: &S) {
                $(self.$place.observe(index, score);)+
            }

            #[inline]
            fn observe_slice(&mut self, first: u64, scores: &[S])
            where
                S: Sized,
            {
                $(self.$place.observe_slice(first, scores);)+
            }

            fn fork(&self) -> Self {
                ($(self.$place.fork(),)+)
            }

            fn merge(&mut self, later: Self) {
                $(self.$place.merge(later.$place);)+
            }

            fn finish(self) -> Self::Output {
                ($(self.$place.finish(),)+)
            }
        }

        impl<$($aggregator: State),+> State for ($($aggregator,)+) {
            type Plain = ($($aggregator::Plain,)+);

            fn kind(&self) -> Kind {
                Kind::new("tuple", 1).around([$(self.$place.kind()),+])
            }

            fn into_plain(self) -> Self::Plain {
                ($(self.$place.into_plain(),)+)
            }

            fn restore(&self, plain: Self::Plain) -> Result<Self, StateError> {
                Ok(($(self.$place.restore(plain.$place)?,)+))
            }
        }

        impl<$($aggregator: Shift),+> Shift for ($($aggregator,)+) {
            fn shift(self, by: u64) -> Result<Self, StateError> {
                Ok(($(self.$place.shift(by)?,)+))
            }
        }
    };
}

side_by_side!(A 0);
side_by_side!(A 0, B 1);
side_by_side!(A 0, B 1, C 2);
side_by_side!(A 0, B 1, C 2, D 3);
side_by_side!(A 0, B 1, C 2, D 3, E 4);
side_by_side!(A 0, B 1, C 2, D 3, E 4, F 5);
side_by_side!(A 0, B 1, C 2, D 3, E 4, F 5, G 6);
side_by_side!(A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7);
