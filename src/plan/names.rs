//! The names of executors, and the error for a name that is not known.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The executors that a plan can name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum ExecutorName {
    /// [`Sequential`](crate::execution::Sequential): a plain loop.
    Sequential,
    /// [`WorkStealing`](crate::execution::WorkStealing): a rayon pool.
    #[default]
    WorkStealing,
    /// [`TaskQueue`](crate::execution::TaskQueue): threads that take work from a queue.
    TaskQueue,
    /// [`ProcessPool`](crate::remote::ProcessPool): processes, so that a record that crashes its process does not affect other records. Each
    /// process prepares its own scorer.
    ProcessPool,
}

impl ExecutorName {
    /// All executors that a plan can name.
    pub const ALL: [ExecutorName; 4] = [
        ExecutorName::Sequential,
        ExecutorName::WorkStealing,
        ExecutorName::TaskQueue,
        ExecutorName::ProcessPool,
    ];

    /// The name of the executor, such as `work-stealing`.
    pub fn name(self) -> &'static str {
        match self {
            ExecutorName::Sequential => "sequential",
            ExecutorName::WorkStealing => "work-stealing",
            ExecutorName::TaskQueue => "task-queue",
            ExecutorName::ProcessPool => "process-pool",
        }
    }
}

/// The error for an unknown name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no {kind} is called {name:?}; {remedy}")]
pub struct UnknownName {
    kind: &'static str,
    name: String,
    remedy: String,
}

impl UnknownName {
    pub(super) fn new(kind: &'static str, name: &str, known: &[&str]) -> Self {
        UnknownName {
            kind,
            name: name.to_owned(),
            remedy: format!("known {kind}s: {}", known.join(", ")),
        }
    }

    /// The error for a name that is known only in builds with a feature.
    pub(super) fn not_in_this_build(kind: &'static str, name: &str, feature: &str) -> Self {
        UnknownName {
            kind,
            name: name.to_owned(),
            remedy: format!(
                "this build of manyhands was made without it; install it with: cargo install manyhands --features {feature}"
            ),
        }
    }
}

/// Returns the value among `all` that has the name `wanted`.
pub(super) fn by_name<T: Copy>(
    kind: &'static str,
    wanted: &str,
    all: &[T],
    name: fn(T) -> &'static str,
) -> Result<T, UnknownName> {
    let found = all.iter().find(|one| name(**one) == wanted);
    found.copied().ok_or_else(|| {
        let known: Vec<_> = all.iter().map(|one| name(*one)).collect();
        UnknownName::new(kind, wanted, &known)
    })
}

impl FromStr for ExecutorName {
    type Err = UnknownName;

    fn from_str(name: &str) -> Result<Self, UnknownName> {
        by_name("executor", name, &Self::ALL, Self::name)
    }
}

impl fmt::Display for ExecutorName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
