//! Interrupted, pulled, and found where not everything may be listed.

use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

use serde_json::Value;

use super::{broken, place};
use crate::support::ollama::{answer, begin, piece};
use crate::support::{Api, Ollama};

#[test]
fn an_interrupt_ends_the_models_work_and_not_the_report() {
    let ollama = Ollama::with(|call, stream| {
        let is_chat = call.path == "/api/chat";
        if is_chat {
            begin(stream);
            piece(stream, "{");
            sleep(Duration::from_mins(1));
        }
        is_chat
    });
    let api = Api::serving(&broken());
    let place = place(&api);
    let url = ollama.url();
    let args = ["namespace", "shop", "--llm", "on", "-o", "json", "--ollama-url", &url];
    let child = place.command(args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    while ollama.chats().is_empty() {
        sleep(Duration::from_millis(50));
    }
    sleep(Duration::from_millis(300));
    assert!(Command::new("/bin/kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    let report: Value = serde_json::from_slice(&output.stdout).expect("the report");
    assert_eq!(report["incidents"][0]["cause"]["subject"]["name"], "cart");
    assert!(String::from_utf8(output.stderr).unwrap().contains("without a model's words: interrupted"));
}

#[test]
fn a_model_is_pulled_only_when_told_to() {
    let ollama = Ollama::with(|call, stream| {
        let is_pull = call.path == "/api/pull";
        if is_pull {
            let lines = ["pulling manifest", "verifying sha256 digest", "success"];
            answer(
                stream,
                200,
                &lines.map(|status| format!("{{\"status\":\"{status}\",\"total\":9,\"completed\":4}}\n")).concat(),
            );
        }
        is_pull
    });
    let api = Api::serving(&broken());
    let place = place(&api);
    let line = format!("namespace shop --llm on -o json --model new:2b --ollama-url {}", ollama.url());
    place.rca(&line).json();
    assert!(!ollama.calls().iter().any(|call| call.path == "/api/pull"));
    let run = place.rca(&format!("{line} --pull"));
    assert_eq!(run.json()["incidents"][0]["narrative"]["by"], "ollama/new:2b", "{}", run.stderr);
    assert_eq!(ollama.calls().iter().filter(|call| call.path == "/api/pull" && call.method == "POST").count(), 1);
}
