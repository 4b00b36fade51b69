//! The keys with which the JSON object of an answer begins: they say what was run.

use std::borrow::Cow;
use std::path::PathBuf;
use std::time::SystemTime;

use serde::{Serialize, Serializer};

use crate::plan::{Answer, Plan};

/// The version of the JSON object. It increases whenever a key changes its meaning or disappears.
const SCHEMA: u32 = 1;

#[derive(Serialize)]
pub(super) struct HeaderJson<'a> {
    schema: u32,
    version: &'a str,
    commit: Option<&'a str>,
    plan: Option<Cow<'a, Plan>>,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    command: &'a [String],
    #[serde(serialize_with = "as_date")]
    date: SystemTime,
}

impl<'a> HeaderJson<'a> {
    pub(super) fn of(answer: &'a Answer) -> Self {
        HeaderJson {
            schema: SCHEMA,
            version: &answer.machine.version,
            commit: answer.machine.commit.as_deref(),
            plan: writable(&answer.plan),
            command: &answer.command,
            date: answer.began,
        }
    }
}

/// Returns the plan in a form that can be written as JSON. A file name that is not Unicode cannot be written as JSON,
/// so its invalid bytes are replaced. Returns `None` if the plan still cannot be written, because a file of the scorer
/// has such a name.
fn writable(plan: &Plan) -> Option<Cow<'_, Plan>> {
    let is_writable = |plan: &Plan| serde_json::to_string(plan).is_ok();
    if is_writable(plan) {
        return Some(Cow::Borrowed(plan));
    }
    let mut plan = plan.clone();
    for file in &mut plan.files {
        *file = PathBuf::from(file.to_string_lossy().into_owned());
    }
    is_writable(&plan).then_some(Cow::Owned(plan))
}

fn as_date<S: Serializer>(date: &SystemTime, to: S) -> Result<S::Ok, S::Error> {
    to.collect_str(&humantime::format_rfc3339_seconds(*date))
}
