//! kubectl and this program, told the same: they fail alike, on the same stream, with the same kind of message.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use super::stage::{Stage, deployment, names, server, service};

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
    ("certificate", &["certificate", "x509"]),
    ("proxy", &["proxyconnect", "the proxy"]),
    ("unresolved", &["no such host", "cannot be resolved", "server misbehaving"]),
    ("timeout", &["timed out", "timeout", "deadline exceeded"]),
    ("not-found", &["not found", "notfound"]),
    ("missing-file", &["no such file", "does not exist", "cannot be read"]),
    (
        "unreachable",
        &["was refused", "unable to connect", "no kubeconfig", "no configuration has been provided", "connection"],
    ),
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
}

fn row(line: &str) -> Row {
    let words = line.split(' ').filter(|word| !word.is_empty());
    Row { line: words.map(|word| word.replace("''", "").replace('~', " ")).collect(), vars: Vec::new() }
}

impl Row {
    fn var(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.vars.push((name, value.into()));
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
    // What is said beside an answer is another matter.
    let kind = if fails || output.stdout.is_empty() { kind_of(&stderr) } else { "none" };
    (Meeting { fails, data: !output.stdout.is_empty(), kind }, stderr)
}

/// A kubeconfig of the cluster with another user, and perhaps more about the cluster.
fn kubeconfig(home: &Path, name: &str, user: &str, cluster: &str) -> String {
    let real = std::fs::read_to_string(std::env::var("KUBECONFIG").unwrap()).unwrap();
    let field = |key: &str| {
        let line = real.lines().find(|line| line.trim().trim_start_matches("- ").starts_with(key)).unwrap();
        line.split_once(": ").unwrap().1.trim().to_owned()
    };
    let authority = real.lines().find(|line| line.trim().starts_with("certificate-authority")).unwrap().trim();
    let text = format!(
        "apiVersion: v1\nkind: Config\ncurrent-context: x\ncontexts:\n- name: x\n  context: {{cluster: x, user: x}}\nusers:\n\
         - name: x\n  user: {user}\nclusters:\n- name: x\n  cluster:\n    server: {}\n    {authority}\n{cluster}",
        field("server:")
    );
    let path = home.join(name);
    std::fs::write(&path, text).unwrap();
    path.display().to_string()
}

fn table(pod: &str, namespace: &str, home: &Path) -> Vec<Row> {
    let there = format!("pod {pod} -n {namespace}");
    let with = |flags: &str| row(&format!("{there} {flags}"));
    let place = |line: &str| row(&format!("{line} -n {namespace}"));
    let real = std::env::var("KUBECONFIG").unwrap();
    let certificate = rcgen::generate_simple_self_signed(vec!["127.0.0.1".to_owned()]).unwrap();
    let other_authority = home.join("other.crt");
    std::fs::write(&other_authority, certificate.cert.pem()).unwrap();
    let cache = home.join("cache").display().to_string();
    let exec = |command: &str| {
        format!("{{exec: {{apiVersion: client.authentication.k8s.io/v1, command: {command}, interactiveMode: Never}}}}")
    };
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
        with("-v=2"),
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
        with("--nonsense"),
        with("-o nonsense"),
        row(&format!("pod {pod} -n")),
        with("--disable-compression=maybe"),
        with("--request-timeout soon"),
        with("--as-user-extra novalue --as ann"),
        // Which cluster.
        with("--context nowhere"),
        with("--cluster nowhere"),
        with("--user nobody"),
        with("--kubeconfig /nonexistent/config"),
        row(&there).var("KUBECONFIG", format!("/nonexistent/a:{real}:/nonexistent/b")),
        row(&there).var("KUBECONFIG", "/nonexistent/a"),
        with("--server https://127.0.0.1:1"),
        with("-s https://no-such-host.invalid"),
        with("--server=ftp://127.0.0.1"),
        // TLS.
        with("--insecure-skip-tls-verify"),
        with("--insecure-skip-tls-verify=false"),
        with("--certificate-authority /nonexistent/ca.crt"),
        with(&format!("--certificate-authority {}", other_authority.display())),
        with("--tls-server-name wrong.example.com"),
        with("--client-certificate /nonexistent/c.crt"),
        // As whom.
        with("--as nobody-at-all"),
        with("--as nobody-at-all --as-group system:masters"),
        with("--as nobody-at-all --as-group a --as-group system:masters --as-uid 7"),
        with("--as-group system:masters"),
        with("--as-uid 7"),
        with("--as nobody-at-all --as-group system:masters --as-user-extra team=shop"),
        row(&there).var("KUBECONFIG", kubeconfig(home, "nobody", "{token: wrong}", "")),
        row(&there).var("KUBECONFIG", kubeconfig(home, "anonymous", "{}", "")),
        row(&there).var("KUBECONFIG", kubeconfig(home, "plugin", &exec("/bin/false"), "")),
        row(&there).var("KUBECONFIG", kubeconfig(home, "no-plugin", &exec("no-such-plugin"), "")),
        // How.
        with("--request-timeout 30s"),
        with("--request-timeout 30"),
        with("--request-timeout 1ms"),
        with("--disable-compression"),
        with(&format!("--cache-dir {cache}")),
        with("--warnings-as-errors"),
        row(&there).var("HTTPS_PROXY", "http://127.0.0.1:1"),
        row(&there)
            .var("HTTPS_PROXY", "http://127.0.0.1:1")
            .var("NO_PROXY", "127.0.0.1,localhost,10.0.0.0/8,192.168.0.0/16,172.16.0.0/12"),
        row(&there).var("KUBECONFIG", kubeconfig(home, "proxy", "{token: x}", "    proxy-url: http://127.0.0.1:1\n")),
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
        if theirs != mine {
            let words = |text: &str| text.lines().last().unwrap_or_default().to_owned();
            let vars = format!("{:?}", row.vars);
            let first = my_words.lines().next().unwrap_or_default();
            differ.insert(
                format!("{} {vars}", row.line.join(" ")),
                format!("\n  {theirs:?} {}\n  {mine:?} {first}", words(&their_words)),
            );
        }
    }
    println!("{} of {} invocations end alike", rows.len() - differ.len(), rows.len());
    let told: String = differ.iter().map(|(line, how)| format!("{line}{how}\n")).collect();
    assert!(differ.is_empty(), "{} of {} differ:\n{told}", differ.len(), rows.len());
}
