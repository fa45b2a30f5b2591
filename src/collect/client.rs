//! Asks the API server: few requests at once, hiccups survived, every other failure told apart.
//!
//! Bodies are handed out as bytes, because parsing a list of ten thousand pods is the caller's work to spread over threads.

mod answer;
mod error;
mod pages;
mod retry;
#[cfg(test)]
mod tests;
mod transport;
mod web;
mod write;

use std::collections::BTreeSet;
use std::fmt;
use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, HeaderValue, Request, header};
use http_body_util::BodyExt as _;
use kube::client::Body;
use tokio::sync::Semaphore;
use tokio::time::timeout;

pub use self::error::RequestError;
pub use self::pages::{Page, Pages};
use self::retry::{Budget, Failed};
use self::transport::Peer;
pub use self::web::web;
pub use self::write::Lines;
use super::kubeconfig::Connection;
use crate::failure::Failure;

/// How long a connection may take to be made.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// How long the server may say nothing at all: it gives up on requests itself after 60 seconds.
const SILENCE: Duration = Duration::from_secs(75);
/// How long the log of one container may take: the API server waits for an unreachable kubelet for longer than a person does.
const LOG_TIMEOUT: Duration = Duration::from_secs(20);
/// Accepts the API's own JSON.
pub const JSON: &str = "application/json";

/// What a run may ask of the server.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// How long a single request may take, its body included; none leaves it to the server.
    pub request_timeout: Option<Duration>,
    /// How long the run may spend waiting to try again, all requests together.
    pub retry_budget: Duration,
    /// How many requests may be under way at once; with HTTP/1.1 each has a connection of its own.
    pub concurrency: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { request_timeout: None, retry_budget: Duration::from_secs(10), concurrency: 12 }
    }
}

/// What the requests of a run amounted to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Requests sent, retries included.
    pub requests: u64,
    /// Bytes of bodies read, after decompression.
    pub bytes: u64,
    /// Requests that were sent again.
    pub retries: u64,
}

#[derive(Default)]
struct Counters {
    requests: AtomicU64,
    bytes: AtomicU64,
    retries: AtomicU64,
}

struct Inner {
    kube: kube::Client,
    peer: Peer,
    limits: Limits,
    slots: Semaphore,
    budget: Budget,
    counters: Counters,
    warnings: Mutex<BTreeSet<String>>,
}

/// A connection to an API server. Clones share connections, limits and counters.
#[derive(Clone)]
pub struct ApiClient {
    inner: Arc<Inner>,
}

impl fmt::Debug for ApiClient {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("ApiClient").field("server", &self.inner.peer.server).finish_non_exhaustive()
    }
}

impl ApiClient {
    /// Prepares a client: reads certificates and runs the credential plugin, but sends nothing to the server yet.
    ///
    /// Must be called within a tokio runtime. Fails with exit code 3.
    pub async fn connect(connection: &Connection, limits: &Limits) -> Result<Self, Failure> {
        let mut config = connection.config.clone();
        config.default_retry = false;
        config.connect_timeout = Some(CONNECT_TIMEOUT);
        config.headers.push((header::USER_AGENT, user_agent()));
        let user = &connection.config.auth_info;
        let peer = Peer::new(&config);
        let built = tokio::task::spawn_blocking(move || kube::Client::try_from(config)).await;
        let built = built.map_err(|error| Failure::unreachable(format!("the client cannot be set up: {error}")))?;
        let kube = built.map_err(|error| transport::cannot_set_up(&error, user))?;
        Ok(Self { inner: Arc::new(Inner::new(kube, peer, *limits)) })
    }

    /// Fetches a path (`/api/v1/nodes`), trying again after hiccups, and returns the body of a successful answer.
    pub async fn get_bytes(&self, path: &str, query: &[(&str, &str)], accept: &str) -> Result<Bytes, RequestError> {
        self.get_within(&uri(path, query), accept, self.inner.limits.request_timeout).await
    }

    /// Starts to fetch a list in pages of `page_size` objects (0: in one piece); see [`Pages`].
    ///
    /// Must be called within a tokio runtime.
    pub fn list_pages(&self, path: &str, query: &[(&str, &str)], accept: &str, page_size: usize) -> Pages {
        pages::start(self.clone(), path, query, accept, page_size)
    }

    /// Fetches the end of a container's log: at most `tail_lines` lines and `limit_bytes` bytes.
    ///
    /// Bytes that are not UTF-8 are replaced. A log that the node no longer has is [`RequestError::NotFound`].
    #[expect(clippy::too_many_arguments, reason = "they are the API's own parameters")]
    pub async fn log(
        &self,
        namespace: &str,
        pod: &str,
        container: &str,
        previous: bool,
        tail_lines: u32,
        limit_bytes: u32,
        timestamps: bool,
    ) -> Result<String, RequestError> {
        let path = format!("/api/v1/namespaces/{}/pods/{}/log", encode(namespace), encode(pod));
        let (lines, bytes) = (tail_lines.to_string(), limit_bytes.to_string());
        let mut query = vec![("container", container), ("tailLines", &lines), ("limitBytes", &bytes)];
        query.extend(previous.then_some(("previous", "true")));
        query.extend(timestamps.then_some(("timestamps", "true")));
        let patience = self.inner.limits.request_timeout.map_or(LOG_TIMEOUT, |limit| limit.min(LOG_TIMEOUT));
        let body = self.get_within(&uri(&path, &query), "*/*", Some(patience)).await?;
        answer::log_text(&body)
    }

    /// Returns the underlying client, with the same credentials and User-Agent, for what is no plain GET.
    pub fn kube(&self) -> kube::Client {
        self.inner.kube.clone()
    }

    /// Returns how long a single request may take, if there is a limit.
    pub fn request_timeout(&self) -> Option<Duration> {
        self.inner.limits.request_timeout
    }

    /// Returns the server's `host:port`.
    pub fn server(&self) -> &str {
        &self.inner.peer.server
    }

    /// Returns what the requests have amounted to so far.
    pub fn stats(&self) -> Stats {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let Counters { requests, bytes, retries } = &self.inner.counters;
        Stats { requests: read(requests), bytes: read(bytes), retries: read(retries) }
    }

    /// Returns the texts of the `Warning` headers seen so far, sorted, each once.
    pub fn warnings(&self) -> Vec<String> {
        self.inner.warnings.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }

    async fn get_within(&self, uri: &str, accept: &str, limit: Option<Duration>) -> Result<Bytes, RequestError> {
        let mut tries = 0;
        loop {
            let started = Instant::now();
            let failed = match self.attempt(uri, accept, limit).await {
                Ok(body) => return Ok(body),
                Err(failed) => failed,
            };
            tries += 1;
            let Some(wait) = failed.wait(tries, started.elapsed(), &self.inner.budget) else {
                return Err(failed.error);
            };
            tokio::time::sleep(wait).await;
            self.inner.counters.retries.fetch_add(1, Ordering::Relaxed);
        }
    }

    async fn attempt(&self, uri: &str, accept: &str, limit: Option<Duration>) -> Result<Bytes, Failed> {
        let _slot = self.inner.slots.acquire().await.map_err(|_| Failed::for_good(RequestError::Timeout))?;
        self.inner.counters.requests.fetch_add(1, Ordering::Relaxed);
        let exchange = self.inner.exchange(uri, accept);
        match limit {
            Some(limit) => timeout(limit, exchange).await.unwrap_or(Err(Failed::for_good(RequestError::Timeout))),
            None => exchange.await,
        }
    }
}

impl Inner {
    fn new(kube: kube::Client, peer: Peer, limits: Limits) -> Self {
        Self {
            kube,
            peer,
            limits,
            slots: Semaphore::new(limits.concurrency.max(1)),
            budget: Budget::new(limits.retry_budget),
            counters: Counters::default(),
            warnings: Mutex::default(),
        }
    }

    async fn exchange(&self, uri: &str, accept: &str) -> Result<Bytes, Failed> {
        let request = Request::get(uri).header(header::ACCEPT, accept).body(Body::empty());
        let request =
            request.map_err(|error| Failed::for_good(RequestError::Invalid { message: error.to_string() }))?;
        self.ask(request).await
    }

    async fn ask(&self, request: Request<Body>) -> Result<Bytes, Failed> {
        let sent = timeout(SILENCE, self.kube.send(request)).await;
        let sent = sent.map_err(|_| Failed::for_good(RequestError::Timeout))?;
        let response = sent.map_err(|error| transport::failed(&error, &self.peer))?;
        let (head, body) = response.into_parts();
        self.note_warnings(&head.headers);
        if head.status.is_success() {
            return self.read(body).await.map_err(|(_, failed)| failed);
        }
        let body = self.read(body).await.unwrap_or_else(|(read, _)| read);
        Err(answer::refused(head.status.as_u16(), &head.headers, &body))
    }

    /// Reads a body to its end; if it is cut short, returns what was read with the failure.
    async fn read(&self, mut body: Body) -> Result<Bytes, (Bytes, Failed)> {
        let mut read = BytesMut::new();
        loop {
            let failed = match timeout(SILENCE, body.frame()).await {
                Ok(None) => return Ok(read.freeze()),
                Ok(Some(Ok(frame))) => {
                    let data = frame.into_data().unwrap_or_default();
                    self.counters.bytes.fetch_add(data.len() as u64, Ordering::Relaxed);
                    read.extend_from_slice(&data);
                    continue;
                }
                Ok(Some(Err(error))) => transport::cut(&error, read.len()),
                Err(_) => Failed::for_good(RequestError::Timeout),
            };
            return Err((read.freeze(), failed));
        }
    }

    fn note_warnings(&self, headers: &HeaderMap) {
        let texts: Vec<_> = headers.get_all(header::WARNING).iter().filter_map(answer::warning).collect();
        if !texts.is_empty() {
            self.warnings.lock().unwrap_or_else(PoisonError::into_inner).extend(texts);
        }
    }
}

fn user_agent() -> HeaderValue {
    let os = std::env::consts::OS;
    let arch = std::env::consts::ARCH;
    let text = format!("kubectl-rca/{} ({os}/{arch})", env!("CARGO_PKG_VERSION"));
    HeaderValue::from_str(&text).unwrap_or(HeaderValue::from_static("kubectl-rca"))
}

fn uri(path: &str, query: &[(&str, &str)]) -> String {
    let mut uri = path.to_owned();
    for (index, (key, value)) in query.iter().enumerate() {
        let separator = if index == 0 && !path.contains('?') { '?' } else { '&' };
        uri.push(separator);
        uri += &encode(key);
        uri.push('=');
        uri += &encode(value);
    }
    uri
}

/// Escapes everything but the characters that mean only themselves everywhere in a URL.
fn encode(text: &str) -> String {
    text.bytes().fold(String::with_capacity(text.len()), |mut encoded, byte| {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => encoded.push(char::from(byte)),
            _ => write!(encoded, "%{byte:02X}").unwrap_or_default(),
        }
        encoded
    })
}
