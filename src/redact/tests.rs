use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

pub(crate) mod corpus;

fn prose(text: &str) -> String {
    Redactor::new().text(text).into_owned()
}

fn object(kind: &str, value: Value) -> Value {
    let mut json = Json::from(value);
    Redactor::new().object(kind, &mut json);
    serde_json::to_value(json).unwrap()
}

fn config(text: &str) -> String {
    let redacted = object("ConfigMap", json!({"data": {"file": text}}));
    redacted["data"]["file"].as_str().unwrap().to_owned()
}

#[test]
fn env_values_of_telling_names_are_hidden() {
    let pod = json!({"spec": {"template": {"spec": {"containers": [{"env": [
        {"name": "DB_PASSWORD", "value": "hunter2"},
        {"name": "PASSWORD_AGAIN", "value": "hunter2"},
        {"name": "API_KEY", "value": "k-9"},
        {"name": "DB_HOST", "value": "db"},
        {"name": "TOKENIZER_PATH", "value": "/models/tok"},
        {"name": "SECRET_NAME", "value": "db-secret"},
        {"name": "PASSWORD_FILE", "value": "/run/x"},
        {"name": "USE_TOKEN", "value": "true"},
        {"name": "MAX_TOKENS", "value": "4096"},
        {"name": "TOKEN", "value": "$(OTHER)"},
        {"name": "DSN", "value": "postgres://app:hunter2@db:5432/shop"},
        {"name": "JAVA_TOOL_OPTIONS", "value": "-Dpw.password=hunter2 -Xmx512m"},
        {"name": "TOKEN_REF", "valueFrom": {"secretKeyRef": {"name": "db", "key": "token"}}},
    ]}]}}}});
    let redacted = object("Deployment", pod);
    let env = &redacted["spec"]["template"]["spec"]["containers"][0]["env"];
    let values: Vec<&str> = env.as_array().unwrap().iter().filter_map(|entry| entry["value"].as_str()).collect();
    assert_eq!(
        values,
        [
            "<secret:1>",
            "<secret:1>",
            "<secret:2>",
            "db",
            "/models/tok",
            "db-secret",
            "/run/x",
            "true",
            "4096",
            "$(OTHER)",
            "postgres://app:<secret:1>@db:5432/shop",
            "-Dpw.password=<secret:1> -Xmx512m",
        ]
    );
    assert_eq!(env[12]["valueFrom"]["secretKeyRef"], json!({"name": "db", "key": "token"}));
}

#[test]
fn arguments_are_read_as_a_command_line() {
    let args = json!({"args": [
        "--password=hunter2", "--token", "abc", "--api-key", "--verbose", "-pSECRET", "next", "--password-file=/x", "--name=db",
        "--user", "token", "sh", "-c", "run --password hunter --port 80 && curl -H 'Authorization: Bearer x' http://u:p@h",
    ]});
    assert_eq!(
        object("Pod", args)["args"],
        json!([
            "--password=<secret:1>",
            "--token",
            "<secret:2>",
            "--api-key",
            "--verbose",
            "-pSECRET",
            "next",
            "--password-file=/x",
            "--name=db",
            "--user",
            "token",
            "sh",
            "-c",
            "run --password <secret:3> --port 80 && curl -H 'Authorization: Bearer <secret:4>' http://u:<secret:5>@h",
        ])
    );
}

#[test]
fn files_in_config_maps_are_redacted_line_by_line() {
    for (text, redacted) in [
        ("db.password=correct horse\nport=80", "db.password=<secret:1>\nport=80"),
        ("password = abc # old\nuser = app", "password = <secret:1> # old\nuser = app"),
        ("db:\n  password: hunter\n  host: db\n", "db:\n  password: <secret:1>\n  host: db\n"),
        ("- token: 'a b'\n", "- token: '<secret:1>'\n"),
        ("token: |\n  abc\n  def\nport: 80", "token: |\n  <secret:1>\nport: 80"),
        ("x = {\n  \"password\": \"a \\\" b\",\n}", "x = {\n  \"password\": \"<secret:1>\",\n}"),
        ("{\"a\": {\"password\": \"x\", \"n\": 1}}", "{\"a\":{\"password\":\"<secret:1>\",\"n\":1}}"),
        ("<password>x y</password><user>z</user>", "<password><secret:1></password><user>z</user>"),
        ("Server=db;User Id=app;Password=a;b;Database=x", "Server=db;User Id=app;Password=<secret:1>;Database=x"),
        ("AccountName=a;AccountKey=abc/def==;EndpointSuffix=x", "AccountName=a;AccountKey=<secret:1>;EndpointSuffix=x"),
        ("password=abc host=db dbname=x", "password=<secret:1> host=db dbname=x"),
        ("export TOKEN=$(cat /x); run", "export TOKEN=$(cat /x); run"),
        ("password: ${DB_PASSWORD}\ntokenizer: bpe", "password: ${DB_PASSWORD}\ntokenizer: bpe"),
        ("credentials: {user: app}\n", "credentials: {user: app}\n"),
    ] {
        assert_eq!(config(text), redacted, "{text}");
    }
}

#[test]
fn telling_keys_of_config_maps_are_hidden_whole() {
    let map = json!({"data": {"password": "x y", "credentials.json": "{\"user\": \"app\"}", "TOKEN_TTL": "30days", "mode": "a"}});
    assert_eq!(
        object("ConfigMap", map)["data"],
        json!({"password": "<secret:1>", "credentials.json": "{\"user\": \"app\"}", "TOKEN_TTL": "30days", "mode": "a"})
    );
}

#[test]
fn secrets_keep_only_their_keys() {
    let secret = json!({
        "metadata": {
            "name": "db-password",
            "annotations": {"last": "{\"apiVersion\":\"v1\",\"kind\":\"Secret\",\"data\":{\"x\":\"aHVudGVy\"},\"note\":\"pwd=a\"}"},
        },
        "data": {"password": "aHVudGVyMg=="}, "stringData": {"token": "x"}, "type": "Opaque",
    });
    let redacted = object("Secret", secret);
    assert_eq!(redacted["data"], json!({"password": null}));
    assert_eq!(redacted["stringData"], json!({"token": null}));
    assert_eq!(redacted["metadata"]["name"], "db-password");
    let annotation = redacted["metadata"]["annotations"]["last"].as_str().unwrap();
    assert!(!annotation.contains("aHVudGVy"), "{annotation}");
}

#[test]
fn secrets_within_annotations_of_secrets_are_hidden_without_a_hint() {
    let applied = r#"{"apiVersion":"v1","kind":"Secret","data":{"x":"aHVudGVy"}}"#;
    let list = json!({"items": [{"kind": "Secret", "data": {"x": "y"}, "metadata": {"annotations": {"a": applied}}}]});
    assert!(!object("List", list).to_string().contains("aHVudGVy"));
}

#[test]
fn tokens_say_what_they_are() {
    for secret in [
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.SflKxwRJSMeKKF2QT4",
        "AKIAIOSFODNN7EXAMPLE",
        "ghp_abcdefghijklmnopqrstuvwxyz0123456789",
        "github_pat_11ABCDEFG0abcdefghijkl_mnop",
        "xoxb-123456789012-abcdefghijkl",
        "-----BEGIN RSA PRIVATE KEY-----\nMIIEow\nIBAAK\n-----END RSA PRIVATE KEY-----",
    ] {
        assert_eq!(prose(&format!("got {secret} from x")), "got <secret:1> from x");
    }
    assert_eq!(prose("a -----BEGIN PRIVATE KEY-----\nMIIE"), "a <secret:1>");
}

#[test]
fn passwords_of_urls_are_hidden_and_hosts_stay() {
    for (text, redacted) in [
        ("dial postgres://app:hunter2@db:5432/shop?x=1", "dial postgres://app:<secret:1>@db:5432/shop?x=1"),
        ("redis://:p@ss@cache", "redis://:<secret:1>@cache"),
        ("amqp://u:p/w0@mq/", "amqp://u:<secret:1>@mq/"),
        ("amqp://u:a@h1,amqp://u:a@h2", "amqp://u:<secret:1>@h1,amqp://u:<secret:1>@h2"),
        ("http://host:8080/mail/a@b.c", "http://host:8080/mail/a@b.c"),
        ("http://[::1]:8080/x@y", "http://[::1]:8080/x@y"),
        ("GET https://api/x?token=abc&page=2", "GET https://api/x?token=<secret:1>&page=2"),
    ] {
        assert_eq!(prose(text), redacted);
    }
}

#[test]
fn logs_lose_their_secrets() {
    for (text, redacted) in [
        ("Authorization: Bearer x", "Authorization: Bearer <secret:1>"),
        ("headers {\"Authorization\":\"Basic abc=\"}", "headers {\"Authorization\":\"Basic <secret:1>\"}"),
        ("login password=hunter2 user=app", "login password=<secret:1> user=app"),
        (
            "{\"level\":\"info\",\"password\":\"a b\",\"n\":1}",
            "{\"level\":\"info\",\"password\":\"<secret:1>\",\"n\":1}",
        ),
        (r#"body="{\"password\":\"a b\",\"n\":1}""#, r#"body="{\"password\":\"<secret:1>\",\"n\":1}""#),
        ("map[password:hunter2 user:app]", "map[password:<secret:1> user:app]"),
        ("using password: hunter2.", "using password: <secret:1>."),
        ("started with --token abc123 --port 80", "started with --token <secret:1> --port 80"),
        ("-H \"X-Api-Key: abc123\" x", "-H \"X-Api-Key: <secret:1>\" x"),
        ("curl with bearer abcdefghijklmnop123", "curl with bearer <secret:1>"),
    ] {
        assert_eq!(prose(text), redacted);
    }
}

#[test]
fn innocent_look_alikes_stay() {
    for text in [
        "shop/web@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
        "5c1b7e0a-6c0a-4b7e-9d2e-7f1c0a9b3c4d",
        "token-service-7d9f8b6c5d-abcde",
        "commit 9fceb02d0ae598e95dc970b74767f19372d61af8",
        "password authentication failed for user \"app\"",
        "secret \"db\" not found",
        "couldn't find key password in Secret shop/db",
        "MountVolume.SetUp failed for volume \"x\" : secret \"db-tls\" not found",
        "invalid token: unexpected end of input",
        "failed to get token: Post \"https://auth:8443/token\": connection refused",
        "Unable to retrieve some image pull secrets (regcred); attempting to pull the image may not succeed.",
        "references non-existent secret key: password",
        "unable to sync pod=\"shop/web\" secret=\"shop/db\"",
        "Bearer token missing, basic authentication failed",
        "password: must not be empty",
        "tokens=4096 max_tokens: 128000",
        "secret: not found",
    ] {
        assert_eq!(prose(text), text);
    }
    for value in [
        json!({"metadata": {"name": "api-key-7", "uid": "x", "labels": {"token": "abc123"}, "resourceVersion": "99887766"}}),
        json!({"spec": {"imagePullSecrets": [{"name": "regcred"}], "secret": {"secretName": "db-1"}, "tls": {"secret": "tls-1"}}}),
        json!({"rules": [{"resources": ["secrets", "tokens"], "verbs": ["get"]}]}),
        json!({"metadata": {"annotations": {"checksum/secret": "9fceb02d0ae598e95dc970b7", "kubernetes.io/service-account.name": "a"}}}),
        json!({"volumes": [{"projected": {"sources": [{"serviceAccountToken": {"path": "token", "expirationSeconds": 3607}}]}}]}),
    ] {
        assert_eq!(object("Widget", value.clone()), value);
    }
}

#[test]
fn any_kind_is_searched_everywhere() {
    let custom = json!({"spec": {"db": {"password": "abc", "url": "x://u:abc@h"}, "tokens": ["t-1", "t-2"]}});
    assert_eq!(
        object("Widget", custom)["spec"],
        json!({"db": {"password": "<secret:1>", "url": "x://u:<secret:1>@h"}, "tokens": ["<secret:2>", "<secret:3>"]})
    );
    let messages =
        json!({"status": {"containerStatuses": [{"state": {"terminated": {"message": "bad: x://u:abc@h"}}}]}});
    assert!(!object("Pod", messages).to_string().contains("abc"));
}

#[test]
fn numbers_follow_the_first_sight_and_are_counted() {
    let mut redactor = Redactor::new();
    assert_eq!(redactor.text("password=a1 token=b2"), "password=<secret:1> token=<secret:2>");
    assert_eq!(redactor.text("token=a1"), "token=<secret:1>");
    assert_eq!(redactor.count(), 2);
    assert!(matches!(redactor.text("nothing of note"), Cow::Borrowed(_)));
    assert_eq!(format!("{redactor:?}"), "Redactor { count: 2, .. }");
}

/// Text in which secrets, their names and their delimiters are likely.
fn suspicious() -> impl Strategy<Value = String> {
    let pieces = prop::sample::select(vec![
        "password",
        "token",
        "secret",
        "api_key",
        "auth",
        "Authorization",
        "Bearer ",
        "=",
        ":",
        ": ",
        " = ",
        "=>",
        "\"",
        "'",
        "\\",
        "\\\"",
        " ",
        "\n",
        "  ",
        "-",
        "--",
        "://",
        "@",
        "/",
        ",",
        ";",
        "&",
        "<",
        ">",
        "{",
        "}",
        "[",
        "]",
        "|",
        "$(",
        ")",
        "abc1",
        "hunter2",
        "12345678",
        "<secret:1>",
        "<secret:",
        "1>",
        "é",
        "ghp_abcdefghijklmnopqrstuv",
        "eyJabcdef.abcdef.x",
        "-----BEGIN PRIVATE KEY-----",
        "-----END PRIVATE KEY-----",
        "#",
        "x",
    ]);
    prop::collection::vec(pieces, 0..24).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn redacting_text_twice_is_redacting_it_once(text in prop_oneof![suspicious(), any::<String>()]) {
        let once = prose(&text);
        prop_assert_eq!(prose(&once), once);
    }

    #[test]
    fn redacting_objects_twice_is_redacting_them_once(
        key in suspicious(), one in suspicious(), two in suspicious(), kind in prop::sample::select(vec!["Pod", "ConfigMap", "Secret", "X"]),
    ) {
        let value = json!({
            "data": {key.clone(): one.clone(), "file": two.clone()},
            "spec": {"env": [{"name": key.clone(), "value": one.clone()}], "args": [one.clone(), two.clone(), key.clone()]},
            "metadata": {"annotations": {key: two}},
            "message": one,
        });
        let once = object(kind, value);
        prop_assert_eq!(object(kind, once.clone()), once);
    }

    #[test]
    fn a_password_never_survives(password in "[A-Za-z0-9!#%^*_+]{8,20}[a-z][0-9]", host in "[a-z]{1,8}") {
        for text in [
            format!("x://u:{password}@{host}/p").replace('#', "!"),
            format!("db password={password} host={host}"),
            format!("{{\"password\": \"{password}\"}}"),
            format!("password: {password}"),
        ] {
            prop_assert!(!prose(&text).contains(&password), "{}", text);
        }
    }
}
