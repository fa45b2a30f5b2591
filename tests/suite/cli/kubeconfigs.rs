//! Kubeconfigs that lead nowhere.

use std::os::unix::fs::PermissionsExt as _;

use crate::support::program::kubeconfig;
use crate::support::{Api, Place, World};

const LINE: &str = "namespace shop";

#[test]
fn no_kubeconfig_is_said_with_the_places() {
    Place::new().kubeconfig("").rca(LINE).fails(3, ".kube/config` does not exist");
    Place::new().rca(LINE).fails(3, "no kubeconfig found");
    Place::new().kubeconfig(":::").rca(LINE).fails(3, "no kubeconfig found");
}

#[test]
fn missing_files_in_the_list_are_skipped() {
    let api = Api::serving(&World::new());
    let place = api.place();
    let there = place.path().join("kubeconfig");
    let list = format!("/nonexistent/a:{}::/nonexistent/b", there.display());
    place.kubeconfig(&list).rca(LINE).ok();
    Place::new().kubeconfig("/nonexistent/a:/nonexistent/b").rca(LINE).fails(3, "/nonexistent/a");
}

#[test]
fn an_explicit_file_has_to_be_there() {
    let api = Api::serving(&World::new());
    api.place().rca("namespace shop --kubeconfig nowhere").fails(3, "kubeconfig `nowhere` does not exist");
    Place::new().rca("namespace shop --kubeconfig .").fails(3, "kubeconfig `.`");
}

#[test]
fn a_current_context_has_to_be_chosen() {
    Place::with_kubeconfig("apiVersion: v1\nkind: Config\n").rca(LINE).fails(3, "no current context");
    Place::with_kubeconfig("").rca(LINE).fails(3, "");
    let text = kubeconfig("http://127.0.0.1:1", "{}", "");
    Place::with_kubeconfig(&text.replace("current-context: fake", "current-context: fak"))
        .rca(LINE)
        .fails(3, "\"fak\"");
    let place = Place::with_kubeconfig(&text);
    place.rca("namespace shop --context fake2").fails(3, "context \"fake2\" does not exist");
    place.rca("namespace shop --cluster other").fails(3, "cluster \"other\" does not exist");
    place.rca("namespace shop --user other").fails(3, "user \"other\" does not exist");
}

#[test]
fn a_kubeconfig_that_cannot_be_parsed_is_not_quoted() {
    for text in [
        "users: [{user: {token: hunter2}}",
        "\t- hunter2",
        "hunter2",
        "[hunter2]",
        "{\"users\": hunter2",
        "\u{0}hunter2",
    ] {
        let run = Place::with_kubeconfig(text).rca(LINE);
        run.fails(3, "kubeconfig");
        assert!(!run.stderr.contains("hunter2"), "{}", run.stderr);
    }
}

#[test]
fn a_kubeconfig_of_bytes_is_refused() {
    let place = Place::new();
    let path = place.write("bytes", b"\xff\xfe\x00\x01");
    place.kubeconfig(&path.display().to_string()).rca(LINE).fails(3, "kubeconfig");
}

#[test]
fn a_server_that_is_no_url_is_refused() {
    for server in ["ftp://x", "http://", "://", "\"a b\"", "https://[::1"] {
        Place::facing(server).rca(LINE).fails(3, "is not a URL");
    }
}

#[test]
fn certificates_that_cannot_be_read_are_named() {
    let with = |cluster: &str| Place::with_kubeconfig(&kubeconfig("https://127.0.0.1:1", "{}", cluster));
    with("    certificate-authority: nowhere.crt\n").rca(LINE).fails(3, "nowhere.crt");
    with("    certificate-authority-data: \"%%%\"\n").rca(LINE).fails(3, "base64");
    with("    certificate-authority-data: aGVsbG8=\n").rca(LINE).fails(3, "no certificate");
    let user = "{client-certificate: nowhere.crt, client-key: nowhere.key}";
    Place::with_kubeconfig(&kubeconfig("https://127.0.0.1:1", user, "")).rca(LINE).fails(3, "");
    let user = "{client-certificate-data: aGVsbG8=, client-key-data: aGVsbG8=}";
    Place::with_kubeconfig(&kubeconfig("https://127.0.0.1:1", user, "")).rca(LINE).fails(3, "");
    Place::with_kubeconfig(&kubeconfig("http://127.0.0.1:1", "{tokenFile: nowhere}", "")).rca(LINE).fails(3, "nowhere");
}

#[test]
fn a_credential_plugin_that_fails_is_named() {
    let exec = |command: &str| {
        let user = format!(
            "{{exec: {{apiVersion: client.authentication.k8s.io/v1, command: {command}, interactiveMode: Never}}}}"
        );
        Place::with_kubeconfig(&kubeconfig("http://127.0.0.1:1", &user, ""))
    };
    exec("no-such-plugin").rca(LINE).fails(3, "no-such-plugin");
    exec("/bin/false").rca(LINE).fails(3, "/bin/false");
    exec("/bin/true").rca(LINE).fails(3, "/bin/true");
    let place = Place::new();
    let script = place.write("login", "#!/bin/sh\necho 'please log in' >&2\necho secret-token\nexit 3\n");
    std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o755)).unwrap();
    let run = exec(&script.display().to_string()).rca(LINE);
    run.fails(3, "please log in");
    assert!(!run.stderr.contains("secret-token"));
}
