//! Tells apart why no answer came: kube-rs hands out one opaque error for all of it.

use std::error::Error;
use std::io;

use http::Uri;
use kube::client::AuthError;
use rustls::{AlertDescription, CertificateError};

use super::RequestError;
use super::retry::{Again, Failed};

/// Returns the address in a URL as `host:port`.
pub(super) fn host_and_port(url: &Uri) -> String {
    let default = if url.scheme_str() == Some("http") { 80 } else { 443 };
    format!("{}:{}", url.host().unwrap_or_default(), url.port_u16().unwrap_or(default))
}

/// Classifies a request without an answer. Only a connection that was there and got lost is worth another try.
pub(super) fn failed(error: &kube::Error, server: &str) -> Failed {
    let again = if is_lost(error) && !is_refused(error) { Again::Soon } else { Again::Never };
    Failed { error: classify(error, server), again }
}

/// Classifies a body that broke off.
pub(super) fn cut(error: &(dyn Error + 'static), read: usize) -> Failed {
    let message = deepest(error);
    Failed { error: RequestError::Truncated { read: read as u64, message }, again: Again::Soon }
}

/// Finds the reason in an error of kube-rs, in kubectl's words.
pub(super) fn classify(error: &kube::Error, server: &str) -> RequestError {
    if let Some(cause) = find::<AuthError>(error) {
        return RequestError::Credentials { message: credentials(cause) };
    }
    if let Some(cause) = find::<rustls::Error>(error) {
        return RequestError::Tls { message: tls(cause, server) };
    }
    RequestError::Unreachable { message: unreachable(error, server) }
}

fn unreachable(error: &(dyn Error + 'static), server: &str) -> String {
    let host = server.rsplit_once(':').map_or(server, |(host, _)| host);
    if is_refused(error) {
        return format!("the connection to the server {server} was refused - did you specify the right host or port?");
    }
    if causes(error).any(|cause| cause.to_string().starts_with("dns error")) {
        return format!("unable to connect to the server: {host} cannot be resolved: {}", deepest(error));
    }
    if has_kind(error, &[io::ErrorKind::TimedOut]) {
        return format!("unable to connect to the server: no answer from {server}");
    }
    if is_lost(error) {
        return format!("the connection to the server {server} was lost: {}", deepest(error));
    }
    format!("unable to connect to the server {server}: {}", deepest(error))
}

fn tls(error: &rustls::Error, server: &str) -> String {
    let reason = match error {
        rustls::Error::InvalidCertificate(CertificateError::UnknownIssuer) => {
            "its certificate is signed by an unknown authority".to_owned()
        }
        rustls::Error::InvalidCertificate(CertificateError::Expired | CertificateError::ExpiredContext { .. }) => {
            "its certificate has expired".to_owned()
        }
        rustls::Error::InvalidMessage(_) => "it does not speak TLS".to_owned(),
        rustls::Error::AlertReceived(
            alert @ (AlertDescription::CertificateExpired
            | AlertDescription::BadCertificate
            | AlertDescription::CertificateRequired
            | AlertDescription::UnknownCA),
        ) => format!("it refused the client certificate ({alert:?})"),
        other => other.to_string(),
    };
    format!("unable to connect to the server {server}: {reason}")
}

/// Words a failure to get credentials. The output of a plugin is left out: it may hold what it should not.
fn credentials(error: &AuthError) -> String {
    match error {
        AuthError::AuthExecStart(cause) if cause.kind() == io::ErrorKind::NotFound => {
            "the credential plugin is not installed".to_owned()
        }
        AuthError::AuthExecRun { cmd, out } => format!("the credential plugin `{cmd}` failed with {}", out.status),
        other => other.to_string(),
    }
}

fn is_refused(error: &(dyn Error + 'static)) -> bool {
    has_kind(error, &[io::ErrorKind::ConnectionRefused])
}

/// Returns whether a connection was closed under a request.
fn is_lost(error: &(dyn Error + 'static)) -> bool {
    let closed = [
        io::ErrorKind::ConnectionReset,
        io::ErrorKind::ConnectionAborted,
        io::ErrorKind::BrokenPipe,
        io::ErrorKind::UnexpectedEof,
    ];
    has_kind(error, &closed) || causes(error).any(|cause| cause.to_string().starts_with("connection closed before"))
}

fn has_kind(error: &(dyn Error + 'static), kinds: &[io::ErrorKind]) -> bool {
    causes(error).filter_map(|cause| cause.downcast_ref::<io::Error>()).any(|cause| kinds.contains(&cause.kind()))
}

fn find<'a, T: Error + 'static>(error: &'a (dyn Error + 'static)) -> Option<&'a T> {
    causes(error).find_map(|cause| cause.downcast_ref::<T>())
}

fn deepest(error: &(dyn Error + 'static)) -> String {
    causes(error).last().map(ToString::to_string).unwrap_or_default()
}

/// Walks down an error's causes, the error first; unlike `source`, it does not skip what an I/O error wraps.
fn causes<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |&error: &&'a (dyn Error + 'static)| match error.downcast_ref::<io::Error>() {
        Some(wrapper) => wrapper.get_ref().map(|inner| inner as &(dyn Error + 'static)),
        None => error.source(),
    })
}
