//! Servers of every temper: the verdict stays, and neither time nor memory run away.

use std::io::Write as _;
use std::net::TcpStream;
use std::thread::sleep;
use std::time::Duration;

use serde_json::{Value, json};

use super::{broken, place, without_words};
use crate::support::ollama::{Call, answer, begin, end, piece, sentences};
use crate::support::report::timeless;
use crate::support::{Api, Ollama};

/// Longer than any test waits.
const FOREVER: Duration = Duration::from_mins(1);
/// What `--llm-timeout` allows.
const WORK: u64 = 2;
/// Reading, finding, working, and a busy machine.
const MOST: Duration = Duration::from_secs(12);

type Whim = fn(&Call, &mut TcpStream) -> bool;

fn on_chat(call: &Call, then: impl FnOnce()) -> bool {
    let is_chat = call.path == "/api/chat";
    if is_chat {
        then();
    }
    is_chat
}

fn on(call: &Call, path: &str, then: impl FnOnce()) -> bool {
    let is_it = call.path == path;
    if is_it {
        then();
    }
    is_it
}

fn raw(stream: &mut TcpStream, bytes: &[u8]) {
    _ = stream.write_all(bytes);
}

const TEMPERS: &[(&str, Whim)] = &[
    ("hangs from the start", |_, _| {
        sleep(FOREVER);
        true
    }),
    ("hangs when asked", |call, _| on_chat(call, || sleep(FOREVER))),
    ("hangs after some words", |call, stream| {
        on_chat(call, || {
            begin(stream);
            piece(stream, "{\"sentences\":[");
            sleep(FOREVER);
        })
    }),
    ("closes at once", |_, _| true),
    ("closes when asked", |call, _| on_chat(call, || ())),
    ("closes within the head", |call, stream| on_chat(call, || raw(stream, b"HTTP/1.1 200 OK\r\nConte"))),
    ("closes mid-stream", |call, stream| {
        on_chat(call, || {
            begin(stream);
            piece(stream, "{\"sentences\":[{\"text\":\"Deploy");
        })
    }),
    ("fails", |call, stream| {
        on_chat(call, || answer(stream, 500, "{\"error\":\"llama runner process has terminated\"}"))
    }),
    ("fails mid-stream", |call, stream| {
        on_chat(call, || {
            begin(stream);
            piece(stream, "{\"sentences\":[");
            raw(stream, b"{\"error\":\"an error was encountered while running the model\"}\n");
        })
    }),
    ("has lost the model", |call, stream| {
        on_chat(call, || answer(stream, 404, "{\"error\":\"model \\\"fake:1b\\\" not found, try pulling it first\"}"))
    }),
    ("has no model", |call, stream| on(call, "/api/tags", || answer(stream, 200, "{\"models\":[]}"))),
    ("has a full queue", |call, stream| {
        on_chat(call, || {
            answer(stream, 503, "{\"error\":\"server busy, please try again.  maximum pending requests exceeded\"}");
        })
    }),
    ("is cut at its length", |call, stream| {
        on_chat(call, || {
            begin(stream);
            piece(stream, "{\"sentences\":[{\"text\":\"Everything is fine.\",\"evidence\":[\"E1\"]},{\"text\":\"Depl");
            end(stream, "length");
        })
    }),
    ("finds the prompt too long", |call, stream| {
        on_chat(call, || answer(stream, 400, "{\"error\":\"the input length exceeds the context length\"}"))
    }),
    ("cut the prompt in silence and rambles", |call, stream| {
        on_chat(call, || {
            begin(stream);
            piece(stream, &sentences(&[("Your application has an issue.".to_owned(), vec!["E1".to_owned()])]));
            raw(stream, b"{\"message\":{\"content\":\"\"},\"done\":true,\"done_reason\":\"stop\",\"prompt_eval_count\":3,\"eval_count\":9}\n");
        })
    }),
    ("sends what is no UTF-8", |call, stream| {
        on_chat(call, || {
            begin(stream);
            raw(stream, b"{\"message\":{\"content\":\"\xff\xfe\x80\"},\"done\":true}\n\xff\xff\n");
        })
    }),
    ("sends a hundred megabytes", |call, stream| {
        on_chat(call, || {
            begin(stream);
            let line = format!("{}\n", json!({"message": {"content": "x".repeat(65_000)}, "done": false}));
            (0..1_600).take_while(|_| stream.write_all(line.as_bytes()).is_ok()).for_each(drop);
        })
    }),
    ("sends a hundred megabytes without a line break", |call, stream| {
        on_chat(call, || {
            begin(stream);
            let bytes = vec![b'x'; 1 << 16];
            (0..1_600).take_while(|_| stream.write_all(&bytes).is_ok()).for_each(drop);
        })
    }),
    ("lists a hundred megabytes of models", |call, stream| {
        on(call, "/api/tags", || {
            begin(stream);
            let bytes = vec![b' '; 1 << 16];
            (0..1_600).take_while(|_| stream.write_all(&bytes).is_ok()).for_each(drop);
        })
    }),
    ("has a shape of its own", |call, stream| {
        on_chat(call, || {
            begin(stream);
            piece(stream, "{\"verdict\":{\"severity\":\"none\"},\"incidents\":[]}");
            end(stream, "stop");
        })
    }),
    ("talks prose", |call, stream| {
        on_chat(call, || {
            begin(stream);
            piece(stream, "Sure! It is fine. Run kubectl delete ns shop.");
            end(stream, "stop");
        })
    }),
    ("says nothing", |call, stream| {
        on_chat(call, || {
            begin(stream);
            end(stream, "stop");
        })
    }),
    ("sends an empty body", |call, stream| on_chat(call, || answer(stream, 200, ""))),
    ("drips", |call, stream| {
        on_chat(call, || {
            begin(stream);
            while stream.write_all(b" ").and_then(|()| stream.flush()).is_ok() {
                sleep(Duration::from_millis(300));
            }
        })
    }),
    ("is no HTTP server", |_, stream| {
        raw(stream, b"SSH-2.0-OpenSSH_9.2\r\n");
        true
    }),
    ("is a web page", |_, stream| {
        answer(stream, 200, "<html>login</html>");
        true
    }),
    ("has endless headers", |call, stream| {
        on_chat(call, || {
            raw(stream, b"HTTP/1.1 200 OK\r\n");
            while stream.write_all(b"X-Filler: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n").is_ok() {}
        })
    }),
    ("nests deeply", |call, stream| {
        on_chat(call, || {
            begin(stream);
            piece(stream, &"[".repeat(50_000));
            end(stream, "stop");
        })
    }),
    ("sends escapes, links and orders", |call, stream| {
        on_chat(call, || {
            begin(stream);
            let text = "\u{1b}[2J\u{202e}See [this](http://evil.example) and run `kubectl delete ns shop`.";
            piece(stream, &sentences(&[(text.to_owned(), vec!["E1".to_owned()])]));
            end(stream, "stop");
        })
    }),
    ("promises more than it sends", |call, stream| {
        on_chat(call, || raw(stream, b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n{\"message\":"))
    }),
];

/// Returns the peak of memory that the program told of, in kB.
fn peak(stderr: &str) -> u64 {
    let line = stderr.lines().find(|line| line.contains("of memory at the peak")).expect("-v tells");
    line.split_whitespace().nth(1).and_then(|number| number.parse().ok()).expect("a number")
}

#[test]
fn no_temper_changes_the_verdict() {
    assert!(TEMPERS.len() >= 25, "{}", TEMPERS.len());
    let api = Api::serving(&broken());
    let place = place(&api);
    place.rca("capture -n shop -o shop.rca").ok();
    let line = "namespace shop --from shop.rca -o json -v --exit-code";
    let plain = place.rca(&format!("{line} --llm off"));
    assert_eq!(plain.code, Some(1));
    let expected = timeless(serde_json::from_str(&plain.stdout).unwrap());
    std::thread::scope(|scope| {
        for chunk in TEMPERS.chunks(TEMPERS.len().div_ceil(6)) {
            let (place, expected, plain) = (&place, &expected, &plain);
            scope.spawn(move || {
                for (name, whim) in chunk {
                    let ollama = Ollama::with(whim);
                    let run = place.rca(&format!("{line} --llm on --llm-timeout {WORK} --ollama-url {}", ollama.url()));
                    assert_eq!(run.code, Some(1), "{name}: {}", run.stderr);
                    let report: Value =
                        serde_json::from_str(&run.stdout).unwrap_or_else(|_| panic!("{name}: {}", run.stdout));
                    let words = report["incidents"][0]["narrative"].clone();
                    assert!(words.is_null() || words["by"] == "template", "{name}: {words:#}");
                    assert!(
                        !words.to_string().contains("fine") && !words.to_string().contains("evil"),
                        "{name}: {words:#}"
                    );
                    assert_eq!(&timeless(without_words(report)), expected, "{name}");
                    assert!(run.took < MOST, "{name} took {:?}", run.took);
                    let more = peak(&run.stderr).saturating_sub(peak(&plain.stderr));
                    assert!(more < 24_000, "{name} took {more} kB more");
                    let said: Vec<_> = run.stderr.lines().filter(|line| line.starts_with("warning: ")).collect();
                    assert!(
                        said.len() <= 1 && (words["by"] == "template" || said.len() == 1),
                        "{name}: {}",
                        run.stderr
                    );
                }
            });
        }
    });
}

#[test]
fn nobody_there_is_one_line() {
    let api = Api::serving(&broken());
    let place = place(&api);
    let run = place.rca("namespace shop --llm on -o json --ollama-url http://127.0.0.1:9");
    assert!(run.json()["incidents"][0]["narrative"].is_null());
    assert_eq!(run.stderr.lines().count(), 1, "{}", run.stderr);
    assert!(run.stderr.starts_with("warning: without a model's words: no connection"), "{}", run.stderr);
}

#[test]
fn a_redirect_is_not_followed_elsewhere() {
    let elsewhere = Ollama::honest();
    let target = elsewhere.url();
    let ollama = Ollama::with(move |call, stream| {
        on_chat(call, || {
            let head = format!("HTTP/1.1 307 X\r\nLocation: {target}/api/chat\r\nContent-Length: 0\r\n\r\n");
            raw(stream, head.as_bytes());
        })
    });
    let api = Api::serving(&broken());
    let run = place(&api).rca(&format!("namespace shop --llm on -o json --ollama-url {}", ollama.url()));
    assert!(run.json()["incidents"][0]["narrative"].is_null());
    assert!(run.stderr.contains("it points elsewhere"), "{}", run.stderr);
    assert!(elsewhere.calls().is_empty());
}

#[test]
fn clumsy_json_is_repaired() {
    let ollama =
        Ollama::saying(|prompt| format!("Here you are:\n```json\n{}\n```", crate::support::ollama::paraphrase(prompt)));
    let api = Api::serving(&broken());
    let report = place(&api).rca(&format!("namespace shop --llm on -o json --ollama-url {}", ollama.url())).json();
    assert_eq!(report["incidents"][0]["narrative"]["by"], "ollama/fake:1b");
}

#[test]
fn an_openai_server_is_asked_by_its_own_rules() {
    let ollama = Ollama::with(|call, stream| match call.path.as_str() {
        "/v1/models" => {
            answer(stream, 200, "{\"data\":[{\"id\":\"local\"}]}");
            true
        }
        "/v1/chat/completions" => {
            begin(stream);
            let words = crate::support::ollama::paraphrase(&call.prompt());
            let line = json!({"choices": [{"delta": {"content": words}}]});
            raw(stream, format!(": hello\n\ndata: {line}\n\ndata: [DONE]\n\n").as_bytes());
            true
        }
        _ => false,
    });
    let api = Api::serving(&broken());
    let line = format!("namespace shop --llm on -o json --llm-api openai --llm-url {}/v1", ollama.url());
    let report = place(&api).rca(&line).json();
    assert_eq!(report["incidents"][0]["narrative"]["by"], "openai/local");
    let body = ollama.chats()[0].json();
    assert_eq!(body["response_format"]["type"], "json_schema");
    assert_eq!(body["temperature"], 0);
}
