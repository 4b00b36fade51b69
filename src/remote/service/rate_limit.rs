//! What a service says about its limits, and how long all calls wait because of it.
//!
//! Services say how much is left of a limit and when the limit *resets*. Most of them mean the time until the limit is
//! as it was at first. If the limit refills little by little, the next call is possible much sooner; if it is a window
//! of time, it is not.

use std::time::{Duration, SystemTime};

use http::HeaderMap;

use super::waiting::{LONGEST_WAIT, time_until};

/// A limit of a service, as an answer describes it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Allowance {
    of: LimitUnit,
    refill: Refill,
    /// What is allowed at first, if the service says so.
    limit: Option<f64>,
    remaining: f64,
    /// The time until the limit is as it was at first.
    reset: Duration,
}

/// What a limit counts.
#[derive(Clone, Copy, Debug, PartialEq)]
enum LimitUnit {
    Calls,
    /// Tokens, or other parts of which a call needs an unknown number.
    Tokens,
}

/// How a limit is restored.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Refill {
    /// Little by little.
    Steady,
    /// As a whole, when it resets.
    AtOnce,
}

/// The headers of a limit.
struct Family {
    of: LimitUnit,
    refill: Refill,
    limit: &'static str,
    remaining: &'static str,
    /// The headers for the time of the reset. The first one that an answer has counts.
    resets: &'static [&'static str],
}

macro_rules! families {
    ($($of:ident, $refill:ident: $limit:literal, $remaining:literal, [$($reset:literal),*];)*) => {
        [$(Family {
            of: LimitUnit::$of,
            refill: Refill::$refill,
            limit: $limit,
            remaining: $remaining,
            resets: &[$($reset),*],
        }),*]
    };
}

/// The headers of the services that were found to have them.
#[rustfmt::skip]
const FAMILIES: [Family; 10] = families! {
    // OpenAI, Azure, Groq, and services that are like them.
    Calls, Steady: "x-ratelimit-limit-requests", "x-ratelimit-remaining-requests",
        ["x-ratelimit-reset-requests", "x-rate-limit-reset-requests"];
    Tokens, Steady: "x-ratelimit-limit-tokens", "x-ratelimit-remaining-tokens",
        ["x-ratelimit-reset-tokens", "x-rate-limit-reset-tokens"];
    // Anthropic.
    Calls, Steady: "anthropic-ratelimit-requests-limit", "anthropic-ratelimit-requests-remaining",
        ["anthropic-ratelimit-requests-reset"];
    Tokens, Steady: "anthropic-ratelimit-tokens-limit", "anthropic-ratelimit-tokens-remaining",
        ["anthropic-ratelimit-tokens-reset"];
    Tokens, Steady: "anthropic-ratelimit-input-tokens-limit", "anthropic-ratelimit-input-tokens-remaining",
        ["anthropic-ratelimit-input-tokens-reset"];
    Tokens, Steady: "anthropic-ratelimit-output-tokens-limit", "anthropic-ratelimit-output-tokens-remaining",
        ["anthropic-ratelimit-output-tokens-reset"];
    // GitHub, Discord, and many others.
    Calls, AtOnce: "x-ratelimit-limit", "x-ratelimit-remaining", ["x-ratelimit-reset-after", "x-ratelimit-reset"];
    Calls, AtOnce: "x-rate-limit-limit", "x-rate-limit-remaining", ["x-rate-limit-reset"];
    // Drafts of the standard up to its seventh version.
    Calls, AtOnce: "ratelimit-limit", "ratelimit-remaining", ["ratelimit-reset"];
    // Mistral.
    Tokens, AtOnce: "ratelimitbysize-limit", "ratelimitbysize-remaining", ["ratelimitbysize-reset"];
};

/// The limits that the headers of an answer describe. If the call was refused because of a limit (`is_throttled`),
/// nothing remains of a limit whose reset is known and whose rest is not.
pub(super) fn allowances(
    headers: &HeaderMap,
    is_throttled: bool,
    now: SystemTime,
) -> Vec<Allowance> {
    let is_about_limits = |name: &str| name.contains("ratelimit") || name.contains("rate-limit");
    // Most answers say nothing.
    if !headers.keys().any(|name| is_about_limits(name.as_str())) {
        return Vec::new();
    }
    let families = FAMILIES.iter();
    let mut allowances: Vec<Allowance> = families
        .filter_map(|family| family.allowance(headers, is_throttled, now))
        .collect();
    allowances.extend(standard_allowance(headers, now));
    allowances
}

/// How long all calls should wait, if `in_flight` calls are in flight.
pub(super) fn pause(allowances: &[Allowance], in_flight: usize) -> Option<Duration> {
    let pauses = allowances.iter();
    let pauses = pauses.filter_map(|allowance| allowance.pause(in_flight));
    pauses.max()
}

impl Family {
    fn allowance(
        &self,
        headers: &HeaderMap,
        is_throttled: bool,
        now: SystemTime,
    ) -> Option<Allowance> {
        let text = |name: &str| headers.get(name)?.to_str().ok();
        let reset = self.resets.iter().find_map(|name| text(name));
        let reset = time_until(reset?, now)?;
        let remaining = match text(self.remaining) {
            Some(remaining) => first_number(remaining)?,
            None if is_throttled => 0.0,
            None => return None,
        };
        let limit = text(self.limit).and_then(first_number);
        Allowance::of(self.of, self.refill, limit, remaining, reset)
    }
}

/// Reads the header `RateLimit` of the standard: `limit=100, remaining=50, reset=30`, or `"default";r=50;t=30`, in which
/// there is no limit. If there are several policies, the first one counts.
fn standard_allowance(headers: &HeaderMap, now: SystemTime) -> Option<Allowance> {
    let text = headers.get("ratelimit")?.to_str().ok()?;
    let parts = text
        .split([',', ';'])
        .filter_map(|part| part.split_once('='));
    let value = |names: [&str; 2]| {
        let mut named = parts
            .clone()
            .filter(|(name, _)| names.contains(&name.trim()));
        named.next().map(|(_, value)| value.trim())
    };
    let remaining = value(["r", "remaining"]).and_then(first_number)?;
    let reset = value(["t", "reset"]).and_then(|reset| time_until(reset, now))?;
    let limit = value(["limit", "q"]).and_then(first_number);
    Allowance::of(LimitUnit::Calls, Refill::AtOnce, limit, remaining, reset)
}

/// The number that a text begins with. A header may list several windows, such as `100, 1000;w=3600`.
fn first_number(text: &str) -> Option<f64> {
    let first = text.split([',', ';']).next()?.trim();
    let number: f64 = first.parse().ok()?;
    number.is_finite().then_some(number)
}

impl Allowance {
    /// `None` if the service sends these numbers although it does not know them: some send -1 or 0 then.
    fn of(
        of: LimitUnit,
        refill: Refill,
        limit: Option<f64>,
        remaining: f64,
        reset: Duration,
    ) -> Option<Self> {
        let is_known =
            remaining >= 0.0 && !reset.is_zero() && limit.is_none_or(|limit| limit > 0.0);
        is_known.then_some(Allowance {
            of,
            refill,
            limit,
            remaining,
            reset,
        })
    }

    /// How long all calls should wait for this limit. `None` if they need not wait, or if the time is unreasonable.
    fn pause(&self, in_flight: usize) -> Option<Duration> {
        let share = match self.of {
            LimitUnit::Calls => self.share_for_calls(in_flight),
            LimitUnit::Tokens => self.share_for_tokens(),
        };
        let pause = self.reset.mul_f64(share.clamp(0.0, 1.0));
        (!pause.is_zero() && pause <= LONGEST_WAIT).then_some(pause)
    }

    /// The share of the time until the reset that all calls wait. The calls in flight may have used up what remains, so
    /// the wait grows the fewer calls remain beyond those in flight.
    fn share_for_calls(&self, in_flight: usize) -> f64 {
        let wanted = in_flight as f64 + 1.0;
        let missing = (wanted - self.remaining).max(0.0);
        match (self.refill, self.limit) {
            (Refill::Steady, Some(limit)) if limit > self.remaining => {
                missing / (limit - self.remaining)
            }
            _ => missing / wanted,
        }
    }

    /// The same for tokens. How many of them a call needs is not known.
    fn share_for_tokens(&self) -> f64 {
        /// The share of the limit below which few tokens remain.
        const FEW: f64 = 0.05;
        /// The share of a limit that is to be refilled if nothing remains.
        const WORTH_WAITING: f64 = 0.1;

        let longest = match self.refill {
            Refill::Steady => WORTH_WAITING,
            Refill::AtOnce => 1.0,
        };
        let few = self.limit.unwrap_or(0.0) * FEW;
        match self.remaining {
            0.0 => longest,
            remaining if remaining < few => longest * (1.0 - remaining / few),
            _ => 0.0,
        }
    }
}
