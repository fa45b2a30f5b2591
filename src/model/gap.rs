//! What could not be read, as data.

use serde::{Deserialize, Serialize};

use super::Kind;

/// Why something could not be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum GapReason {
    /// RBAC said no (403).
    Forbidden,
    /// The server does not serve this kind (404).
    NotServed,
    /// Too many requests, retries did not help (429).
    Throttled,
    /// The server failed (5xx).
    ServerError,
    Timeout,
    /// The connection broke.
    Unreachable,
    /// Only a part arrived.
    Truncated,
    /// It arrived and cannot be understood.
    Invalid,
    /// The input (a capture, a dump) does not hold it.
    NotRecorded,
}

impl GapReason {
    /// All reasons.
    pub const ALL: [Self; 9] = [
        Self::Forbidden,
        Self::NotServed,
        Self::Throttled,
        Self::ServerError,
        Self::Timeout,
        Self::Unreachable,
        Self::Truncated,
        Self::Invalid,
        Self::NotRecorded,
    ];

    /// Returns the word of the report.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Forbidden => "forbidden",
            Self::NotServed => "not-served",
            Self::Throttled => "throttled",
            Self::ServerError => "server-error",
            Self::Timeout => "timeout",
            Self::Unreachable => "unreachable",
            Self::Truncated => "truncated",
            Self::Invalid => "invalid",
            Self::NotRecorded => "not-recorded",
        }
    }
}

/// Something that should have been read and was not.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Gap {
    /// The resource: `secrets`, `pods/log`, `pods.metrics.k8s.io`.
    pub what: String,
    /// The kind, if all or part of one is missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<Kind>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// One object, where only that is missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    pub reason: GapReason,
    /// The server's or the parser's own words.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub message: String,
}

impl Gap {
    /// Makes the gap of a whole kind, in one namespace or all.
    pub fn kind(kind: Kind, namespace: Option<&str>, reason: GapReason, message: impl Into<String>) -> Self {
        Self {
            what: kind.plural().to_owned(),
            kind: Some(kind),
            namespace: namespace.map(str::to_owned),
            name: None,
            reason,
            message: message.into(),
        }
    }

    /// Makes the gap of one thing that is not a kind of its own: a log, a metric.
    pub fn other(what: &str, namespace: Option<&str>, name: Option<&str>, reason: GapReason, message: &str) -> Self {
        Self {
            what: what.to_owned(),
            kind: None,
            namespace: namespace.map(str::to_owned),
            name: name.map(str::to_owned),
            reason,
            message: message.to_owned(),
        }
    }
}
