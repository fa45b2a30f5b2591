//! A server that plays an Ollama, well or badly, and remembers what it was told.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use super::http::serve;

/// A request with its body.
#[derive(Clone, Debug, Default)]
pub(crate) struct Call {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) body: String,
}

impl Call {
    /// Reads the body, which is JSON.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_default()
    }

    /// Returns what the model is shown.
    pub(crate) fn prompt(&self) -> String {
        self.json()["messages"][3]["content"].as_str().unwrap_or_default().to_owned()
    }
}

/// Answers a call in its own way; `false` leaves it to the ordinary one.
type Whim = dyn Fn(&Call, &mut TcpStream) -> bool + Send + Sync;

/// A server that plays an Ollama.
pub(crate) struct Ollama {
    address: SocketAddr,
    calls: Arc<Mutex<Vec<Call>>>,
}

impl Ollama {
    /// Plays one whose model says what `words` makes of the prompt.
    pub(crate) fn saying(words: impl Fn(&str) -> String + Send + Sync + 'static) -> Self {
        Self::with(move |call, stream| {
            let is_chat = call.path == "/api/chat";
            if is_chat {
                stream_words(stream, &words(&call.prompt()));
            }
            is_chat
        })
    }

    /// Plays one that words what it is shown, honestly.
    pub(crate) fn honest() -> Self {
        Self::saying(paraphrase)
    }

    /// Plays one that has a way of its own with some calls.
    pub(crate) fn with(whim: impl Fn(&Call, &mut TcpStream) -> bool + Send + Sync + 'static) -> Self {
        let calls: Arc<Mutex<Vec<Call>>> = Arc::default();
        let (seen, whim): (_, Arc<Whim>) = (Arc::clone(&calls), Arc::new(whim));
        let address = serve(move |mut stream| {
            let Some(call) = read_call(&stream) else { return };
            seen.lock().unwrap().push(call.clone());
            if !whim(&call, &mut stream) {
                ordinary(&call, &mut stream);
            }
            _ = stream.flush();
            _ = stream.shutdown(std::net::Shutdown::Write);
            // What was not read yet would reset the connection.
            _ = stream.read(&mut [0; 1024]);
        });
        Self { address, calls }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Returns `HOST:PORT`.
    pub(crate) fn host(&self) -> String {
        self.address.to_string()
    }

    pub(crate) fn calls(&self) -> Vec<Call> {
        self.calls.lock().unwrap().clone()
    }

    /// Returns the calls for words.
    pub(crate) fn chats(&self) -> Vec<Call> {
        self.calls().into_iter().filter(|call| call.path.contains("/chat")).collect()
    }
}

fn read_call(stream: &TcpStream) -> Option<Call> {
    let mut reader = BufReader::new(stream);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if reader.read_line(&mut head).ok()? == 0 {
            return None;
        }
    }
    let lower = head.to_lowercase();
    let length = lower.lines().find_map(|line| line.strip_prefix("content-length: ")?.trim().parse().ok()).unwrap_or(0);
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    let mut words = head.split(' ');
    let (method, path) = (words.next()?.to_owned(), words.next()?.to_owned());
    Some(Call { method, path, body: String::from_utf8(body).ok()? })
}

fn ordinary(call: &Call, stream: &mut TcpStream) {
    match call.path.as_str() {
        "/api/version" => answer(stream, 200, &json!({"version": "0.24.0"}).to_string()),
        "/api/tags" => {
            answer(stream, 200, &json!({"models": [{"name": "fake:1b", "size": 1_000_000_000_u64}]}).to_string());
        }
        "/api/ps" => answer(stream, 200, &json!({"models": []}).to_string()),
        "/api/chat" => stream_words(stream, &paraphrase(&call.prompt())),
        _ => answer(stream, 404, &json!({"error": "not found"}).to_string()),
    }
}

/// Answers with one body.
pub(crate) fn answer(stream: &mut TcpStream, code: u16, body: &str) {
    let head = format!("HTTP/1.1 {code} X\r\nContent-Length: {}\r\nContent-Type: application/json\r\n\r\n", body.len());
    // Who has gone does not want it.
    _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body.as_bytes()));
}

/// Begins an answer that goes on until the connection is closed.
pub(crate) fn begin(stream: &mut TcpStream) {
    _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Type: application/x-ndjson\r\nConnection: close\r\n\r\n");
}

/// Writes one piece of an answer, as a line.
pub(crate) fn piece(stream: &mut TcpStream, text: &str) {
    let line = json!({"model": "fake:1b", "message": {"role": "assistant", "content": text}, "done": false});
    _ = stream.write_all(format!("{line}\n").as_bytes());
}

/// Writes the last line.
pub(crate) fn end(stream: &mut TcpStream, reason: &str) {
    let line = json!({"message": {"role": "assistant", "content": ""}, "done": true, "done_reason": reason,
        "prompt_eval_count": 400, "eval_count": 80});
    _ = stream.write_all(format!("{line}\n").as_bytes());
}

/// Streams words in small pieces.
pub(crate) fn stream_words(stream: &mut TcpStream, words: &str) {
    begin(stream);
    let chars: Vec<char> = words.chars().collect();
    chars.chunks(9).for_each(|chunk| piece(stream, &chunk.iter().collect::<String>()));
    end(stream, "stop");
}

/// Writes an answer in the shape that was asked for.
pub(crate) fn sentences(sentences: &[(String, Vec<String>)]) -> String {
    let sentences: Vec<Value> = sentences.iter().map(|(text, ids)| json!({"text": text, "evidence": ids})).collect();
    json!({"sentences": sentences}).to_string()
}

/// Words the statements of a prompt: capitals, full stops, no backticks, kinds apart from names.
pub(crate) fn paraphrase(prompt: &str) -> String {
    let mut last: Vec<String> = Vec::new();
    let mut told = Vec::new();
    for line in prompt.lines().filter_map(|line| line.strip_prefix("- ")) {
        let (text, ids) = match line.rsplit_once(" [") {
            Some((text, ids)) => (text, ids.trim_end_matches(']').split(", ").map(str::to_owned).collect()),
            None => (line, last.clone()),
        };
        last.clone_from(&ids);
        let text = text.replace('`', "").replace("deployment/", "deployment ").replace("service/", "service ");
        let mut chars = text.chars();
        let first: String = chars.next().into_iter().flat_map(char::to_uppercase).collect();
        told.push((format!("{first}{}.", chars.as_str()), ids));
    }
    sentences(&told)
}
