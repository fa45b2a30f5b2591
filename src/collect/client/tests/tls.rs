//! The client against servers with certificates of all sorts.

use rcgen::{CertificateParams, KeyPair, date_time_ymd};
use rustls::ServerConfig;
use rustls::pki_types::PrivateKeyDer;

use super::*;

/// Starts a server that proves to be `name`, and returns it with its certificate (PEM).
fn server(name: &str, expired: bool) -> (FakeServer, String) {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new([name.to_owned()]).unwrap();
    if expired {
        params.not_after = date_time_ymd(2001, 1, 1);
    }
    let certificate = params.self_signed(&key).unwrap();
    let private = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], private)
        .unwrap();
    (FakeServer::start_tls([Reply::ok("{}")], Arc::new(config)), certificate.pem())
}

async fn ask(server: &FakeServer, authority: &str, overrides: Overrides) -> Result<Bytes, RequestError> {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    std::io::Write::write_all(&mut file, authority.as_bytes()).unwrap();
    let server = Some(format!("https://127.0.0.1:{}", server.port()));
    let secure = overrides.insecure_skip_tls_verify.is_none();
    let certificate_authority = secure.then(|| file.path().to_owned());
    let connection = connection(&Overrides { server, certificate_authority, ..overrides });
    let client = ApiClient::connect(&connection, &Limits::default()).await.unwrap();
    client.get_bytes("/version", &[], JSON).await
}

async fn refusal(server: &FakeServer, authority: &str) -> String {
    match ask(server, authority, Overrides::default()).await.unwrap_err() {
        RequestError::Tls { message } => message,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_server_of_a_known_authority_is_trusted() {
    let (server, certificate) = server("127.0.0.1", false);
    assert_eq!(ask(&server, &certificate, Overrides::default()).await.unwrap(), "{}");
}

#[tokio::test]
async fn a_server_of_an_unknown_authority_is_not() {
    let (server, _) = server("127.0.0.1", false);
    let other = self::server("127.0.0.1", false).1;
    let message = refusal(&server, &other).await;
    assert!(message.starts_with("unable to connect to the server 127.0.0.1:"), "{message}");
    assert!(server.requests().is_empty());
}

#[tokio::test]
async fn an_expired_certificate_is_said_to_be() {
    let (server, certificate) = server("127.0.0.1", true);
    assert!(refusal(&server, &certificate).await.ends_with("its certificate has expired"));
}

#[tokio::test]
async fn another_name_has_to_be_asked_for() {
    let (server, certificate) = server("shop.internal", false);
    let message = refusal(&server, &certificate).await;
    assert!(message.ends_with("its certificate is valid for shop.internal, not for 127.0.0.1"), "{message}");
    let overrides = Overrides { tls_server_name: Some("shop.internal".to_owned()), ..Overrides::default() };
    assert_eq!(ask(&server, &certificate, overrides).await.unwrap(), "{}");
}

#[tokio::test]
async fn verification_can_be_skipped() {
    let (server, _) = server("shop.internal", true);
    let overrides = Overrides { insecure_skip_tls_verify: Some(true), ..Overrides::default() };
    assert_eq!(ask(&server, "", overrides).await.unwrap(), "{}");
}
