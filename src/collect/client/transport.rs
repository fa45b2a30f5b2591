//! Tells apart why no answer came: kube-rs hands out one opaque error for all of it.

use std::error::Error;
use std::io;

use http::Uri;
use kube::client::AuthError;
use kube::config::AuthInfo;
use rustls::{AlertDescription, CertificateError};

use super::RequestError;
use super::answer::printable;
use super::retry::{Again, Failed};
use crate::failure::Failure;

/// How many of the names in a certificate are told.
const NAMES: usize = 3;

/// Who is at the other end of a connection, for messages.
#[derive(Debug)]
pub(super) struct Peer {
    /// The server as `host:port`.
    pub(super) server: String,
    /// The proxy on the way to it as `host:port`.
    proxy: Option<String>,
}

impl Peer {
    pub(super) fn new(config: &kube::Config) -> Self {
        Self { server: host_and_port(&config.cluster_url), proxy: config.proxy_url.as_ref().map(host_and_port) }
    }
}

fn host_and_port(url: &Uri) -> String {
    let default = match url.scheme_str() {
        Some("http") => 80,
        Some("socks5") => 1080,
        _ => 443,
    };
    format!("{}:{}", url.host().unwrap_or_default(), url.port_u16().unwrap_or(default))
}

/// Classifies a request without an answer. Only a connection that was there and got lost is worth another try.
pub(super) fn failed(error: &kube::Error, peer: &Peer) -> Failed {
    let again = if is_lost(error) && !is_refused(error) { Again::Soon } else { Again::Never };
    Failed { error: classify(error, peer), again }
}

/// Classifies a body that broke off.
pub(super) fn cut(error: &(dyn Error + 'static), read: usize) -> Failed {
    let message = deepest(error);
    Failed { error: RequestError::Truncated { read: read as u64, message }, again: Again::Soon }
}

/// Finds the reason in an error of kube-rs, in kubectl's words.
fn classify(error: &kube::Error, peer: &Peer) -> RequestError {
    if let Some(cause) = find::<AuthError>(error) {
        return RequestError::Credentials { message: credentials(cause) };
    }
    if let Some(cause) = find::<rustls::Error>(error) {
        return RequestError::Tls {
            message: format!("unable to connect to the server {}: {}", peer.server, tls(cause)),
        };
    }
    RequestError::Unreachable { message: unreachable(error, peer) }
}

fn unreachable(error: &(dyn Error + 'static), peer: &Peer) -> String {
    let Peer { server, proxy } = peer;
    let nearest = proxy.as_ref().unwrap_or(server);
    let host = nearest.rsplit_once(':').map_or(nearest.as_str(), |(host, _)| host);
    match proxy {
        Some(proxy) if is_refused(error) => format!("the connection to the proxy {proxy} was refused"),
        None if is_refused(error) => {
            format!("the connection to the server {server} was refused - did you specify the right host or port?")
        }
        _ if causes(error).any(|cause| cause.to_string().starts_with("dns error")) => {
            format!("unable to connect to the server: {host} cannot be resolved: {}", deepest(error))
        }
        _ if has_kind(error, &[io::ErrorKind::TimedOut]) => {
            format!("unable to connect to the server: no answer from {nearest}")
        }
        _ if is_lost(error) => format!("the connection to the server {server} was lost: {}", deepest(error)),
        Some(proxy) => {
            format!("unable to connect to the server {server} through the proxy {proxy}: {}", deepest(error))
        }
        None => format!("unable to connect to the server {server}: {}", deepest(error)),
    }
}

fn tls(error: &rustls::Error) -> String {
    match error {
        rustls::Error::InvalidCertificate(cause) => untrusted(cause),
        rustls::Error::InvalidMessage(_) => "it does not speak TLS".to_owned(),
        rustls::Error::AlertReceived(
            alert @ (AlertDescription::CertificateExpired
            | AlertDescription::BadCertificate
            | AlertDescription::CertificateRequired
            | AlertDescription::UnknownCA),
        ) => format!("it refused the client certificate ({alert:?})"),
        other => other.to_string(),
    }
}

fn untrusted(error: &CertificateError) -> String {
    match error {
        CertificateError::UnknownIssuer | CertificateError::BadSignature => {
            "its certificate is signed by an unknown authority".to_owned()
        }
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => "its certificate has expired".to_owned(),
        CertificateError::NotValidForNameContext { expected, presented } => {
            let names: Vec<_> = presented.iter().take(NAMES).map(|name| plain_name(name)).collect();
            let others = presented.len().saturating_sub(NAMES);
            let more = if others > 0 { format!(" and {others} others") } else { String::new() };
            format!("its certificate is valid for {}{more}, not for {}", names.join(", "), expected.to_str())
        }
        other => format!("its certificate is not trusted: {other}"),
    }
}

/// Turns rustls' `DnsName("shop")` into `shop`.
fn plain_name(name: &str) -> &str {
    name.split_once('(').map_or(name, |(_, inner)| inner.trim_end_matches(')')).trim_matches('"')
}

/// Words why a client cannot be set up: a certificate that cannot be read, a credential plugin that fails.
pub(super) fn cannot_set_up(error: &kube::Error, user: &AuthInfo) -> Failure {
    let Some(cause) = find::<AuthError>(error) else {
        return Failure::unreachable(format!("the connection cannot be set up: {error}"))
            .hint("see what the kubeconfig says with `kubectl config view --minify`");
    };
    let Some(plugin) = &user.exec else {
        return RequestError::Credentials { message: credentials(cause) }.into_failure("credentials");
    };
    let command = plugin.command.as_deref().unwrap_or_default();
    let message = format!("`{command}`: {}", credentials(cause));
    let failure = RequestError::Credentials { message }.into_failure("credentials");
    match &plugin.install_hint {
        Some(hint) if is_missing(cause) => failure.hint(printable(hint.trim())),
        _ => failure,
    }
}

/// Words a failure to get credentials. What a plugin was given and what it printed is left out, for it holds secrets.
fn credentials(error: &AuthError) -> String {
    match error {
        AuthError::AuthExecStart(_) if is_missing(error) => "the credential plugin is not installed".to_owned(),
        AuthError::AuthExecRun { out, .. } => {
            let complaint = String::from_utf8_lossy(&out.stderr);
            let complaint = complaint.lines().rfind(|line| !line.trim().is_empty()).map(|line| format!(": {line}"));
            format!("the credential plugin failed with {}{}", out.status, printable(&complaint.unwrap_or_default()))
        }
        AuthError::AuthExecParse(_) => "the credential plugin printed no ExecCredential".to_owned(),
        other => other.to_string(),
    }
}

fn is_missing(error: &AuthError) -> bool {
    matches!(error, AuthError::AuthExecStart(cause) if cause.kind() == io::ErrorKind::NotFound)
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
