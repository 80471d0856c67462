//! World problems: one error type for all that AWS and Kubernetes answer, classified from typed codes, never from message text.

use std::fmt;

/// What kind of failure it is, which decides what is done about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Class {
    /// The thing doesn't exist.
    NotFound,
    /// A thing of that name exists already.
    Exists,
    /// The request doesn't fit the thing's present state.
    State,
    /// The thing is used by others.
    InUse,
    /// The service isn't done yet with an earlier step.
    NotYet,
    /// The caller may not do it; the permission that is missing.
    Denied(String),
    /// The credentials are absent, wrong or expired.
    Credentials,
    /// Too many requests, also after the retries.
    Throttled,
    /// A quota is used up: retrying doesn't help.
    Quota,
    /// The request is wrong.
    Invalid,
    /// Another field manager owns fields that the request sets: (field, manager).
    Conflict(Vec<(String, String)>),
    /// No answer came: the request may have taken effect.
    Unreachable,
    /// The service failed.
    Server,
}

/// A failed request.
#[derive(Clone, Debug)]
pub struct ProviderError {
    /// What was asked, as `acm:RequestCertificate` or `patch secrets`.
    pub operation: String,
    /// Of whom: an address, a name, an ARN.
    pub subject: String,
    /// What kind of failure it is.
    pub class: Class,
    /// The service's code or reason.
    pub code: String,
    /// The service's message.
    pub message: String,
    /// The id that AWS support asks for.
    pub request_id: Option<String>,
}

impl ProviderError {
    /// An error of our own making, such as an answer that lacks what it must hold.
    pub fn own(operation: &str, subject: &str, class: Class, message: impl Into<String>) -> Self {
        Self {
            operation: operation.to_owned(),
            subject: subject.to_owned(),
            class,
            code: String::new(),
            message: message.into(),
            request_id: None,
        }
    }

    /// Whether the thing doesn't exist.
    pub fn is_not_found(&self) -> bool {
        self.class == Class::NotFound
    }

    /// Whether the right to ask was missing.
    pub fn is_denied(&self) -> bool {
        matches!(self.class, Class::Denied(_))
    }

    /// Whether there was no answer that says anything of what was asked.
    pub fn is_no_answer(&self) -> bool {
        matches!(self.class, Class::Throttled | Class::Unreachable | Class::Credentials)
    }

    /// Whether the same request may succeed a little later.
    pub fn is_transient(&self) -> bool {
        matches!(self.class, Class::Throttled | Class::Unreachable | Class::Server | Class::NotYet)
    }

    /// What to do about it.
    pub fn help(&self) -> Option<String> {
        Some(match &self.class {
            Class::Denied(permission) => {
                format!("grant `{permission}` to the identity that runs meshform, or check which identity that is")
            }
            Class::Credentials => "sign in again or renew the credentials, and run the same command: what is done is kept".into(),
            Class::Throttled => {
                "the service refuses for rate: run the same command again in a minute, or with a lower --parallelism".into()
            }
            Class::Quota => "this is a quota, waiting doesn't help: raise it in Service Quotas, or ask for less".into(),
            Class::Unreachable => "check the network and the endpoint, and run the same command: what is done is kept".into(),
            Class::Server => "the service failed: run the same command again, what is done is kept".into(),
            Class::Conflict(fields) => {
                let managers: std::collections::BTreeSet<&str> = fields.iter().map(|(_, manager)| manager.as_str()).collect();
                let managers: Vec<&str> = managers.into_iter().collect();
                format!(
                    "these fields belong to {}: leave them out of the stack, or say `force: true` there to take them",
                    managers.join(", ")
                )
            }
            _ => return None,
        })
    }
}

impl fmt::Display for ProviderError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} for {}", self.operation, self.subject)?;
        match &self.class {
            Class::Denied(permission) => write!(f, " was denied: missing permission `{permission}`")?,
            Class::Credentials => f.write_str(" was refused: the credentials are missing, wrong or expired")?,
            Class::Unreachable => f.write_str(" got no answer")?,
            Class::Throttled => f.write_str(" was throttled, also when repeated")?,
            Class::Quota => f.write_str(" failed at a quota")?,
            Class::Conflict(fields) => {
                f.write_str(" conflicts with")?;
                for (index, (field, manager)) in fields.iter().enumerate() {
                    write!(f, "{} {manager} ({field})", if index == 0 { "" } else { "," })?;
                }
            }
            _ => f.write_str(" failed")?,
        }
        match (self.code.is_empty(), self.message.is_empty()) {
            (false, false) => write!(f, ": {}: {}", self.code, self.message)?,
            (true, false) => write!(f, ": {}", self.message)?,
            (false, true) => write!(f, ": {}", self.code)?,
            (true, true) => {}
        }
        if let Some(id) = &self.request_id {
            write!(f, " (request {id})")?;
        }
        Ok(())
    }
}

impl std::error::Error for ProviderError {}
