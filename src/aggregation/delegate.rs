//! The methods that adaptors pass on to the aggregator inside them, written once.
//!
//! An adaptor has a field `inner` and a method `with_inner` that returns an adaptor with the same
//! closure around another state of the inner aggregator.

/// The parts of an `impl Aggregator` that call `inner` without any change.
macro_rules! delegate_runs {
    () => {
        const COMMUTATIVE: bool = A::COMMUTATIVE;

        fn fork(&self) -> Self {
            self.with_inner(self.inner.fork())
        }

        fn merge(&mut self, later: Self) {
            self.inner.merge(later.inner);
        }
    };
}

/// Implements `State` and `Shift` for an adaptor around `A`. The plain data and the kind are those
/// of `inner`, since closures are not saved. If a name is given, the kind contains it.
macro_rules! delegate_state {
    ([$($generics:tt)*] $adaptor:ty $(, named $name:literal)?) => {
        impl<A: State, $($generics)*> State for $adaptor {
            type Plain = A::Plain;

            fn kind(&self) -> Kind {
                let kind = self.inner.kind();
                $(let kind = Kind::new($name, 1).around([kind]);)?
                kind
            }

            fn into_plain(self) -> A::Plain {
                self.inner.into_plain()
            }

            fn restore(&self, plain: A::Plain) -> Result<Self, StateError> {
                self.inner.restore(plain).map(|inner| self.with_inner(inner))
            }
        }

        impl<A: Shift, $($generics)*> Shift for $adaptor {
            fn shift(self, by: u64) -> Result<Self, StateError> {
                let inner = self.inner.shift(by)?;
                Ok(Self { inner, ..self })
            }
        }
    };
}

pub(super) use {delegate_runs, delegate_state};
