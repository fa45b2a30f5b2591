//! kubectl and this program, told the same: they fail alike, on the same stream, with the same kind of message.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use super::stage::{Stage, deployment, names, server, service, with};

/// The kinds of complaints, each with words of kubectl's or of ours. The first that fits counts.
const KINDS: &[(&str, &[&str])] = &[
    ("unknown-flag", &["unknown flag", "unknown shorthand", "unexpected argument"]),
    ("flag-without-value", &["flag needs an argument", "a value is required", "requires a value"]),
    (
        "bad-value",
        &[
            "invalid argument",
            "invalid value",
            "unable to match a printer",
            "is not a valid",
            "invalid timeout value",
            "key=value",
        ],
    ),
    ("across-namespaces", &["across all namespaces"]),
    ("name-and-selector", &["name cannot be provided when a selector", "cannot be used with '--selector"]),
    ("slashes", &["resource/name form", "there is no need to specify a resource type"]),
    (
        "selector",
        &["unable to parse", "unable to find labels that match the selector", "parse requirement", "invalid label"],
    ),
    (
        "type",
        &[
            "doesn't have a resource type",
            "unrecognized subcommand",
            "must specify the type",
            "resource(s) were provided",
        ],
    ),
    ("context", &["context was not found", "context \"", "no context exists"]),
    ("cluster", &["cluster \""]),
    ("user", &["auth info \"", "user \""]),
    ("impersonation", &["without impersonating a user"]),
    ("forbidden", &["forbidden"]),
    ("unauthorized", &["must be logged in", "unauthorized", "getting credentials", "credential plugin"]),
    ("unreachable", &["was refused", "no kubeconfig", "no configuration has been provided"]),
    ("missing-file", &["no such file", "kubeconfig `/nonexistent"]),
    ("address", &["unsupported protocol scheme", "is not a url"]),
    ("certificate", &["certificate", "x509"]),
    ("unresolved", &["no such host", "cannot be resolved", "server misbehaving"]),
    ("timeout", &["timed out", "timeout", "deadline exceeded"]),
    ("not-found", &["not found", "notfound"]),
    ("nothing", &["no resources found"]),
];

/// How a program met an invocation.
#[derive(Debug, PartialEq, Eq)]
struct Meeting {
    fails: bool,
    /// Whether data was printed.
    data: bool,
    /// What was complained about on stderr.
    kind: &'static str,
}

/// One invocation: what comes behind `kubectl get` and `kubectl rca`, and the surroundings.
struct Row {
    line: Vec<String>,
    vars: Vec<(&'static str, String)>,
    /// Why this program differs on purpose.
    because: Option<&'static str>,
}

fn row(line: &str) -> Row {
    let words = line.split(' ').filter(|word| !word.is_empty());
    Row { line: words.map(|word| word.replace("''", "").replace('~', " ")).collect(), vars: Vec::new(), because: None }
}

impl Row {
    fn var(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.vars.push((name, value.into()));
        self
    }

    fn differs(mut self, because: &'static str) -> Self {
        self.because = Some(because);
        self
    }
}

fn kind_of(stderr: &str) -> &'static str {
    let text = stderr.to_lowercase();
    let fits = |words: &&(&str, &[&str])| words.1.iter().any(|word| text.contains(word));
    KINDS.iter().find(fits).map_or(if text.trim().is_empty() { "none" } else { "other" }, |(kind, _)| kind)
}

fn meet(program: &Path, before: &[&str], row: &Row, home: &Path) -> (Meeting, String) {
    let mut command = Command::new(program);
    command.env_clear().env("HOME", home).env("PATH", std::env::var("PATH").unwrap_or_default());
    command.env("KUBECONFIG", std::env::var("KUBECONFIG").unwrap());
    command.envs(row.vars.iter().map(|(name, value)| (name, value)));
    let output = command.args(before).args(&row.line).output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    let fails = !output.status.success();
    // What is said beside an answer is another matter, and so are the notes of kubectl's logger (`E1122 ...`).
    let is_noted = |line: &&str| line.get(1..5).is_some_and(|date| date.bytes().all(|byte| byte.is_ascii_digit()));
    let said: Vec<&str> = stderr.lines().filter(|line| !is_noted(line)).collect();
    let kind = if fails || output.stdout.is_empty() { kind_of(&said.join("\n")) } else { "none" };
    (Meeting { fails, data: !output.stdout.is_empty(), kind }, stderr)
}

/// Writes a kubeconfig of the cluster with another user, and perhaps with more about the cluster.
fn kubeconfig(home: &Path, name: &str, user: &Value, more: &Value) -> String {
    let mut view = Command::new("kubectl");
    view.args(["config", "view", "--minify", "--raw", "--flatten", "-o", "json"]);
    let real: Value = serde_json::from_slice(&view.output().unwrap().stdout).unwrap();
    let cluster = with(real["clusters"][0]["cluster"].clone(), more.clone());
    let config = json!({"apiVersion": "v1", "kind": "Config", "current-context": "x",
        "contexts": [{"name": "x", "context": {"cluster": "x", "user": "x"}}],
        "users": [{"name": "x", "user": user}], "clusters": [{"name": "x", "cluster": cluster}]});
    let path = home.join(name);
    std::fs::write(&path, config.to_string()).unwrap();
    path.display().to_string()
}

#[expect(clippy::too_many_lines, reason = "it is a table")]
fn table(pod: &str, namespace: &str, home: &Path) -> Vec<Row> {
    let there = format!("pod {pod} -n {namespace}");
    let flags = |flags: &str| row(&format!("{there} {flags}"));
    let place = |line: &str| row(&format!("{line} -n {namespace}"));
    let real = std::env::var("KUBECONFIG").unwrap();
    let certificate = rcgen::generate_simple_self_signed(vec!["127.0.0.1".to_owned()]).unwrap();
    let other_authority = home.join("other.crt");
    std::fs::write(&other_authority, certificate.cert.pem()).unwrap();
    let cache = home.join("cache").display().to_string();
    let exec = |command: &str| json!({"exec": {"apiVersion": "client.authentication.k8s.io/v1", "command": command, "interactiveMode": "Never"}});
    let as_user = |name: &str, user: Value| kubeconfig(home, name, &user, &json!({}));
    vec![
        // Words in all places.
        row(&there),
        row(&format!("-n {namespace} pod {pod}")),
        row(&format!("pod -n={namespace} {pod}")),
        row(&format!("pod -n{namespace} {pod}")),
        row(&format!("pod {pod} --namespace {namespace}")),
        row(&format!("--namespace={namespace} pod/{pod}")),
        place(&format!("po {pod}")),
        place(&format!("pods {pod}")),
        place("deploy/web svc/web"),
        place("deploy,svc web"),
        place("deployments.apps web"),
        place("deployments.v1.apps web"),
        place("deployment.apps/web"),
        place("Deployment web"),
        row(&format!("-n {namespace} -- pod {pod}")),
        row(&format!("pod -n {namespace} -- {pod}")),
        flags("-v=2"),
        // Selectors and namespaces.
        place("pods -l app=web"),
        place("pods --selector=app=web"),
        place("pods -l app=none"),
        place("pods -l a~b"),
        place("pods -l app~in~(web,db)"),
        row("pods -l app=web -A"),
        row(&format!("-A pods -l app=web -n {namespace}")),
        row(&format!("pod {pod} -A")),
        row(&format!("pod {pod} --all-namespaces=false -n {namespace}")),
        row(&format!("pod {pod} -n ''")),
        row(&format!("pod {pod} --namespace=")),
        row(&format!("pod {pod} -n nowhere-at-all")),
        place(&format!("pod {pod} -l app=web")),
        // What is not there.
        place("pod nothing"),
        place(&format!("pod {pod} nothing")),
        place("deploy/web deploy/nothing"),
        place("widget blue"),
        place("widgets/blue"),
        place("widgets.example.com blue"),
        place("deployments.example.com web"),
        row("node no-such-node"),
        // What makes no sense.
        place("deploy/web web"),
        place("deploy web/x"),
        place("deploy/web/x"),
        place("deploy/"),
        place("/web"),
        place("deploy,svc/web"),
        flags("--nonsense"),
        flags("-o nonsense"),
        row(&format!("pod {pod} -n")),
        flags("--disable-compression=maybe"),
        flags("--request-timeout soon"),
        flags("--as-user-extra novalue --as ann")
            .differs("kubectl drops an extra without a value, and acts as somebody else"),
        // Which cluster.
        flags("--context nowhere"),
        flags("--cluster nowhere"),
        flags("--user nobody"),
        flags("--kubeconfig /nonexistent/config"),
        row(&there).var("KUBECONFIG", format!("/nonexistent/a:{real}:/nonexistent/b")),
        row(&there).var("KUBECONFIG", "/nonexistent/a"),
        flags("--server https://127.0.0.1:1"),
        flags("-s https://no-such-host.invalid"),
        flags("--server=ftp://127.0.0.1"),
        // TLS.
        flags("--insecure-skip-tls-verify"),
        flags("--insecure-skip-tls-verify=false"),
        flags("--certificate-authority /nonexistent/ca.crt"),
        flags(&format!("--certificate-authority {}", other_authority.display())),
        flags("--tls-server-name wrong.example.com"),
        flags("--client-certificate /nonexistent/c.crt"),
        // As whom.
        flags("--as nobody-at-all"),
        flags("--as nobody-at-all --as-group system:masters"),
        flags("--as nobody-at-all --as-group a --as-group system:masters --as-uid 7"),
        flags("--as-group system:masters"),
        flags("--as-uid 7"),
        flags("--as nobody-at-all --as-group system:masters --as-user-extra team=shop"),
        row(&there).var("KUBECONFIG", as_user("nobody", json!({"token": "wrong"}))),
        row(&there)
            .var("KUBECONFIG", as_user("anonymous", json!({})))
            .differs("kubectl asks for a user name and password"),
        row(&there).var("KUBECONFIG", as_user("plugin", exec("/bin/false"))),
        row(&there).var("KUBECONFIG", as_user("no-plugin", exec("no-such-plugin"))),
        // How.
        flags("--request-timeout 30s"),
        flags("--request-timeout 30"),
        flags("--request-timeout 1ms"),
        flags("--disable-compression"),
        flags(&format!("--cache-dir {cache}")),
        flags("--warnings-as-errors"),
        row(&there).var("HTTPS_PROXY", "http://127.0.0.1:1"),
        row(&there)
            .var("HTTPS_PROXY", "http://127.0.0.1:1")
            .var("NO_PROXY", "127.0.0.1,localhost,10.0.0.0/8,192.168.0.0/16,172.16.0.0/12"),
        row(&there).var(
            "KUBECONFIG",
            kubeconfig(home, "proxy", &json!({"token": "x"}), &json!({"proxy-url": "http://127.0.0.1:1"})),
        ),
    ]
}

#[test]
#[ignore = "wants a cluster"]
fn it_fails_where_kubectl_fails() {
    let stage = Stage::with("kubectl", &[deployment("web", 1, server()), service("web", "web", 8080.into())]);
    stage.until("deployments", |deployments| deployments[0]["status"]["readyReplicas"] == 1);
    let pod = names(&stage.list("pods")).remove(0);
    let home = tempfile::tempdir().unwrap();
    let kubectl = which::which("kubectl").unwrap();
    let ours = Path::new(env!("CARGO_BIN_EXE_kubectl-rca"));
    let rows = table(&pod, &stage.namespace, home.path());
    let mut differ = BTreeMap::new();
    for row in &rows {
        let (theirs, their_words) = meet(&kubectl, &["get"], row, home.path());
        let (mine, my_words) = meet(ours, &[], row, home.path());
        assert_eq!(theirs.fails, mine.fails, "{:?}: {their_words}{my_words}", row.line);
        if let (Some(because), true) = (row.because, theirs != mine) {
            println!("{}: {because}", row.line.join(" "));
        } else if theirs != mine {
            let words = |text: &str| text.lines().last().unwrap_or_default().to_owned();
            let vars = format!("{:?}", row.vars);
            let first = my_words.lines().next().unwrap_or_default();
            differ.insert(
                format!("{} {vars}", row.line.join(" ")),
                format!("\n  {theirs:?} {}\n  {mine:?} {first}", words(&their_words)),
            );
        }
    }
    let on_purpose = rows.iter().filter(|row| row.because.is_some()).count();
    println!(
        "{} of {} invocations end alike, {on_purpose} differ on purpose",
        rows.len() - differ.len() - on_purpose,
        rows.len()
    );
    let told: String = differ.iter().map(|(line, how)| format!("{line}{how}\n")).collect();
    assert!(differ.is_empty(), "{} of {} differ:\n{told}", differ.len(), rows.len());
}
