//! Servers that cannot be talked to.

use std::io::Write as _;
use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use crate::support::http::{self, Answer, Handler, Request};
use crate::support::program::kubeconfig;
use crate::support::{Api, Place, World};

const LINES: [&str; 4] = ["namespace shop", "namespace -A", "pod cart -n shop", "capture -n shop -o x.rca"];

#[track_caller]
fn all_fail(place: &Place, message: &str) {
    for line in LINES {
        let run = place.rca(line);
        run.fails(3, message);
        assert!(run.took < Duration::from_secs(20), "{line} took {:?}", run.took);
        assert_eq!(place.names("."), ["kubeconfig"], "{line} left something");
    }
}

#[test]
fn a_closed_port_is_refused() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    all_fail(&Place::facing(&format!("http://{address}")), &format!("{address} was refused"));
    all_fail(&Place::facing(&format!("https://{address}")), &format!("{address} was refused"));
}

#[test]
fn a_name_that_does_not_resolve_is_named() {
    Place::facing("https://no-such-host.invalid").rca("namespace shop").fails(3, "no-such-host.invalid");
}

#[test]
fn expired_credentials_are_said_to_be_so() {
    let api = Api::but(&World::new(), |_, _| Some(Answer::status(401, "Unauthorized", "Unauthorized", None)));
    all_fail(&api.place(), "You must be logged in to the server");
    assert!(api.place().rca("namespace shop").stderr.contains("log in again"));
}

#[test]
fn credentials_that_expire_on_the_way_are_said_to_be_so() {
    let api = Api::but(&World::new(), |request, _| {
        (request.path != "/version").then(|| Answer::status(401, "Unauthorized", "Unauthorized", None))
    });
    for line in LINES {
        api.place().rca(line).fails(3, "");
    }
}

#[test]
fn a_server_that_hangs_up_is_told_apart() {
    let address = http::serve(drop);
    all_fail(&Place::facing(&format!("http://{address}")), &address.to_string());
}

#[test]
fn what_speaks_no_http_is_told_apart() {
    let address = http::serve(|mut stream| _ = stream.write_all(b"SSH-2.0-OpenSSH_9.2\r\n"));
    all_fail(&Place::facing(&format!("http://{address}")), &address.to_string());
    all_fail(&Place::facing(&format!("https://{address}")), &address.to_string());
}

#[test]
fn a_namespace_that_is_not_there_is_met_with_the_nearest() {
    let api = Api::serving(&World::new());
    let place = api.place();
    for line in ["namespace shpo", "pod cart -n shpo", "capture -n shpo -o x.rca"] {
        let run = place.rca(line);
        run.fails(4, "namespaces \"shpo\" not found");
        assert!(run.stderr.contains("did you mean shop?"), "{}", run.stderr);
    }
    assert_eq!(place.names("."), ["kubeconfig"]);
    place.rca("namespace zzzzzzzzzzzz").fails(4, "\"zzzzzzzzzzzz\"");
}

#[test]
fn a_pod_that_never_was_is_met_with_the_nearest() {
    let mut world = World::new();
    world.deployment("cart", 2, |_| ());
    let run = Api::serving(&world).place().rca("pod kart -n shop");
    run.fails(4, "pods \"kart\" not found in namespace \"shop\"");
    let run = Api::serving(&world).place().rca("pod cart-7d9f8c6b5d-x000 -n shop");
    assert!(run.stderr.contains("cart-7d9f8c6b5d-x0000"), "{}", run.stderr);
}

/// Answers `/version` over TLS.
struct Version;

impl Handler for Version {
    fn answer(&self, request: &Request) -> Answer {
        World::new().answer(request)
    }
}

struct Certificate {
    port: u16,
    authority: String,
}

/// Serves a cluster over TLS with a certificate of its own for these names.
fn tls(names: &[&str]) -> Certificate {
    let key =
        rcgen::generate_simple_self_signed(names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>()).unwrap();
    let private = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.signing_key.serialize_der()));
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let config =
        Arc::new(config.with_no_client_auth().with_single_cert(vec![key.cert.der().clone()], private).unwrap());
    let address = http::serve(move |stream| {
        let session = ServerConnection::new(Arc::clone(&config)).unwrap();
        http::speak(StreamOwned::new(session, stream), &Version);
    });
    let authority = base64::engine::general_purpose::STANDARD.encode(key.cert.pem());
    Certificate { port: address.port(), authority }
}

fn trusting(authority: &str, port: u16) -> Place {
    let cluster = format!("    certificate-authority-data: {authority}\n");
    Place::with_kubeconfig(&kubeconfig(&format!("https://127.0.0.1:{port}"), "{token: t}", &cluster))
}

#[test]
fn a_server_with_the_right_authority_is_talked_to() {
    let server = tls(&["127.0.0.1"]);
    trusting(&server.authority, server.port).rca("namespace shop").ok();
}

#[test]
fn a_server_of_another_authority_is_not_trusted() {
    let (server, other) = (tls(&["127.0.0.1"]), tls(&["127.0.0.1"]));
    all_fail(&trusting(&other.authority, server.port), "signed by an unknown authority");
    Place::facing(&format!("https://127.0.0.1:{}", server.port)).rca("namespace shop").fails(3, "");
}

#[test]
fn a_certificate_for_another_name_is_not_trusted() {
    let server = tls(&["api.example.com"]);
    all_fail(&trusting(&server.authority, server.port), "valid for api.example.com");
    trusting(&server.authority, server.port).rca("namespace shop --tls-server-name api.example.com").ok();
    let unchecked = format!("namespace shop --insecure-skip-tls-verify --server https://127.0.0.1:{}", server.port);
    Place::facing("https://127.0.0.1:1").rca(&unchecked).ok();
}

#[test]
fn http_spoken_to_a_tls_port_and_the_other_way_round_is_told_apart() {
    let secure = tls(&["127.0.0.1"]);
    Place::facing(&format!("http://127.0.0.1:{}", secure.port)).rca("namespace shop").fails(3, "");
    let plain = Api::serving(&World::new());
    Place::facing(&plain.url().replace("http:", "https:")).rca("namespace shop").fails(3, "127.0.0.1");
}
