//! Logs go only where a person agreed.

use std::io::Write as _;
use std::process::Stdio;

use super::{broken, place};
use crate::support::http::Answer;
use crate::support::world::object;
use crate::support::{Api, Ollama, Place, World};

/// A cluster with a Service that looks like Ollama.
fn with_service() -> World {
    let mut world = broken();
    let mut service = object("v1", "Service", "ollama");
    service["metadata"]["namespace"] = "ai".into();
    service["metadata"]["labels"] = serde_json::json!({"app.kubernetes.io/name": "ollama"});
    service["spec"] =
        serde_json::json!({"selector": {"app": "ollama"}, "ports": [{"port": 11434, "targetPort": 11434}]});
    world.add(service);
    world
}

/// Runs a line on a terminal of its own, and types an answer into it.
fn on_terminal(place: &Place, line: &str, typed: &str) -> String {
    let program = env!("CARGO_BIN_EXE_kubectl-rca");
    let command = place.command(["x"]);
    let vars: Vec<_> =
        command.get_envs().filter_map(|(name, value)| Some((name.to_owned(), value?.to_owned()))).collect();
    let mut script = std::process::Command::new("script");
    script.args(["-qec", &format!("{program} {line}"), "/dev/null"]).env_clear().envs(vars);
    script
        .env("TERM", "xterm")
        .current_dir(place.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = script.spawn().expect("util-linux's script");
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(typed.as_bytes()).unwrap();
    // It stays open, as a terminal does, until the program is done.
    let output = child.wait_with_output().unwrap();
    drop(stdin);
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn a_discovered_service_is_offered_and_not_used() {
    let api = Api::serving(&with_service());
    let place = place(&api);
    let screen = on_terminal(&place, "namespace shop", "\n");
    assert!(screen.contains("service ai/ollama looks like an Ollama"), "{screen}");
    assert!(!screen.contains("in words: "), "{screen}");
    let sent = |seen: &crate::support::api::Seen| seen.request.method != "GET" || seen.request.path.contains("proxy");
    assert!(!api.seen().iter().any(sent), "nothing was sent there");
    assert!(!place.path().join(".config").exists(), "nothing was decided");
}

#[test]
fn never_is_never_asked_again() {
    let api = Api::serving(&with_service());
    let place = place(&api);
    on_terminal(&place, "namespace shop", "n\n");
    let config = std::fs::read_to_string(place.path().join(".config/kubectl-rca/config.toml")).unwrap();
    assert_eq!(config, "[contexts.fake]\nllm = \"off\"\n");
    let screen = on_terminal(&place, "namespace shop", "\n");
    assert!(!screen.contains("looks like"), "{screen}");
}

#[test]
fn always_is_kept_for_the_context_beside_what_is_there() {
    let api = Api::serving(&with_service());
    let place = place(&api);
    place.write(".config/kubectl-rca/config.toml", "# mine\n[contexts.other]\nllm = \"off\"\n");
    on_terminal(&place, "namespace shop", "a\n");
    let config = std::fs::read_to_string(place.path().join(".config/kubectl-rca/config.toml")).unwrap();
    assert!(config.starts_with("# mine\n[contexts.other]\nllm = \"off\"\n"), "{config}");
    assert!(
        config.contains("[contexts.fake]\nllm = \"on\"\nollama-namespace = \"ai\"\nollama-service = \"ollama\"\n"),
        "{config}"
    );
}

#[test]
fn a_local_ollama_is_used_on_a_terminal() {
    let slow = |prompt: &str| {
        std::thread::sleep(std::time::Duration::from_millis(600));
        crate::support::ollama::paraphrase(prompt)
    };
    let (api, ollama) = (Api::serving(&broken()), Ollama::saying(slow));
    let place = api.place().var("OLLAMA_HOST", &ollama.host());
    let screen = on_terminal(&place, "namespace shop", "");
    assert!(screen.contains("in words: "), "{screen}");
    assert!(screen.contains("fake:1b puts it in words"), "the spinner: {screen}");
}

#[test]
fn the_configuration_names_a_model_for_a_context() {
    let (api, ollama) = (Api::serving(&broken()), Ollama::honest());
    let place = place(&api);
    place.write(
        ".config/kubectl-rca/config.toml",
        format!("[contexts.fake]\nllm = \"on\"\nollama-url = \"{}\"\nmodel = \"other\"\n", ollama.url()),
    );
    let run = place.rca("namespace shop --llm on -o json");
    assert!(run.stderr.contains("has no model `other`; --pull fetches it"), "{}", run.stderr);
    let run = place.rca("namespace shop --llm on -o json --model fake:1b");
    assert_eq!(run.json()["incidents"][0]["narrative"]["by"], "ollama/fake:1b");
    place.rca("namespace shop -o json").ok();
    assert_eq!(ollama.chats().len(), 1, "a pipe asks nobody by itself");
    place.write(".config/kubectl-rca/config.toml", "not toml [");
    let run = place.rca("namespace shop -o json");
    run.json();
    assert!(run.stderr.contains("is no TOML"), "{}", run.stderr);
}

#[test]
fn remote_addresses_want_a_flag() {
    let api = Api::serving(&broken());
    let run = place(&api).rca("namespace shop --llm on -o json --ollama-url http://192.0.2.1:11434");
    run.json();
    assert!(
        run.stderr.contains("outside of this machine and the private networks; --allow-remote-llm"),
        "{}",
        run.stderr
    );
}

#[test]
fn on_uses_the_proxy_where_a_forward_is_forbidden_and_says_so_where_both_are() {
    let ollama = Ollama::honest();
    let target = ollama.url();
    let forwarded = move |request: &crate::support::http::Request, _: usize| {
        if request.path.ends_with("/portforward") {
            return Some(Answer::status(403, "Forbidden", "pods \"x\" is forbidden", None));
        }
        let path = request.path.strip_prefix("/api/v1/namespaces/ai/services/ollama:11434/proxy")?;
        let body = match path {
            "/api/version" => "{\"version\":\"0.24.0\"}".to_owned(),
            "/api/tags" => "{\"models\":[{\"name\":\"fake:1b\",\"size\":1}]}".to_owned(),
            "/api/ps" => "{\"models\":[]}".to_owned(),
            _ => format!("{{\"message\":{{\"content\":\"{{}}\"}},\"done\":true,\"via\":\"{target}\"}}\n"),
        };
        Some(Answer::ok(body))
    };
    let api = Api::but(&with_service(), forwarded);
    let run = place(&api).rca("namespace shop --llm on -o json -v");
    assert_eq!(run.json()["incidents"][0]["narrative"]["by"], "template", "{}", run.stderr);
    assert!(run.stderr.contains("by the API server's proxy"), "{}", run.stderr);

    let shut = |request: &crate::support::http::Request, _: usize| {
        let is_way = request.path.contains("/portforward") || request.path.contains("/proxy/");
        is_way.then(|| Answer::status(403, "Forbidden", "forbidden", None))
    };
    let api = Api::but(&with_service(), shut);
    let run = place(&api).rca("namespace shop --llm on -o json");
    assert!(run.json()["incidents"][0]["narrative"].is_null());
    assert_eq!(run.stderr.lines().count(), 1, "{}", run.stderr);
}
