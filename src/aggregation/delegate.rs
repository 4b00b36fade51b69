//! What adaptors leave to the aggregator inside them, written once.
//!
//! An adaptor has a field `inner` and a method `with_inner` that puts another state of the inner
//! aggregator behind the same closure.

/// The parts of an `impl Aggregator` that go to `inner` unchanged.
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

/// `State` and `Shift` of an adaptor around `A`: plain data and kind are those of `inner`, since
/// closures do not leave the process. A name makes the adaptor visible in the kind.
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
