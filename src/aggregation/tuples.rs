//! Tuples of aggregators, side by side over the same scores.

use super::Aggregator;

impl<S: ?Sized> Aggregator<S> for () {
    type Output = ();
    const COMMUTATIVE: bool = true;

    #[inline]
    fn observe(&mut self, _index: u64, _score: &S) {}

    fn merge(&mut self, _later: ()) {}

    fn finish(self) {}
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

            fn merge(&mut self, later: Self) {
                $(self.$place.merge(later.$place);)+
            }

            fn finish(self) -> Self::Output {
                ($(self.$place.finish(),)+)
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
