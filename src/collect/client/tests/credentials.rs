//! Ways to log in that do not work out.

use super::*;

const TOKEN: &str =
    r#"{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","status":{"token":"of-plugin"}}"#;

/// Connects with a user whose credential plugin is the given command.
async fn connect(server: &FakeServer, command: &str, script: &str) -> Result<ApiClient, Failure> {
    let config = serde_json::json!({
        "current-context": "c",
        "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
        "clusters": [{"name": "c", "cluster": {"server": server.url()}}],
        "users": [{"name": "u", "user": {"exec": {
            "apiVersion": "client.authentication.k8s.io/v1", "command": command, "args": ["-c", script],
            "env": [{"name": "PLUGIN_SECRET", "value": "hunter2"}],
            "interactiveMode": "Never", "installHint": "install it with `brew`"}}}],
    });
    let mut file = tempfile::NamedTempFile::new().unwrap();
    std::io::Write::write_all(&mut file, config.to_string().as_bytes()).unwrap();
    let overrides = Overrides { kubeconfig: Some(file.path().to_owned()), ..Overrides::default() };
    ApiClient::connect(&connection(&overrides), &Limits::default()).await
}

async fn failure(command: &str, script: &str) -> Failure {
    let failure = connect(&FakeServer::start([]), command, script).await.unwrap_err();
    assert_eq!(failure.exit, Exit::Unreachable);
    assert!(!failure.message.contains("hunter2"), "{failure}");
    failure
}

#[tokio::test]
async fn the_token_of_a_plugin_is_sent() {
    let server = FakeServer::start([Reply::ok("{}")]);
    let client = connect(&server, "sh", &format!("echo '{TOKEN}'")).await.unwrap();
    client.get_bytes("/version", &[], JSON).await.unwrap();
    assert!(server.requests()[0].contains("authorization: Bearer of-plugin"));
}

#[tokio::test]
async fn a_plugin_that_is_not_installed_comes_with_its_own_hint() {
    let failure = failure("no-such-plugin", "").await;
    assert_eq!(failure.message, "getting credentials: `no-such-plugin`: the credential plugin is not installed");
    assert!(failure.hints.iter().any(|hint| hint == "install it with `brew`"));
}

#[tokio::test]
async fn a_plugin_that_fails_has_the_last_word() {
    let failure = failure("sh", "echo first >&2; echo session expired >&2; exit 3").await;
    let wanted = "getting credentials: `sh`: the credential plugin failed with exit status: 3: session expired";
    assert_eq!(failure.message, wanted);
}

#[tokio::test]
async fn what_a_plugin_prints_is_not_shown() {
    let failure = failure("sh", "echo '[hunter2'").await;
    assert_eq!(failure.message, "getting credentials: `sh`: the credential plugin printed no ExecCredential");
}

#[test]
fn a_missing_client_certificate_is_named() {
    let overrides = Overrides {
        server: Some("https://127.0.0.1:6443".to_owned()),
        client_certificate: Some(PathBuf::from("/nonexistent.crt")),
        client_key: Some(PathBuf::from("/nonexistent.key")),
        ..Overrides::default()
    };
    let env = Env { vars: BTreeMap::new(), home: None, service_account: PathBuf::new() };
    let failure = resolve(&overrides, &env).unwrap_err();
    assert!(failure.message.contains("/nonexistent.crt"), "{failure}");
}
