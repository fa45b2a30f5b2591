//! What is said to a model's server, and how its answer is read: bounded in time and size, whatever it does.

use std::time::Duration;

use futures::StreamExt as _;
use http::Method;
use serde::Serialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::prompt::{ANSWER_TOKENS, CONTEXT, Detail, Prompt};
use super::transport::{Reply, Route, Trouble};

/// No honest answer is longer.
const MOST_BYTES: usize = 256 << 10;
/// Lists of models may be.
const MOST_LISTED: usize = 4 << 20;
/// A model of fewer bytes has some hundred million parameters.
const VERY_SMALL: u64 = 700_000_000;
/// The same question has the same answer.
const SEED: u32 = 7;

/// The language that a server speaks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Dialect {
    #[default]
    Ollama,
    /// What vLLM, llama.cpp and LM Studio speak.
    OpenAi,
}

impl Dialect {
    /// Returns the word that stands before the model's name in a report.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ollama => "ollama",
            Self::OpenAi => "openai",
        }
    }
}

/// A server that was reached.
#[derive(Clone, Debug)]
pub struct Server {
    pub(super) route: Route,
    pub(super) dialect: Dialect,
}

/// A model that is installed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Model {
    pub name: String,
    pub bytes: u64,
    pub is_loaded: bool,
}

/// What came back.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answer {
    pub text: String,
    /// Tokens of the prompt and of the answer, as the server counts them.
    pub tokens: (u64, u64),
}

impl Model {
    /// Returns how much it can be shown.
    pub fn detail(&self) -> Detail {
        // A server that does not tell sizes is taken for a large one's.
        if (1..VERY_SMALL).contains(&self.bytes) { Detail::Diagnosis } else { Detail::Evidence }
    }
}

impl Server {
    /// Returns the language that it speaks.
    pub fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// Returns where it is, in words.
    pub fn place(&self) -> String {
        self.route.describe()
    }

    /// Checks that it is what it looks like.
    pub(super) async fn verify(&self) -> Result<(), Trouble> {
        let answer = match self.dialect {
            Dialect::Ollama => self.get("/api/version").await?,
            Dialect::OpenAi => self.get("/v1/models").await?,
        };
        let is_right = match self.dialect {
            Dialect::Ollama => answer["version"].is_string(),
            Dialect::OpenAi => answer["data"].is_array(),
        };
        if is_right { Ok(()) } else { Err(Trouble(format!("what answers is no {} server", self.dialect.as_str()))) }
    }

    /// Lists the installed models.
    pub async fn models(&self) -> Result<Vec<Model>, Trouble> {
        let list = |value: &Value, key: &str| value[key].as_array().cloned().unwrap_or_default();
        let name = |item: &Value, key: &str| item[key].as_str().map(str::to_owned);
        if self.dialect == Dialect::OpenAi {
            let served = list(&self.get("/v1/models").await?, "data");
            let models =
                served.iter().filter_map(|item| Some(Model { name: name(item, "id")?, bytes: 0, is_loaded: true }));
            return Ok(models.collect());
        }
        let installed = list(&self.get("/api/tags").await?, "models");
        // Older servers do not tell what is loaded.
        let loaded = self.get("/api/ps").await.map(|answer| list(&answer, "models")).unwrap_or_default();
        let loaded: Vec<String> = loaded.iter().filter_map(|item| name(item, "name")).collect();
        let models = installed.iter().filter_map(|item| {
            let name = name(item, "name")?;
            Some(Model { is_loaded: loaded.contains(&name), bytes: item["size"].as_u64().unwrap_or_default(), name })
        });
        Ok(models.collect())
    }

    /// Asks for words about an incident.
    pub async fn ask(&self, model: &str, prompt: &Prompt) -> Result<Answer, Trouble> {
        let (path, body) = self.question(model, prompt)?;
        let mut reply = self.route.send(Method::POST, path, body).await?;
        refuse(&mut reply).await?;
        let mut answer = Answer::default();
        let mut lines = Lines::new(reply, MOST_BYTES);
        while let Some(line) = lines.next().await? {
            if self.take_in(&line, &mut answer)? {
                return Ok(answer);
            }
        }
        // Without an end the rest is missing; what is whole of it can be used.
        if answer.text.is_empty() { Err(Trouble("it answered nothing".to_owned())) } else { Ok(answer) }
    }

    fn question(&self, model: &str, prompt: &Prompt) -> Result<(&'static str, String), Trouble> {
        let messages = prompt.messages().map(|(role, content)| json!({"role": role, "content": content}));
        let schema: &RawValue = serde_json::from_str(&prompt.schema).map_err(Trouble::new)?;
        let (path, rest, format, raw) = match self.dialect {
            Dialect::Ollama => {
                let options = json!({"temperature": 0, "seed": SEED, "num_ctx": CONTEXT, "num_predict": ANSWER_TOKENS});
                // A prompt that does not fit is refused, not cut in silence.
                let rest =
                    json!({"options": options, "think": false, "truncate": false, "shift": false, "keep_alive": "10m"});
                ("/api/chat", rest, Some(schema), None)
            }
            Dialect::OpenAi => {
                let rest = json!({"temperature": 0, "seed": SEED, "max_tokens": ANSWER_TOKENS});
                let schema = JsonSchema { name: "words", strict: true, schema };
                ("/v1/chat/completions", rest, None, Some(ResponseFormat { kind: "json_schema", json_schema: schema }))
            }
        };
        let body = Question { model, messages: &messages, stream: true, format, response_format: raw, rest };
        Ok((path, serde_json::to_string(&body).map_err(Trouble::new)?))
    }

    /// Takes one line of a stream in; returns whether it was the last.
    fn take_in(&self, line: &str, answer: &mut Answer) -> Result<bool, Trouble> {
        let line = match self.dialect {
            Dialect::Ollama => line,
            Dialect::OpenAi => match line.strip_prefix("data:") {
                Some(data) if data.trim() == "[DONE]" => return Ok(true),
                Some(data) => data,
                // Comments and names of events.
                None => return Ok(false),
            },
        };
        let piece: Value =
            serde_json::from_str(line.trim()).map_err(|_| Trouble("its answer is no JSON".to_owned()))?;
        if let Some(error) = piece.get("error").filter(|error| !error.is_null()) {
            return Err(Trouble(said(error)));
        }
        let (text, count) = match self.dialect {
            Dialect::Ollama => (&piece["message"]["content"], (&piece["prompt_eval_count"], &piece["eval_count"])),
            Dialect::OpenAi => {
                let usage = &piece["usage"];
                (&piece["choices"][0]["delta"]["content"], (&usage["prompt_tokens"], &usage["completion_tokens"]))
            }
        };
        answer.text.push_str(text.as_str().unwrap_or_default());
        let newer = |new: &Value, old: u64| new.as_u64().unwrap_or(old);
        answer.tokens = (newer(count.0, answer.tokens.0), newer(count.1, answer.tokens.1));
        Ok(self.dialect == Dialect::Ollama && piece["done"] == true)
    }

    /// Fetches a model onto the server, telling how far it is: what is done, and of how many bytes.
    pub async fn pull(&self, model: &str, mut told: impl FnMut(&str, u64, u64)) -> Result<(), Trouble> {
        let mut reply = self.route.send(Method::POST, "/api/pull", json!({"model": model}).to_string()).await?;
        refuse(&mut reply).await?;
        let mut lines = Lines::new(reply, usize::MAX);
        while let Some(line) = lines.next().await? {
            let step: Value = serde_json::from_str(&line).map_err(Trouble::new)?;
            if let Some(error) = step.get("error") {
                return Err(Trouble(said(error)));
            }
            let number = |key: &str| step[key].as_u64().unwrap_or_default();
            let status = step["status"].as_str().unwrap_or_default();
            told(status, number("completed"), number("total"));
            if status == "success" {
                return Ok(());
            }
        }
        Err(Trouble(format!("the pull of {model} broke off")))
    }

    async fn get(&self, path: &str) -> Result<Value, Trouble> {
        let mut reply = self.route.send(Method::GET, path, String::new()).await?;
        refuse(&mut reply).await?;
        let body = collect(reply, MOST_LISTED).await?;
        serde_json::from_slice(&body).map_err(|_| Trouble("its answer is no JSON".to_owned()))
    }
}

/// What is posted. The schema goes out as it is written: the order of its fields is that of the answer.
#[derive(Serialize)]
struct Question<'a> {
    model: &'a str,
    messages: &'a [Value],
    stream: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    format: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    response_format: Option<ResponseFormat<'a>>,
    #[serde(flatten)]
    rest: Value,
}

/// The same schema, as the other dialect wraps it.
#[derive(Serialize)]
struct ResponseFormat<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    json_schema: JsonSchema<'a>,
}

#[derive(Serialize)]
struct JsonSchema<'a> {
    name: &'static str,
    strict: bool,
    schema: &'a RawValue,
}

/// Turns an answer that is none into its reason.
async fn refuse(reply: &mut Reply) -> Result<(), Trouble> {
    let status = reply.status;
    if (200..300).contains(&status) {
        return Ok(());
    }
    if (300..400).contains(&status) {
        return Err(Trouble("it points elsewhere, where nothing is sent".to_owned()));
    }
    let first = tokio::time::timeout(Duration::from_secs(2), reply.body.next()).await.ok().flatten();
    let body: Value =
        first.and_then(Result::ok).and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or_default();
    let why = if body["error"].is_null() { &body["message"] } else { &body["error"] };
    let why = said(why);
    Err(Trouble(if why.is_empty() { format!("it answered with status {status}") } else { format!("{why} ({status})") }))
}

/// Shortens what a server says is wrong.
fn said(error: &Value) -> String {
    let text = error.as_str().or_else(|| error["message"].as_str()).unwrap_or_default();
    text.chars().take(200).collect()
}

async fn collect(mut reply: Reply, most: usize) -> Result<Vec<u8>, Trouble> {
    let mut body = Vec::new();
    while let Some(piece) = reply.body.next().await {
        body.extend_from_slice(&piece?);
        if body.len() > most {
            return Err(too_long());
        }
    }
    Ok(body)
}

fn too_long() -> Trouble {
    Trouble("its answer is too long".to_owned())
}

/// The lines of a body, as they come.
struct Lines {
    reply: Reply,
    pending: Vec<u8>,
    read: usize,
    most: usize,
    at_end: bool,
}

impl Lines {
    fn new(reply: Reply, most: usize) -> Self {
        Self { reply, pending: Vec::new(), read: 0, most, at_end: false }
    }

    async fn next(&mut self) -> Result<Option<String>, Trouble> {
        loop {
            if let Some(end) = self.pending.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = self.pending.drain(..=end).collect();
                let line = String::from_utf8_lossy(&line).trim().to_owned();
                if !line.is_empty() {
                    return Ok(Some(line));
                }
                continue;
            }
            if self.at_end {
                let rest = String::from_utf8_lossy(&std::mem::take(&mut self.pending)).trim().to_owned();
                return Ok((!rest.is_empty()).then_some(rest));
            }
            match self.reply.body.next().await {
                Some(piece) => {
                    let piece = piece?;
                    self.read += piece.len();
                    if self.read > self.most || self.pending.len() > MOST_BYTES {
                        return Err(too_long());
                    }
                    self.pending.extend_from_slice(&piece);
                }
                None => self.at_end = true,
            }
        }
    }
}
