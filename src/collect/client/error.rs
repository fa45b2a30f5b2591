//! The ways in which a request can fail.

use crate::failure::Failure;

/// Why a request was not answered with what was asked for. Messages are the server's own where it gave one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RequestError {
    /// The user may not do this (403).
    #[error("{message}")]
    Forbidden { message: String },
    /// The server does not know who asks (401): there are no credentials, or they have expired.
    #[error("You must be logged in to the server (Unauthorized)")]
    Unauthorized,
    /// No credentials could be had: the plugin or the token's refresh failed.
    #[error("getting credentials: {message}")]
    Credentials { message: String },
    /// The object is not there (404), or the node has lost the log.
    #[error("{message}")]
    NotFound { message: String },
    /// The cluster has no such kind of object.
    #[error("the server doesn't have the resource")]
    NotServed,
    /// The server takes no part in this request as it stands (400, 406, 409, 422...).
    #[error("{message}")]
    Rejected { message: String },
    /// The continue token of a list has expired (410); some servers offer another for the rest as of now.
    #[error("{message}")]
    Expired { message: String, token: Option<String> },
    /// The server was too busy, also after retries (429).
    #[error("the server has received too many requests and has asked us to try again later")]
    TooManyRequests,
    /// The server failed (5xx).
    #[error("{message} ({code})")]
    ServerError { code: u16, message: String },
    /// No answer came in time.
    #[error("the request timed out")]
    Timeout,
    /// No connection could be made, or it was lost.
    #[error("{message}")]
    Unreachable { message: String },
    /// The server's identity could not be verified, or it refused ours.
    #[error("{message}")]
    Tls { message: String },
    /// The answer broke off after so many bytes; the pages of a list before that are good.
    #[error("cut short after {read} bytes: {message}")]
    Truncated { read: u64, message: String },
    /// The answer is not what the API promises.
    #[error("the server's answer cannot be read: {message}")]
    Invalid { message: String },
}

impl RequestError {
    /// Returns the short word that a gap gives as its reason.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Forbidden { .. } => "forbidden",
            Self::Unauthorized | Self::Credentials { .. } => "unauthorized",
            Self::NotFound { .. } => "not-found",
            Self::NotServed => "not-served",
            Self::Rejected { .. } => "rejected",
            Self::TooManyRequests => "throttled",
            Self::ServerError { .. } => "server-error",
            Self::Timeout => "timeout",
            Self::Unreachable { .. } | Self::Tls { .. } => "unreachable",
            Self::Truncated { .. } | Self::Expired { .. } => "truncated",
            Self::Invalid { .. } => "invalid",
        }
    }

    /// Returns whether every other request would fail alike, so that there is no point in going on.
    pub fn concerns_the_whole_run(&self) -> bool {
        matches!(self, Self::Unauthorized | Self::Credentials { .. } | Self::Unreachable { .. } | Self::Tls { .. })
    }

    /// Words the error as the end of the run. `what` is what could not be read: `pods in namespace "shop"`.
    pub fn into_failure(self, what: &str) -> Failure {
        match &self {
            Self::Unauthorized => Failure::unreachable(self.to_string())
                .hint("the credentials may have expired: log in again")
                .hint("see who you are to the cluster with `kubectl auth whoami`"),
            Self::Credentials { .. } => Failure::unreachable(self.to_string())
                .hint("see which plugin gives the credentials with `kubectl config view --minify`"),
            Self::Forbidden { message } => Failure::unreachable(format!("cannot read {what}: {message}"))
                .hint("see who you are to the cluster with `kubectl auth whoami`")
                .hint("see what you may do with `kubectl auth can-i --list`"),
            Self::NotFound { message } => Failure::not_found(message.clone()),
            Self::NotServed => Failure::not_found(format!("cannot read {what}: {self}"))
                .hint("see what the cluster serves with `kubectl api-resources`"),
            Self::Unreachable { message } => Failure::unreachable(message.clone())
                .hint("see which cluster is meant with `kubectl config get-contexts`"),
            Self::Tls { message } => Failure::unreachable(message.clone())
                .hint(
                    "name the authority with `--certificate-authority FILE`, the server with `--tls-server-name NAME`",
                )
                .hint("see which cluster is meant with `kubectl config get-contexts`"),
            Self::Timeout => Failure::unreachable(format!("cannot read {what}: {self}"))
                .hint("give the server more time with `--request-timeout`"),
            _ => Failure::unreachable(format!("cannot read {what}: {self}"))
                .hint("see how the cluster is with `kubectl get --raw '/readyz?verbose'`"),
        }
    }
}
