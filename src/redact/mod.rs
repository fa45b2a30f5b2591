//! Replaces secrets by placeholders before anything is judged, stored, shown or sent.
//!
//! Equal secrets get equal placeholders, so that rules can still compare. Names, hosts, users and everything else that a
//! diagnosis needs stays. Redacting twice is redacting once.
#![warn(clippy::disallowed_methods, clippy::disallowed_types)]

mod assignment;
mod encoded;
mod keys;
mod personal;
mod text;

use std::borrow::Cow;
use std::collections::HashMap;

use self::keys::Smell;
pub use self::personal::Personal;
use self::text::Mode;
use crate::json::{Json, Map};

/// Replaces the secrets of objects and texts by `<secret:1>`, `<secret:2>`, in the order in which it meets them.
#[derive(Default)]
pub struct Redactor {
    numbers: HashMap<String, usize>,
    personal: Personal,
}

/// Shows how many secrets were met, and none of them.
impl std::fmt::Debug for Redactor {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Redactor").field("count", &self.count()).finish_non_exhaustive()
    }
}

/// What the fields of an object mean.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fields {
    /// Those of Kubernetes, where `secret: db` names a Secret.
    Kubernetes,
    /// Those of somebody's JSON within a string.
    Foreign,
}

impl Redactor {
    /// Makes a redactor that has met no secret.
    pub fn new() -> Self {
        Self::default()
    }

    /// Makes one that replaces e-mail addresses or IP addresses too.
    pub fn with(personal: Personal) -> Self {
        Self { personal, ..Self::default() }
    }

    /// Tells how many different secrets were replaced.
    pub fn count(&self) -> usize {
        self.numbers.len()
    }

    /// Forgets all secrets but the first ones, to read an object again.
    pub fn rewind(&mut self, count: usize) {
        self.numbers.retain(|_, number| *number <= count);
    }

    /// Redacts an object in place, given its kind, which items of a list do not carry.
    ///
    /// The values of a Secret become null, its keys stay. Labels, names and other metadata but annotations are left.
    pub fn object(&mut self, kind: &str, object: &mut Json<'_>) {
        match &mut *object {
            Json::Object(fields) => self.fields(kind, fields, Fields::Kubernetes),
            other => self.value("", other, Fields::Kubernetes),
        }
        if self.personal.any() {
            self.impersonal_value(object);
        }
    }

    /// Redacts a log line, several of them, or a message.
    ///
    /// A private key is found when all of its lines are in the text.
    pub fn text<'a>(&mut self, text: &'a str) -> Cow<'a, str> {
        match self.replaced(text, Mode::Prose) {
            Cow::Borrowed(text) => self.impersonal(text).map_or(Cow::Borrowed(text), Cow::Owned),
            Cow::Owned(text) => Cow::Owned(self.impersonal(&text).unwrap_or(text)),
        }
    }

    fn impersonal_value(&mut self, value: &mut Json<'_>) {
        match value {
            Json::String(text) => {
                if let Some(replaced) = self.impersonal(text) {
                    *text = Cow::Owned(replaced);
                }
            }
            Json::Array(items) => items.iter_mut().for_each(|item| self.impersonal_value(item)),
            Json::Object(map) => map.iter_mut().for_each(|(_, value)| self.impersonal_value(value)),
            Json::Null | Json::Bool(_) | Json::Number(_) => {}
        }
    }

    /// Replaces e-mail and IP addresses; `None` where there are none, or nobody asked.
    fn impersonal(&mut self, text: &str) -> Option<String> {
        let found = self.personal.find(text);
        (!found.is_empty()).then(|| self.replacing(text, found))
    }

    fn fields(&mut self, kind: &str, map: &mut Map<'_>, fields: Fields) {
        let kind = map.get("kind").and_then(Json::as_str).unwrap_or(kind);
        let is_config_map = kind == "ConfigMap" && fields == Fields::Kubernetes;
        if kind == "Secret" && fields == Fields::Kubernetes {
            drop_secret_values(map);
        }
        self.named_value(map);
        for (key, value) in map.iter_mut() {
            match value {
                Json::Object(metadata) if key == "metadata" && fields == Fields::Kubernetes => {
                    if let Some(annotations) = metadata.get_mut("annotations") {
                        self.value("annotations", annotations, Fields::Foreign);
                    }
                }
                Json::Object(entries) if is_config_map && matches!(key, "data" | "binaryData") => {
                    self.config_entries(entries);
                }
                value => self.value(key, value, fields),
            }
        }
    }

    fn value(&mut self, key: &str, value: &mut Json<'_>, fields: Fields) {
        match value {
            Json::String(text) => {
                let _ = if is_secret(key, text, fields) { self.hide(text) } else { self.string(key, text) };
            }
            Json::Array(items) => self.items(key, items, fields),
            Json::Object(map) => self.fields("", map, fields),
            Json::Null | Json::Bool(_) | Json::Number(_) => {}
        }
    }

    /// `{name: DB_PASSWORD, value: hunter2}`, as in `env` and in HTTP headers.
    fn named_value(&mut self, map: &mut Map<'_>) {
        let name = ["name", "key"].iter().find_map(|field| map.get(field)?.as_str());
        let Some(smell) = name.and_then(keys::smell) else {
            return;
        };
        if let Some(Json::String(value)) = map.get_mut("value")
            && is_secret_value(smell, value)
        {
            self.hide(value);
        }
    }

    fn config_entries(&mut self, entries: &mut Map<'_>) {
        for (key, value) in entries.iter_mut() {
            let Json::String(text) = value else { continue };
            if !is_file_name(key) && is_secret(key, text, Fields::Foreign) {
                self.hide(text);
            } else {
                self.data(text);
            }
        }
    }

    /// A list of strings is read as a command line, `["--token", "x"]`, until nothing is found any more.
    fn items(&mut self, key: &str, items: &mut [Json<'_>], fields: Fields) {
        while self.items_once(key, items, fields) {}
    }

    fn items_once(&mut self, key: &str, items: &mut [Json<'_>], fields: Fields) -> bool {
        let (mut after_flag, mut changed) = (false, false);
        for item in items {
            let Json::String(text) = item else {
                after_flag = false;
                self.value(key, item, fields);
                continue;
            };
            let is_flag = text.starts_with('-');
            let is_value = after_flag && !is_flag && is_secret_value(Smell::Strong, text);
            after_flag = !is_value && is_flag && assignment::takes_secret(text);
            changed |= if is_value || is_secret(key, text, fields) { self.hide(text) } else { self.argument(text) };
        }
        changed
    }

    /// `--password=x`: without blanks in front of it, the whole rest is the value.
    fn argument(&mut self, text: &mut Cow<'_, str>) -> bool {
        let Some((name, value)) = text.split_once('=') else {
            return self.data(text);
        };
        let is_one =
            !name.contains(char::is_whitespace) && (text.starts_with('-') || !value.contains(char::is_whitespace));
        if is_one && keys::smell(name).is_some_and(|smell| is_secret_value(smell, value)) {
            let placeholder = self.placeholder(value, "secret");
            *text = Cow::Owned(format!("{name}={placeholder}"));
            true
        } else {
            self.data(text)
        }
    }

    fn string(&mut self, key: &str, text: &mut Cow<'_, str>) -> bool {
        if matches!(key, "message" | "note" | "reason" | "log" | "description") {
            self.replace(text, Mode::Prose)
        } else {
            self.data(text)
        }
    }

    /// A string that may hold a file: JSON is read as such, when nothing else than its layout can change by that.
    fn data(&mut self, text: &mut Cow<'_, str>) -> bool {
        if !text::may_hold_secret(text) {
            return false;
        }
        if text.starts_with(['{', '['])
            && let Some((changed, redacted)) = self.embedded(text)
        {
            if changed {
                *text = Cow::Owned(redacted);
            }
            return changed;
        }
        self.replace(text, Mode::Data)
    }

    /// Redacts JSON within a string: whether that changed it, and what it became.
    fn embedded(&mut self, text: &str) -> Option<(bool, String)> {
        let parsed: Json<'_> = serde_json::from_str(text).ok()?;
        let fields = if parsed.get("apiVersion").is_some() { Fields::Kubernetes } else { Fields::Foreign };
        let mut redacted = parsed.clone();
        self.value("", &mut redacted, fields);
        let write = if text.contains('\n') { serde_json::to_string_pretty } else { serde_json::to_string };
        Some((redacted != parsed, write(&redacted).ok()?))
    }

    fn replace(&mut self, text: &mut Cow<'_, str>, mode: Mode) -> bool {
        let Cow::Owned(redacted) = self.replaced(text, mode) else {
            return false;
        };
        *text = Cow::Owned(redacted);
        true
    }

    /// Replaces until nothing is found any more, which makes a second redaction change nothing.
    fn replaced<'a>(&mut self, text: &'a str, mode: Mode) -> Cow<'a, str> {
        let mut redacted = Cow::Borrowed(text);
        loop {
            let secrets = text::secrets(&redacted, mode);
            if secrets.is_empty() {
                return redacted;
            }
            redacted = Cow::Owned(self.replacing(&redacted, secrets.into_iter().map(|secret| (secret, "secret"))));
        }
    }

    /// Returns a text with placeholders in some places, which are in order.
    fn replacing(&mut self, text: &str, places: impl IntoIterator<Item = personal::Found>) -> String {
        let mut replaced = String::with_capacity(text.len());
        let mut copied = 0;
        for (place, word) in places {
            replaced.push_str(&text[copied..place.start]);
            replaced.push_str(&self.placeholder(&text[place.clone()], word));
            copied = place.end;
        }
        replaced.push_str(&text[copied..]);
        replaced
    }

    fn hide(&mut self, secret: &mut Cow<'_, str>) -> bool {
        *secret = Cow::Owned(self.placeholder(secret, "secret"));
        true
    }

    fn placeholder(&mut self, secret: &str, word: &str) -> String {
        let next = self.numbers.len() + 1;
        let number = match self.numbers.get(secret) {
            Some(number) => *number,
            None => *self.numbers.entry(secret.to_owned()).or_insert(next),
        };
        format!("<{word}:{number}>")
    }
}

/// Nothing of a Secret is kept but the names of its keys.
fn drop_secret_values(secret: &mut Map<'_>) {
    for field in ["data", "stringData"] {
        match secret.get_mut(field) {
            Some(Json::Object(entries)) => entries.iter_mut().for_each(|(_, value)| *value = Json::Null),
            Some(other) => *other = Json::Null,
            None => {}
        }
    }
}

fn is_secret(key: &str, value: &str, fields: Fields) -> bool {
    let Some(smell) = keys::smell(key) else {
        return false;
    };
    is_secret_value(smell, value) && !(fields == Fields::Kubernetes && keys::refers(key, value))
}

fn is_secret_value(smell: Smell, value: &str) -> bool {
    let has_scheme = || ["Bearer ", "Basic ", "Token "].iter().any(|scheme| value.starts_with(scheme));
    let judged_before = value.contains("<secret:");
    !judged_before && !keys::harmless(value) && (smell == Smell::Strong || keys::looks_random(value) || has_scheme())
}

/// Tells whether a key of a `ConfigMap` is a file of many lines, of which not all are secret.
fn is_file_name(key: &str) -> bool {
    const EXTENSIONS: [&str; 18] = [
        "cfg",
        "cnf",
        "conf",
        "env",
        "hcl",
        "html",
        "ini",
        "js",
        "json",
        "lua",
        "properties",
        "py",
        "sh",
        "sql",
        "toml",
        "xml",
        "yaml",
        "yml",
    ];
    key.rsplit_once('.').is_some_and(|(_, extension)| EXTENSIONS.contains(&extension))
}

#[cfg(test)]
pub(crate) mod tests;
