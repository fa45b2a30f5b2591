//! The client against a server that misbehaves.

mod credentials;
mod server;
mod tls;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use self::server::{FakeServer, Reply};
use super::*;
use crate::collect::kubeconfig::{Env, Overrides, resolve};
use crate::failure::Exit;

const PAGE_1: &str =
    r#"{"kind":"PodList","metadata":{"resourceVersion":"7","continue":"two"},"items":[{"a":1},{"a":2}]}"#;
const PAGE_2: &str = r#"{"kind":"PodList","metadata":{"resourceVersion":"7"},"items":[{"a":3}]}"#;

fn connection(overrides: &Overrides) -> Connection {
    let env = Env { vars: BTreeMap::new(), home: None, service_account: PathBuf::new() };
    resolve(overrides, &env).unwrap()
}

async fn client_with(url: &str, limits: Limits) -> ApiClient {
    let overrides = Overrides { server: Some(url.to_owned()), ..Overrides::default() };
    ApiClient::connect(&connection(&overrides), &limits).await.unwrap()
}

async fn client(server: &FakeServer) -> ApiClient {
    client_with(&server.url(), Limits::default()).await
}

async fn get(server: &FakeServer) -> Result<Bytes, RequestError> {
    client(server).await.get_bytes("/api/v1/pods", &[], JSON).await
}

async fn failure_of(reply: Reply) -> RequestError {
    get(&FakeServer::start([reply])).await.unwrap_err()
}

async fn read_pages(server: &FakeServer) -> (Vec<Page>, Option<RequestError>) {
    let mut pages = client(server).await.list_pages("/api/v1/pods", &[], JSON, 2);
    let mut read = Vec::new();
    while let Some(page) = pages.next().await {
        match page {
            Ok(page) => read.push(page),
            Err(error) => return (read, Some(error)),
        }
    }
    (read, None)
}

#[tokio::test]
async fn says_who_it_is_and_what_it_wants() {
    let server = FakeServer::start([Reply::ok("{}")]);
    let client = client(&server).await;
    client.get_bytes("/api/v1/events", &[("fieldSelector", "a=b c")], JSON).await.unwrap();
    let request = server.requests().remove(0);
    assert!(request.starts_with("GET /api/v1/events?fieldSelector=a%3Db%20c HTTP/1.1"), "{request}");
    assert!(request.contains("user-agent: kubectl-rca/"), "{request}");
    assert!(request.contains("accept: application/json"), "{request}");
    assert_eq!(client.stats(), Stats { requests: 1, bytes: 2, retries: 0 });
}

#[tokio::test]
async fn forbidden_keeps_the_words_of_the_server() {
    let message = r#"pods is forbidden: User "jane" cannot list resource "pods" in API group "" at the cluster scope"#;
    let error = failure_of(Reply::status(403, "Forbidden", message, None)).await;
    assert_eq!(error, RequestError::Forbidden { message: message.to_owned() });
    let failure = error.into_failure("pods");
    assert_eq!(failure.exit, Exit::Unreachable);
    assert!(failure.hints.iter().any(|hint| hint.contains("kubectl auth whoami")));
}

#[tokio::test]
async fn unauthorized_is_worded_as_by_kubectl() {
    let failure = failure_of(Reply::status(401, "Unauthorized", "Unauthorized", None)).await.into_failure("pods");
    assert_eq!(failure.message, "You must be logged in to the server (Unauthorized)");
    assert_eq!(failure.exit, Exit::Unreachable);
}

#[tokio::test]
async fn a_missing_object_is_not_a_missing_kind() {
    let object = failure_of(Reply::status(404, "NotFound", r#"pods "x" not found"#, Some("x"))).await;
    assert_eq!(object.reason(), "not-found");
    assert_eq!(object.into_failure("pod").exit, Exit::NotFound);
    let page = failure_of(Reply::new(404, "404 page not found\n")).await;
    assert_eq!(page, RequestError::NotServed);
    let kind =
        failure_of(Reply::status(404, "NotFound", "the server could not find the requested resource", None)).await;
    assert_eq!(kind, RequestError::NotServed);
}

#[tokio::test]
async fn throttling_is_waited_out() {
    let server = FakeServer::start([Reply::new(429, "").header("Retry-After: 1"), Reply::ok("{}")]);
    let client = client(&server).await;
    let start = Instant::now();
    client.get_bytes("/", &[], JSON).await.unwrap();
    assert!(start.elapsed() >= Duration::from_secs(1));
    assert_eq!(client.stats().retries, 1);
}

#[tokio::test]
async fn retries_end_with_the_budget() {
    let server = FakeServer::start([Reply::new(429, "").header("Retry-After: 1")]);
    let limits = Limits { retry_budget: Duration::from_millis(500), ..Limits::default() };
    let error = client_with(&server.url(), limits).await.get_bytes("/", &[], JSON).await.unwrap_err();
    assert_eq!(error, RequestError::TooManyRequests);
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test]
async fn a_server_that_stays_down_is_asked_four_times() {
    let server = FakeServer::start([Reply::new(503, "down for maintenance")]);
    let error = get(&server).await.unwrap_err();
    assert_eq!(error, RequestError::ServerError { code: 503, message: "down for maintenance".to_owned() });
    assert_eq!(server.requests().len(), 4);
}

#[tokio::test]
async fn a_server_that_comes_back_is_forgiven() {
    let down = || Reply::status(503, "ServiceUnavailable", "busy", None);
    let server = FakeServer::start([down(), down(), down(), Reply::ok("{}")]);
    assert_eq!(get(&server).await.unwrap(), "{}");
}

#[tokio::test]
async fn a_dropped_connection_is_tried_again() {
    let server = FakeServer::start([Reply::hang_up(), Reply::ok("{}")]);
    assert_eq!(get(&server).await.unwrap(), "{}");
    let server = FakeServer::start([Reply::hang_up()]);
    let error = get(&server).await.unwrap_err();
    assert!(error.to_string().contains("was lost"), "{error}");
    assert_eq!(error.reason(), "unreachable");
}

#[tokio::test]
async fn a_server_that_hangs_times_out() {
    for reply in [Reply::hang(), Reply::ok("{}").announcing(100).then_hang()] {
        let server = FakeServer::start([reply]);
        let limits = Limits { request_timeout: Some(Duration::from_millis(300)), ..Limits::default() };
        let start = Instant::now();
        let error = client_with(&server.url(), limits).await.get_bytes("/", &[], JSON).await.unwrap_err();
        assert_eq!(error, RequestError::Timeout);
        assert!(start.elapsed() < Duration::from_secs(3));
    }
}

#[tokio::test]
async fn a_refused_connection_is_told_at_once() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let client = client_with(&format!("http://{address}"), Limits::default()).await;
    let failure = client.get_bytes("/", &[], JSON).await.unwrap_err().into_failure("pods");
    let wanted =
        format!("the connection to the server {address} was refused - did you specify the right host or port?");
    assert_eq!(failure.message, wanted);
    assert_eq!(client.stats().requests, 1);
}

#[tokio::test]
async fn a_proxy_that_is_away_is_blamed_instead_of_the_server() {
    let mut connection = connection(&Overrides { server: Some("http://api:6443".to_owned()), ..Overrides::default() });
    connection.config.proxy_url = Some(http::Uri::from_static("http://127.0.0.1:1"));
    let client = ApiClient::connect(&connection, &Limits::default()).await.unwrap();
    let error = client.get_bytes("/", &[], JSON).await.unwrap_err();
    assert_eq!(error.to_string(), "the connection to the proxy 127.0.0.1:1 was refused");
}

#[tokio::test]
async fn an_unknown_host_is_named() {
    let client = client_with("http://no-such-host.invalid:6443", Limits::default()).await;
    let error = client.get_bytes("/", &[], JSON).await.unwrap_err();
    assert!(error.to_string().contains("no-such-host.invalid cannot be resolved"), "{error}");
}

#[tokio::test]
async fn a_server_without_tls_is_told_from_one_that_is_away() {
    let server = FakeServer::start([Reply::new(400, "")]);
    let client = client_with(&server.url().replace("http:", "https:"), Limits::default()).await;
    let error = client.get_bytes("/", &[], JSON).await.unwrap_err();
    assert!(matches!(&error, RequestError::Tls { message } if message.contains("does not speak TLS")), "{error:?}");
}

#[tokio::test]
async fn a_body_that_breaks_off_is_truncated() {
    let error = failure_of(Reply::ok(r#"{"items":["#).announcing(1000)).await;
    assert!(matches!(error, RequestError::Truncated { read: 10, .. }), "{error:?}");
    let server = FakeServer::start([Reply::ok("{").announcing(1000), Reply::ok("{}")]);
    assert_eq!(get(&server).await.unwrap(), "{}");
}

#[tokio::test]
async fn compressed_bodies_are_unpacked() {
    let body = "{\"items\":[]}".repeat(1000);
    let server = FakeServer::start([Reply::ok(&body).gzip()]);
    assert_eq!(get(&server).await.unwrap(), body);
    assert!(server.requests()[0].contains("accept-encoding: gzip"));
}

#[tokio::test]
async fn warnings_are_kept_once() {
    let warned = || Reply::ok("{}").header("Warning: 299 - \"v1 Endpoints is deprecated in v1.33+\"");
    let server = FakeServer::start([warned(), warned()]);
    let client = client(&server).await;
    client.get_bytes("/", &[], JSON).await.unwrap();
    client.get_bytes("/", &[], JSON).await.unwrap();
    assert_eq!(client.warnings(), ["v1 Endpoints is deprecated in v1.33+"]);
}

#[tokio::test]
async fn pages_are_followed_to_the_end() {
    let server = FakeServer::start([Reply::ok(PAGE_1), Reply::ok(PAGE_2)]);
    let (pages, error) = read_pages(&server).await;
    assert_eq!(error, None);
    assert_eq!(pages.iter().map(|page| page.items().unwrap().len()).sum::<usize>(), 3);
    assert!(server.requests()[0].starts_with("GET /api/v1/pods?limit=2 "));
    assert!(server.requests()[1].starts_with("GET /api/v1/pods?limit=2&continue=two "));
}

#[tokio::test]
async fn pages_are_fetched_ahead_of_the_reader() {
    let server = FakeServer::start([Reply::ok(PAGE_1), Reply::ok(PAGE_2)]);
    let pages = client(&server).await.list_pages("/api/v1/pods", &[], JSON, 2);
    let start = Instant::now();
    while server.requests().len() < 2 && start.elapsed() < Duration::from_secs(5) {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(server.requests().len(), 2);
    drop(pages);
}

#[tokio::test]
async fn what_was_read_before_a_failing_page_is_kept() {
    let server = FakeServer::start([Reply::ok(PAGE_1), Reply::status(500, "InternalError", "panic", None)]);
    let (pages, error) = read_pages(&server).await;
    assert_eq!(pages.len(), 1);
    let wanted = RequestError::Truncated { read: PAGE_1.len() as u64, message: "panic (500)".to_owned() };
    assert_eq!(error, Some(wanted));
}

#[tokio::test]
async fn a_first_page_that_fails_is_not_truncated() {
    let (pages, error) = read_pages(&FakeServer::start([Reply::status(403, "Forbidden", "no", None)])).await;
    assert!(pages.is_empty());
    assert_eq!(error.unwrap().reason(), "forbidden");
}

#[tokio::test]
async fn an_expired_list_goes_on_where_the_server_offers() {
    let expired = Reply::status(410, "Expired", "too old", None).with_continue("fresh");
    let server = FakeServer::start([Reply::ok(PAGE_1), expired, Reply::ok(PAGE_2)]);
    let (pages, error) = read_pages(&server).await;
    assert_eq!((pages.len(), error), (2, None));
    assert!(server.requests()[2].contains("continue=fresh "));
}

#[tokio::test]
async fn an_expired_list_without_an_offer_is_truncated() {
    let expired = Reply::status(410, "Expired", "the provided continue parameter is too old", None);
    let (pages, error) = read_pages(&FakeServer::start([Reply::ok(PAGE_1), expired])).await;
    assert_eq!(pages.len(), 1);
    assert_eq!(error.unwrap().reason(), "truncated");
}

#[tokio::test]
async fn a_list_that_expires_again_and_again_is_given_up() {
    let expired = || Reply::status(410, "Expired", "too old", None).with_continue("fresh");
    let server = FakeServer::start([Reply::ok(PAGE_1), expired()]);
    let (_, error) = read_pages(&server).await;
    assert_eq!(error.unwrap().reason(), "truncated");
    assert_eq!(server.requests().len(), 3);
}

#[tokio::test]
async fn an_answer_that_is_no_json_is_invalid() {
    let (_, error) = read_pages(&FakeServer::start([Reply::ok("<html>login</html>")])).await;
    assert_eq!(error.unwrap().reason(), "invalid");
    let (pages, _) = read_pages(&FakeServer::start([Reply::ok(r#"{"metadata":{},"items":[{"a":1},{]}"#)])).await;
    assert_eq!(pages[0].items().unwrap_err().reason(), "invalid");
}

#[tokio::test]
async fn a_log_is_asked_for_by_its_end() {
    let server = FakeServer::start([Reply::ok("started\n")]);
    let log = client(&server).await.log("shop", "cart-0", "app", true, 100, 65536, true).await.unwrap();
    assert_eq!(log, "started\n");
    let wanted = "GET /api/v1/namespaces/shop/pods/cart-0/log\
        ?container=app&tailLines=100&limitBytes=65536&previous=true&timestamps=true HTTP/1.1";
    assert_eq!(server.requests()[0].lines().next(), Some(wanted));
}

#[tokio::test]
async fn an_excuse_is_no_log() {
    let server = FakeServer::start([Reply::ok("unable to retrieve container logs for containerd://abc")]);
    let error = client(&server).await.log("shop", "cart-0", "app", false, 100, 65536, false).await.unwrap_err();
    assert_eq!(error.reason(), "not-found");
}

#[tokio::test]
async fn no_more_requests_than_allowed_are_under_way() {
    let server = FakeServer::start([Reply::ok("{}").after(Duration::from_millis(50))]);
    let limits = Limits { concurrency: 3, ..Limits::default() };
    let client = client_with(&server.url(), limits).await;
    let requests = (0..12).map(|_| client.get_bytes("/", &[], JSON));
    assert!(futures::future::join_all(requests).await.iter().all(Result::is_ok));
    assert!(server.busiest() <= 3, "{}", server.busiest());
}
