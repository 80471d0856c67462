//! Rules that make requests fail, kept in the world.
//!
//! A rule is written `TARGET EFFECT [nth=N] [times=N]`: `acm:RequestCertificate throttle times=3`, `* lost-reply nth=7`,
//! `secretsmanager:* latency=2s`. The target is `service:operation`, where `*` stands for any characters; Kubernetes requests are
//! `kube:verb/resource`. A rule counts the requests that it matches: it acts from the `nth` on (the first, when not given), as often as
//! `times` says (once when `nth` is given, else always).

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::error::SandboxError;
use super::world::{Tx, parse};

/// What a rule does to a request.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Effect {
    /// Refused as the service refuses what comes too often.
    Throttle,
    /// Refused with a status of 500 to 599.
    ServerError(u16),
    /// Done, and then the connection breaks before the answer.
    LostReply,
    /// The connection breaks before anything is done.
    Cut,
    /// Done after a while on the run's clock.
    Latency(Duration),
    /// Refused for want of a permission.
    AccessDenied,
    /// Refused since the credentials are no longer valid.
    ExpiredToken,
}

/// A rule on requests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// A pattern for the service: `acm`, `kube`, `*`.
    pub service: String,
    /// A pattern for the operation: `RequestCertificate`, `patch/secrets`, `*`.
    pub operation: String,
    /// What happens to the request.
    pub effect: Effect,
    /// The first of the matching requests that it happens to, counted from one.
    pub nth: Option<u64>,
    /// How many of the matching requests it happens to.
    pub times: Option<u64>,
}

/// A rule of a world, and what became of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FaultStatus {
    /// The rule, as it's written.
    pub rule: String,
    /// How many requests it has matched.
    pub matched: u64,
    /// How many it has acted on.
    pub acted: u64,
}

/// A text that isn't a rule.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FaultError {
    /// There is no target or no effect.
    #[error(
        "`{0}` isn't a fault rule: write `service:Operation effect [nth=N] [times=N]`, such as `acm:RequestCertificate throttle times=3`"
    )]
    Incomplete(String),
    /// The effect is unknown.
    #[error(
        "`{0}` isn't an effect: there are throttle, server-error[=STATUS], lost-reply, cut, latency=DURATION, access-denied and expired-token"
    )]
    Effect(String),
    /// A server error has another status than 500 to 599.
    #[error("`{0}` isn't the status of a server error: give 500 to 599")]
    Status(String),
    /// A latency isn't a duration.
    #[error("`{0}` isn't a duration: write it as 2s, 150ms or 1m")]
    Duration(String),
    /// An option is unknown, or not a number from one.
    #[error("`{0}` isn't an option of a fault rule: there are nth=N and times=N, with N from 1")]
    Option(String),
}

impl FromStr for Fault {
    type Err = FaultError;

    fn from_str(text: &str) -> Result<Self, FaultError> {
        let mut words = text.split_whitespace();
        let (Some(target), Some(effect)) = (words.next(), words.next()) else {
            return Err(FaultError::Incomplete(text.trim().to_owned()));
        };
        let (service, operation) = target.split_once(':').unwrap_or((target, "*"));
        if service.is_empty() || operation.is_empty() {
            return Err(FaultError::Incomplete(text.trim().to_owned()));
        }
        let effect = effect.parse()?;
        let mut fault = Self { service: service.to_owned(), operation: operation.to_owned(), effect, nth: None, times: None };
        for word in words {
            let wrong = || FaultError::Option(word.to_owned());
            let (name, number) = word.split_once('=').ok_or_else(wrong)?;
            let number = number.parse().ok().filter(|number| *number > 0).ok_or_else(wrong)?;
            match name {
                "nth" => fault.nth = Some(number),
                "times" => fault.times = Some(number),
                _ => return Err(wrong()),
            }
        }
        Ok(fault)
    }
}

impl FromStr for Effect {
    type Err = FaultError;

    fn from_str(text: &str) -> Result<Self, FaultError> {
        let (name, value) = text.split_once('=').map_or((text, None), |(name, value)| (name, Some(value)));
        match (name, value) {
            ("throttle", None) => Ok(Self::Throttle),
            ("server-error", None) => Ok(Self::ServerError(503)),
            ("server-error", Some(status)) => match status.parse() {
                Ok(status @ 500..=599) => Ok(Self::ServerError(status)),
                _ => Err(FaultError::Status(status.to_owned())),
            },
            ("lost-reply", None) => Ok(Self::LostReply),
            ("cut", None) => Ok(Self::Cut),
            ("latency", Some(duration)) => {
                let span = duration.parse::<jiff::SignedDuration>().map_err(|_| FaultError::Duration(duration.to_owned()))?;
                Duration::try_from(span).map(Self::Latency).map_err(|_| FaultError::Duration(duration.to_owned()))
            }
            ("access-denied", None) => Ok(Self::AccessDenied),
            ("expired-token", None) => Ok(Self::ExpiredToken),
            _ => Err(FaultError::Effect(text.to_owned())),
        }
    }
}

impl fmt::Display for Effect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Throttle => f.write_str("throttle"),
            Self::ServerError(status) => write!(f, "server-error={status}"),
            Self::LostReply => f.write_str("lost-reply"),
            Self::Cut => f.write_str("cut"),
            Self::Latency(duration) if duration.subsec_millis() == 0 => write!(f, "latency={}s", duration.as_secs()),
            Self::Latency(duration) => write!(f, "latency={}ms", duration.as_millis()),
            Self::AccessDenied => f.write_str("access-denied"),
            Self::ExpiredToken => f.write_str("expired-token"),
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.service.as_str(), self.operation.as_str()) {
            ("*", "*") => f.write_str("*")?,
            (service, operation) => write!(f, "{service}:{operation}")?,
        }
        write!(f, " {}", self.effect)?;
        if let Some(nth) = self.nth {
            write!(f, " nth={nth}")?;
        }
        if let Some(times) = self.times {
            write!(f, " times={times}")?;
        }
        Ok(())
    }
}

impl Fault {
    fn matches(&self, service: &str, operation: &str) -> bool {
        glob(&self.service, service) && glob(&self.operation, operation)
    }

    /// Whether it acts on the request that is the `matched`th of those it matches.
    fn acts(&self, matched: u64) -> bool {
        let first = self.nth.unwrap_or(1);
        let times = self.times.or(self.nth.map(|_| 1));
        matched >= first && times.is_none_or(|times| matched - first < times)
    }
}

/// The rules of a world, in the order in which they were added.
pub(super) fn list(tx: &Tx<'_>) -> Result<Vec<FaultStatus>, SandboxError> {
    tx.scan("fault/").map(|(key, value)| parse(key, value)).collect()
}

/// Adds a rule.
pub(super) fn add(tx: &mut Tx<'_>, fault: &Fault) -> Result<(), SandboxError> {
    let last = tx.keys("fault/").last().and_then(|key| key.strip_prefix("fault/")?.parse::<u64>().ok()).unwrap_or(0);
    tx.write(&format!("fault/{:010}", last + 1), &FaultStatus { rule: fault.to_string(), matched: 0, acted: 0 })
}

/// Removes all rules.
pub(super) fn clear(tx: &mut Tx<'_>) {
    for key in tx.keys("fault/") {
        tx.delete(&key);
    }
}

/// Counts a request in all rules that match it, and gives the effects of those that act on it.
pub(super) fn meet(tx: &mut Tx<'_>, service: &str, operation: &str) -> Result<Vec<Effect>, SandboxError> {
    let mut effects = Vec::new();
    for key in tx.keys("fault/") {
        let Some(mut status) = tx.read::<FaultStatus>(&key)? else { continue };
        let fault: Fault =
            status.rule.parse().map_err(|error: FaultError| SandboxError::Entity { key: key.clone(), reason: error.to_string() })?;
        if !fault.matches(service, operation) {
            continue;
        }
        status.matched += 1;
        if fault.acts(status.matched) {
            status.acted += 1;
            effects.push(fault.effect);
        }
        tx.write(&key, &status)?;
    }
    Ok(effects)
}

/// Whether a text fits a pattern in which `*` stands for any characters. Letter case doesn't count.
fn glob(pattern: &str, text: &str) -> bool {
    let (pattern, text) = (pattern.to_ascii_lowercase(), text.to_ascii_lowercase());
    let mut parts = pattern.split('*');
    let Some(mut rest) = parts.next().and_then(|first| text.strip_prefix(first)) else { return false };
    let mut parts = parts.peekable();
    if parts.peek().is_none() {
        return rest.is_empty();
    }
    while let Some(part) = parts.next() {
        if parts.peek().is_none() {
            return rest.ends_with(part);
        }
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    true
}
