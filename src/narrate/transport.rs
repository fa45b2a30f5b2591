//! How a request gets to the model: to an address, through a port-forward, or through the API server's proxy.

use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

use bytes::Bytes;
use futures::stream::BoxStream;
use futures::{StreamExt as _, TryStreamExt as _};
use http::{Method, Request, header};
use http_body_util::{BodyExt as _, Full};
use hyper_util::rt::TokioIo;
use k8s_openapi::api::core::v1::Pod;
use serde_json::Value;

use crate::collect::client::{ApiClient, JSON, web};

/// How long a connection to an address may take to be made.
const CONNECT: Duration = Duration::from_secs(3);

/// What went wrong, in one line for a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trouble(pub String);

impl Trouble {
    pub(super) fn new(error: impl fmt::Display) -> Self {
        Self(error.to_string())
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

impl std::error::Error for Trouble {}

/// An answer: its status at once, its body as it comes.
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) body: BoxStream<'static, Result<Bytes, Trouble>>,
}

/// A Service in the cluster that leads to a model.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Service {
    pub namespace: String,
    pub name: String,
    /// The Service's own port.
    pub port: u16,
    /// Number or name of the port in the pod.
    pub target: String,
    /// Labels of the pods behind it, as a query.
    pub selector: String,
}

/// The way to a model.
#[derive(Clone, Debug)]
pub(super) enum Route {
    Url {
        client: reqwest::Client,
        base: String,
    },
    /// Each request has a forward of its own, to a pod that is ready at that moment: one that goes is replaced by the next.
    Forward {
        api: ApiClient,
        service: Service,
    },
    Proxy {
        api: ApiClient,
        service: Service,
    },
}

impl Route {
    /// Prepares a way to an address. One outside of this machine and the private ranges has to be allowed.
    pub(super) async fn to(url: &str, allow_remote: bool) -> Result<Self, Trouble> {
        let parsed = reqwest::Url::parse(url).map_err(|error| Trouble(format!("`{url}` is no address: {error}")))?;
        let host = parsed.host_str().unwrap_or_default().trim_matches(['[', ']']).to_owned();
        let port = parsed.port_or_known_default().unwrap_or(80);
        let found = tokio::net::lookup_host((host.as_str(), port)).await;
        let addresses: Vec<_> = found.map_err(|_| Trouble(format!("{host} cannot be resolved")))?.collect();
        if !allow_remote && !addresses.iter().all(|address| is_near(address.ip())) {
            return Err(Trouble(format!("{host} is outside of this machine and the private networks")));
        }
        // Pinned to what was judged, not through somebody's proxy, and not where a redirect points to.
        let client = web(|client| {
            let client = client.connect_timeout(CONNECT).redirect(reqwest::redirect::Policy::none());
            // A server may close a connection that rests, just as the next request is sent on it.
            client.resolve_to_addrs(&host, &addresses).pool_max_idle_per_host(0).no_proxy()
        });
        let client = client.map_err(|error| Trouble::new(error.without_url()))?;
        Ok(Self::Url { client, base: url.trim_end_matches('/').to_owned() })
    }

    /// Sends a request and returns as soon as the head of the answer is there.
    pub(super) async fn send(&self, method: Method, path: &str, body: String) -> Result<Reply, Trouble> {
        match self {
            Self::Url { client, base } => to_address(client, &format!("{base}{path}"), method, body).await,
            Self::Forward { api, service } => forwarded(api, service, path, method, body).await,
            Self::Proxy { api, service } => proxied(api, service, path, method, body).await,
        }
    }

    /// Says in words which way it is.
    pub(super) fn describe(&self) -> String {
        match self {
            Self::Url { base, .. } => base.clone(),
            Self::Forward { service, .. } => format!("service {service} by a port-forward"),
            Self::Proxy { service, .. } => format!("service {service} by the API server's proxy"),
        }
    }
}

/// Prints `namespace/name`.
impl fmt::Display for Service {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}/{}", self.namespace, self.name)
    }
}

/// Returns whether an address is this machine's or of a private network.
fn is_near(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => {
            let shared = ip.octets()[0] == 100 && ip.octets()[1] & 0xc0 == 64;
            ip.is_loopback() || ip.is_private() || ip.is_link_local() || shared
        }
        IpAddr::V6(ip) => match ip.to_ipv4_mapped() {
            Some(mapped) => is_near(mapped.into()),
            None => ip.is_loopback() || ip.is_unique_local() || ip.is_unicast_link_local(),
        },
    }
}

async fn to_address(client: &reqwest::Client, url: &str, method: Method, body: String) -> Result<Reply, Trouble> {
    let request = client.request(method, url).header(header::CONTENT_TYPE, JSON).body(body);
    let response = request.send().await.map_err(|error| {
        let why = if error.is_connect() { "no connection" } else { "no answer" };
        Trouble(format!("{why}: {}", deepest(&error.without_url())))
    })?;
    let status = response.status().as_u16();
    let body = response.bytes_stream().map_err(|error| Trouble(deepest(&error.without_url())));
    Ok(Reply { status, body: body.boxed() })
}

async fn forwarded(
    api: &ApiClient,
    service: &Service,
    path: &str,
    method: Method,
    body: String,
) -> Result<Reply, Trouble> {
    let (pod, port) = ready_pod(api, service).await?;
    let pods: kube::Api<Pod> = kube::Api::namespaced(api.kube(), &service.namespace);
    let refused =
        |error: &(dyn std::error::Error + 'static)| Trouble(format!("port-forward to {pod}: {}", deepest(error)));
    let mut forwarder = pods.portforward(&pod, &[port]).await.map_err(|error| refused(&error))?;
    let stream = forwarder.take_stream(port).ok_or_else(|| Trouble("port-forward without a stream".to_owned()))?;
    let handshake = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await;
    let (mut sender, connection) = handshake.map_err(|error| refused(&error))?;
    tokio::spawn(async move {
        // Both ends live as long as the body is read; an error shows there.
        _ = connection.await;
        forwarder.abort();
    });
    // Ollama on a loopback address answers only who asks for such a name.
    let request = Request::builder().method(method).uri(path).header(header::HOST, "localhost");
    let request = request.header(header::CONTENT_TYPE, JSON).header(header::CONTENT_LENGTH, body.len());
    let request = request.body(Full::new(Bytes::from(body))).map_err(Trouble::new)?;
    let response = sender.send_request(request).await.map_err(|error| refused(&error))?;
    let status = response.status().as_u16();
    let body = response.into_body().into_data_stream().map_err(|error| Trouble(deepest(&error)));
    Ok(Reply { status, body: body.boxed() })
}

async fn proxied(
    api: &ApiClient,
    service: &Service,
    path: &str,
    method: Method,
    body: String,
) -> Result<Reply, Trouble> {
    let Service { namespace, name, port, .. } = service;
    let uri = format!("/api/v1/namespaces/{namespace}/services/{name}:{port}/proxy{path}");
    let request = Request::builder().method(method).uri(uri).header(header::CONTENT_TYPE, JSON);
    let request = request.body(kube::client::Body::from(body.into_bytes())).map_err(Trouble::new)?;
    let response =
        api.kube().send(request).await.map_err(|error| Trouble(format!("service proxy: {}", deepest(&error))))?;
    let status = response.status().as_u16();
    let body = response.into_body().into_data_stream().map_err(|error| Trouble(deepest(&error)));
    Ok(Reply { status, body: body.boxed() })
}

/// Finds a pod behind a Service that is ready, and the number of its port.
async fn ready_pod(api: &ApiClient, service: &Service) -> Result<(String, u16), Trouble> {
    let path = format!("/api/v1/namespaces/{}/pods", service.namespace);
    let list = api.get_bytes(&path, &[("labelSelector", &service.selector), ("limit", "50")], JSON).await;
    let list: Value = serde_json::from_slice(&list.map_err(Trouble::new)?).map_err(Trouble::new)?;
    let pods = list["items"].as_array().into_iter().flatten();
    let is_ready = |pod: &&Value| {
        let conditions = pod["status"]["conditions"].as_array().into_iter().flatten();
        pod["metadata"]["deletionTimestamp"].is_null()
            && conditions.into_iter().any(|one| one["type"] == "Ready" && one["status"] == "True")
    };
    let ready = pods
        .filter(is_ready)
        .find_map(|pod| Some((pod["metadata"]["name"].as_str()?.to_owned(), port(pod, &service.target)?)));
    ready.ok_or_else(|| Trouble(format!("no pod of service {service} is ready")))
}

fn port(pod: &Value, target: &str) -> Option<u16> {
    if let Ok(number) = target.parse() {
        return Some(number);
    }
    let containers = pod["spec"]["containers"].as_array().into_iter().flatten();
    let ports = containers.flat_map(|container| container["ports"].as_array().into_iter().flatten());
    let number = ports.into_iter().find(|port| port["name"] == target)?["containerPort"].as_u64()?;
    u16::try_from(number).ok()
}

fn deepest(error: &(dyn std::error::Error + 'static)) -> String {
    let mut deepest = error;
    while let Some(source) = deepest.source() {
        deepest = source;
    }
    deepest.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_private_addresses_are_near() {
        for ip in [
            "127.0.0.1",
            "10.1.2.3",
            "172.16.0.1",
            "192.168.1.1",
            "169.254.1.1",
            "100.64.0.1",
            "::1",
            "fd00::1",
            "fe80::1",
            "::ffff:10.0.0.1",
        ] {
            assert!(is_near(ip.parse().unwrap()), "{ip}");
        }
        for ip in
            ["8.8.8.8", "172.32.0.1", "100.128.0.1", "0.0.0.0", "2001:4860::1", "::ffff:8.8.8.8", "255.255.255.255"]
        {
            assert!(!is_near(ip.parse().unwrap()), "{ip}");
        }
    }
}
